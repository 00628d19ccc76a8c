"""A run for a notebook: how far it came, what went wrong, where its time went, and what its nodes made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from torch import Tensor

from tracelab.execute.run.node_record import NodeRecord
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value
from tracelab.graph.scope import Scope
from tracelab.graph.text.html import Cell, block, heading, line, module_cell, opening, table
from tracelab.graph.types import TensorType, counted, time_text

_MOST_NODES = 24
_MOST_MODULES = 40


class RanGraph(Protocol):
    """What is shown of a run."""

    records: list[NodeRecord]

    @property
    def graph(self) -> Graph: ...

    @property
    def inputs(self) -> list[Tensor]: ...

    @property
    def seconds(self) -> float | None: ...


def run_html(run: RanGraph) -> str:
    """The HTML of a run."""
    return block(_parts(run))


def _parts(run: RanGraph) -> Iterator[str]:
    first, *rest = str(run).split("\n")
    name, _, facts = first.partition(": ")
    yield heading(name, facts)
    for text in rest:
        yield line(text, bad=True)
    timed = run.seconds is not None
    if timed:
        yield time_by_module([(record.node.scope, record.seconds or 0.0) for record in run.records])
    yield from _nodes(run, timed)


def _nodes(run: RanGraph, timed: bool) -> Iterator[str]:
    records = run.records
    if not records:
        return
    if len(records) > _MOST_NODES:
        chosen = sorted(records, key=lambda record: -(record.seconds or 0.0))[:_MOST_NODES] if timed else records
        shown = sorted(chosen[:_MOST_NODES], key=lambda record: record.index)
        which = f"the {len(shown)} slowest of {counted(len(records), 'node')}, in their order"
        caption = which if timed else f"the first {len(shown)} of {counted(len(records), 'node')}"
    else:
        shown, caption = records, "the nodes, in their order"
    # Of another call the sizes that were seen at the trace are not those of the run.
    same = all(_as_traced(value, tensor) for value, tensor in zip(run.graph.user_inputs, run.inputs, strict=False))
    statistics = any(record.readings for record in shown)
    longest = max((record.seconds or 0.0 for record in shown), default=0.0)
    columns: list[tuple[str, Callable[[NodeRecord], Cell | str]]] = [
        ("value", _values),
        ("operator", lambda record: Cell(record.node.kind, code=True)),
        ("module", lambda record: module_cell(_path(record))),
        ("makes", lambda record: Cell(_types(record, same), code=True)),
    ]
    if statistics:
        columns.append(("statistics", _statistics))
    if any(record.nonfinite for record in shown):
        columns.append(("holds", lambda record: Cell(_WORDS.get(record.nonfinite, ""), bad=bool(record.nonfinite))))
    if timed:
        columns.append(("time", lambda record: _time(record, longest)))
    rows = [[make(record) for _, make in columns] for record in shown]
    yield table(caption, [name for name, _ in columns], rows, numbers=int(timed))


_WORDS = {"nan": "NaN", "inf": "infinity"}


def _path(record: NodeRecord) -> str:
    return record.node.scope.path if record.node.scope is not None else ""


def _as_traced(value: Value, given: Tensor) -> bool:
    type_ = value.type
    return isinstance(type_, TensorType) and type_.shape == tuple(given.shape) and type_.dtype == given.dtype


def _types(record: NodeRecord, same: bool) -> str:
    types = [value.type for value in record.node.outputs]
    return ", ".join(
        (type_.short if same else type_.dtype_name) if isinstance(type_, TensorType) else str(type_) for type_ in types
    )


def _values(record: NodeRecord) -> Cell:
    names = [f"%{value.name}" for value in record.node.outputs]
    return Cell(", ".join(names), code=True, selects=names[0] if names else "")


def _statistics(record: NodeRecord) -> Cell:
    found = list(record.statistics.values())
    return Cell("; ".join(map(str, found)), bad=any(item.nans for item in found))


def _time(record: NodeRecord, longest: float) -> Cell:
    seconds = record.seconds or 0.0
    return Cell(time_text(seconds), share=seconds / longest if longest else 0.0)


def time_by_module(timed: list[tuple[Scope | None, float]]) -> str:
    """The seconds of nodes by their modules, as a tree that opens; empty where all ran in one module."""
    whole = sum(seconds for _, seconds in timed)
    sums: dict[Scope, float] = {}
    counts: dict[Scope, int] = {}
    for scope, seconds in timed:
        inside = scope
        while inside is not None:
            sums[inside] = sums.get(inside, 0.0) + seconds
            counts[inside] = counts.get(inside, 0) + 1
            inside = inside.parent
    below: dict[Scope | None, list[Scope]] = {}
    for scope in sums:
        below.setdefault(scope.parent, []).append(scope)
    top = [scope for root in below.get(None, []) for scope in below.get(root, [])]
    if not top or not whole:
        return ""

    def shown(scopes: list[Scope], opened: bool) -> str:
        ordered = sorted(scopes, key=lambda scope: -sums[scope])
        parts = [part(scope, opened) for scope in ordered[:_MOST_MODULES]]
        more = len(scopes) - _MOST_MODULES
        return "".join(parts) + (line(f"… {counted(more, 'more module')}") if more > 0 else "")

    def part(scope: Scope, opened: bool) -> str:
        share = sums[scope] / whole
        aside = f"{scope.class_name}, {counted(counts[scope], 'node')}, {time_text(sums[scope])}, {100 * share:.1f}%"
        inner = below.get(scope, [])
        return opening(scope.last_name or scope.class_name, aside, shown(inner, False) if inner else "", share, opened)

    return opening("time by module", "", shown(top, False), opened=True)
