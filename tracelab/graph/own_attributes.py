"""What stands in a container of an own class beside its elements: `batch.split = "train"` on a subclass of dict.

The elements are taken apart; these attributes are values, which a replay compares with those of each call.
"""

from __future__ import annotations

import functools
import inspect
from collections import deque
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch

from tracelab.errors import InputError
from tracelab.graph.objects import attributes_of, holds_tensor


def own_attributes(item: Any) -> dict[str, Any]:
    """The attributes of a container by name, without those that are its elements; how long a deque may grow is one."""
    found = {"maxlen": item.maxlen} if isinstance(item, deque) else {}
    if type(item).__dictoffset__ == 0 and not hasattr(type(item), "__slots__"):
        return found
    for name, part in attributes_of(item).items():
        if not (isinstance(item, dict) and name in item and dict.__getitem__(item, name) is part):
            found[name] = part
    return found


def attributes_to_keep(item: Any, make: Callable[[], Any], where: str, computed: bool = False) -> dict[str, Any] | None:
    """Those of a container, or None; `make` makes it of its elements, and what that sets need not be kept.

    Where it is made anew by each run, that may be `computed` of the elements.
    Raises `InputError` for an attribute with a tensor that only the attribute holds.
    """
    found = own_attributes(item)
    tensors = [name for name, part in found.items() if holds_tensor(part, set(), 0)]
    again = _made(make) if tensors else {}
    for name in tensors:
        part = found.pop(name)
        now = again.get(name)
        if now is not part and not (computed and isinstance(part, _MADE_AGAIN) and type(now) is type(part)):
            raise InputError(
                f"the attribute {name!r} of {where} ({type(item).__name__}) holds a tensor, but the class is taken "
                "apart into its elements: put the tensor among them, or say by tracelab.register_structure what the "
                "class is made of"
            )
    return {name: _copied(part) for name, part in found.items()} or None


_MADE_AGAIN = (torch.Tensor, torch.SymInt, torch.SymFloat, torch.SymBool)
"""What a constructor may compute of the elements."""


def _made(make: Callable[[], Any]) -> dict[str, Any]:
    try:
        return attributes_of(make())
    except Exception:
        # A class that is made in another way.
        return {}


def dict_of_class(cls: Callable[..., Any], items: dict[Any, Any]) -> Any:
    """A dict of a class of its own, with these items."""
    if all(type(key) is str and key.isidentifier() for key in items):
        try:
            return cls(**items)
        except TypeError:
            # It is made of a mapping alone.
            pass
    return cls(items)


def container_of(cls: Callable[..., Any], attributes: dict[str, Any], /, *plain: Any, **items: Any) -> Any:
    """A container of a class of its own: of a plain one, or of items by their names."""
    made = cls(*plain) if plain else dict_of_class(cls, items)
    set_attributes(made, attributes)
    return made


def maker_of(item: Any, plain: Any, where: str) -> Callable[..., Any]:
    """What makes a container like `item` of a plain one: its class, if that is enough."""
    cls: Any = type(item)
    if isinstance(item, deque):
        cls = functools.partial(cls, maxlen=item.maxlen)
    if isinstance(plain, dict):
        kept = attributes_to_keep(item, lambda: dict_of_class(cls, plain), where, computed=True)
        enough = kept is None and _takes_by_name(cls, plain)
    else:
        kept = attributes_to_keep(item, lambda: cls(plain), where, computed=True)
        enough = kept is None
    return cls if enough else functools.partial(container_of, cls, kept or {})


def _takes_by_name(cls: type, items: dict[Any, Any]) -> bool:
    if not all(type(key) is str for key in items):
        return True
    try:
        inspect.signature(cls).bind(**items)
    except TypeError:
        return False
    except ValueError:
        # A class of C, such as those of `collections`.
        return issubclass(cls, dict)
    return True


def _copied(part: Any) -> Any:
    return deepcopy(part) if type(part) in (list, dict, set) else part


def set_attributes(made: Any, attributes: dict[str, Any]) -> None:
    """Give a container the attributes that were kept."""
    for name, part in attributes.items():
        if not (name == "maxlen" and isinstance(made, deque)):
            object.__setattr__(made, name, _copied(part))
