"""Checking a trace against the Python code that it was made from."""

from tracelab.check.rerun import TracingCheckError, check_against_python

__all__ = ["TracingCheckError", "check_against_python"]
