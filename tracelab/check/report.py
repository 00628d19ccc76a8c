"""`CheckReport`: what a check found, as data, text and HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any

from tracelab.check.findings import AssumptionVerdict, CheckInput, Finding, Specialization
from tracelab.check.trial import Outcome
from tracelab.errors import TracelabError
from tracelab.graph.types import counted

_WIDTH = 116
_MOST_FINDINGS = 8
_MOST_PLACES = 10


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
    that it is not for them. On `rejected_inputs` more Python itself raised, or there was nothing to compare; for
    `unrecorded` ones no recording fits, so that a call makes another one (`on_violation="retrace"`).

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
    unrecorded: int = 0
    tolerance: float = 1e-5
    notes: list[str] = field(default_factory=list)
    """How the check was run, where that was not as asked for."""

    @property
    def ok(self) -> bool:
        """Whether no difference was found."""
        return not self.errors

    @property
    def errors(self) -> list[Finding]:
        """The findings that make a result wrong."""
        return [finding for finding in self.findings if finding.is_error]

    @property
    def headline(self) -> str:
        """What it comes to, in a few words: `no difference found, 32 inputs tried`."""
        return _headline(self)

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def __repr__(self) -> str:
        return f"CheckReport({self.name}: {_headline(self)})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": report_html(self)}


def _headline(report: CheckReport) -> str:
    tried = f"{counted(report.tried, 'input')} tried"
    if report.rejected_inputs:
        tried += f", {report.rejected_inputs:,} more rejected by the function"
    if report.unrecorded:
        tried += f", {report.unrecorded:,} more would be recorded anew"
    if report.ok:
        return f"no difference found, {tried}"
    wrong = f", the trace is wrong for {report.wrong:,}" if report.wrong else ""
    return f"{counted(len(report.errors), 'error')}, {tried}{wrong}"


def _lines(report: CheckReport) -> Iterator[str]:
    yield f"check of {report.name}: {_headline(report)}"
    for finding in report.findings[:_MOST_FINDINGS]:
        yield from _finding_lines(finding)
    if len(report.findings) > _MOST_FINDINGS:
        yield f"… {counted(len(report.findings) - _MOST_FINDINGS, 'more finding')} in report.findings"
    if report.specializations:
        yield "specialized on"
        for place in report.specializations[:_MOST_PLACES]:
            yield f"  {_cut(str(place), _WIDTH - 2)}"
        if len(report.specializations) > _MOST_PLACES:
            yield f"  … {len(report.specializations) - _MOST_PLACES} more in report.specializations"
    if report.assumptions:
        yield "assumed"
        assumed = _assumed(report)
        for item, verdict in assumed[:_MOST_PLACES]:
            yield f"  {_cut(f'{item}  → {verdict}', _WIDTH - 2)}"
        if len(assumed) > _MOST_PLACES:
            yield f"  … {len(assumed) - _MOST_PLACES} more in report.assumptions"
    for note in report.notes:
        yield from textwrap.wrap(f"note: {note}", _WIDTH)


def _finding_lines(finding: Finding) -> Iterator[str]:
    mark = "✗" if finding.is_error else "·"
    yield _cut(f"{mark} {finding.kind}{_at(finding)}", _WIDTH)
    yield from textwrap.wrap(_printable(finding.message), _WIDTH, initial_indent="    ", subsequent_indent="    ")
    if finding.suggestion:
        yield from textwrap.wrap(f"→ {finding.suggestion}", _WIDTH, initial_indent="    ", subsequent_indent="      ")


def _at(finding: Finding) -> str:
    if finding.source is None:
        return ""
    text = finding.source.text.strip()
    return f", {finding.line}{f': {text}' if text else ''}"


def _cut(text: str, width: int) -> str:
    text = _printable(text)
    return text if len(text) <= width else text[: width - 1] + "…"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


_STYLE = (
    "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:var(--jp-ui-font-size1,13px);"
    "line-height:1.45;max-width:60em"
)
_CODE = "font-family:var(--jp-code-font-family,monospace);white-space:pre-wrap;overflow-wrap:anywhere"
_ERROR = "color:var(--jp-error-color1,#c62828)"
_FINE = "color:var(--jp-success-color1,#2e7d32)"


def report_html(report: CheckReport) -> str:
    """The report for notebooks; it takes the colours of the page around it."""
    colour = _FINE if report.ok else _ERROR
    parts = [
        f'<div style="{_STYLE}"><div><b>check of {_html(report.name)}</b>: '
        f'<span style="{colour}">{_html(_headline(report))}</span></div>'
    ]
    for finding in report.findings[:_MOST_FINDINGS]:
        mark = f'<span style="{_ERROR}">✗</span>' if finding.is_error else "·"
        code = ""
        if finding.source is not None and finding.source.text.strip():
            code = f'<div style="{_CODE}">{_html(finding.source.text.strip())}</div>'
        place = f", {_html(finding.line)}" if finding.line else ""
        way = f"<div>→ {_html(finding.suggestion)}</div>" if finding.suggestion else ""
        parts.append(
            f'<div style="margin:.5em 0 0 0">{mark} <b>{_html(finding.kind)}</b>{place}'
            f'<div style="margin-left:1.5em">{code}<div>{_html(finding.message)}</div>{way}</div></div>'
        )
    if len(report.findings) > _MOST_FINDINGS:
        parts.append(f"<div>… {len(report.findings) - _MOST_FINDINGS} more in report.findings</div>")
    if report.specializations:
        rows = "".join(
            f'<li><span style="{_CODE}">{_html(_where(place))}</span> → {_html(place.verdict)}</li>'
            for place in report.specializations[:_MOST_PLACES]
        )
        more = len(report.specializations) - _MOST_PLACES
        rest = f"<li>… {more} more in report.specializations</li>" if more > 0 else ""
        parts.append(f'<div style="margin:.5em 0 0 0"><b>specialized on</b><ul>{rows}{rest}</ul></div>')
    if report.assumptions:
        assumed = _assumed(report)
        rows = "".join(
            f'<li><span style="{_CODE}">{_html(item)}</span> → {_html(verdict)}</li>'
            for item, verdict in assumed[:_MOST_PLACES]
        )
        more = len(assumed) - _MOST_PLACES
        rest = f"<li>… {more} more in report.assumptions</li>" if more > 0 else ""
        parts.append(f'<div style="margin:.5em 0 0 0"><b>assumed</b><ul>{rows}{rest}</ul></div>')
    parts += [f"<div>note: {_html(note)}</div>" for note in report.notes]
    return "".join(parts) + "</div>"


def _assumed(report: CheckReport) -> list[tuple[str, str]]:
    """Assumptions and verdicts in words, each once: those that some input shows wrong first."""
    ordered = sorted(report.assumptions, key=lambda item: (not item.differs, item.input is None))
    return list(dict.fromkeys((str(item.assumption), item.verdict) for item in ordered))


def _where(place: Specialization) -> str:
    return str(place)[: -len(place.verdict) - 4]


def _html(text: str) -> str:
    return escape(_printable(text))
