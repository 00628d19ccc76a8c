"""Where code compares the class of an object: `type(x) is torch.Tensor`, `isinstance(x, MyTensor)`.

No call of torch's tells it, so the code itself is read, and what the names in it stand for is looked up.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

import torch

from tracelab.capture.values import is_filled
from tracelab.graph.by_code import by_code

_COMPARES = frozenset({"IS_OP", "COMPARE_OP", "CONTAINS_OP"})
_NEAR = 10
"""Instructions between the class and its comparison."""
OF_DTYPES: type = type(torch.FloatTensor)
"""Of what class the old classes are by which code asks for a dtype and a device."""
_ASKS = frozenset({"isinstance", "issubclass"})


@by_code
def compares_types(code: CodeType) -> int:
    """The offset of the first comparison of a class in a code object; -1 where there is none."""
    if not {"type", "__class__"} & set(code.co_names):
        return -1
    listing = list(dis.get_instructions(code))
    for at, item in enumerate(listing):
        if _names_type(item) or (item.argval == "__class__" and item.opname.startswith("LOAD_ATTR")):
            for near in listing[at : at + _NEAR]:
                if near.opname in _COMPARES:
                    return near.offset
    return -1


def _names_type(item: dis.Instruction) -> bool:
    """The built-in function, not an attribute of that name: `x.device.type`."""
    return item.argval == "type" and item.opname in ("LOAD_GLOBAL", "LOAD_NAME")


@by_code
def asks_for_classes(code: CodeType) -> int:
    """The offset of the first `isinstance`, or of a pattern of a `match`, in a code object; -1 where there is none."""
    for item in dis.get_instructions(code):
        if item.opname == "MATCH_CLASS" or (item.opname.startswith("LOAD_") and item.argval in _ASKS):
            return item.offset
    return -1


_SHOWN = frozenset({"__name__", "__qualname__", "__module__"})
_OWN = frozenset({"self", "cls"})


@by_code
def reads_class(code: CodeType) -> int:
    """The offset at which code asks for the class of one of its variables, for more than its name; -1 where it is none.

    `getattr(type(x), "scale", 1.0)`, `table[type(x)]`, `x.__class__.scale`.
    """
    if not {"type", "__class__"} & set(code.co_names):
        return -1
    listing = [item for item in dis.get_instructions(code) if item.opname not in ("CACHE", "PUSH_NULL", "PRECALL")]
    for at, item in enumerate(listing):
        before, behind = listing[at - 1], listing[at + 1 : at + 4]
        if item.argval == "__class__" and item.opname.startswith("LOAD_ATTR"):
            variable, following = before, behind[:1]
        elif _names_type(item) and len(behind) == 3 and behind[1].opname.startswith("CALL") and behind[1].arg == 1:
            variable, following = behind[0], behind[2:]
        else:
            continue
        if not variable.opname.startswith("LOAD_FAST") or variable.argval in _OWN:
            continue
        if not (following and following[0].opname.startswith("LOAD_ATTR") and following[0].argval in _SHOWN):
            return item.offset
    return -1


@by_code
def tells_classes_apart(code: CodeType) -> bool:
    """Whether code, or what stands in it, does any of these."""
    return any(max(compares_types(part), asks_for_classes(part), reads_class(part)) >= 0 for part in parts_of(code))


def parts_of(code: CodeType) -> Iterator[CodeType]:
    """A code object, and those of the functions and comprehensions that stand in it."""
    yield code
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from parts_of(item)


def tensor_classes(function: FunctionType, code: CodeType) -> set[type]:
    """The classes of tensors that a part of a function names."""
    names = {*code.co_names, *code.co_freevars, *code.co_cellvars}
    space = function.__globals__
    named = [space[name] for name in names if name in space]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if name in names and is_filled(cell):
            named.append(cell.cell_contents)
    # `torch.nn.Parameter`: what a module is asked for is behind those that are looked at.
    for item in named:
        if isinstance(item, ModuleType):
            named += [found for name in names & vars(item).keys() if not _is_in(found := vars(item)[name], named)]
    return {item for found in named for item in _classes(found)}


def _is_in(found: Any, named: list[Any]) -> bool:
    return any(found is item for item in named)


def _classes(found: Any) -> Iterator[type]:
    for item in found if type(found) is tuple else (found,):
        if isinstance(item, type) and (issubclass(item, torch.Tensor) or type(item) is OF_DTYPES):
            yield item
