"""The values of tensors, kept and put back: the bytes of each memory block, and what each tensor makes of its block.

A write through `.data`, a NumPy array or a library of C leaves no mark on a tensor's version, so that versions cannot
say what is to be put back: blocks are copied, and compared byte by byte afterwards. What the trace writes to is always
copied; of the rest, which is seldom written to, up to `MOST_BYTES` are: parameters and their gradients last, small
blocks before large ones. A write to one that was not copied is seen by its version and told: it cannot be taken back.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tracelab.compat.tensors import is_fake, storage_address, version_of, without_torch_function
from tracelab.execute.tensor_face import TensorFace
from tracelab.graph.diagnostic import TracerWarning

MOST_BYTES = 1 << 30
"""Of what nothing is known to write to, this much is copied."""


def has_data(tensor: Tensor) -> bool:
    """Whether there are values to compare: meta and fake tensors have none."""
    return not tensor.is_meta and not is_fake(tensor)


@dataclass(slots=True)
class _Block:
    """One memory block, and its bytes as they were; None where they were not copied."""

    storage: Any
    size: int
    copy: Any
    versions: list[tuple[Tensor, int]]


class Memory:
    """The values of some tensors and of all that shares memory with them, as they are now."""

    def __init__(self, tensors: Iterable[Tensor], written: Iterable[Tensor] = ()) -> None:
        self._blocks: dict[int, _Block] = {}
        self._faces: list[TensorFace] = []
        self._told = False
        with torch.no_grad(), without_torch_function():
            self._keep(tensors, written)

    def _keep(self, tensors: Iterable[Tensor], written: Iterable[Tensor]) -> None:
        ranks: dict[int, int] = {}
        """Of each block: 0 for one that is written to, 1 for any other, 2 for one of parameters and gradients alone."""
        seen: set[int] = set()
        pending = [(tensor, 0) for tensor in written]
        pending += ((tensor, 2 if isinstance(tensor, nn.Parameter) else 1) for tensor in tensors)
        for tensor, rank in pending:
            if id(tensor) in seen or not _is_plain(tensor):
                continue
            seen.add(id(tensor))
            if tensor.layout is not torch.strided:
                pending += ((part, rank) for part in _parts(tensor))
                continue
            face = TensorFace.of(tensor)
            self._faces.append(face)
            if face.grad is not None:
                pending.append((face.grad, 2))
            storage = tensor.untyped_storage()
            key = storage_address(storage)
            block = self._blocks.get(key)
            if block is None:
                block = self._blocks[key] = _Block(storage, storage.nbytes(), None, [])
            block.versions.append((tensor, _version(tensor)))
            ranks[key] = min(ranks.get(key, 2), rank)
        left = MOST_BYTES
        for key, block in sorted(self._blocks.items(), key=lambda item: (ranks[item[0]], item[1].size)):
            if ranks[key]:
                if block.size > left:
                    continue
                left -= block.size
            block.copy = _words(block.storage, block.size).clone()

    def copied(self, tensors: Iterable[Tensor]) -> bool:
        """Whether the values of all of these are kept."""
        blocks = (self._blocks.get(storage_address(t.untyped_storage())) for t in tensors if _is_block(t))
        return all(block is not None and block.copy is not None for block in blocks)

    def restore(self) -> None:
        """Put it back."""
        with torch.no_grad(), without_torch_function():
            for face in self._faces:
                face.restore()
            for block in self._blocks.values():
                self._restore_block(block)

    def _restore_block(self, block: _Block) -> None:
        if block.copy is None:
            if not self._told and any(_version(tensor) != version for tensor, version in block.versions):
                self._told = True
                size = block.size / 2**30
                warnings.warn(
                    f"a check ran code that writes to a tensor of {size:.2f} GiB, and leaves it written to: of tensors "
                    "that the trace does not write to, 1 GiB in all is copied first; check with smaller ones, or load "
                    "what it holds again",
                    TracerWarning,
                    stacklevel=2,
                )
            return
        if block.storage.nbytes() != block.size:
            block.storage.resize_(block.size)
        now = _words(block.storage, block.size)
        if not torch.equal(now, block.copy):
            now.copy_(block.copy)


def _is_block(tensor: Tensor) -> bool:
    return tensor.layout is torch.strided and _is_plain(tensor)


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else version_of(tensor)


def _is_plain(tensor: Tensor) -> bool:
    """Whether the tensor has values in memory of its own, and no class of its own."""
    cls: Any = type(tensor)
    if cls.__torch_dispatch__ is not Tensor.__torch_dispatch__:
        return False
    if isinstance(tensor, _LAZY) or not has_data(tensor) or tensor.is_nested:
        return False
    if tensor.layout is torch.strided:
        try:
            return bool(tensor.untyped_storage().data_ptr() or tensor.untyped_storage().nbytes() == 0)
        except (RuntimeError, NotImplementedError):
            return False
    return tensor.layout in _SPARSE


_LAZY = (nn.UninitializedParameter, nn.UninitializedBuffer)
_SPARSE = {
    torch.sparse_coo: ("_indices", "_values"),
    torch.sparse_csr: ("crow_indices", "col_indices", "values"),
    torch.sparse_bsr: ("crow_indices", "col_indices", "values"),
    torch.sparse_csc: ("ccol_indices", "row_indices", "values"),
    torch.sparse_bsc: ("ccol_indices", "row_indices", "values"),
}


def _parts(tensor: Tensor) -> list[Tensor]:
    """The tensors that a sparse one is made of."""
    return [getattr(tensor.detach(), name)() for name in _SPARSE[tensor.layout]]


def _words(storage: torch.UntypedStorage, size: int) -> Tensor:
    """The bytes of a memory block as whole numbers, as wide as they fit: wide ones compare fastest."""
    dtype = torch.int64 if size % 8 == 0 else torch.uint8
    words = torch.empty(0, dtype=dtype, device=storage.device)
    return words.set_(storage, 0, (size // dtype.itemsize,), (1,))
