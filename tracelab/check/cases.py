"""The check of several recordings: each is compared with the Python function on inputs like its own."""

from __future__ import annotations

from dataclasses import replace

from tracelab.check.report import CheckReport
from tracelab.graph.types import counted

_WORST = 5


def combined(reports: list[CheckReport], labels: list[str]) -> CheckReport:
    """One report of those of several recordings; each finding names the recording that it is of."""
    whole = CheckReport(reports[0].name, tolerance=reports[0].tolerance)
    for report, label in zip(reports, labels, strict=True):
        whole.findings += [replace(each, message=f"{label}: {each.message}") for each in report.findings]
        whole.specializations += report.specializations
        whole.assumptions += report.assumptions
        whole.worst += report.worst
        whole.tried += report.tried
        whole.wrong += report.wrong
        whole.told += report.told
        whole.rejected_inputs += report.rejected_inputs
        whole.notes += report.notes
    whole.findings.sort(key=lambda finding: not finding.is_error)
    whole.worst = sorted(whole.worst, key=lambda case: -case.outcome.size)[:_WORST]
    whole.notes = [*dict.fromkeys(whole.notes), f"{counted(len(labels), 'recording')}: {'; '.join(labels)}"]
    return whole
