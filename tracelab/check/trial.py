"""One trial: the Python function and its trace on the same inputs, from the same state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from tracelab.check.copied import copied_arguments
from tracelab.check.isolation import isolated
from tracelab.check.memory import has_data
from tracelab.check.outputs import Mismatch, given_as_they_are, leaves, mismatches
from tracelab.errors import AssumptionError, InputError
from tracelab.execute.cases import NoRecording
from tracelab.execute.codegen.guards import silenced
from tracelab.graph.callables.wrappers import wrapped_parts
from tracelab.graph.graph import Graph

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial found; plain data, so that it travels between processes."""

    python_error: str = ""
    trace_error: str = ""
    mismatches: tuple[Mismatch, ...] = ()
    written: tuple[int, ...] = ()
    """Tensors among the inputs that the Python function wrote to."""
    written_otherwise: tuple[Mismatch, ...] = ()
    """Tensors among the inputs (counted from 1) that are not as Python left them."""
    skipped: bool = False
    """Nothing was run: inputs without data (meta, fake) have no values to compare."""
    unrecorded: bool = False
    """No recording fits the call, which would make another one."""
    told: tuple[tuple[int, str], ...] = ()
    """Assumptions of the trace that did not hold, by their number, and what a call says of them."""

    @property
    def wrong(self) -> bool:
        """Whether the trace did something else than the Python function, which itself ran."""
        return not self.python_error and bool(self.trace_error or self.mismatches or self.written_otherwise)

    @property
    def size(self) -> float:
        """For putting the worst first."""
        if self.trace_error:
            return float("inf")
        return max((row.size for row in (*self.mismatches, *self.written_otherwise)), default=0.0)

    def __str__(self) -> str:
        if self.trace_error:
            return f"the trace raised {self.trace_error}, where the Python function did not"
        if self.mismatches:
            return str(self.mismatches[0])
        return str(self.written_otherwise[0]) if self.written_otherwise else "no difference"


def trial(
    python: Callable[..., Any],
    traced: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    tolerance: float,
    written: tuple[Tensor, ...] = (),
    modules: tuple[nn.Module, ...] = (),
    graph: Graph | None = None,
    meta: bool = False,
    picks: bool = False,
) -> Outcome:
    """Run both on copies of the inputs, from the same state, and compare what they return and what they wrote.

    What they change is put back: see `tracelab.check.isolation`. `written` are tensors of the trace that it writes to,
    `modules` those that the Python function runs beside what it is a method of. `graph` is that of the trace. With
    `meta`, of tensors without data what they are like is compared, where all are such. A trace that `picks` takes
    one of several recordings, or makes one.
    """
    tensors = [leaf for leaf in leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    if not all(has_data(leaf) for leaf in tensors) and not (meta and all(leaf.is_meta for leaf in tensors)):
        return Outcome(skipped=True)
    with silenced() as heard:

        def fits_none(error: Exception) -> bool:
            return isinstance(error, NoRecording) or (picks and _fits_none(error, graph))

        outcome = _outcome(python, traced, args, kwargs, tolerance, written, modules, fits_none)
        told = dict.fromkeys((number, text) for of, number, text in heard if graph is None or of is graph)
        return replace(outcome, told=tuple(told))


def _outcome(
    python: Callable[..., Any],
    traced: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    tolerance: float,
    written: tuple[Tensor, ...],
    modules: tuple[nn.Module, ...],
    fits_none: Callable[[Exception], bool],
) -> Outcome:
    tensors = [leaf for leaf in leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    mine, theirs = copied_arguments(args, dict(kwargs)), copied_arguments(args, dict(kwargs))
    with isolated((python, traced, *modules, *given_as_they_are(args, kwargs)), written) as again:
        try:
            expected = python(*mine[0], **mine[1])
        except Exception as error:
            found = _raised(traced, theirs, again)
            if found is not None and fits_none(found):
                return Outcome(python_error=sentence(error), unrecorded=True)
            return Outcome(python_error=sentence(error), trace_error=sentence(found) if found is not None else "")
        if any(leaf.is_meta for leaf in tensors) and any(map(_is_read, leaves(expected))):
            # Memory that nobody wrote: torch let a call read weights by indices without data.
            return Outcome(skipped=True)
        again()
        try:
            found = traced(*theirs[0], **theirs[1])
        except Exception as error:
            return Outcome(unrecorded=True) if fits_none(error) else Outcome(trace_error=sentence(error))
        return _compared(tensors, expected, found, mine, theirs, tolerance)


def _fits_none(error: Exception, graph: Graph | None) -> bool:
    """Whether it says that a recording is not for these inputs, where no other is made."""
    if isinstance(error, AssumptionError):
        return graph is not None and any(item is error.assumption for item in graph.assumptions)
    return isinstance(error, InputError)


def _is_read(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and has_data(leaf)


def _raised(traced: Callable[..., Any], inputs: Any, again: Callable[[], None]) -> Exception | None:
    again()
    try:
        traced(*inputs[0], **inputs[1])
    except Exception as error:
        return error
    return None


def _compared(tensors: list[Tensor], expected: Any, found: Any, mine: Any, theirs: Any, tolerance: float) -> Outcome:
    after = [leaf for leaf in leaves(mine) if isinstance(leaf, Tensor)]
    # As a list first: what walks over all objects in another thread must not see a tuple that grows.
    written = tuple(
        [place for place, (before, now) in enumerate(zip(tensors, after, strict=False)) if not _same(before, now)]
    )
    traced_after = [leaf for leaf in leaves(theirs) if isinstance(leaf, Tensor)]
    otherwise = mismatches(after, traced_after, tolerance) if len(after) == len(tensors) else ()
    if not otherwise:
        # Objects hold more than tensors, and other ones than before.
        rest = mismatches(mine, theirs, tolerance)
        otherwise = tuple([replace(row, output=0) for row in rest])
    return Outcome(mismatches=mismatches(expected, found, tolerance), written=written, written_otherwise=otherwise)


def _same(before: Tensor, now: Tensor) -> bool:
    if before is now or before.layout is not torch.strided or before.is_meta:
        return True
    parts = wrapped_parts(before)
    if parts:
        # Tensors of such a class may know no comparison: what they hold is compared.
        others = wrapped_parts(now)
        return parts.keys() == others.keys() and all(_same(part, others[name]) for name, part in parts.items())
    with torch.no_grad():
        if before.shape != now.shape or before.dtype != now.dtype:
            return False
        if before.is_quantized:
            return torch.equal(before, now)
        return torch.equal(before, now) or bool(((before == now) | ((before != before) & (now != now))).all())


def sentence(error: BaseException) -> str:
    """An exception in one line: `ValueError: not enough values`."""
    words = " ".join(str(error).split())
    text = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
