"""What flows through a graph at several sizes at once: for each tensor, what it is like at each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tracelab.execute.measure.memory import instances_in


class Spec(NamedTuple):
    """A tensor at one size: shape and strides in elements, and dtype."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype

    @property
    def bytes(self) -> int:
        """Bytes of its elements; an expanded dimension is there once."""
        count = 1
        for size, step in zip(self.shape, self.stride, strict=True):
            count *= size if step or not size else 1
        return count * self.dtype.itemsize

    def tensor(self) -> Tensor:
        """Such a tensor on the meta device."""
        return torch.empty_strided(self.shape, self.stride, dtype=self.dtype, device="meta")


def spec_of(tensor: Tensor, dtype: torch.dtype | None = None) -> Spec:
    """What a tensor is like, with another floating dtype where one is given."""
    cast = dtype is not None and tensor.is_floating_point()
    stride = tensor.stride() if tensor.layout is torch.strided else torch.empty(tensor.shape, device="meta").stride()
    return Spec(tuple(tensor.shape), tuple(stride), dtype if cast and dtype is not None else tensor.dtype)


@dataclass(frozen=True, slots=True)
class Flow:
    """A tensor at each of the sizes: the number of its row of `Spec`s, and its memory."""

    row: int
    storage: int


@dataclass(frozen=True, slots=True)
class Plain:
    """A value of Python's at each of the sizes."""

    values: tuple[Any, ...]


class Unhashable(Exception):
    """An argument that cannot be compared, so that its call is not known from another one."""


def flows_in(item: Any) -> Iterator[Flow]:
    """The tensors of a value: itself, or those in its lists, tuples and dicts."""
    return instances_in(item, Flow)


def key_of(item: Any) -> Any:
    """What two arguments have in common that give the same results.

    Raises:
        Unhashable: If it cannot be compared.
    """
    if isinstance(item, Flow):
        return item.row
    if isinstance(item, Plain):
        return tuple(map(_plain_key, item.values))
    if isinstance(item, (list, tuple)):
        return (type(item), *map(key_of, item))
    if isinstance(item, dict):
        return (dict, *((key, key_of(child)) for key, child in item.items()))
    if type(item) is slice:
        return (slice, key_of(item.start), key_of(item.stop), key_of(item.step))
    return _plain_key(item)


def _plain_key(item: Any) -> Any:
    if isinstance(item, Tensor):
        raise Unhashable
    try:
        hash(item)
    except TypeError:
        raise Unhashable from None
    return type(item), item


def mapped(item: Any, function: Callable[[Any], Any]) -> Any:
    """The same structure with each `Flow`, `Plain` and other leaf replaced."""
    if isinstance(item, tuple):
        children = [mapped(child, function) for child in item]
        return type(item)(*children) if hasattr(item, "_fields") else tuple(children)
    if isinstance(item, list):
        return [mapped(child, function) for child in item]
    if isinstance(item, dict):
        return {key: mapped(child, function) for key, child in item.items()}
    if type(item) is slice:
        return slice(*(mapped(part, function) for part in (item.start, item.stop, item.step)))
    return function(item)
