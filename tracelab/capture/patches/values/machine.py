"""What the user's own code reads of the machine: files, the arguments of the program, random bytes of the system.

A replay reads none of it again. A file is told where it is another at a call; random bytes are others each time.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import random
import sys
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any

import numpy
import torch

from tracelab.capture.analysis.instructions import drops_result
from tracelab.capture.analysis.libraries import is_library
from tracelab.capture.patches.attribute import Attribute
from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import Recorder, active
from tracelab.capture.recording.ways import freezes_nothing
from tracelab.capture.values import concrete
from tracelab.graph import intrinsics
from tracelab.graph.assumptions import AssumptionKind, Words

_original_open = builtins.open
_MOST_BYTES = 1 << 20
_OWN_FILES = frozenset({"linecache", "tokenize", "inspect", "importlib", "traceback", "warnings", "runpy", "pkgutil"})
"""Modules that read code."""
_NO_FILES = ("/proc/", "/sys/", "/dev/")
_THEN, _ELSE, _GONE = Words("of one content"), Words("of another"), Words("gone")


def _reader(frame: FrameType | None) -> FrameType | None:
    """The user's code that wants it, by way of Python's library, NumPy or torch; None of what packages read."""
    while frame is not None and is_library(frame.f_code):
        name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if name in _OWN_FILES or name not in _ON_THE_WAY:
            return None
        frame = frame.f_back
    return frame


_ON_THE_WAY = frozenset({"numpy", "torch", *sys.stdlib_module_names})


def _asker() -> tuple[Recorder, FrameType] | None:
    """The recorder of this thread, and the user's code that asks now."""
    recorder = active.recorder
    if recorder is None or recorder.paused or not recorder.in_code:
        return None
    asking: FrameType | None = sys._getframe(1)
    while asking is not None and asking.f_globals is globals():
        asking = asking.f_back
    frame = _reader(asking)
    return None if frame is None or freezes_nothing(recorder, frame) else (recorder, frame)


class _File:
    """What a file holds: its bytes where they are few, else its size and when it was written."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.written = self._stat()
        self.content = self._bytes()

    def _stat(self) -> Any:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def _bytes(self) -> bytes | None:
        if self.written is None or self.written[1] > _MOST_BYTES:
            return None
        try:
            with _original_open(self.path, "rb") as file:
                found: bytes = file.read()
                return found
        except OSError:
            return None

    def __call__(self) -> Any:
        """Whether it is still the same, in words."""
        now = self._stat()
        if now == self.written:
            return _THEN
        if now is None:
            return _GONE
        if self.content is None or now[1] != len(self.content) or self._bytes() != self.content:
            return _ELSE
        # It was written again, with the same in it.
        self.written = now
        return _THEN


def _note_file(file: Any, mode: Any) -> None:
    """A file is opened to be read."""
    if not isinstance(file, (str, os.PathLike)) or not isinstance(mode, str) or "r" not in mode or "+" in mode:
        return
    asked = _asker()
    if asked is None:
        return
    recorder, frame = asked
    path: Any = os.path.abspath(os.fspath(file))
    if isinstance(path, str) and not path.startswith(_NO_FILES) and os.path.isfile(path):
        subject = f"the file {str(file)!r}"
        recorder.assume_outside(AssumptionKind.ENVIRONMENT, subject, _THEN, _File(path), frame)


def _opened(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def open(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        _note_file(file, mode)
        return original(file, mode, *args, **kwargs)

    return open


def _opened_by_numpy(original: Callable[..., Any]) -> Callable[..., Any]:
    """`numpy.loadtxt` and its kin, which have got hold of `open` before."""

    @functools.wraps(original)
    def open(source: Any, path: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        _note_file(path, mode)
        return original(source, path, mode, *args, **kwargs)

    return open


_open = _opened(_original_open)


def _asked_of_path(original: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """`os.path.exists` and its kin."""

    @functools.wraps(original)
    def exists(path: Any) -> bool:
        found = original(path)
        asked = _asker() if isinstance(path, (str, os.PathLike)) else None
        if asked is not None:
            recorder, frame = asked
            subject = f"os.path.{original.__name__}({str(path)!r})"
            probe = functools.partial(original, path)
            recorder.assume_outside(AssumptionKind.ENVIRONMENT, subject, found, probe, frame)
        return found

    return exists


def _drawn(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def drawn(*args: Any, **kwargs: Any) -> Any:
            asked = _asker()
            if asked is not None:
                recorder, frame = asked
                subject = f"what the code drew from `{name}`"
                recorder.assume_outside(AssumptionKind.RANDOM, subject, "these numbers", lambda: "another draw", frame)
            return original(*args, **kwargs)

        return drawn

    return make


def _seeded(original: Callable[..., Any]) -> Callable[..., Any]:
    """`random.Random()` takes its seed from the system, in C."""

    @functools.wraps(original)
    def seed(self: Any, a: Any = None, version: int = 2) -> None:
        asked = _asker() if a is None else None
        if asked is not None:
            recorder, frame = asked
            subject = "what the code drew from `random.Random`"
            recorder.assume_outside(AssumptionKind.RANDOM, subject, "these numbers", lambda: "another draw", frame)
        original(self, a, version)

    return seed


def _told_seed(original: Callable[[], int]) -> Callable[[], int]:
    def initial_seed() -> int:
        seed = original()
        asked = _asker()
        if asked is not None and not any(node.target in _SEEDS for node in asked[0].nodes):
            recorder, frame = asked
            recorder.assume_outside(AssumptionKind.MODE, "torch.initial_seed()", seed, original, frame)
        return seed

    return initial_seed


def _new_seed(original: Callable[[], int]) -> Callable[[], int]:
    def seed() -> int:
        asked = _asker()
        if asked is None:
            return original()
        recorder, frame = asked
        made: int = concrete(recorder.record_intrinsic(intrinsics.SEED, (), run=original))
        if not drops_result(frame):
            subject = "what the code drew from `torch.seed`"
            recorder.assume_outside(AssumptionKind.RANDOM, subject, "these numbers", lambda: "another draw", frame)
        return made

    return seed


_SEEDS = (intrinsics.RANDOM_STATE["manual_seed"].function, intrinsics.SEED.function)
_PATHS: tuple[Any, ...] = (os.path.exists, os.path.isfile, os.path.isdir)

MACHINE = (
    Attribute(builtins, "open", lambda original: _open),
    Attribute(io, "open", lambda original: _open),
    *(Code(function, _asked_of_path) for function in _PATHS if isinstance(function, FunctionType)),
    Code(numpy.lib.npyio.DataSource.open, _opened_by_numpy),
    Attribute(os, "urandom", _drawn("os.urandom")),
    Attribute(random, "_urandom", _drawn("os.urandom")),
    Code(random.Random.seed, _seeded),
    Code(torch.random.initial_seed, _told_seed),
    Code(torch.random.seed, _new_seed),
)
"""Note what the code reads."""
