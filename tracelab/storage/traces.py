"""Traced objects as records of files, and back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

import torch
from torch import nn

from tracelab.errors import TracelabFileError
from tracelab.execute.function import ReplayFunction
from tracelab.execute.module import ReplayModule, TracedSubmodule
from tracelab.execute.observed_state import observe
from tracelab.graph.graph import Graph
from tracelab.storage.archive import read_record, write_record
from tracelab.storage.container import PathOrFile
from tracelab.storage.pickling import make_graphs_picklable
from tracelab.storage.record import MethodRecord, ModuleRecord, TraceRecord

F = TypeVar("F", bound=ReplayFunction)
M = TypeVar("M", bound=ReplayModule)


make_graphs_picklable()


def save_traced(traced: ReplayFunction | ReplayModule | Graph, file: PathOrFile, *, view: bytes | None = None) -> None:
    """Write a traced function, traced module or graph to a path or a binary file object.

    The same trace gives the same bytes. Without `view`, the view document, the file viewer needs a kernel.
    Raises `TracelabFileError` for what files do not hold (a graph alone may hold what only shows), `TypeError` for what
    is not a trace, `OSError` where the file cannot be written.
    """
    write_record(record_of(traced), file, view=view, refuse=not isinstance(traced, Graph))


def load_traced(
    file: PathOrFile,
    function: type[F],
    module: type[M],
    *,
    map_location: str | torch.device | None = None,
    allow: Collection[str] = frozenset(),
) -> F | M:
    """Read a `.tlab` file as an object of one of these classes: see `tracelab.load`."""
    record = read_record(file, map_location=map_location, allow=allow)
    made: F | M = _function(function, record) if record.module is None else _module(module, record, record.module)
    made.checked = record.checked
    if record.more:
        made.on_violation = "retrace"
    for name, method in record.more:
        if isinstance(made, ReplayModule):
            made._add_case(name, made._case_of(name, method.graph))
        else:
            case = function(method.graph, record.name)
            case.policy = made.policy
            made._add_case("forward", case)
    return made


def record_of(traced: Any) -> TraceRecord:
    """What a file holds of a traced object; `TypeError` for what is none."""
    if isinstance(traced, ReplayModule):
        methods = {name: _method(traced, name) for name in traced._graphs}
        more = [(name, _method(case, name)) for case, name in traced._recordings() if case is not traced]
        return TraceRecord(traced.original_name, methods, _tree(traced, "", {}, set()), traced.checked, more)
    if isinstance(traced, ReplayFunction):
        more = [("", MethodRecord(case.graph)) for case in traced.cases if case is not traced]
        return TraceRecord(traced.__name__, {"": MethodRecord(traced.graph)}, None, traced.checked, more)
    if isinstance(traced, Graph):
        return TraceRecord(traced.name, {"": MethodRecord(traced)})
    raise TypeError(f"save needs a traced function or module, but got {type(traced).__name__}: trace it first")


def _method(module: ReplayModule, name: str) -> MethodRecord:
    """One method's graph, with constants and devices where the module has moved them since the trace."""
    moved = module._moved(name)
    return MethodRecord(module._graphs[name], *moved)


def _tree(module: nn.Module, prefix: str, known: dict[int, ModuleRecord], open_modules: set[int]) -> ModuleRecord:
    found = known.get(id(module))
    if found is not None:
        return found
    if not isinstance(module, TracedSubmodule):
        raise TracelabFileError(
            f"cannot save: `{prefix.rstrip('.')}` is not a traced module ({type(module).__name__}): "
            "trace the module again with it"
        )
    if id(module) in open_modules:
        raise TracelabFileError(f"cannot save: the module `{prefix.rstrip('.')}` holds itself")
    open_modules.add(id(module))
    record = ModuleRecord(
        module.original_name,
        module.training,
        list(module._exported),
        dict(module._parameters),
        dict(module._buffers),
        set(module._non_persistent_buffers_set),
    )
    for name, child in module._modules.items():
        record.children[name] = None if child is None else _tree(child, f"{prefix}{name}.", known, open_modules)
    known[id(module)] = record
    return record


def _function(cls: type[F], record: TraceRecord) -> F:
    return cls(record.methods[""].graph, record.name)


def _module(cls: type[M], record: TraceRecord, tree: ModuleRecord) -> M:
    root = cls(tree.class_name, record.graphs, tree.exported)
    _fill(root, tree, {})
    observe(root, root._changes)
    return root


def _fill(module: TracedSubmodule, record: ModuleRecord, made: dict[ModuleRecord, TracedSubmodule]) -> None:
    made[record] = module
    module.training = record.training
    module._parameters.update(record.parameters)  # type: ignore[arg-type]
    module._buffers.update(record.buffers)
    module._non_persistent_buffers_set = set(record.not_persistent)
    for name, child in record.children.items():
        if child is None:
            module._modules[name] = None
            continue
        twin = made.get(child)
        if twin is None:
            twin = TracedSubmodule(child.class_name, child.exported)
            _fill(twin, child, made)
        module._modules[name] = twin
