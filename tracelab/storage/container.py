"""The zip around everything: which entries there may be, how large, and how they are written.

The bytes depend on the content alone: entries have one fixed time and order.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from tracelab.errors import TracelabFileError
from tracelab.storage import validation
from tracelab.storage.whole_file import whole_file

PathOrFile = str | os.PathLike[str] | IO[bytes]

VERSION = 4
"""Format 2 may hold view.json; else it is format 1. Format 4 holds functions of regions; else it is format 3."""
BEFORE_FUNCTIONS = 3
"""What a file without such functions says, so that older readers take it."""
LARGEST_JSON = 512 * 2**20
"""Bytes that graph.json may have when unpacked."""
LARGEST_VIEW = 128 * 2**20
"""Bytes that view.json may have when unpacked: more than half a million operators."""
LARGEST_SCRIPT = 256 * 2**20
MOST_SCRIPTS = 10_000
LARGEST_DIRECTORY = 2 * 2**20
"""Bytes that the zip's table of contents may have: it is read as a whole."""
UNSUSPICIOUS = 64 * 2**20
LARGEST_RATIO = 200
"""How much more JSON over `UNSUSPICIOUS` bytes may be than its packed form; deflate itself goes to 1030."""

_SPARSEST = 6
"""Bytes of JSON to each list or table: a graph has twenty, and Python takes some eighty for each."""

_REQUIRED = ("meta.json", "graph.json", "weights.safetensors")
VIEW = "view.json"
_SCRIPT = re.compile(r"script/(0|[1-9][0-9]{0,5})\.pt")
_TIME = (1980, 1, 1, 0, 0, 0)

# What zipfile raises for damaged archives, beside its own errors.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


class Archive:
    """An archive that is open for reading; every method raises `TracelabFileError` for what is not sound."""

    def __init__(self, archive: zipfile.ZipFile, start: int = 0) -> None:
        self._archive = archive
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for info in archive.infolist():
            if info.filename in self._entries:
                raise TracelabFileError(f"not a sound .tlab file: it holds {info.filename[:60]!r} twice")
            self._entries[info.filename] = info
        if not is_whole(archive, start):
            raise TracelabFileError("not a .tlab file, or its beginning is truncated: something else stands there")
        self.meta = self._read_meta()
        self._check_entries()

    def _read_meta(self) -> dict[str, Any]:
        if "meta.json" not in self._entries:
            raise TracelabFileError("not a .tlab file: the archive lacks meta.json")
        meta = validation.table(self.read_json("meta.json", 2**20), "meta.json")
        if meta.get("format") != "tracelab":
            raise TracelabFileError("not a .tlab file: meta.json is of another format")
        version = validation.integer(validation.field(meta, "version", "meta.json"), "the version in meta.json", 1)
        if version > VERSION:
            by = validation.text(meta.get("tracelab", "an unknown version"), "the version of tracelab in meta.json")
            raise TracelabFileError(
                f"made by a newer tracelab ({by[:40]}, format {version}; this one reads formats up to {VERSION}): "
                "upgrade tracelab"
            )
        return meta

    def _check_entries(self) -> None:
        for name in _REQUIRED:
            if name not in self._entries:
                raise TracelabFileError(f"not a sound .tlab file: the archive lacks {name}")
        for name, info in self._entries.items():
            if name not in (*_REQUIRED, VIEW) and not _SCRIPT.fullmatch(name):
                raise TracelabFileError(f"not a sound .tlab file: it holds an unexpected entry {name[:60]!r}")
            if not name.endswith(".json") and info.compress_type != zipfile.ZIP_STORED:
                raise TracelabFileError(f"not a sound .tlab file: {name} should not be compressed")

    def _checked_size(self, name: str, largest: int) -> int:
        info = self._entries[name]
        if info.flag_bits & 0x1:
            raise TracelabFileError(f"not a sound .tlab file: {name} is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise TracelabFileError(f"not a sound .tlab file: {name} is packed in an unknown way")
        if info.file_size > largest:
            raise TracelabFileError(f"{name} has {info.file_size} bytes, more than the {largest} allowed")
        if info.file_size > UNSUSPICIOUS and info.file_size > LARGEST_RATIO * info.compress_size:
            raise TracelabFileError(f"not a sound .tlab file: {name} unpacks to an unlikely size")
        if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
            raise TracelabFileError(f"not a sound .tlab file: {name} is of another size than it says")
        return info.file_size

    def read_json(self, name: str, largest: int = LARGEST_JSON) -> Any:
        """What a JSON entry holds."""
        content = self._read(name, largest)
        if is_sparse_json(content):
            raise TracelabFileError(f"not a sound .tlab file: {name} holds an unlikely number of lists and tables")

        def refuse(word: str) -> Any:
            validation.bad(name, f"holds {word}, which is not JSON")

        try:
            return json.loads(content.decode(), parse_constant=refuse)
        except (ValueError, RecursionError) as error:
            reason = str(error)[:80]
            raise TracelabFileError(f"not a sound .tlab file: {name} is not JSON ({reason})") from error

    def read_scripts(self) -> dict[int, bytes]:
        """The script entries by number."""
        found = {}
        for name in self._entries:
            match = _SCRIPT.fullmatch(name)
            if match is not None:
                found[int(match.group(1))] = self._read(name, LARGEST_SCRIPT)
        return dict(sorted(found.items()))

    @contextlib.contextmanager
    def open_weights(self) -> Iterator[tuple[IO[bytes], int]]:
        """weights.safetensors for reading, and its size."""
        # It is not packed, so that it cannot be larger than the file itself.
        with self._opened("weights.safetensors", 2**63) as opened:
            yield opened

    @property
    def has_view(self) -> bool:
        """Whether it holds a view document."""
        return VIEW in self._entries

    def view_chunks(self, size: int = 2**18) -> Iterator[bytes]:
        """The view document piece by piece, unpacked, at most `size` bytes each."""
        done = 0
        with self._opened(VIEW, LARGEST_VIEW) as (source, total):
            while chunk := source.read(size):
                done += len(chunk)
                yield chunk
            if done != total:
                raise TracelabFileError(f"not a sound .tlab file: {VIEW} is truncated")

    @contextlib.contextmanager
    def _opened(self, name: str, largest: int) -> Iterator[tuple[IO[bytes], int]]:
        size = self._checked_size(name, largest)
        with _damage(name), self._archive.open(self._entries[name]) as source:
            yield source, size

    def _read(self, name: str, largest: int) -> bytes:
        with self._opened(name, largest) as (source, size):
            content = source.read(size + 1)
        if len(content) != size:
            raise TracelabFileError(f"not a sound .tlab file: {name} is truncated")
        return content


@contextlib.contextmanager
def _damage(name: str) -> Iterator[None]:
    try:
        yield
    except TracelabFileError:
        raise
    except MemoryError as error:
        raise TracelabFileError(f"{name} is too large for this machine's memory") from error
    except ZIP_ERRORS as error:
        detail = str(error)[:100] or type(error).__name__
        raise TracelabFileError(f"the .tlab file is damaged: {name} cannot be read ({detail})") from error


@contextlib.contextmanager
def open_archive(source: PathOrFile) -> Iterator[Archive]:
    """Open a path, or a binary file object, for reading.

    Raises `TracelabFileError` for what is no sound archive, and `OSError` for a path that cannot be opened.
    """
    with contextlib.ExitStack() as stack:
        if isinstance(source, (str, os.PathLike)):
            file: IO[bytes] = stack.enter_context(open(source, "rb"))
        elif hasattr(source, "read"):
            file = source
        else:
            raise TypeError(f"load needs a path or a binary file object, but got {type(source).__name__}")
        if not (hasattr(file, "seekable") and file.seekable()):
            file = io.BytesIO(_binary(file.read()))
        elif isinstance(file, io.TextIOBase):
            raise TypeError("load needs a file object that is open in binary mode")
        start = file.tell()
        try:
            archive = stack.enter_context(bounded_zip(file))
        except ZIP_ERRORS as error:
            file.seek(start)
            raise TracelabFileError(_no_archive(file.read(4), error)) from error
        yield Archive(archive, start)


def _no_archive(head: bytes, error: Exception) -> str:
    """What is wrong with a file that begins with `head` and cannot be opened as a zip."""
    if not head:
        return "not a .tlab file: it is empty"
    if not head.startswith(b"PK"):
        return "not a .tlab file: it is not a zip archive"
    reason = str(error)[:100] or type(error).__name__
    if reason == "File is not a zip file":
        reason = "its end is missing"
    return f"the .tlab file is damaged or truncated ({reason}): copy or download it again"


@contextlib.contextmanager
def bounded_zip(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """A zip whose table of contents is of a bearable size; raises `TracelabFileError` for another, or `ZIP_ERRORS`."""
    bounded = _Bounded(file)
    with zipfile.ZipFile(bounded) as archive:
        bounded.is_open = True
        yield archive


class _Bounded:
    """A file that refuses to be read by more than a table of contents at a time, until the archive is open."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.is_open = False
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if self.is_open:
            return self._file.read(size)
        if size > LARGEST_DIRECTORY:
            raise TracelabFileError(
                f"the archive's table of contents has {size} bytes, more than the {LARGEST_DIRECTORY} allowed"
            )
        # zipfile asks for the rest, which is the archive's comment.
        return self._file.read(LARGEST_DIRECTORY if size < 0 else size)


def is_whole(archive: zipfile.ZipFile, start: int = 0) -> bool:
    """Whether the archive begins where the file does: one inside of a truncated file is found by its end alone."""
    offsets = [info.header_offset for info in archive.infolist()]
    return not offsets or min(offsets) == start


def _binary(content: Any) -> bytes:
    if not isinstance(content, bytes):
        raise TypeError("load needs a file object that is open in binary mode")
    return content


def write_archive(
    target: PathOrFile,
    documents: Mapping[str, Any],
    weights: Callable[[IO[bytes]], None],
    scripts: Mapping[int, bytes],
    view: bytes | None,
) -> None:
    """Write the archive; where writing fails, an old file of that name stays as it was.

    `documents` are the JSON entries by name, `weights` writes the tensors, `view` is the view document as JSON.
    Raises `OSError` where the place cannot be written.
    """
    packed = {name: _dump(content, name) for name, content in documents.items()}
    if len(scripts) > MOST_SCRIPTS:
        raise TracelabFileError(f"cannot save: the graph calls {len(scripts)} script functions, over {MOST_SCRIPTS}")
    # A larger view is done without: a kernel makes it again from the graph.
    if view is not None and len(view) <= LARGEST_VIEW:
        packed[VIEW] = view
    if isinstance(target, (str, os.PathLike)):
        with whole_file(target) as file:
            _write(file, packed, weights, scripts)
        return
    if not hasattr(target, "write"):
        raise TypeError(f"save needs a path or a binary file object, but got {type(target).__name__}")
    with tempfile.SpooledTemporaryFile(max_size=UNSUSPICIOUS) as spool:
        _write(spool, packed, weights, scripts)
        spool.seek(0)
        shutil.copyfileobj(spool, target)


def _dump(content: Any, name: str) -> bytes:
    text = json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii")
    if len(text) > LARGEST_JSON:
        raise TracelabFileError(f"cannot save: {name} would have {len(text)} bytes, more than {LARGEST_JSON}")
    return text


def _write(
    file: IO[bytes],
    packed: Mapping[str, bytes],
    weights: Callable[[IO[bytes]], None],
    scripts: Mapping[int, bytes],
) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in packed.items():
            archive.writestr(_info(name, zipfile.ZIP_DEFLATED), text)
        for number, content in scripts.items():
            archive.writestr(_info(f"script/{number}.pt", zipfile.ZIP_STORED), content)
        with archive.open(_info("weights.safetensors", zipfile.ZIP_STORED), "w", force_zip64=True) as out:
            weights(out)


def _info(name: str, compression: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _TIME)
    info.compress_type = compression
    info.create_system = 3
    info.external_attr = 0o644 << 16
    return info


def is_sparse_json(content: bytes) -> bool:
    """Whether JSON has an unlikely number of lists and tables, for which Python would take much memory."""
    return len(content) > 2**20 and content.count(b"[") + content.count(b"{") > len(content) // _SPARSEST
