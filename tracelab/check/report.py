"""`CheckReport`: what a check found, as data, text and HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tracelab.check.findings import AssumptionVerdict, CheckInput, Finding, Specialization
from tracelab.check.trial import Outcome
from tracelab.errors import TracelabError
from tracelab.graph.source import Source
from tracelab.graph.text.html import Cell, block, heading, line, opening, table
from tracelab.graph.text.printable import replaced
from tracelab.graph.types import counted
from tracelab.libraries import needed_library

_WIDTH = 116
_MOST_FINDINGS = 8
_MOST_PLACES = 10
_MOST_OPEN = 10
"""Rows of a section that a notebook shows opened."""


class TracingCheckError(TracelabError):
    """The trace does something else than the Python function, on inputs that were tried; `report` has the findings."""

    def __init__(self, message: str, report: CheckReport | None = None) -> None:
        super().__init__(message)
        self.report = report


@dataclass(frozen=True, slots=True)
class WorstCase:
    """An input on which the trace was wrong, and how."""

    input: CheckInput
    outcome: Outcome


@dataclass(slots=True)
class CheckReport:
    """What a check of a trace found.

    `findings` has one record per difference, errors first; `specializations` every place on which the trace is
    specialized, each with the error that it causes or with how many examples found none; `assumptions` every assumption
    of the trace, with an input for which it does not hold or how many found none; `worst` the inputs on which
    the trace was furthest off, at most five. `tried` inputs ran, on `wrong` of them the trace did something else than
    Python; on `told` more, of another kind than the examples (another dtype, say), it did so too, and a call says
    that it is not for them. On `rejected_inputs` more Python itself raised, `without_data` ones have no values; for
    `unrecorded` ones no recording fits, so that a call makes another one (`on_violation="retrace"`). Where there are
    several, `recordings` has the labels of those that were looked at, by number; inputs are generated for each, and it
    leaves `left_to_others` of them to the others, or to one that is still to be made.

    >>> report = tracelab.trace(torch.relu, torch.ones(2)).check(max_examples=4)
    >>> print(report)
    check of relu: no difference found, 4 inputs tried
    """

    name: str
    findings: list[Finding] = field(default_factory=list)
    specializations: list[Specialization] = field(default_factory=list)
    assumptions: list[AssumptionVerdict] = field(default_factory=list)
    worst: list[WorstCase] = field(default_factory=list)
    tried: int = 0
    wrong: int = 0
    told: int = 0
    rejected_inputs: int = 0
    without_data: int = 0
    """Inputs that there was nothing to compare on: meta or fake tensors."""
    unrecorded: int = 0
    left_to_others: int = 0
    records: bool = True
    """Whether a call that fits no recording makes one."""
    tolerance: float = 1e-5
    notes: list[str] = field(default_factory=list)
    """How the check was run, where that was not as asked for."""
    recordings: dict[int, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether inputs were tried, and no difference was found."""
        return not self.errors and self.tried > 0

    @property
    def errors(self) -> list[Finding]:
        """The findings that make a result wrong."""
        return [finding for finding in self.findings if finding.is_error]

    @property
    def headline(self) -> str:
        """What it comes to, in a few words: `no difference found, 32 inputs tried`."""
        return _headline(self)

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with a row per finding: kind, severity, line, message, suggestion, input and count.

        Raises:
            TracelabError: pandas is not installed.

        >>> len(tracelab.trace(torch.relu, torch.ones(2)).check(max_examples=2).to_pandas())
        0
        """
        columns = ["kind", "severity", "line", "message", "suggestion", "input", "count"]
        rows = [
            [*(str(getattr(item, name)) for name in columns[:5]), str(item.input or ""), item.count]
            for item in self.findings
        ]
        return needed_library("pandas", "to_pandas").DataFrame(rows, columns=columns)

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def __repr__(self) -> str:
        return f"CheckReport({self.name}: {_headline(self)})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": report_html(self)}


def _headline(report: CheckReport) -> str:
    tried = f"{counted(report.tried, 'input')} tried" if report.tried else "no input tried"
    more = " more" if report.tried else ""
    if report.rejected_inputs:
        tried += f", {report.rejected_inputs:,}{more} rejected by the function"
    if report.without_data:
        tried += f", {report.without_data:,}{more} without data"
    if report.unrecorded:
        tried += f", {report.unrecorded:,}{more} {'would be recorded anew' if report.records else 'fit no recording'}"
    if report.left_to_others:
        tried += f", {report.left_to_others:,}{more} fit other recordings or none"
    if not report.errors:
        return f"no difference found, {tried}" if report.tried else f"nothing compared, {tried}"
    wrong = f", the trace is wrong for {report.wrong:,}" if report.wrong else ""
    return f"{counted(len(report.errors), 'error')}, {tried}{wrong}"


def _lines(report: CheckReport) -> Iterator[str]:
    yield f"check of {report.name}: {_headline(report)}"
    if report.recordings:
        yield "recordings"
        for number, label in report.recordings.items():
            yield f"  {_cut(f'{number}: {label}', _WIDTH - 2)}"
    for finding in report.findings[:_MOST_FINDINGS]:
        yield from _finding_lines(finding)
    if len(report.findings) > _MOST_FINDINGS:
        yield f"… {counted(len(report.findings) - _MOST_FINDINGS, 'more finding')} in report.findings"
    for section in _sections(report):
        yield section.title
        for owner, rows in section.groups:
            if owner:
                yield f"  {_cut(owner, _WIDTH - 2)}"
            indent = "    " if owner else "  "
            for what, verdict in rows:
                yield f"{indent}{_cut(f'{what}  → {verdict}', _WIDTH - len(indent))}"
        if section.more:
            yield f"  … {section.more} more in report.{section.name}"
    for note in report.notes:
        yield from textwrap.wrap(f"note: {note}", _WIDTH)


def _finding_lines(finding: Finding) -> Iterator[str]:
    mark = "✗" if finding.is_error else "·"
    yield _cut(f"{mark} {finding.kind}{_at(finding)}", _WIDTH)
    yield from textwrap.wrap(replaced(finding.message), _WIDTH, initial_indent="    ", subsequent_indent="    ")
    if finding.suggestion:
        yield from textwrap.wrap(f"→ {finding.suggestion}", _WIDTH, initial_indent="    ", subsequent_indent="      ")


def _at(finding: Finding) -> str:
    if finding.source is None:
        return ""
    text = finding.source.text.strip()
    return f", {finding.line}{f': {text}' if text else ''}"


def _cut(text: str, width: int) -> str:
    text = replaced(text)
    return text if len(text) <= width else text[: width - 1] + "…"


def report_html(report: CheckReport) -> str:
    """The report for notebooks."""
    return block(_html_parts(report))


def _html_parts(report: CheckReport) -> Iterator[str]:
    yield heading(f"check of {report.name}", _headline(report), bad=not report.ok)
    if report.recordings:
        rows = [(str(number), label) for number, label in report.recordings.items()]
        yield table("recordings", ("number", "differs in"), rows)
    if report.findings:
        shown = report.findings[:_MOST_FINDINGS]
        more = len(report.findings) - len(shown)
        caption = f"findings, {more:,} more in report.findings" if more else "findings"
        yield table(caption, ("kind", "line", "what is different", "what to do"), map(_finding_cells, shown))
    for section in _sections(report):
        wrong = any(_is_wrong(verdict) for _, rows in section.groups for _, verdict in rows)
        tables = [
            table(title or section.title, ("what", "verdict"), map(_verdict_cells, rows))
            for title, rows in section.groups
        ]
        if section.more:
            tables.append(line(f"… {section.more:,} more in report.{section.name}"))
        count = sum(len(rows) for _, rows in section.groups) + section.more
        # What some input showed wrong is seen at once.
        yield opening(section.title, f"{count:,}", "".join(tables), opened=wrong or count <= _MOST_OPEN)
    yield from (line(f"note: {note}") for note in report.notes)


def _finding_cells(finding: Finding) -> list[Cell | str]:
    kind = Cell(f"✗ {finding.kind}", bad=True) if finding.is_error else f"· {finding.kind}"
    code = "" if finding.source is None else finding.source.text.strip()
    place = Cell(": ".join(filter(None, (finding.line, code))), code=True)
    return [kind, place, finding.message, finding.suggestion]


def _verdict_cells(row: tuple[str, str]) -> list[Cell | str]:
    what, verdict = row
    return [Cell(what, code=True), Cell(verdict, bad=_is_wrong(verdict))]


def _is_wrong(verdict: str) -> bool:
    return "wrong for" in verdict


_EVERY = "every recording"


def named_recordings(labels: Iterable[str], recordings: Mapping[int, str]) -> str:
    """Which recordings something is of: all, one by its label, or some by their numbers.

    >>> named_recordings(["b", "c"], {1: "a", 2: "b", 3: "c"})
    'recordings 2 and 3'
    """
    mine = set(labels)
    if len(mine) == len(recordings) > 1:
        return _EVERY
    if len(mine) == 1:
        return mine.pop()
    numbers = [str(number) for number, label in recordings.items() if label in mine]
    return f"recordings {', '.join(numbers[:-1])} and {numbers[-1]}"


@dataclass(frozen=True, slots=True)
class _Section:
    """A list of the report: of one recording, or by the recordings that each line is of."""

    title: str
    name: str
    groups: list[tuple[str, list[tuple[str, str]]]]
    """A heading, empty where there is one recording, and what stands below it: a fact and its verdict."""
    more: int


def _sections(report: CheckReport) -> Iterator[_Section]:
    # Of several recordings, a place that an assumption is about is listed with the assumptions.
    assumptions = {_place_of(item.assumption.source) for item in report.assumptions} if report.recordings else set()
    places = [
        (item.where, item.recording, item)
        for item in report.specializations
        if _place_of(item.diagnostic.source) not in assumptions or _rank(item) == 0
    ]
    if places:
        yield _section(report, "specialized on", "specializations", places)
    # Those that some input shows wrong come first.
    ordered = sorted(report.assumptions, key=lambda item: (not item.differs, item.input is None))
    if ordered:
        assumed = [(str(item.assumption), item.recording, item) for item in ordered]
        yield _section(report, "assumed", "assumptions", assumed)


_Row = tuple[str, str, AssumptionVerdict] | tuple[str, str, Specialization]


def _section(report: CheckReport, title: str, name: str, rows: Sequence[_Row]) -> _Section:
    if len(report.recordings) < 2:
        lines = list(dict.fromkeys((what, item.verdict) for what, _, item in rows))
        return _Section(title, name, [("", lines[:_MOST_PLACES])], max(0, len(lines) - _MOST_PLACES))
    facts: dict[str, list[_Row]] = {}
    for row in rows:
        facts.setdefault(row[0], []).append(row)
    groups: dict[str, list[tuple[str, str]]] = {}
    for what, same in list(facts.items())[:_MOST_PLACES]:
        owner = named_recordings([label for _, label, _ in same], report.recordings)
        groups.setdefault(owner, []).append((what, _verdict_of_all([item for _, _, item in same])))
    ordered = sorted(groups.items(), key=lambda group: group[0] != _EVERY)
    return _Section(title, name, ordered, max(0, len(facts) - _MOST_PLACES))


def _place_of(source: Source | None) -> object:
    return None if source is None else (source.file, source.line, source.column)


def _verdict_of_all(items: Sequence[AssumptionVerdict | Specialization]) -> str:
    """The verdict on a fact of several recordings: that of the one that some input shows wrong, if there is one."""
    first = min(items, key=lambda item: _rank(item))
    if _rank(first) < 2:
        return first.verdict
    if isinstance(first, AssumptionVerdict):
        return replace(first, tries=sum(item.tries for item in items if isinstance(item, AssumptionVerdict))).verdict
    return replace(first, examples=sum(item.examples for item in items if isinstance(item, Specialization))).verdict


def _rank(item: AssumptionVerdict | Specialization) -> int:
    shown = item.input if isinstance(item, AssumptionVerdict) else item.finding
    return 0 if shown is not None else 1 if item.left is not None else 2
