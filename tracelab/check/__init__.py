"""Checking a trace against the Python code that it was made from."""

from tracelab.check.findings import CallInputs, CheckInput, Finding, FrozenPlace
from tracelab.check.report import CheckReport, TracingCheckError

__all__ = ["CallInputs", "CheckInput", "CheckReport", "Finding", "FrozenPlace", "TracingCheckError"]
