"""Checking a trace against the Python code that it was made from."""

from tracelab.check.findings import CallInputs, CheckInput, Finding, FrozenPlace
from tracelab.check.report import CheckReport, TracingCheckError
from tracelab.comparison.align.alignment import Alignment, align
from tracelab.comparison.diff import GraphDiff, diff

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
