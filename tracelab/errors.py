"""The errors that all rooms share; importing them imports nothing else."""

from __future__ import annotations


class TracelabError(RuntimeError):
    """A tracelab call that cannot go on; the message says what to do."""


class InputError(TracelabError):
    """Inputs that are not what the trace takes."""


class AssumptionError(InputError):
    """Something that decided what was recorded is different at this call; the message says what, and where.

    `assumption` is the one that does not hold, where it is one of a trace.
    """

    assumption: object = None


class AssumptionWarning(UserWarning):
    """Something that decided what was recorded is different at this call, so that the trace may be wrong for it."""


class TracelabFileError(TracelabError):
    """A file that cannot be read or written; the message says why, and what to do about it.

    >>> import io
    >>> tracelab.load(io.BytesIO(b"no archive"))
    Traceback (most recent call last):
    tracelab.errors.TracelabFileError: not a .tlab file: it is not a zip archive
    """


class TorchVersionError(TracelabError, ImportError):
    """The installed torch lacks a private name that tracelab stands on; the message says which, and what to do.

    It is an `ImportError` where the whole package stands on that name, and is raised at import. What only one feature
    needs is missed when that feature is used.
    """
