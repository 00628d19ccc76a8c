"""Traced numbers that outlive their recording where no one would look for them are found and become plain numbers.

`concretize` looks at what the traced function can reach. A number may also be kept in the defaults of a function, in
the context of an `autograd.Function`, in a cache: the garbage collector knows what holds it. It is asked only where a
number is still there when the recording is over.
"""

from __future__ import annotations

import functools
import gc
import types
from collections import deque
from collections.abc import Callable
from typing import Any

from tracelab.capture.analysis.cached_calls import CACHED
from tracelab.capture.analysis.concretize import concretize_keys
from tracelab.capture.values import SYMBOLIC

_AT_ONCE = 32
"""Objects whose holders are looked for in one pass: each of all references is compared with each of them."""
_DEPTH = 4
"""Tuples in tuples."""


def have_outlived(recorder: Any) -> bool:
    """Whether something holds a number of a recording that is over; the recorder itself lets go of what it holds."""
    recorder.sizes.clear()
    for cache in recorder.caches:
        cache.cache_clear()
    recorder.caches.clear()
    return any(reference() is not None for reference in recorder.numbers)


def make_outlived_plain(recorder: Any) -> None:
    """Replace each number of a finished recording that something still holds by a plain one."""
    nodes = [node for reference in recorder.numbers if (node := reference()) is not None]
    recorder.numbers.clear()
    if not nodes:
        return
    found: dict[int, tuple[Any, Any]] = {}
    for holder in _holders(nodes):
        for item in _holders([holder]) if type(holder) is dict else (holder,):
            if type(item) in SYMBOLIC:
                found[id(item)] = (item, item.node.number)
    del nodes
    for _ in range(_DEPTH):
        found = _replace(found)
        if not found:
            return


def _holders(items: list[Any]) -> list[Any]:
    holders: dict[int, Any] = {}
    for start in range(0, len(items), _AT_ONCE):
        holders.update((id(holder), holder) for holder in gc.get_referrers(*items[start : start + _AT_ONCE]))
    holders.pop(id(items), None)
    return list(holders.values())


def _replace(found: dict[int, tuple[Any, Any]]) -> dict[int, tuple[Any, Any]]:
    """Put the new object in the place of each old one; what cannot be written to is the next to be replaced."""
    own = {id(pair) for pair in found.values()}
    olds = [old for old, _ in found.values()]
    after: dict[int, tuple[Any, Any]] = {}

    def new(item: Any) -> Any:
        pair = found.get(id(item))
        return item if pair is None else pair[1]

    for holder in _holders(olds):
        if id(holder) in own or holder is found:
            continue
        type_ = type(holder)
        if issubclass(type_, (tuple, frozenset, slice)):
            after[id(holder)] = (holder, _rebuilt(holder, new))
        elif type_ is CACHED:
            holder.cache_clear()
        else:
            _write(holder, type_, new)
    return after


def _rebuilt(holder: Any, new: Callable[[Any], Any]) -> Any:
    if isinstance(holder, slice):
        return slice(new(holder.start), new(holder.stop), new(holder.step))
    parts = [new(part) for part in holder]
    return type(holder)(*parts) if hasattr(type(holder), "_fields") else type(holder)(parts)


def _write(holder: Any, type_: type, new: Callable[[Any], Any]) -> None:
    if issubclass(type_, dict):
        _write_table(holder, new)
    elif issubclass(type_, (list, deque)):
        for index, item in enumerate(list(holder)):
            if new(item) is not item:
                holder[index] = new(item)
    elif issubclass(type_, set):
        members = [new(item) for item in set.__iter__(holder)]
        set.clear(holder)
        set.update(holder, members)
    elif type_ is types.CellType:
        holder.cell_contents = new(holder.cell_contents)
    elif type_ is types.FunctionType:
        holder.__defaults__ = new(holder.__defaults__)
    elif issubclass(type_, BaseException):
        holder.args = new(holder.args)
        _write_attributes(holder, type_, new)
    elif type_ is functools.partial:
        holder.__setstate__((holder.func, new(holder.args), holder.keywords, holder.__dict__ or None))
    elif type_ not in SYMBOLIC and type_ is not types.FrameType:
        _write_attributes(holder, type_, new)


def _write_table(table: dict[Any, Any], new: Callable[[Any], Any]) -> None:
    if any(type(item).__name__ == "_lru_list_elem" for item in dict.values(table)):
        # The inside of a cache: its keys stand elsewhere, too. The cache itself is among the holders.
        for holder in gc.get_referrers(table):
            if type(holder) is CACHED:
                holder.cache_clear()
        return
    concretize_keys(table, new)
    for key, item in list(dict.items(table)):
        if new(item) is not item:
            table[key] = new(item)


def _write_attributes(holder: Any, type_: type, new: Callable[[Any], Any]) -> None:
    try:
        table = object.__getattribute__(holder, "__dict__")
    except AttributeError:
        table = None
    if type(table) is dict:
        _write_table(table, new)
    for owner in type_.__mro__:
        for descriptor in owner.__dict__.values() if "__slots__" in owner.__dict__ else ():
            if type(descriptor) is types.MemberDescriptorType:
                try:
                    item = descriptor.__get__(holder)
                except AttributeError:
                    continue
                if new(item) is not item:
                    descriptor.__set__(holder, new(item))
