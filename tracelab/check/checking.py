"""`check`: run a trace and the Python function that it was made from on many inputs, and say where they part."""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from tqdm.auto import tqdm

from tracelab.capture.call import Call, argument_names
from tracelab.check.diagnose import Blame, Explainer
from tracelab.check.findings import KINDS, CallInputs, CheckInput, Finding, FrozenPlace
from tracelab.check.generate_inputs import Recipe, is_plain, recipes
from tracelab.check.nondeterminism import randomness
from tracelab.check.parallel.flow import Done, in_turn, in_turn_for_a_while, on_executor, on_processes
from tracelab.check.parallel.workload import Workload, why_not_shipped
from tracelab.check.report import CheckReport, TracingCheckError, WorstCase
from tracelab.check.retrace import place_of
from tracelab.check.target import Subject, subject_of
from tracelab.check.trial import Outcome
from tracelab.errors import InputError, TracelabError
from tracelab.graph.aliasing import writer_of
from tracelab.graph.diagnostic import TraceWarning

_MOST_RETRACES = 24
_WORST = 5
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
) -> CheckReport:
    """Compare a trace with its Python function on many inputs: see `TracedFunction.check`."""
    unknown = [kind for kind in allow if kind not in KINDS]
    if unknown or isinstance(allow, str):
        raise TracelabError(f"allow={allow!r} is no collection of kinds of findings: {', '.join(KINDS)}")
    if max_examples < 1:
        raise TracelabError(f"max_examples={max_examples} is too few: give at least 1")
    subject = subject_of(traced, method)
    collected = _Collected(subject, frozenset(allow), tolerance)
    workload = _workload(subject, tolerance)
    if inputs is None:
        proposed = _proposed(subject)
        first = next(proposed)
        collected.begin(first, workload)
        done = _run(workload, islice(proposed, 3 * max_examples), executor, subject, collected, proposals=True)
        total: int | None = max_examples
    else:
        given = _given(inputs, subject, collected)
        example = _example(subject)
        start = next(given, None) if example is None else example
        if example is None and start is not None:
            given = chain([start], given)
        if start is not None:
            collected.begin_state(start, workload)
        total = len(inputs) if isinstance(inputs, Sequence) else None
        done = _run(workload, given, executor, subject, collected, proposals=False, size=total)
    show = (executor is not None or (total or _FEW + 1) > _FEW) if progress is None else progress
    with tqdm(total=total, desc=f"check {subject.name}", unit="input", disable=not show, delay=1.0) as bar:
        for tried, outcome in done:
            collected.add(tried, outcome, proposed=inputs is None)
            bar.update()
            if collected.report.wrong:
                bar.set_postfix(wrong=collected.report.wrong, refresh=False)
            if inputs is None and collected.report.tried >= max_examples:
                break
    return collected.finished()


def check_calls(traced: Any, method: str, calls: list[Call], tolerance: float) -> None:
    """The check that every trace gets: run both on each call, and raise `TracingCheckError` at the first difference.

    Only where they differ is the function recorded again, to say why.
    """
    subject = subject_of(traced, method)
    workload = _workload(subject, tolerance)
    for number, call in enumerate(calls, 1):
        outcome = workload.run((call.args, call.kwargs))
        if not (outcome.wrong or outcome.python_error):
            continue
        words = "the example inputs" if len(calls) == 1 else f"check input {number}"
        collected = _Collected(subject, frozenset(), tolerance)
        tried = CheckInput(words, CallInputs(call.args, call.kwargs))
        example = _example(subject)
        collected.begin_state(tried if example is None else example, workload)
        collected.add(tried, outcome, proposed=False)
        report = collected.finished()
        found = report.faults[0] if report.faults else report.findings[0]
        place = f" ({found.line})" if found.line else ""
        raise TracingCheckError(f"Tracing failed sanity checks: {found.message}{place}", report)
    if calls:
        traced.checked = (
            True,
            "the same as Python on " + ("the example inputs" if len(calls) == 1 else f"{len(calls)} inputs"),
        )


def _workload(subject: Subject, tolerance: float) -> Workload:
    origin = subject.origin
    return Workload(origin.python, subject.traced, subject.method, tolerance, tuple(origin.modules.values()))


class _Collected:
    """Findings as they come: one per fault, each with the input that shows it best."""

    def __init__(self, subject: Subject, allow: frozenset[str], tolerance: float) -> None:
        self.subject = subject
        self.allow = allow
        self.report = CheckReport(subject.name, tolerance=tolerance)
        self.explainer = Explainer(subject.origin, subject.traced, subject.method, subject.graph)
        self.found: dict[tuple[object, ...], Blame] = {}
        self.retraces = 0
        self.number = 0
        self.heap: list[tuple[float, int, WorstCase]] = []

    def begin(self, example: CheckInput, workload: Workload) -> None:
        """The example inputs themselves, with what can be told from them alone."""
        self.begin_state(example, workload)
        self.add(example, workload.run(example.build()), proposed=False)

    def begin_state(self, example: CheckInput, workload: Workload) -> None:
        """What changes on the same inputs, and what is random."""
        if workload.run(example.build()).skipped:
            return
        state = self.explainer.on_the_same_inputs(example)
        if state is not None:
            self.note(Blame(state))
        python, graph = self.subject.origin.python, self.subject.graph
        random = randomness(graph, self.subject.call, example, python, "randomness" not in self.allow)
        if random is not None:
            self.note(Blame(random))

    def add(self, tried: CheckInput, outcome: Outcome, *, proposed: bool) -> None:
        """What one trial says."""
        self.number += 1
        if outcome.skipped or (outcome.python_error and proposed):
            self.report.out_of_domain += 1
            return
        self.report.tried += 1
        if outcome.python_error:
            self.raised(tried, outcome)
            return
        if outcome.written:
            self.wrote(tried, outcome)
        if not outcome.wrong:
            return
        self.report.wrong += 1
        case = (outcome.size, -self.number, WorstCase(tried, outcome))
        heapq.heappushpop(self.heap, case) if len(self.heap) >= _WORST else heapq.heappush(self.heap, case)
        if self.retraces < _MOST_RETRACES:
            self.retraces += 1
            for blame in self.explainer.causes(tried, outcome):
                self.note(blame)

    def raised(self, tried: CheckInput, outcome: Outcome) -> None:
        both = f"; the trace raises, too ({outcome.trace_error})" if outcome.trace_error else "; the trace does not"
        message = f"the Python function raised {outcome.python_error}, for {tried}{both}"
        way = "leave this input out, or mend the function"
        self.note(Blame(Finding("python raised", message, None, None, None, tried, 1, not outcome.trace_error, way)))

    def wrote(self, tried: CheckInput, outcome: Outcome) -> None:
        if outcome.written_otherwise:
            return
        value = self.subject.graph.user_inputs[outcome.written[0]]
        node = writer_of(self.subject.graph, value)
        source = None if node is None else node.source
        message = f"the function writes into its input `{value.name}`; the trace does the same"
        way = "clone the input first if the caller still needs it"
        self.note(Blame(Finding("input mutation", message, node, source, None, tried, 1, False, way)))

    def note(self, blame: Blame) -> None:
        """Keep the finding that shows a fault best: alone, and by the greatest error."""
        finding = blame.finding
        if finding.kind in self.allow and finding.fault:
            finding = replace(finding, fault=False)
        key: tuple[object, ...]
        if finding.place is not None:
            key = place_of(finding.place)
        elif finding.kind == "memoised state":
            key = (finding.kind,)
        else:
            key = (finding.kind, finding.fault, finding.line or finding.node or finding.message[:40])
        known = self.found.get(key)
        if known is None:
            self.found[key] = Blame(finding, blame.others)
            return
        count = known.finding.count + finding.count
        # Of proposed inputs the simplest comes first; of given ones the worst is kept.
        given = finding.input is not None and finding.input.recipe is None
        mine = (not finding.fault, blame.others, -_size(finding) if given else 0.0)
        theirs = (not known.finding.fault, known.others, -_size(known.finding) if given else 0.0)
        best = Blame(finding, blame.others) if mine < theirs else known
        self.found[key] = Blame(replace(best.finding, count=count), best.others)

    def finished(self) -> CheckReport:
        """The report: faults first, in the order of the code that they come from."""
        report, graph = self.report, self.subject.graph
        order = {node: place for place, node in enumerate(graph.nodes)}
        report.findings = sorted(
            (_with_others(blame) for blame in self.found.values()),
            key=lambda finding: (not finding.fault, order.get(finding.node, -1) if finding.node else len(order)),
        )
        by_place = {place_of(f.place): f for f in report.findings if f.place is not None}
        report.places = [
            FrozenPlace(warning, by_place.get(place_of(warning)), report.tried)
            for warning in graph.warnings
            if _is_a_place(warning)
        ]
        for place in report.places:
            place.warning.answer = place.answer
        report.worst = [case for _, _, case in sorted(self.heap, key=lambda row: (-row[0], -row[1]))]
        return report


def _with_others(blame: Blame) -> Finding:
    """Where no input shows one place alone, that is said."""
    if not blame.others:
        return blame.finding
    more = f"{blame.others} other frozen place{'s' if blame.others > 1 else ''}"
    return replace(blame.finding, message=f"{blame.finding.message} ({more} differed on it, too)")


def _size(finding: Finding) -> float:
    if finding.error is None:
        return math.inf if finding.input is not None else 0.0
    return finding.error.absolute


def _is_a_place(warning: TraceWarning) -> bool:
    """Whether inputs can show it wrong; what a module's attributes keep is no matter of inputs."""
    return warning.kind not in ("output", "state")


def _example(subject: Subject) -> CheckInput | None:
    examples = subject.origin.examples
    if examples is None:
        return None
    shapes = tuple(tuple(example.shape) if is_plain(example) else () for example in examples)
    return CheckInput("the example inputs", None, Recipe("", shapes), examples, subject.tree)


def _proposed(subject: Subject) -> Iterator[CheckInput]:
    """The example inputs, and then inputs made from them."""
    example = _example(subject)
    examples = subject.origin.examples
    if example is None or examples is None:
        raise TracelabError(
            f"the example inputs of {subject.name} were too large to be kept: give inputs, as "
            "traced.check(inputs=[x, (x, mask)])"
        )
    yield example
    names = [value.name for value in subject.graph.user_inputs]
    for recipe in recipes(subject.graph, examples):
        if recipe.values in ("", "random") or recipe.touched(examples):
            yield CheckInput(recipe.words(names, examples), None, recipe, examples, subject.tree)


def _given(inputs: Iterable[Any], subject: Subject, collected: _Collected) -> Iterator[CheckInput]:
    """The caller's inputs, one at a time; what does not fit the function becomes a finding."""
    for number, item in enumerate(inputs, 1):
        words = f"check input {number}"
        try:
            call = Call(item.args, item.kwargs) if isinstance(item, CallInputs) else Call(item, None)
            argument_names(subject.origin.python, call)
        except InputError as error:
            collected.report.tried += 1
            message = f"{words} does not fit: {error}"
            way = "give each input as in trace: a tensor, or a tuple of the arguments"
            finding = Finding("unfit inputs", message, None, None, None, None, 1, True, way)
            collected.note(Blame(finding))
            continue
        yield CheckInput(words, CallInputs(call.args, dict(call.kwargs)))


def _run(
    workload: Workload,
    inputs: Iterator[CheckInput],
    executor: Executor | None,
    subject: Subject,
    collected: _Collected,
    *,
    proposals: bool,
    size: int | None = None,
) -> Iterator[Done]:
    if executor is not None:
        yield from on_executor(workload, inputs, executor)
        return
    if proposals or (size is not None and size <= _FEW):
        yield from in_turn(workload, inputs)
        return
    yield from in_turn_for_a_while(workload, inputs)
    after = next(inputs, None)
    if after is None:
        return
    rest = chain([after], inputs)
    reason = why_not_shipped(workload, subject)
    if reason:
        collected.report.notes.append(f"checked in this process alone: {reason}")
        yield from in_turn(workload, rest)
        return
    yield from on_processes(workload, rest)
