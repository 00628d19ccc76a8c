"""Functions of C that take Python's own numbers alone: they get the number, which is noted where they are called."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy

from tracelab.capture.patches.attribute import Attribute
from tracelab.capture.patches.many import Group
from tracelab.capture.recording.recorder import active
from tracelab.capture.recording.replacement import Replacement
from tracelab.capture.recording.sym_numbers import plain_number
from tracelab.capture.values import SYMBOLIC

_PANDAS = "pandas._libs.lib"


def _of_plain(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def function(*args: Any) -> Any:
        frame = sys._getframe(1)
        return original(*(plain_number(item, frame) for item in args))

    return function


def _of_objects(original: Callable[..., Any]) -> Callable[..., Any]:
    """pandas finds the dtype of columns that are made of Python's objects."""

    @functools.wraps(original)
    def function(objects: Any, *args: Any, **options: Any) -> Any:
        if _holds_number(objects):
            frame = sys._getframe(1)
            for place, item in numpy.ndenumerate(objects):
                if type(item) in SYMBOLIC:
                    objects[place] = plain_number(item, frame)
        return original(objects, *args, **options)

    return function


def _holds_number(objects: Any) -> bool:
    recorder = active.recorder
    if recorder is None or recorder.paused or not isinstance(objects, numpy.ndarray):
        return False
    if not objects.dtype.hasobject or not objects.flags.writeable:
        return False
    return not {*map(type, objects.flat)}.isdisjoint(SYMBOLIC)


@functools.cache
def _converted(library: ModuleType) -> Attribute:
    return Attribute(library, "maybe_convert_objects", _of_objects)


def _of_pandas() -> Iterator[Replacement]:
    library = sys.modules.get(_PANDAS)
    if library is not None:
        yield _converted(library)


NUMBER_TAKERS = (
    *(Attribute(time, name, _of_plain) for name in ("sleep", "gmtime", "localtime", "ctime")),
    Group(_of_pandas),
)
"""What is replaced once a recording meets a number."""
