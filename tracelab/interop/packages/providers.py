"""What installed packages bring for files that tracelab does not know, found by entry points.

An entry point's name is the ending of the files that it is for (`gguf`, `tar.gz`), and its object a function of a
binary file. One whose name begins with `sniff.` is an object with `sniff(head, name)` and `read(file)`, which is asked
about every file that no ending fits. Nothing of a package is imported before such a file comes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import IO, Any

from tracelab.errors import TracelabFileError

READERS = "tracelab.readers"
OVERLAYS = "tracelab.overlays"
HEAD_BYTES = 4096
"""So much of a file is shown to `sniff`."""
_SNIFFS = "sniff."


def call_provider(group: str, file: IO[bytes], *args: Any) -> tuple[str, Any] | None:
    """What the provider that fits gives for the file, with the words for it; None where none fits.

    Args:
        group: `READERS` or `OVERLAYS`.
        file: A binary file, at its beginning.
        *args: What the provider is given besides.

    Raises:
        TracelabFileError: The provider failed; the message names its package.
    """
    name = getattr(file, "name", "")
    name = os.fsdecode(name) if isinstance(name, (str, bytes)) else ""
    start = file.tell()
    for entry, provide in _fitting(group, name, file):
        file.seek(start)
        who = _who(group, entry)
        return who, _said(who, lambda call=provide: call(file, *args))  # type: ignore[misc]
    return None


def _fitting(group: str, name: str, file: IO[bytes]) -> Iterator[tuple[EntryPoint, Callable[..., Any]]]:
    base = os.path.basename(name).lower()
    found = sorted(entry_points(group=group), key=lambda entry: (-len(entry.name), entry.name, _package(entry)))
    for entry in found:
        if not entry.name.startswith(_SNIFFS) and base.endswith("." + entry.name.lower().lstrip(".")):
            yield entry, _reading(_loaded(group, entry), group, entry)
    start = file.tell()
    head = file.read(HEAD_BYTES)
    for entry in found:
        if not entry.name.startswith(_SNIFFS):
            continue
        item = _loaded(group, entry)
        if _said(_who(group, entry), lambda made=item: made.sniff(head, name)):  # type: ignore[misc]
            yield entry, _reading(item, group, entry)
    file.seek(start)


def _loaded(group: str, entry: EntryPoint) -> Any:
    return _said(_who(group, entry), entry.load, "cannot be imported")


def _reading(item: Any, group: str, entry: EntryPoint) -> Callable[..., Any]:
    found = getattr(item, "read", item)
    if not callable(found):
        raise TracelabFileError(f"{_who(group, entry)} is no function, and has no `read`")
    reading: Callable[..., Any] = found
    return reading


def _said(who: str, do: Callable[[], Any], what: str = "failed") -> Any:
    try:
        return do()
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        said = type(error).__name__ + (f": {reason}" if reason else "")
        raise TracelabFileError(f"{who} {what} ({said})") from error


def _who(group: str, entry: EntryPoint) -> str:
    kind = "reader" if group == READERS else "overlay"
    return f"the {kind} `{entry.name}` of the package {_package(entry)}"


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value.partition(":")[0]
