"""Checking a trace against the Python code that it was made from."""

from tracelab.check.alignment import Alignment, align
from tracelab.check.diff import GraphDiff, diff
from tracelab.check.rerun import TracingCheckError, check_against_python

__all__ = ["Alignment", "GraphDiff", "TracingCheckError", "align", "check_against_python", "diff"]
