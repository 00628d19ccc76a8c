"""A traced module's tree in a file: every module with its parameters and buffers, the unused ones too.

Children stand before their parents and the root is the last row: a module that two parents share is one row,
and no module can hold itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from tracelab.storage import validation
from tracelab.storage.record import ModuleRecord
from tracelab.storage.tensors import TensorTable


def module_json(root: ModuleRecord, tensors: TensorTable) -> list[dict[str, Any]]:
    """The rows of the tree; its tensors are added to the table under the names of the state dict."""
    rows: list[dict[str, Any]] = []
    _write(root, "", tensors, rows, {})
    return rows


def _write(
    module: ModuleRecord,
    prefix: str,
    tensors: TensorTable,
    rows: list[dict[str, Any]],
    numbers: dict[ModuleRecord, int],
) -> int:
    known = numbers.get(module)
    if known is not None:
        return known
    held = {
        word: {name: None if tensor is None else tensors.add(tensor, prefix + name) for name, tensor in table.items()}
        for word, table in (("parameters", module.parameters), ("buffers", module.buffers))
    }
    children = {
        name: None if child is None else _write(child, f"{prefix}{name}.", tensors, rows, numbers)
        for name, child in module.children.items()
    }
    numbers[module] = len(rows)
    rows.append(
        {
            "class": module.class_name,
            "training": module.training,
            "exported": module.exported,
            **held,
            "not_persistent": sorted(module.not_persistent),
            "children": children,
        }
    )
    return numbers[module]


def read_module(item: Any, tensors: Sequence[torch.Tensor]) -> ModuleRecord:
    """The tree again; `TracelabFileError` for unsound rows."""
    entries = validation.rows(item, "modules")
    if not entries:
        validation.bad("modules", "lack the root")
    made: list[ModuleRecord] = []
    for entry in entries:
        row = validation.table(entry, "a module")
        class_name = validation.text(validation.field(row, "class", "a module"), "a module's class")
        where = f"the module {class_name[:60]}"

        def words(name: str, row: dict[str, Any] = row, where: str = where) -> list[str]:
            return [validation.text(word, where) for word in validation.rows(validation.field(row, name, where), where)]

        module = ModuleRecord(class_name, exported=words("exported"), not_persistent=set(words("not_persistent")))
        module.training = validation.boolean(validation.field(row, "training", where), where)
        taken: set[str] = set()
        for word, table in (("parameters", module.parameters), ("buffers", module.buffers)):
            for name, content in validation.table(validation.field(row, word, where), where).items():
                tensor = None if content is None else tensors[validation.index(content, where, len(tensors))]
                if word == "parameters" and not isinstance(tensor, (nn.Parameter, type(None))):
                    validation.bad(where, f"has a parameter {name[:60]!r} that is not one")
                table[_member(taken, name, where, dots=True)] = tensor
        for name, child in validation.table(validation.field(row, "children", where), where).items():
            below = None if child is None else made[validation.index(child, where, len(made))]
            module.children[_member(taken, name, where)] = below
        made.append(module)
    return made[-1]


def _member(taken: set[str], name: str, where: str, dots: bool = False) -> str:
    """The name of a tensor or a child; torch's tables hold tensors under names with dots, too."""
    if not name or ("." in name and not dots) or name in taken:
        validation.bad(where, f"has an invalid name for a member: {name[:60]!r}")
    taken.add(name)
    return name
