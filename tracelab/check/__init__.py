"""Checking a trace against the Python code that it was made from."""

from tracelab.check.findings import CallInputs, CheckInput, Finding, Specialization
from tracelab.check.report import CheckReport, TracingCheckError

__all__ = ["CallInputs", "CheckInput", "CheckReport", "Finding", "Specialization", "TracingCheckError"]
