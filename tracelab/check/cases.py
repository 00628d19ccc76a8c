"""The check of several recordings: each is compared with the Python function on inputs like its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tracelab.check.findings import Finding
from tracelab.check.report import CheckReport, named_recordings

_WORST = 5


def combined(reports: Sequence[CheckReport], recordings: Mapping[int, str], *, given: bool) -> CheckReport:
    """One report of those of several recordings; what is of one or of some of them names them.

    Args:
        reports: What was found for each.
        recordings: Their labels, by number.
        given: Whether the inputs were given: those that one recording left went to the next.
    """
    whole = CheckReport(reports[0].name, tolerance=reports[0].tolerance, recordings=dict(recordings))
    whole.records = reports[0].records
    found: list[tuple[Finding, str]] = []
    for report, label in zip(reports, recordings.values(), strict=True):
        found += [(each, label) for each in report.findings]
        whole.specializations += [replace(item, recording=label) for item in report.specializations]
        whole.assumptions += [replace(item, recording=label) for item in report.assumptions]
        whole.worst += report.worst
        whole.tried += report.tried
        whole.wrong += report.wrong
        whole.told += report.told
        whole.rejected_inputs += report.rejected_inputs
        whole.unrecorded += report.unrecorded if given else 0
        whole.left_to_others += 0 if given else report.unrecorded
        whole.notes += report.notes
    whole.findings = sorted(_together(found, recordings), key=lambda finding: not finding.is_error)
    whole.worst = sorted(whole.worst, key=lambda case: -case.outcome.size)[:_WORST]
    whole.notes = list(dict.fromkeys(whole.notes))
    return whole


def _together(findings: Sequence[tuple[Finding, str]], recordings: Mapping[int, str]) -> list[Finding]:
    """The same finding of several recordings once, in the words of the first."""
    groups: dict[object, list[tuple[Finding, str]]] = {}
    for finding, label in findings:
        place = finding.line or finding.message
        groups.setdefault((finding.kind, finding.is_error, place, finding.suggestion), []).append((finding, label))
    merged = []
    for group in groups.values():
        first = group[0][0]
        of = named_recordings([label for _, label in group], recordings)
        count = sum(finding.count for finding, _ in group)
        merged.append(replace(first, message=f"{of}: {first.message}", count=count))
    return merged
