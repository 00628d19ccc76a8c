"""Checking a trace against the Python code that it was made from."""

from tracelab.check.alignment import Alignment, align
from tracelab.check.diff import GraphDiff, diff
from tracelab.check.findings import CallInputs, CheckInput, Finding, FrozenPlace
from tracelab.check.report import CheckReport, TracingCheckError

__all__ = [
    "Alignment",
    "CallInputs",
    "CheckInput",
    "CheckReport",
    "Finding",
    "FrozenPlace",
    "GraphDiff",
    "TracingCheckError",
    "align",
    "diff",
]
