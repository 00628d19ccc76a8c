"""The account of a run without data: each storage from the call that makes it until nobody holds it.

It sits below autograd. What an operator of several parts makes on the way is seen, and so is what autograd saves,
for it lives as long as in a run with data.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tracelab.compat.allocations import DispatchMode, backward_number, holders, in_backward, without_data
from tracelab.compat.tensors import storage_address
from tracelab.execute.measure.memory import tensors_in
from tracelab.execute.memory.kernels import held_inside, stand_in


class Allocations(DispatchMode):  # type: ignore[misc]
    """Bytes that live now, and the most since `start`; `moved` is called before each call of the backward pass.

    >>> with without_data(), Allocations() as memory:
    ...     x = torch.empty(10)
    ...     del x
    >>> memory.live, memory.most
    (0, 40)
    """

    def __init__(self) -> None:
        super().__init__()
        self.live = 0
        self.most = 0
        self.moved: Callable[[int | None], None] | None = None
        self._sizes: dict[int, int] = {}
        self._left_out: set[int] = set()
        self._alone = _holders_of_a_fresh_gradient()

    def start(self) -> None:
        """Begin to look for the most anew."""
        self.most = self.live

    def hold(self, tensor: Tensor) -> None:
        """Count the memory of a tensor, once, and again what it grew by."""
        if tensor.layout is not torch.strided:
            return
        storage = tensor.untyped_storage()
        address, now = storage_address(storage), storage.nbytes()
        if address in self._left_out:
            return
        before = self._sizes.get(address)
        if before is None:
            weakref.finalize(storage, self._gone, address)
        elif now <= before:
            return
        self._sizes[address] = now
        self.live += now - (before or 0)
        self.most = max(self.most, self.live)

    def leave_out(self, tensor: Tensor) -> None:
        """Never count the memory of a tensor, unless it is counted already."""
        storage = tensor.untyped_storage()
        address = storage_address(storage)
        if address not in self._sizes and address not in self._left_out:
            self._left_out.add(address)
            weakref.finalize(storage, self._left_out.discard, address)

    def bytes_of(self, tensors: list[Tensor]) -> int:
        """The bytes of the memory of tensors, as they are counted."""
        return sum(
            self._sizes.get(address, 0) for address in {storage_address(item.untyped_storage()) for item in tensors}
        )

    def _gone(self, address: int) -> None:
        self.live -= self._sizes.pop(address)

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.moved is not None:
            self.moved(backward_number())
        if function is torch.ops.aten.add.Tensor and in_backward():
            summed = self._summed_in_place(*args, **kwargs)
            if summed is not None:
                return summed
        before = self.live
        result = (stand_in(function, args) or function)(*args, **kwargs)
        for tensor in tensors_in(result):
            self.hold(tensor)
        inside = held_inside(function, args)
        if inside is not None:
            self.most = max(self.most, before + inside)
        return result

    def _summed_in_place(self, one: Any, other: Any, **options: Any) -> Tensor | None:
        """The sum of two gradients of one tensor, written into one that nobody else holds, as torch does with data.

        With tensors that have none torch makes a new one.
        """
        if options or not isinstance(one, Tensor) or not isinstance(other, Tensor) or one.shape != other.shape:
            return None
        for mine, more in ((one, other), (other, one)):
            whole = mine.untyped_storage().nbytes() == mine.numel() * mine.element_size()
            count, storage_count = holders(mine)
            if whole and count <= self._alone[0] and storage_count <= self._alone[1]:
                return mine.add_(more)
        return None


class _FirstSum(DispatchMode):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.found = (0, 0)

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if function is torch.ops.aten.add.Tensor:
            self._count(*args)
        return function(*args, **(kwargs or {}))

    def _count(self, one: Tensor, other: Tensor) -> None:
        for mine, _ in ((one, other), (other, one)):
            self.found = holders(mine)


@functools.cache
def _holders_of_a_fresh_gradient() -> tuple[int, int]:
    """How many are counted as holders of a gradient that only the backward pass holds; torch's versions differ."""
    with torch.enable_grad(), without_data():
        weight = torch.empty(2, requires_grad=True)
        ends = [weight.sin(), weight.cos()]
        with _FirstSum() as mode:
            torch.autograd.backward(ends, [torch.empty(2), torch.empty(2)])
    found: tuple[int, int] = mode.found
    return found
