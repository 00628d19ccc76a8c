"""The archive of a TorchScript file, looked through before torch's own reader gets it.

That reader is C++ and runs no Python, but it calls the file's `__setstate__` where a class has one, and those of
classes that extensions registered. It gets a copy of what was looked through, so that both read the same entries; in
that copy `__setstate__` only places the saved state.
"""

from __future__ import annotations

import contextlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping

from tracelab.errors import TracelabFileError
from tracelab.interop.entries import opened_zip, read_entry
from tracelab.interop.torchscript.code import BadCode, check_code, check_named
from tracelab.interop.torchscript.pickles import BadPickle, NotRead, is_sound_debug, read_pickle
from tracelab.interop.torchscript.setstate import RunsCode, placed_only
from tracelab.storage.container import LARGEST_JSON, PathOrFile

_TENSOR = re.compile(r"(data|constants|\.data)/\w+")
"""Entries that hold the bytes of one tensor."""
_LEFT_OUT = ("extra/", "traced_inputs")
"""What is no part of the module: notes of whoever saved it, and the kinds of inputs of `torch.jit.trace`."""
_CLASS = re.compile(rb"^class (\w+)", re.MULTILINE)
_OF_OBJECTS = re.compile(rb"^class (\w+)(?:\(Module\))?:$", re.MULTILINE)
"""Classes of objects, as torch writes them: those of enums and named tuples have another base."""
_EXTENSION = re.compile(rb"__torch__\.torch\.classes\.(\w+)[.\n](\w+)")
_OF_TORCH = frozenset((b"quantized", b"rnn"))
"""Namespaces of classes whose reading is torch's own C++."""
_TRUST = "tracelab.read(file, trust=True) reads it if you trust who made it"


def looked_through(file: PathOrFile) -> tuple[bytes, int]:
    """A copy of a TorchScript archive, which runs nothing as it is read, and how many statements its code has.

    Raises:
        TracelabFileError: It would, or it is no sound archive.
        OSError: It cannot be opened.
    """
    copy = io.BytesIO()
    seen: set[str] = set()
    classes: set[str] = set()
    codes: list[bytes] = []
    statements, named = 0, dict[str, list[str]]()
    with opened_zip(file, "TorchScript") as archive, zipfile.ZipFile(copy, "w") as written:
        sizes = {info.filename.partition("/")[2]: info.file_size for info in archive.infolist()}
        for info in archive.infolist():
            folder, _, name = info.filename.partition("/")
            # torch's reader takes names in any case.
            if info.filename.lower() in seen:
                raise TracelabFileError(f"not a sound TorchScript file: it holds {info.filename[:60]!r} twice")
            seen.add(info.filename.lower())
            if info.is_dir() or name.startswith(_LEFT_OUT):
                continue
            is_tensor = _TENSOR.fullmatch(name) is not None
            content = read_entry(archive, info, "TorchScript", None if is_tensor else LARGEST_JSON)
            if not is_tensor:
                content = _without_code(name, content)
                if name.endswith(".debug_pkl"):
                    # Without it, lines of code are not known, and nothing else is missing.
                    if not is_sound_debug(content):
                        continue
                elif name.endswith(".pkl"):
                    _check_pickle(name, content, sizes, classes)
                elif name.startswith("code/"):
                    codes.append(content)
                    with _of_code(name):
                        statements += check_code(name, content, named)
            written.writestr(zipfile.ZipInfo(f"{folder}/{name}"), content)
    with _of_code("code"):
        check_named(named)
    _check_classes(classes, codes)
    return copy.getvalue(), statements


@contextlib.contextmanager
def _of_code(name: str) -> Iterator[None]:
    try:
        yield
    except BadCode as error:
        raise TracelabFileError(
            f"the TorchScript file is damaged, or not written by torch: in {name[:60]}, {error}"
        ) from None


def _check_classes(classes: set[str], codes: list[bytes]) -> None:
    """Where there are enums, each object is of a class that is none: torch's reader loses count of an enum's object."""
    if not any(b"Enum" in code for code in codes):
        return
    plain = {name for code in codes for name in _OF_OBJECTS.findall(code)}
    for cls in sorted(classes):
        if cls.rpartition(".")[2].encode() not in plain:
            raise TracelabFileError(
                f"the TorchScript file is damaged, or not written by torch: {cls[:60]} is an enum, or no class, and it "
                "holds an object of it"
            )


def _check_pickle(name: str, content: bytes, sizes: Mapping[str, int], classes: set[str]) -> None:
    folder = f"{name.removesuffix('.pkl')}/"
    held = {entry.removeprefix(folder): size for entry, size in sizes.items() if entry.startswith(folder)}
    try:
        read_pickle(content, held, classes)
    except NotRead as error:
        raise TracelabFileError(f"the TorchScript file is not read: in {name[:60]}, {error}") from None
    except BadPickle as error:
        raise TracelabFileError(
            f"the TorchScript file is damaged, or not written by torch: in {name[:60]}, {error}"
        ) from None


def _without_code(name: str, content: bytes) -> bytes:
    """The entry, which runs nothing as it is read."""
    for namespace, cls in _EXTENSION.findall(content):
        if namespace not in _OF_TORCH:
            held = f"{namespace.decode()}.{cls.decode()}"[:60]
            raise TracelabFileError(
                f"the TorchScript file is not read: it holds a {held}, of a class of an extension, whose code runs as "
                f"the file is read: {_TRUST}"
            )
    place = content.find(b"__setstate__")
    # Where lines of code came from holds the user's own code, as text.
    if place < 0 or name.endswith(".debug_pkl"):
        return content
    classes = _CLASS.findall(content, 0, place)
    cls = classes[-1].decode() if classes else name
    try:
        if not name.startswith("code/"):
            raise RunsCode("it is named outside of the code")
        return placed_only(content)
    except RunsCode as error:
        raise TracelabFileError(
            f"the TorchScript file is not read: its class {cls[:60]} has a `__setstate__`, code that runs as the file "
            f"is read, and {error}: {_TRUST}"
        ) from None


__all__ = ["looked_through"]
