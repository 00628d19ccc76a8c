"""A file that is written beside its place and takes it when it is complete: an error leaves the old one as it was."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from typing import IO, Any

from tracelab.errors import TracelabFileError

if sys.platform == "win32":
    # An open file cannot be removed there, which is what the lock is for.
    _lock: Any = None
else:
    from fcntl import LOCK_EX, LOCK_NB, flock

    def _lock(file: IO[bytes], wait: bool) -> None:
        flock(file, LOCK_EX if wait else LOCK_EX | LOCK_NB)


_LONGEST = 100
"""Bytes of a target's name that its draft repeats: file systems take 255."""


@contextlib.contextmanager
def whole_file(target: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a draft next to the target for writing; it takes the target's place, and its mode and owner, at the end.

    What a killed process left of its own draft is removed.

    Raises:
        TracelabFileError: The target cannot be a file.
        OSError: It cannot be written.
    """
    path = os.path.realpath(target) if os.fspath(target) else ""
    old = replaceable(path, os.fspath(target))
    directory, name = os.path.split(path)
    stem = f".{name.encode()[:_LONGEST].decode(errors='ignore')}."
    _remove_abandoned(directory, stem)
    draft, file = _opened(directory, stem)
    try:
        with file:
            yield file
            if old is not None:
                _like(draft, old)
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def replaceable(path: str, given: str) -> os.stat_result | None:
    """What stands there, if that can be replaced; None for nothing.

    Raises:
        TracelabFileError: It cannot be.
    """
    if not path:
        raise TracelabFileError("cannot save: the name of the file is empty")
    try:
        old = os.stat(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno != errno.ENAMETOOLONG:
            raise
        why = "its name is too long for this disk" if isinstance(error, OSError) else str(error)
        raise TracelabFileError(f"cannot save to {_shown(given)}: {why}") from error
    if stat.S_ISDIR(old.st_mode):
        raise TracelabFileError(f"cannot save to {_shown(given)}: it is a folder; name a file in it")
    if not stat.S_ISREG(old.st_mode):
        raise TracelabFileError(
            f"cannot save to {_shown(given)}: it is no file that can be replaced (a pipe, a socket or a device); "
            "save to a file, or to an open binary file object"
        )
    return old


def _shown(path: str) -> str:
    return repr(path if len(path) <= 80 else f"{path[:60]}...{path[-17:]}")


def _opened(directory: str, stem: str) -> tuple[str, IO[bytes]]:
    while True:
        draft = os.path.join(directory, f"{stem}{secrets.token_hex(4)}.tmp")
        file = open(draft, "xb")  # noqa: SIM115
        if _lock is not None:
            with contextlib.suppress(OSError):
                _lock(file, wait=True)
            if not os.fstat(file.fileno()).st_nlink:
                # Another process took it for abandoned before it was locked.
                file.close()
                continue
        return draft, file


def _remove_abandoned(directory: str, stem: str) -> None:
    """Remove drafts of this target that no process holds."""
    draft = re.compile(re.escape(stem) + r"[0-9a-f]{8}\.tmp")
    try:
        left = [name for name in os.listdir(directory) if draft.fullmatch(name)]
    except OSError:
        return
    for name in left:
        with contextlib.suppress(OSError):
            path = os.path.join(directory, name)
            if not stat.S_ISREG(os.lstat(path).st_mode):
                continue
            with open(path, "rb") as file:
                if _lock is not None:
                    _lock(file, wait=False)
                    os.unlink(path)
            if _lock is None:
                os.unlink(path)


def _like(draft: str, old: os.stat_result) -> None:
    """Give a draft the mode and the owner of the file that it replaces, as far as this process may."""
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            new = os.stat(draft)
            if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
                os.chown(draft, old.st_uid, old.st_gid)
    with contextlib.suppress(OSError):
        os.chmod(draft, stat.S_IMODE(old.st_mode))
