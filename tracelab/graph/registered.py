"""Classes that are taken apart as somebody said: by `tracelab.register_structure`, or to torch's pytrees."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tracelab.compat.pytrees import known_to_torch
from tracelab.errors import InputError


@dataclass(frozen=True, slots=True)
class Structure:
    """How objects of one class are taken apart, and put together again."""

    cls: type
    flatten: Callable[[Any], tuple[Iterable[Any], Any]]
    unflatten: Callable[[Iterable[Any], Any], Any]

    @property
    def __name__(self) -> str:
        return self.cls.__name__

    def taken_apart(self, item: Any) -> tuple[Iterable[Any], Any]:
        """The parts of an object and its context; raises `InputError` where `flatten` gives something else."""
        made = self.flatten(item)
        if not isinstance(made, tuple) or len(made) != 2:
            raise InputError(
                f"register_structure({self.__name__}, flatten=…): `flatten` gives a tuple of the parts and a context, "
                f"as in `[item.x], None`, but gave {type(made).__name__}"
            )
        return made

    def __call__(self, parts: Iterable[Any], context: Any) -> Any:
        return self.unflatten(list(parts), context)

    def __reduce__(self) -> Any:
        return structure_of, (self.cls,)


_VIEWS: tuple[Structure, ...] = (
    Structure(type({}.values()), lambda item: (list(item), None), lambda parts, _: dict(enumerate(parts)).values()),
    Structure(
        type({}.items()),
        lambda item: ([part for _, part in item], tuple(key for key, _ in item)),
        lambda parts, keys: dict(zip(keys, parts, strict=True)).items(),
    ),
    Structure(type({}.keys()), lambda item: ((), tuple(item)), lambda _, keys: dict.fromkeys(keys).keys()),
)
"""Views of dicts: what is made of the parts is one of another dict."""
_registered: dict[type, Structure] = {view.cls: view for view in _VIEWS}


def register_structure(
    cls: type,
    flatten: Callable[[Any], tuple[Iterable[Any], Any]],
    unflatten: Callable[[Iterable[Any], Any], Any],
) -> None:
    """Say how objects of a class are taken apart, where their fields are not what they are made of.

    Args:
        cls: The class, which may be written in C; its subclasses are classes of their own.
        flatten: Gives the parts of an object (tensors, or what nests them), and a context of plain values, which calls
            are compared with.
        unflatten: Makes the object from a list of parts and the context, as for torch's `register_pytree_node`.

    Raises:
        InputError: `cls` is not a class.

    >>> import threading
    >>> class Shared:
    ...     def __init__(self, x):
    ...         self.x, self.lock = x, threading.Lock()
    >>> tracelab.register_structure(Shared, lambda item: ([item.x], None), lambda parts, _: Shared(*parts))
    >>> traced = tracelab.trace(lambda item: item.x + 1, Shared(torch.ones(2)))
    >>> traced(Shared(torch.zeros(2)))
    tensor([1., 1.])
    """
    if not isinstance(cls, type):
        raise InputError(f"register_structure needs a class, but got {type(cls).__name__}")
    _registered[cls] = Structure(cls, flatten, unflatten)


def registered(cls: type) -> Structure | None:
    """How a class is taken apart that `register_structure` was told of."""
    return _registered.get(cls)


def structure_of(cls: type) -> Structure | None:
    """How a class is taken apart that was registered here or in torch."""
    found = _registered.get(cls)
    if found is None:
        torch_knows = known_to_torch(cls)
        found = Structure(cls, *torch_knows) if torch_knows is not None else None
    return found
