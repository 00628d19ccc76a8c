"""Files that commands write: none is one that they read, and none a pipe."""

from __future__ import annotations

import argparse
import os
import stat
from collections.abc import Iterator

_GIVEN = ("output", "svg", "pdf", "png", "tikz")


def refuse_inputs(options: argparse.Namespace, path: str | os.PathLike[str] | None = None) -> None:
    """Raise where the command would write to what it reads, or to a pipe or socket.

    Args:
        options: What the command was given.
        path: Where it writes, if that is not given by its options.

    Raises:
        TracelabFileError: It would.
    """
    from tracelab.errors import TracelabFileError

    outputs = [getattr(options, name, None) for name in _GIVEN] if path is None else [path]
    for output in filter(None, outputs):
        try:
            mode = os.stat(output).st_mode
        except (OSError, ValueError):
            # It is not there, or whoever opens it tells more.
            continue
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISBLK(mode):
            raise TracelabFileError(f"cannot write to {output}: it is a pipe, a socket or a disk; choose a file")
        if any(_is_same(output, item) for item in _inputs(options)):
            raise TracelabFileError(f"{output} is a file that is read: choose another one for the output")


def _inputs(options: argparse.Namespace) -> Iterator[str]:
    for name in ("file", "a", "b", "against"):
        yield getattr(options, name, None) or ""
    yield from getattr(options, "overlay", None) or ()
    inputs = getattr(options, "inputs", None) or []
    yield from [inputs] if isinstance(inputs, str) else inputs
    yield (getattr(options, "target", None) or "").rpartition(":")[0]


def _is_same(a: str | os.PathLike[str], b: str) -> bool:
    try:
        return bool(b) and os.path.samefile(a, b)
    except (OSError, ValueError):
        return False
