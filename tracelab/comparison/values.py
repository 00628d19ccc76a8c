"""`compare`: two runs side by side, value by value, and the first node at which they part."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from tracelab.comparison.align.alignment import Alignment, align
from tracelab.comparison.metrics import Distance, distance
from tracelab.errors import InputError, TracelabError
from tracelab.execute.function import TracedFunction
from tracelab.execute.module import TracedModule
from tracelab.execute.run.failures import RunError
from tracelab.execute.run.run import Run
from tracelab.execute.run.start import prepared
from tracelab.graph.ir import Graph, Node, Value


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """One value of `a` and its partner of `b`: how far apart, or why that cannot be told.

    `differs` is empty where they agree within the tolerance, else `values`, or words on shape or kind.
    """

    a: Value
    b: Value
    distance: Distance | None
    differs: str

    @property
    def node(self) -> Node:
        """The node of `a` that made it."""
        assert self.a.node is not None
        return self.a.node


@dataclass(slots=True)
class Comparison:
    """Two runs on the same inputs: a row per value that both have, in the order of `a`.

    True where all rows agree within the tolerance and both runs came to their end. `failed` is the error of the run
    that did not; rows up to there stay. `only_a` and `only_b` are nodes without a partner.

    >>> comparison = tracelab.compare(traced, quantised, x)
    >>> comparison.first_divergent
    %fc1 = aten::linear(%x, %fc1.weight, %fc1.bias)
    """

    alignment: Alignment
    names: tuple[str, str]
    rows: list[ComparedValue] = field(default_factory=list)
    failed: RunError | None = None
    cancelled: bool = False

    @property
    def first_divergent(self) -> Node | None:
        """The first node of `a`, in the order in which it ran, whose value differs; None where all agree."""
        return next((row.node for row in self.rows if row.differs), None)

    @property
    def only_a(self) -> list[Node]:
        """Nodes of `a` that `b` has not."""
        return _shown(self.alignment.removed)

    @property
    def only_b(self) -> list[Node]:
        """Nodes of `b` that `a` has not."""
        return _shown(self.alignment.added)

    def __bool__(self) -> bool:
        return self.failed is None and not self.cancelled and not any(row.differs for row in self.rows)

    def __str__(self) -> str:
        from tracelab.comparison.values_text import comparison_text

        return comparison_text(self)

    def __repr__(self) -> str:
        differing = sum(1 for row in self.rows if row.differs)
        return f"Comparison({self.names[0]}, {self.names[1]}: {differing} of {len(self.rows)} values differ)"


def compare(
    a: Any,
    b: Any,
    *inputs: Any,
    rtol: float | None = None,
    atol: float | None = None,
    devices: tuple[str | torch.device | None, str | torch.device | None] = (None, None),
    dtypes: tuple[torch.dtype | None, torch.dtype | None] = (None, None),
    method: str = "forward",
    progress: Callable[[ComparedValue], None] | None = None,
    **kwargs: Any,
) -> Comparison:
    """Run `a` and `b` node by node on the same inputs, and compare each value that both have.

    Both are traced functions or modules, graphs, or Python functions and modules, which are traced on these inputs
    first. Graphs are aligned as by `tracelab.diff`. The two go on in turns and a value is let go once it is compared,
    so that no more than a run's own memory is held twice. Both draw the same random numbers; inputs, state and random
    state stay as they were.

    Values agree where `|a - b| <= atol + rtol * max(|a|, rms(a))`; both are those of `torch.testing.assert_close` for
    the coarser dtype unless given. `devices` and `dtypes` move the runs: `devices=("cpu", "cuda")`, `dtypes=(None,
    torch.bfloat16)`. `progress` is called with each row.

    Raises `InputError` for inputs that do not fit, and `TracelabError` where the graphs have no node in common.

    >>> print(tracelab.compare(traced, traced, x, dtypes=(None, torch.bfloat16)))
    """
    sides = [_traced(item, inputs, kwargs, method) for item in (a, b)]
    alignment = align(*(_graph(item, method) for item in sides))
    pairs = list(_pairs(alignment))
    if not pairs:
        raise TracelabError("the two graphs have no node in common: there is nothing to compare")
    runs = [
        prepared(item, inputs, kwargs, device=device, dtype=dtype, watch=[pair[side] for pair in pairs], method=method)
        for side, (item, device, dtype) in enumerate(zip(sides, devices, dtypes, strict=True))
    ]
    comparison = Comparison(alignment, _labels((a, b), runs, dtypes))
    turns = _Turns(runs)
    try:
        for mine, theirs in pairs:
            if not (turns.reach(0, mine) and turns.reach(1, theirs)):
                comparison.cancelled = True
                break
            row = compared(mine, runs[0].take(mine), theirs, runs[1].take(theirs), rtol, atol)
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
        if mine.kind == "prim::Constant" or theirs.kind == "prim::Constant":
            continue
        for one, two in zip(mine.outputs, theirs.outputs, strict=False):
            if _comparable(one) and _comparable(two):
                yield one, two


def _comparable(value: Value) -> bool:
    return value.is_tensor or value.type in ("int", "float", "bool", "Scalar")


def _traced(item: Any, inputs: tuple[Any, ...], kwargs: Mapping[str, Any], method: str) -> Any:
    """What was traced already as it is; Python code traced on these inputs."""
    if isinstance(item, (Graph, TracedFunction, TracedModule)):
        return item
    if not callable(item):
        raise InputError(f"nothing to compare in {type(item).__name__}: give a traced object, a function or a module")
    from tracelab.api.tracing import trace

    target = getattr(item, method) if isinstance(item, nn.Module) and method != "forward" else item
    return trace(target, inputs, example_kwarg_inputs=kwargs or None, check_trace=False, strict=False)


def _graph(item: Any, method: str) -> Graph:
    if isinstance(item, Graph):
        return item
    graph: Graph = item.graph_of(method) if isinstance(item, TracedModule) and method != "forward" else item.graph
    return graph


def _labels(given: tuple[Any, Any], runs: list[Run], dtypes: tuple[Any, Any]) -> tuple[str, str]:
    first, second = (_label(*item) for item in zip(given, runs, dtypes, strict=True))
    return (first, second) if first != second else (f"{first} (a)", f"{second} (b)")


def _label(given: Any, run: Run, dtype: torch.dtype | None) -> str:
    name = run.program.name
    if not isinstance(given, (Graph, TracedFunction, TracedModule)):
        name += " (Python)"
    if run.device.type != "cpu":
        name += f" on {run.device}"
    return name if dtype is None else f"{name} in {str(dtype).removeprefix('torch.')}"


def _shown(nodes: list[Node]) -> list[Node]:
    return [node for node in nodes if node.kind != "prim::Constant"]
