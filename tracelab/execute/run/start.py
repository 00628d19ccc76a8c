"""Runs of traced objects: made, and set going."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict, Unpack

import torch

from tracelab.compat.modes import keeps_modes
from tracelab.errors import TracelabError
from tracelab.execute.measure.flops import flop_counter
from tracelab.execute.run.cancel import CancelToken
from tracelab.execute.run.lookup import Key, module_start, place
from tracelab.execute.run.options import (
    Recorded,
    ending,
    recorded_values,
    refuse_unknown,
    replacements,
)
from tracelab.execute.run.placement import placed
from tracelab.execute.run.program import program_of
from tracelab.execute.run.run import Run
from tracelab.execute.run.stepper import Plan, Progress, Replacement


class RunOptions(TypedDict, total=False):
    """How a traced object is run: see `TracedFunction.run`."""

    until: Key | None
    start: Key | None
    device: str | torch.device | None
    replace: Mapping[Key, Replacement] | None
    record: Recorded
    statistics: bool
    flops: bool
    check_finite: bool
    gradients: bool
    progress: Progress | None
    cancel: CancelToken | Callable[[], bool] | None
    method: str


@keeps_modes
def run_traced(
    traced: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any] | None = None, **options: Unpack[RunOptions]
) -> Run:
    """Run a traced object, or one traced method of it, node by node: see `TracedFunction.run`."""
    refuse_unknown(options, RunOptions, "run")
    program = program_of(traced, options.get("method", "forward"))
    graph = program.graph
    flat = program.tree.flatten(args, dict(kwargs or {}), program.name)
    program.tree.note_copies(flat)
    where = placed(program, flat, options.get("device"))
    stop, last = ending(graph, options.get("until"))
    plan = Plan(
        where.device,
        where.has_data,
        recorded_values(graph, options.get("record", ())) | last,
        replacements(graph, options.get("replace")),
        options.get("statistics", False),
        options.get("check_finite", True) and where.has_data,
        flop_counter() if options.get("flops", False) or not where.has_data else None,
        options.get("progress"),
        options.get("cancel"),
    )
    start = options.get("start")
    first = 0 if start is None else module_start(graph, start)
    if first >= stop > 0:
        raise TracelabError(
            f"there is nothing to run from {place(graph.nodes[first])} up to {place(graph.nodes[stop - 1])}: "
            "it comes first"
        )
    run = Run(where, flat, plan, options.get("gradients", False), first)
    run.advance(stop)
    return run


def prepared(
    traced: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    record: Iterable[Key] = (),
    flops: bool = False,
    method: str = "forward",
) -> Run:
    """A run that stands before its first node: `run.advance(n)` runs the nodes before the n-th.

    With `dtype`, inputs and state of floating dtype are cast to it.
    """
    program = program_of(traced, method)
    flat = program.tree.flatten(args, dict(kwargs), program.name)
    program.tree.note_copies(flat)
    where = placed(program, flat, device)
    if dtype is not None:
        where = where.cast(dtype)
    counter = flop_counter() if flops else None
    return Run(
        where,
        flat,
        Plan(where.device, where.has_data, recorded_values(program.graph, record), check_finite=False, flops=counter),
    )
