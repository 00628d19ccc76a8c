"""The one error of files."""

from __future__ import annotations

from tracelab.errors import TracelabError


class TracelabFileError(TracelabError):
    """A `.tlab` file that cannot be read or written; the message says why, and what to do about it.

    >>> tracelab.load(io.BytesIO(b"no archive"))
    Traceback (most recent call last):
    tracelab.storage.errors.TracelabFileError: not a .tlab file: it is no zip archive
    """
