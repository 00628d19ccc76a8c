"""A traced module's tree in a file: every module with its parameters and buffers, the unused ones too.

Children stand before their parents and the root is the last row: a module that two parents share is one row,
and no module can hold itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from tracelab.execute.module import TracedModule, TracedSubmodule
from tracelab.execute.observed_state import watch
from tracelab.graph.ir import Graph
from tracelab.storage import validation
from tracelab.storage.errors import TracelabFileError
from tracelab.storage.tensors import TensorTable


def module_json(root: TracedModule, tensors: TensorTable) -> list[dict[str, Any]]:
    """The rows of the tree; its tensors are added to the table under the names of the state dict."""
    rows: list[dict[str, Any]] = []
    _write(root, "", tensors, rows, {}, set())
    return rows


def _write(
    module: nn.Module,
    prefix: str,
    tensors: TensorTable,
    rows: list[dict[str, Any]],
    numbers: dict[int, int],
    open_modules: set[int],
) -> int:
    known = numbers.get(id(module))
    if known is not None:
        return known
    if not isinstance(module, TracedSubmodule):
        raise TracelabFileError(
            f"cannot save: `{prefix.rstrip('.')}` is no traced module ({type(module).__name__}): "
            "trace the module again with it"
        )
    if id(module) in open_modules:
        raise TracelabFileError(f"cannot save: the module `{prefix.rstrip('.')}` holds itself")
    open_modules.add(id(module))
    held = {
        table: {
            name: None if tensor is None else tensors.add(tensor, prefix + name)
            for name, tensor in getattr(module, f"_{table}").items()
        }
        for table in ("parameters", "buffers")
    }
    children = {
        name: None if child is None else _write(child, f"{prefix}{name}.", tensors, rows, numbers, open_modules)
        for name, child in module._modules.items()
    }
    numbers[id(module)] = len(rows)
    rows.append(
        {
            "class": module.original_name,
            "training": module.training,
            "exported": list(module._exported),
            **held,
            "not_persistent": sorted(module._non_persistent_buffers_set),
            "children": children,
        }
    )
    return numbers[id(module)]


def read_module(item: Any, graphs: dict[str, Graph], tensors: Sequence[torch.Tensor]) -> TracedModule:
    """The tree again, with the traced methods on its root; `TracelabFileError` for unsound rows."""
    entries = validation.rows(item, "modules")
    if not entries:
        validation.bad("modules", "lack the root")
    made: list[TracedSubmodule] = []
    for number, entry in enumerate(entries):
        row = validation.table(entry, "a module")
        class_name = validation.text(validation.field(row, "class", "a module"), "a module's class")
        where = f"the module {class_name[:60]}"
        exported = [
            validation.text(name, where) for name in validation.rows(validation.field(row, "exported", where), where)
        ]
        last = number == len(entries) - 1
        module = TracedModule(class_name, graphs, exported) if last else TracedSubmodule(class_name, exported)
        module.training = validation.boolean(validation.field(row, "training", where), where)
        for table in ("parameters", "buffers"):
            for name, content in validation.table(validation.field(row, table, where), where).items():
                tensor = None if content is None else tensors[validation.index(content, where, len(tensors))]
                if table == "parameters" and not isinstance(tensor, (nn.Parameter, type(None))):
                    validation.bad(where, f"has a parameter {name[:60]!r} that is none")
                getattr(module, f"_{table}")[_member(module, name, where)] = tensor
        loose = validation.rows(validation.field(row, "not_persistent", where), where)
        module._non_persistent_buffers_set = {validation.text(name, where) for name in loose}
        for name, child in validation.table(validation.field(row, "children", where), where).items():
            below = None if child is None else made[validation.index(child, where, len(made))]
            module._modules[_member(module, name, where)] = below
        made.append(module)
    root = made[-1]
    assert isinstance(root, TracedModule)
    watch(root, root._changes)
    return root


def _member(module: nn.Module, name: str, where: str) -> str:
    taken = name in module._parameters or name in module._buffers or name in module._modules
    if not name or "." in name or taken:
        validation.bad(where, f"has an unfit name for a member: {name[:60]!r}")
    return name
