"""`check`: run a trace and the Python function that it was made from on many inputs, and say where they part."""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from torch import Tensor
from tqdm.auto import tqdm

from tracelab.capture.call import CallArguments, argument_names
from tracelab.check.diagnose import Cause, Diagnoser
from tracelab.check.findings import (
    AssumptionVerdict,
    CallInputs,
    CheckInput,
    Finding,
    FindingKind,
    Severity,
    Specialization,
)
from tracelab.check.generate_inputs import Recipe, is_plain, recipes
from tracelab.check.isolation import isolated
from tracelab.check.nondeterminism import nondeterminism
from tracelab.check.parallel.flow import Done, in_turn, in_turn_for_a_while, on_executor, on_processes
from tracelab.check.parallel.workload import Workload, why_not_shipped
from tracelab.check.report import CheckReport, TracingCheckError, WorstCase
from tracelab.check.retrace import place_of
from tracelab.check.settled import accept_settled_state
from tracelab.check.target import CheckTarget, target_of
from tracelab.check.trial import Outcome
from tracelab.errors import InputError, TracelabError
from tracelab.graph.aliasing import writer_of
from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.source import Source
from tracelab.graph.types import counted

_MOST_RETRACES = 24
_WORST = 5
_HELD: tuple[CheckInput | None, bool] = (None, False)
_WITHOUT_DATA = (
    "meta and fake tensors have no values to compare: trace a small model of the same classes on the CPU and check that"
)
_FEW = 64
"""So many inputs or fewer are not worth a process pool."""


def check(
    traced: Any,
    inputs: Iterable[Any] | None = None,
    executor: Executor | None = None,
    *,
    tolerance: float = 1e-5,
    max_examples: int = 32,
    allow: Collection[str] = (),
    progress: bool | None = None,
    method: str | None = None,
    left: list[CheckInput] | None = None,
) -> CheckReport:
    """Compare a trace with its Python function on many inputs: see `TracedFunction.check`.

    Given inputs that another recording is to take are put into `left`, where that is given.
    """
    known = frozenset(FindingKind)
    if isinstance(allow, str) or not known.issuperset(allow):
        raise TracelabError(f"allow={allow!r} is not a collection of kinds of findings: {', '.join(FindingKind)}")
    if not isinstance(max_examples, int) or max_examples < 1:
        raise TracelabError(f"max_examples={max_examples!r} is no number of inputs: give a whole number from 1")
    if executor is not None and not hasattr(executor, "submit"):
        raise TracelabError(
            f"executor is of type {type(executor).__name__}, which runs nothing: give a concurrent.futures.Executor, "
            "and inputs as one list, traced.check([x, (x, mask)])"
        )
    if inputs is not None:
        refuse_one_input(inputs, "inputs")
    target = target_of(traced, method)
    collected = _Collected(target, frozenset(allow), tolerance, left)
    workload = _workload(target, tolerance)
    # What is kept is kept once for all trials, unless drawing the inputs runs code of the user's in between.
    once = inputs is None or isinstance(inputs, (list, tuple))
    roots = (traced, *target.origin.roots)
    with isolated(roots, workload.written) if once else nullcontext():
        _try_all(target, collected, workload, inputs, executor, max_examples, progress)
    return collected.finished()


def _try_all(
    target: CheckTarget,
    collected: _Collected,
    workload: Workload,
    inputs: Iterable[Any] | None,
    executor: Executor | None,
    max_examples: int,
    progress: bool | None,
) -> None:
    if inputs is None:
        generated = _generated(target)
        first = next(generated)
        collected.begin(first, workload)
        workload.meta = True
        done = _run(workload, islice(generated, 3 * max_examples), executor, target, collected, generated=True)
        total: int | None = max_examples
    else:
        given = _given(inputs, target, collected)
        example = _example(target)
        start = next(given, None) if example is None else example
        if example is None and start is not None:
            given = chain([start], given)
        if start is not None:
            collected.begin_state(start, workload)
        total = len(inputs) if isinstance(inputs, Sequence) else None
        done = _run(workload, given, executor, target, collected, generated=False, size=total)
    show = (executor is not None or (total or _FEW + 1) > _FEW) if progress is None else progress
    with tqdm(total=total, desc=f"check {target.name}", unit="input", disable=not show, delay=1.0) as bar:
        for tried, outcome in done:
            collected.add(tried, outcome, generated=inputs is None)
            bar.update()
            if collected.report.wrong:
                bar.set_postfix(wrong=collected.report.wrong, refresh=False)
            if inputs is None and collected.report.tried - collected.formed >= max_examples:
                break


def refuse_one_input(inputs: Any, name: str) -> None:
    """Raises `InputError` where a tensor, or no collection at all, is given in place of a collection of inputs."""
    if isinstance(inputs, Tensor) or not isinstance(inputs, Iterable):
        what = "a tensor" if isinstance(inputs, Tensor) else f"of type {type(inputs).__name__}"
        raise InputError(f"{name} is {what}: give a list with an item for each call, such as [x, (x, mask)]")


def check_calls(traced: Any, method: str, calls: list[CallArguments], tolerance: float, retraces: bool = False) -> None:
    """The check that every trace gets: run both on each call, and raise `TracingCheckError` at the first difference.

    Only where they differ is the function recorded again, to say why. `retraces` says that a call for which an
    assumption does not hold makes another recording: a difference there is none. Meta and fake tensors have no values
    to compare: nothing is run on them.
    """
    target = target_of(traced, method)
    workload = _workload(target, tolerance)
    compared = 0
    for number, call in enumerate(calls, 1):
        outcome = workload.run((call.args, call.kwargs))
        compared += not outcome.skipped
        if not (outcome.wrong or outcome.python_error) or (retraces and outcome.told and not outcome.python_error):
            continue
        words = "the example inputs" if len(calls) == 1 else f"check input {number}"
        collected = _Collected(target, frozenset(), tolerance)
        tried = CheckInput(words, CallInputs(call.args, call.kwargs))
        example = _example(target)
        collected.begin_state(tried if example is None else example, workload)
        collected.add(tried, outcome, generated=False)
        report = collected.finished()
        found = report.errors[0] if report.errors else report.findings[0]
        place = f" ({found.line})" if found.line else ""
        raise TracingCheckError(f"Tracing failed sanity checks: {found.message}{place}", report)
    if compared:
        if accept_settled_state(target.origin, target.graph, calls[0]):
            target.traced.guards_changed(target.method)
        traced.checked = (
            True,
            "the same as Python on " + ("the example inputs" if len(calls) == 1 else counted(compared, "input")),
        )


def _workload(target: CheckTarget, tolerance: float) -> Workload:
    origin = target.origin
    return Workload(origin.python, target.traced, target.method, tolerance, origin.roots[1:])


_NOT_VARIED = "torch.get_default_device()"
"""What a check leaves as it is: there is nothing to report of it."""


class _Collected:
    """Findings as they come: one per difference, each with the input that shows it best."""

    def __init__(
        self,
        target: CheckTarget,
        allow: frozenset[str],
        tolerance: float,
        left: list[CheckInput] | None = None,
    ) -> None:
        self.target = target
        self.left = left
        self.allow = allow
        records = target.traced.policy.on_violation == "retrace"
        self.report = CheckReport(target.name, tolerance=tolerance, records=records)
        self.diagnoser = Diagnoser(target.origin, target.traced, target.method, target.graph)
        self.found: dict[tuple[object, ...], Cause] = {}
        self.retraces = 0
        self.number = 0
        self.formed = 0
        """How many of the inputs that were tried are of another form than the examples: they come on top."""
        self.heap: list[tuple[float, int, WorstCase]] = []
        self.broken: dict[int, tuple[CheckInput, bool]] = {}
        """By the number of each assumption that did not hold: an input, and whether the trace was wrong for it."""
        self.not_mine: dict[int, CheckInput] = {}
        """By the number of each assumption: an input that the recording left to others because of it."""

    def begin(self, example: CheckInput, workload: Workload) -> None:
        """The example inputs themselves, with what can be told from them alone."""
        self.begin_state(example, workload)
        self.add(example, workload.run(example.build()), generated=False)

    def begin_state(self, example: CheckInput, workload: Workload) -> None:
        """What changes on the same inputs, and what is random."""
        if workload.run(example.build()).skipped:
            return
        if self.target.origin.version != self.target.graph.nodes.version:
            self.report.notes.append("the graph was edited after it was traced, and is checked as it is now")
            return
        state = self.diagnoser.on_the_same_inputs(example)
        if state is not None:
            self.note(Cause(state))
        python, graph = self.target.origin.python, self.target.graph
        severity = Severity.NOTE if FindingKind.NONDETERMINISM in self.allow else Severity.ERROR
        random = nondeterminism(graph, self.target.call, example, python, severity)
        if random is not None:
            self.note(Cause(random))

    def add(self, tried: CheckInput, outcome: Outcome, *, generated: bool) -> None:
        """What one trial says."""
        self.number += 1
        if outcome.unrecorded and self.left is not None:
            self.left.append(tried)
            self.not_for(tried, outcome)
            return
        if outcome.skipped:
            self.report.without_data += 1
            if _WITHOUT_DATA not in self.report.notes:
                self.report.notes.append(_WITHOUT_DATA)
            return
        if outcome.python_error and generated:
            self.report.rejected_inputs += 1
            return
        if outcome.unrecorded and not outcome.python_error:
            self.report.unrecorded += 1
            self.not_for(tried, outcome)
            return
        self.report.tried += 1
        self.formed += tried.recipe is not None and tried.recipe.form != ""
        if outcome.python_error:
            self.raised(tried, outcome)
            return
        if outcome.written:
            self.wrote(tried, outcome)
        for number, _ in outcome.told:
            if number not in self.broken or (outcome.wrong and not self.broken[number][1]):
                self.broken[number] = tried, outcome.wrong
        if not outcome.wrong:
            return
        if tried.recipe is not None and tried.recipe.form and (outcome.told or outcome.trace_error):
            # An input of another kind than the example, which the trace itself says that it is not for.
            self.report.told += 1
            if not outcome.told:
                note = Severity.NOTE
                self.note(
                    Cause(Finding(FindingKind.REPLAY_ERROR, f"for {tried}, {outcome}", input=tried, severity=note))
                )
            return
        self.report.wrong += 1
        case = (outcome.size, -self.number, WorstCase(tried, outcome))
        heapq.heappushpop(self.heap, case) if len(self.heap) >= _WORST else heapq.heappush(self.heap, case)
        if self.retraces < _MOST_RETRACES:
            self.retraces += 1
            for cause in self.diagnoser.causes(tried, outcome):
                if outcome.told:
                    message = f"{cause.finding.message}; a call is told of it"
                    cause = Cause(replace(cause.finding, message=message), cause.others)
                self.note(cause)

    def not_for(self, tried: CheckInput, outcome: Outcome) -> None:
        for number, _ in outcome.told:
            self.not_mine.setdefault(number, tried)

    def raised(self, tried: CheckInput, outcome: Outcome) -> None:
        both = f"; the trace raises, too ({outcome.trace_error})" if outcome.trace_error else "; the trace does not"
        if outcome.unrecorded:
            both = "; no recording takes it, so that a call raises, too"
        message = f"the Python function raised {outcome.python_error}, for {tried}{both}"
        way = "exclude this input or fix the function"
        severity = Severity.NOTE if outcome.trace_error or outcome.unrecorded else Severity.ERROR
        finding = Finding(FindingKind.EAGER_ERROR, message, input=tried, severity=severity, suggestion=way)
        self.note(Cause(finding))

    def wrote(self, tried: CheckInput, outcome: Outcome) -> None:
        if outcome.written_otherwise:
            return
        value = self.target.graph.user_inputs[outcome.written[0]]
        node = writer_of(self.target.graph, value)
        source = None if node is None else node.source
        message = f"the function writes into its input `{value.name}`; the trace does the same"
        way = "clone the input first if the caller still needs it"
        finding = Finding(
            FindingKind.INPUT_MUTATION, message, node, source, input=tried, severity=Severity.NOTE, suggestion=way
        )
        self.note(Cause(finding))

    def note(self, cause: Cause) -> None:
        """Keep the finding that shows a difference best: alone, and by its size."""
        finding = cause.finding
        if finding.kind in self.allow and finding.is_error:
            finding = replace(finding, severity=Severity.NOTE)
        key: tuple[object, ...]
        if finding.diagnostic is not None:
            key = place_of(finding.diagnostic)
        elif self.diagnoser.is_state(finding):
            key = (finding.kind, "state")
        else:
            key = (finding.kind, finding.is_error, finding.line or finding.node or finding.message[:40])
        known = self.found.get(key)
        if known is None:
            self.found[key] = Cause(finding, cause.others)
            return
        count = known.finding.count + finding.count
        # Of generated inputs the simplest comes first; of given ones the worst is kept.
        given = finding.input is not None and finding.input.recipe is None
        mine = (not finding.is_error, cause.others, -_size(finding) if given else 0.0)
        theirs = (not known.finding.is_error, known.others, -_size(known.finding) if given else 0.0)
        best = Cause(finding, cause.others) if mine < theirs else known
        self.found[key] = Cause(replace(best.finding, count=count), best.others)

    def finished(self) -> CheckReport:
        """The report: errors first, in the order of the code that they come from."""
        report, graph = self.report, self.target.graph
        order = {node: place for place, node in enumerate(graph.nodes)}
        report.findings = sorted(
            (_with_others(cause) for cause in self.found.values()),
            key=lambda finding: (not finding.is_error, order.get(finding.node, -1) if finding.node else len(order)),
        )
        by_place = {place_of(f.diagnostic): f for f in report.findings if f.diagnostic is not None}
        not_mine = {_spot(graph.assumptions[number].source): tried for number, tried in self.not_mine.items()}
        report.specializations = [
            Specialization(
                warning,
                by_place.get(place_of(warning)),
                report.tried - self.formed,
                not_mine.get(_spot(warning.source)),
            )
            for warning in graph.warnings
            if _is_a_place(warning)
        ]
        for place in report.specializations:
            place.diagnostic.verdict = place.verdict
        report.assumptions = [
            AssumptionVerdict(item, *self.broken.get(number, _HELD), tries=report.tried, left=self.not_mine.get(number))
            for number, item in enumerate(graph.assumptions)
            if item.subject != _NOT_VARIED
        ]
        report.worst = [case for _, _, case in sorted(self.heap, key=lambda row: (-row[0], -row[1]))]
        return report


def _spot(source: Source | None) -> object:
    """The same for what the code read at one place; nothing else is like a place that is not known."""
    return object() if source is None else (source.file, source.line, source.column)


def _with_others(cause: Cause) -> Finding:
    """Where no input shows one place alone, that is said."""
    if not cause.others:
        return cause.finding
    more = f"{cause.others} other specialization{'s' if cause.others > 1 else ''}"
    return replace(cause.finding, message=f"{cause.finding.message} ({more} differed on it, too)")


def _size(finding: Finding) -> float:
    if finding.difference is None:
        return math.inf if finding.input is not None else 0.0
    return finding.difference.absolute


def _is_a_place(warning: TraceDiagnostic) -> bool:
    """Whether inputs can show it wrong; what a module's attributes keep is no matter of inputs."""
    return warning.kind not in ("output", "state")


def _example(target: CheckTarget) -> CheckInput | None:
    examples = target.origin.examples
    if examples is None:
        return None
    shapes = tuple(tuple(example.shape) if is_plain(example) else () for example in examples)
    return CheckInput("the example inputs", None, Recipe("", shapes), examples, target.tree)


def _generated(target: CheckTarget) -> Iterator[CheckInput]:
    """The example inputs, and then inputs made from them."""
    example = _example(target)
    examples = target.origin.examples
    if example is None or examples is None:
        raise TracelabError(
            f"the example inputs of {target.name} were too large to be kept: give inputs, as "
            "traced.check(inputs=[x, (x, mask)])"
        )
    yield example
    names = [value.name for value in target.graph.user_inputs]
    for recipe in recipes(target.graph, examples):
        if (not recipe.form and recipe.values in ("", "random")) or recipe.touched(examples):
            yield CheckInput(recipe.description(names, examples), None, recipe, examples, target.tree)


def _given(inputs: Iterable[Any], target: CheckTarget, collected: _Collected) -> Iterator[CheckInput]:
    """The caller's inputs, one at a time; what does not fit the function becomes a finding."""
    for number, item in enumerate(inputs, 1):
        if isinstance(item, CheckInput) and item.given is not None:
            yield item
            continue
        words = f"check input {number}"
        try:
            call = CallArguments(item.args, item.kwargs) if isinstance(item, CallInputs) else CallArguments(item, None)
            argument_names(target.origin.python, call)
        except InputError as error:
            collected.report.tried += 1
            message = f"{words} does not fit: {error}"
            way = "give each input as in trace: a tensor, or a tuple of the arguments"
            finding = Finding(FindingKind.INVALID_INPUTS, message, suggestion=way)
            collected.note(Cause(finding))
            continue
        yield CheckInput(words, CallInputs(call.args, dict(call.kwargs)))


def _run(
    workload: Workload,
    inputs: Iterator[CheckInput],
    executor: Executor | None,
    target: CheckTarget,
    collected: _Collected,
    *,
    generated: bool,
    size: int | None = None,
) -> Iterator[Done]:
    if executor is not None:
        yield from on_executor(workload, inputs, executor)
        return
    if generated or (size is not None and size <= _FEW):
        yield from in_turn(workload, inputs)
        return
    yield from in_turn_for_a_while(workload, inputs)
    after = next(inputs, None)
    if after is None:
        return
    rest = chain([after], inputs)
    reason = why_not_shipped(workload, target)
    if reason:
        collected.report.notes.append(f"checked in this process alone: {reason}")
        yield from in_turn(workload, rest)
        return
    yield from on_processes(workload, rest)
