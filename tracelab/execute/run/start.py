"""Runs of traced objects: made, and set going."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from tracelab.errors import TracelabError
from tracelab.execute.run.cancel import Switch
from tracelab.execute.run.lookup import Key, module_start, place
from tracelab.execute.run.options import Watch, ending, flop_counter, replacements, watched
from tracelab.execute.run.placement import placed
from tracelab.execute.run.program import program_of
from tracelab.execute.run.run import Run
from tracelab.execute.run.stepper import Plan, Progress, Replacement


def run_traced(
    traced: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any] | None = None,
    *,
    upto: Key | None = None,
    from_: Key | None = None,
    device: str | torch.device | None = None,
    replace: Mapping[Key, Replacement] | None = None,
    watch: Watch = (),
    statistics: bool = False,
    flops: bool = False,
    check_finite: bool = True,
    gradients: bool = False,
    progress: Progress | None = None,
    cancel: Switch | Callable[[], bool] | None = None,
    method: str = "forward",
) -> Run:
    """Run a traced object, or one traced method of it, node by node: see `Runnable.run`."""
    program = program_of(traced, method)
    graph = program.graph
    flat = program.tree.flatten(args, dict(kwargs or {}), program.name)
    where = placed(program, flat, device)
    stop, last = ending(graph, upto)
    plan = Plan(
        where.device,
        where.has_data,
        watched(graph, watch) | last,
        replacements(graph, replace),
        statistics,
        check_finite and where.has_data,
        flop_counter() if flops or not where.has_data else None,
        progress,
        cancel,
    )
    start = 0 if from_ is None else module_start(graph, from_)
    if start >= stop > 0:
        raise TracelabError(
            f"there is nothing to run from {place(graph.nodes[start])} up to {place(graph.nodes[stop - 1])}: "
            "it comes first"
        )
    run = Run(where, flat, plan, gradients, start)
    run.advance(stop)
    return run


def prepared(
    traced: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    watch: Iterable[Key] = (),
    flops: bool = False,
    method: str = "forward",
) -> Run:
    """A run that stands before its first node: `run.advance(n)` runs the nodes before the n-th.

    With `dtype`, inputs and state of floating dtype are cast to it.
    """
    program = program_of(traced, method)
    flat = program.tree.flatten(args, dict(kwargs), program.name)
    where = placed(program, flat, device)
    if dtype is not None:
        where = where.cast(dtype)
    counter = flop_counter() if flops else None
    return Run(
        where,
        flat,
        Plan(where.device, where.has_data, watched(program.graph, watch), check_finite=False, flops=counter),
    )
