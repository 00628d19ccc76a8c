"""How much memory a run holds: torch's own account on a GPU, the live tensors' storages elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor

from tracelab.compat.tensors import storage_address

T = TypeVar("T")


class Memory:
    """Bytes that the run's live values hold, each storage counted once however many values share it.

    What a kernel takes for itself while it runs, and what autograd keeps, is not seen.

    >>> memory = Memory()
    >>> memory.hold(0, torch.ones(10)); memory.allocated
    40
    >>> memory.release(0); memory.allocated
    0
    """

    __slots__ = ("_counts", "_held", "allocated")

    def __init__(self) -> None:
        self.allocated = 0
        self._counts: dict[int, list[int]] = {}
        self._held: dict[int, list[int]] = {}

    def hold(self, slot: int, item: Any) -> None:
        """Count what `item` (a tensor, or a structure of them) keeps alive, under the key `slot`."""
        if slot in self._held:
            self.release(slot)
        keys = []
        for tensor in tensors_in(item):
            found = _storage(tensor)
            if found is None:
                continue
            key, size = found
            entry = self._counts.get(key)
            if entry is None:
                self._counts[key] = [1, size]
                self.allocated += size
            else:
                entry[0] += 1
            keys.append(key)
        if keys:
            self._held[slot] = keys

    def release(self, slot: int) -> None:
        """No longer count what `slot` held."""
        for key in self._held.pop(slot, ()):
            entry = self._counts[key]
            entry[0] -= 1
            if not entry[0]:
                del self._counts[key]
                self.allocated -= entry[1]

    def start(self) -> None:
        """Called before each node."""

    def peak(self) -> int:
        """The most bytes held while the node ran: everything live before, and what it made."""
        return self.allocated

    def now(self) -> int:
        """Bytes held after the node, what died at it freed."""
        return self.allocated


class CudaMemory(Memory):
    """What torch's caching allocator has handed out on one device, autograd and work space included.

    The peak of each node needs the allocator's peak counter to be reset, which is global to the process.
    """

    __slots__ = ("_device",)

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self._device = device

    def hold(self, slot: int, item: Any) -> None:
        pass

    def release(self, slot: int) -> None:
        pass

    def start(self) -> None:
        torch.cuda.reset_peak_memory_stats(self._device)

    def peak(self) -> int:
        return self._bytes("peak")

    def now(self) -> int:
        return self._bytes("current")

    def _bytes(self, which: str) -> int:
        # `max_memory_allocated` flattens and sorts some hundred counters at each call.
        found = torch.cuda.memory_stats_as_nested_dict(self._device)
        return int(found["allocated_bytes"]["all"][which]) if found else 0


def memory_for(device: torch.device, has_data: bool) -> Memory:
    """The account that fits the device."""
    return CudaMemory(device) if device.type == "cuda" and has_data else Memory()


def instances_in(item: Any, kind: type[T]) -> Iterator[T]:
    """What a value holds of a class: itself, or what is in its lists, tuples and dicts."""
    if isinstance(item, kind):
        yield item
    elif isinstance(item, (list, tuple)):
        for child in item:
            yield from instances_in(child, kind)
    elif isinstance(item, dict):
        for child in item.values():
            yield from instances_in(child, kind)


def tensors_in(item: Any) -> Iterator[Tensor]:
    """The tensors of a value: itself, or those in its lists, tuples and dicts."""
    return instances_in(item, Tensor)


def bytes_of(tensor: Tensor) -> int:
    """Bytes of the elements that the tensor shows; 0 where it has no plain layout."""
    return tensor.numel() * tensor.element_size() if tensor.layout is torch.strided else 0


def _storage(tensor: Tensor) -> tuple[int, int] | None:
    if tensor.layout is not torch.strided:
        return None
    try:
        storage = tensor.untyped_storage()
    except (RuntimeError, NotImplementedError):
        return None
    return storage_address(storage), storage.nbytes()
