"""What a tensor is beside its values, kept and put back: its memory, shape, class of leaf and gradient."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(slots=True)
class TensorFace:
    """One tensor as it was; `alias` holds its memory in its shape."""

    tensor: Tensor
    alias: Tensor
    leaf: bool
    requires_grad: bool
    grad: Tensor | None

    @classmethod
    def of(cls, tensor: Tensor) -> TensorFace:
        """A tensor as it is now."""
        leaf = tensor.is_leaf
        return cls(tensor, tensor.detach(), leaf, tensor.requires_grad, tensor.grad if leaf else None)

    def restore(self) -> None:
        """Put it back; gradients are off, and its values are another matter."""
        tensor, alias = self.tensor, self.alias
        if tensor.is_leaf and tensor.grad is not self.grad:
            # A gradient of another shape than a resized tensor is refused: the tensor comes first.
            tensor.grad = None
        if self.leaf and not tensor.is_leaf:
            # What was written into it came from a gradient's graph.
            tensor.detach_()
        if not _same_memory(tensor, alias):
            tensor.data = alias
        if self.leaf and tensor.requires_grad != self.requires_grad:
            tensor.requires_grad_(self.requires_grad)
        if self.leaf and tensor.grad is not self.grad:
            tensor.grad = self.grad


def _same_memory(tensor: Tensor, alias: Tensor) -> bool:
    return (
        tensor.data_ptr() == alias.data_ptr()
        and tensor.shape == alias.shape
        and tensor.stride() == alias.stride()
        and tensor.dtype == alias.dtype
    )
