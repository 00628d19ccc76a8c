"""Entries of the zip archives that torch writes, read within limits and never unpickled."""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from tracelab.errors import TracelabFileError
from tracelab.storage.container import (
    LARGEST_JSON,
    LARGEST_RATIO,
    UNSUSPICIOUS,
    ZIP_ERRORS,
    PathOrFile,
    bounded_zip,
    is_whole,
)

_OLD_PROGRAM = "serialized_exported_program.json"


@contextlib.contextmanager
def opened_zip(source: PathOrFile, kind: str) -> Iterator[zipfile.ZipFile]:
    """Open a path or binary file object as a zip; `kind` is what the message says that it should be (`.pt2`).

    Raises `TracelabFileError` for what is not a zip, or truncated; `OSError` for a path that cannot be opened.
    """
    with contextlib.ExitStack() as stack:
        if isinstance(source, (str, os.PathLike)):
            file: IO[bytes] = stack.enter_context(open(source, "rb"))
        elif isinstance(source, io.TextIOBase) or not hasattr(source, "read"):
            raise TypeError(f"read needs a path or a binary file object, but got {type(source).__name__}")
        else:
            file = source
        try:
            archive = stack.enter_context(bounded_zip(file))
        except ZIP_ERRORS as error:
            reason = str(error)[:100] or type(error).__name__
            raise TracelabFileError(f"not a {kind} file, or truncated: {reason}") from error
        if not is_whole(archive):
            raise TracelabFileError(f"not a {kind} file, or truncated: something else stands before the archive")
        yield archive


def names_of(archive: zipfile.ZipFile) -> list[str]:
    """The names of the entries, without the folder that torch puts around all of them."""
    return [name.partition("/")[2] or name for name in archive.namelist()]


def program_entries(archive: zipfile.ZipFile) -> list[str]:
    """The entries of a torch.export archive that hold a program; none in another archive."""
    names = archive.namelist()
    found = [name for name in names if _OLD_PROGRAM in (name, name.partition("/")[2])]
    for name in names:
        parts = name.split("/")
        if parts[-2:-1] == ["models"] and parts[-1].endswith(".json") and len(parts) <= 3:
            found.append(name)
    return found


def read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, kind: str, largest: int | None) -> bytes:
    """What one entry holds; `TracelabFileError` where it is damaged, of an unlikely size, or of more than `largest`."""
    name = info.filename[:60]
    if info.flag_bits & 0x1:
        raise TracelabFileError(f"not a sound {kind} file: {name} is encrypted")
    if largest is not None and info.file_size > largest:
        raise TracelabFileError(f"{name} has {info.file_size} bytes, more than the {largest} allowed")
    if info.file_size > UNSUSPICIOUS and info.file_size > LARGEST_RATIO * info.compress_size:
        raise TracelabFileError(f"not a sound {kind} file: {name} unpacks to an unlikely size")
    try:
        with archive.open(info) as source:
            content = source.read(info.file_size + 1)
    except MemoryError as error:
        raise TracelabFileError(f"{name} is too large for this machine's memory") from error
    except ZIP_ERRORS as error:
        detail = str(error)[:100] or type(error).__name__
        raise TracelabFileError(f"the {kind} file is damaged: {name} cannot be read ({detail})") from error
    if len(content) != info.file_size:
        raise TracelabFileError(f"not a sound {kind} file: {name} is truncated")
    return content


def read_json(archive: zipfile.ZipFile, name: str, kind: str, largest: int = LARGEST_JSON) -> Any:
    """What one JSON entry holds; `TracelabFileError` where it is damaged, too large, or no JSON."""
    content = read_entry(archive, archive.getinfo(name), kind, largest)
    try:
        return json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise TracelabFileError(f"not a sound {kind} file: {name[:60]} is not JSON ({str(error)[:80]})") from error
