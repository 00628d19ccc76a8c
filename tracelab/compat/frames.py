"""Modules of torch whose frames lead from a call to an operator; importing this imports no torch."""

from __future__ import annotations

DISPATCH = frozenset({"torch._ops", "torch._library.utils", "torch._compile", "torch._dynamo.eval_frame"})
"""Left out of the tracebacks that a notebook shows."""
