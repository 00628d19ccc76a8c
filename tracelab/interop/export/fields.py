"""The fields of torch.export's JSON: unions, plain arguments, names; each checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tracelab.graph.types import Type
from tracelab.interop.export import types
from tracelab.storage import validation


def _ints(item: Any, where: str) -> list[int]:
    return [validation.integer(part, where, -(2**63), 2**64) for part in validation.rows(item, where)]


def _floats(item: Any, where: str) -> list[float]:
    return [types.float_of(part, where) for part in validation.rows(item, where)]


def _complex(item: Any, where: str) -> complex:
    entry = validation.table(item, where)
    return complex(types.float_of(entry.get("real"), where), types.float_of(entry.get("imag"), where))


SIMPLE: Mapping[str, Callable[[Any, str], Any]] = {
    "as_none": lambda item, where: None,
    "as_int": lambda item, where: validation.integer(item, where, -(2**63), 2**64),
    "as_ints": _ints,
    "as_int_lists": lambda item, where: [_ints(part, where) for part in validation.rows(item, where)],
    "as_float": types.float_of,
    "as_floats": _floats,
    "as_float_lists": lambda item, where: [_floats(part, where) for part in validation.rows(item, where)],
    "as_string": validation.text,
    "as_strings": lambda item, where: [validation.text(part, where) for part in validation.rows(item, where)],
    "as_bool": validation.boolean,
    "as_bools": lambda item, where: [validation.boolean(part, where) for part in validation.rows(item, where)],
    "as_scalar_type": types.dtype_of,
    "as_layout": types.layout_of,
    "as_memory_format": types.memory_format_of,
    "as_device": types.device_of,
    "as_operator": validation.text,
    "as_complex": _complex,
}


def union(item: Any, where: str) -> tuple[str, Any]:
    """Kind and content of a union, which is an object of one key."""
    entry = validation.table(item, where)
    if len(entry) != 1:
        validation.bad(where, f"should be of one kind, but has {len(entry)}")
    return next(iter(entry.items()))


def argument_name(item: Any, where: str) -> str:
    entry = validation.table(item, where)
    return validation.text(entry.get("name", entry.get("as_name")), where)


def input_names(data: dict[str, Any]) -> list[str]:
    rows = validation.rows(validation.field(data, "inputs", "a block"), "a block")
    return [argument_name(union(row, "an input of a block")[1], "an input of a block") for row in rows]


def table_of(item: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    return validation.table(validation.field(item, name, where), f"the {name}")


def optional_text(item: Any) -> str | None:
    return item if isinstance(item, str) else None


def type_of(data: dict[str, Any], name: str) -> Type:
    """The type of a value by the tables of its graph."""
    tables = ("tensor_values", "sym_int_values", "sym_float_values", "sym_bool_values", "custom_obj_values")
    for table, word in zip(tables, ("", "int", "float", "bool", "Object"), strict=True):
        rows = validation.table(data.get(table) or {}, table)
        if name in rows:
            return word or types.tensor_type(rows[name], f"the tensor {name[:60]!r}")
    validation.bad(f"the value {name[:60]!r}", "has no type")
