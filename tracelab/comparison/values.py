"""`compare`: two runs side by side, value by value, and the first node at which they part."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from tracelab.comparison.align.alignment import Alignment, align
from tracelab.comparison.align.by_order import pairs_by_order
from tracelab.comparison.footprints import footprints
from tracelab.comparison.metrics import distance
from tracelab.comparison.values_data import ComparedValue, ComparisonData
from tracelab.comparison.values_html import comparison_html
from tracelab.comparison.values_text import comparison_text, verdict
from tracelab.compat.modes import keeps_modes
from tracelab.errors import TracelabError
from tracelab.execute.module import ReplayModule
from tracelab.execute.run.run import Run, RunError
from tracelab.execute.run.start import prepared
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import CONSTANT
from tracelab.libraries import needed_library


class Comparison(ComparisonData):
    """Two runs on the same inputs: a row per value that both have, in the order of `a`.

    True where all rows agree within the tolerance and both runs came to their end. `failed` is the error of the run
    that did not; rows up to there stay. `only_a` and `only_b` are nodes without a partner.

    >>> a = tracelab.trace(lambda x: x.sin().exp(), torch.ones(2))
    >>> b = tracelab.trace(lambda x: (x + 1e-3).sin().exp(), torch.ones(2))
    >>> tracelab.compare(a, b, torch.ones(2)).first_divergent
    %sin = aten::sin(%x)
    """

    __slots__ = ()

    def __str__(self) -> str:
        return comparison_text(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": comparison_html(self)}

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with a row per value: its name in both, operator, module, and how far apart they are.

        Returns:
            The data frame; `differs` is empty where they agree, and the distances are None where there are none.

        Raises:
            TracelabError: pandas is not installed.

        >>> a, b = (tracelab.trace(f, torch.ones(2)) for f in (torch.sin, torch.sin))
        >>> tracelab.compare(a, b, torch.ones(2)).to_pandas()[["a", "operator", "max_abs"]]
             a   operator  max_abs
        0  sin  aten::sin      0.0
        """
        pandas = needed_library("pandas", "to_pandas")
        return pandas.DataFrame([_facts(row) for row in self.rows])

    def __repr__(self) -> str:
        differing = sum(1 for row in self.rows if row.differs)
        return f"Comparison({self.names[0]}, {self.names[1]}: {verdict(differing, len(self.rows))})"


def _facts(row: ComparedValue) -> dict[str, Any]:
    found = row.distance
    return {
        "a": row.a.name,
        "b": row.b.name,
        "operator": row.node.kind,
        "module": row.node.scope.path if row.node.scope is not None else "",
        "differs": row.differs,
        "max_abs": None if found is None else found.max_abs,
        "max_rel": None if found is None else found.max_rel,
        "cosine": None if found is None else found.cosine,
        "ulp": None if found is None else found.ulp,
    }


@keeps_modes
def compare_runs(
    a: Any,
    b: Any,
    inputs: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    rtol: float | None = None,
    atol: float | None = None,
    devices: tuple[str | torch.device | None, str | torch.device | None] = (None, None),
    dtypes: tuple[torch.dtype | None, torch.dtype | None] = (None, None),
    method: str = "forward",
    progress: Callable[[ComparedValue], None] | None = None,
    python: tuple[bool, bool] = (False, False),
) -> Comparison:
    """Run two traced objects or graphs on the same inputs: see `tracelab.compare`.

    `python` says which of them was traced for this, and is called so.
    """
    sides = (a, b)
    alignment = align(*(_graph(item, method) for item in sides))
    pairs = list(_pairs(alignment))
    by_order = not pairs or _vocabulary(alignment.a) != _vocabulary(alignment.b)
    if by_order:
        # A trace and its ONNX program have operators of other names.
        options = [
            {"device": device, "dtype": dtype, "method": method} for device, dtype in zip(devices, dtypes, strict=True)
        ]
        pairs = list(_in_order(alignment, sides, inputs, kwargs, options))
        alignment = _aligned(alignment, pairs)
    if not pairs:
        raise TracelabError(
            "the two graphs have no node in common, and their results do not go together: there is nothing to compare"
        )
    runs = [
        prepared(item, inputs, kwargs, device=device, dtype=dtype, record=[pair[side] for pair in pairs], method=method)
        for side, (item, device, dtype) in enumerate(zip(sides, devices, dtypes, strict=True))
    ]
    comparison = Comparison(alignment, _labels(python, runs, dtypes), by_order=by_order)
    turns = _Turns(runs)
    try:
        for mine, theirs in pairs:
            if not (turns.reach(0, mine) and turns.reach(1, theirs)):
                comparison.cancelled = True
                break
            row = compared(mine, runs[0].pop(mine), theirs, runs[1].pop(theirs), rtol, atol)
            comparison.rows.append(row)
            if progress is not None:
                progress(row)
    except RunError as error:
        comparison.failed = error
    finally:
        turns.close()
    return comparison


class _Turns:
    """Two runs that go on in turns, each with random numbers of its own that start from the same state."""

    def __init__(self, runs: list[Run]) -> None:
        self.runs = runs
        self._start = _random_state()
        self._random = [self._start, self._start]

    def reach(self, side: int, value: Value) -> bool:
        """Run that side up to the value; False where somebody stopped it."""
        run = self.runs[side]
        assert value.node is not None
        stop = run.program.code.positions[value.node] + 1
        if run.position < stop:
            _set_random_state(self._random[side])
            run.advance(stop)
            self._random[side] = _random_state()
        return not run.cancelled

    def close(self) -> None:
        _set_random_state(self._start)


def _random_state() -> tuple[Any, ...]:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    return torch.get_rng_state(), cuda, random.getstate()


def _set_random_state(state: tuple[Any, ...]) -> None:
    cpu, cuda, python = state
    torch.set_rng_state(cpu)
    if cuda is not None:
        torch.cuda.set_rng_state_all(cuda)
    random.setstate(python)


def compared(mine: Value, one: Any, theirs: Value, two: Any, rtol: float | None, atol: float | None) -> ComparedValue:
    """One row: how far apart the two values are."""
    if isinstance(one, Tensor) and isinstance(two, Tensor):
        if one.shape != two.shape:
            return ComparedValue(mine, theirs, None, f"shape {tuple(one.shape)} and {tuple(two.shape)}")
        if one.is_meta or two.is_meta:
            return ComparedValue(mine, theirs, None, "")
        found = distance(one, two, rtol, atol)
        return ComparedValue(mine, theirs, found, "" if found.close else "values")
    if isinstance(one, Tensor) or isinstance(two, Tensor):
        return ComparedValue(mine, theirs, None, f"{type(one).__name__} and {type(two).__name__}")
    return ComparedValue(mine, theirs, None, "" if one == two else f"{one} and {two}")


def _pairs(alignment: Alignment) -> Iterator[tuple[Value, Value]]:
    """The values that aligned nodes made, in the order of `a`: tensors and numbers."""
    order = {node: index for index, node in enumerate(alignment.a.nodes)}
    for mine, theirs in sorted(alignment.pairs, key=lambda pair: order[pair[0]]):
        if mine.kind == CONSTANT or theirs.kind == CONSTANT:
            continue
        for one, two in zip(mine.outputs, theirs.outputs, strict=False):
            if _comparable(one) and _comparable(two):
                yield one, two


def _vocabulary(graph: Graph) -> str:
    """The namespace that most operators come from: `aten`, `onnx`."""
    counts = Counter(node.kind.partition("::")[0] for node in graph.nodes if any(map(_comparable, node.outputs)))
    counts.pop(CONSTANT.partition("::")[0], None)
    return max(counts, key=lambda name: (counts[name], name), default="")


def _in_order(
    alignment: Alignment,
    sides: tuple[Any, Any],
    inputs: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    options: list[dict[str, Any]],
) -> Iterator[tuple[Value, Value]]:
    """The values that belong together by order, shapes and values, of a run of each; results belong together anyway."""
    results = dict(_results(alignment))
    found = []
    start = _random_state()
    for side, (graph, item) in enumerate(zip((alignment.a, alignment.b), sides, strict=True)):
        known = set(results.values() if side else results)
        values = [
            value
            for node in graph.nodes
            for value in (node.outputs if node.kind != CONSTANT else ())
            if _comparable(value) and value not in known
        ]
        try:
            run = prepared(item, inputs, kwargs, record=values, **options[side])
            found.append(footprints(run, values))
        finally:
            _set_random_state(start)
    pairs = {**dict(pairs_by_order(alignment.a, alignment.b, *found)), **results}
    order = {node: index for index, node in enumerate(alignment.a.nodes)}
    yield from sorted(pairs.items(), key=lambda pair: order[pair[0].node])  # type: ignore[index]


def _aligned(alignment: Alignment, pairs: list[tuple[Value, Value]]) -> Alignment:
    """An alignment of the nodes that made these values."""
    a, b = alignment.a, alignment.b
    values = {mine: theirs for mine, theirs in alignment.values.items() if mine.node is None and theirs.node is None}
    nodes: dict[Node, Node] = {}
    taken: set[Node] = set()
    for mine, theirs in pairs:
        assert mine.node is not None
        assert theirs.node is not None
        if mine.node not in nodes and theirs.node not in taken:
            nodes[mine.node] = theirs.node
            taken.add(theirs.node)
    return Alignment(a, b, list(nodes.items()), [(a.root, b.root)], [], {**values, **dict(pairs)})


def _results(alignment: Alignment) -> Iterator[tuple[Value, Value]]:
    """The results in order, where both graphs compute as many."""
    mine, theirs = alignment.a.outputs, alignment.b.outputs
    if len(mine) != len(theirs):
        return
    order = {node: index for index, node in enumerate(alignment.a.nodes)}
    pairs = [(one, two) for one, two in zip(mine, theirs, strict=True) if one.node is not None and two.node is not None]
    for one, two in sorted(dict(pairs).items(), key=lambda pair: order[pair[0].node]):  # type: ignore[index]
        if _comparable(one) and _comparable(two):
            yield one, two


def _comparable(value: Value) -> bool:
    # TorchScript's graphs say `Tensor` where nothing noted the sizes.
    return value.is_tensor or value.type in ("Tensor", "int", "float", "bool", "Scalar")


def _graph(item: Any, method: str) -> Graph:
    if isinstance(item, Graph):
        return item
    graph: Graph = item.graph_of(method) if isinstance(item, ReplayModule) and method != "forward" else item.graph
    return graph


def _labels(python: tuple[bool, bool], runs: list[Run], dtypes: tuple[Any, Any]) -> tuple[str, str]:
    first, second = (_label(*item) for item in zip(python, runs, dtypes, strict=True))
    return (first, second) if first != second else (f"{first} (a)", f"{second} (b)")


def _label(python: bool, run: Run, dtype: torch.dtype | None) -> str:
    name = run.program.name
    if python:
        name += " (Python)"
    if run.device.type != "cpu":
        name += f" on {run.device}"
    return name if dtype is None else f"{name} in {str(dtype).removeprefix('torch.')}"
