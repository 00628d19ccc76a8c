"""The errors that all rooms share; importing them imports nothing else."""

from __future__ import annotations


class TracelabError(RuntimeError):
    """A tracelab call that cannot go on; the message says what to do."""


class InputError(TracelabError):
    """Inputs that are not what the trace takes."""
