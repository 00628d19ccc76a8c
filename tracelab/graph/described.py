"""Values of Python's that a file cannot hold, and describes: at a call, what is given is described and compared.

Nothing is imported from what the file says: an enum is its class and the name of its member, an array its dtype, its
shape and a digest of its content.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import hashlib
import pathlib
import re
import types
import uuid
from dataclasses import dataclass, field
from typing import Any

import numpy

_BY_REPR = (
    bytes,
    range,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    fractions.Fraction,
    pathlib.PurePath,
    re.Pattern,
    uuid.UUID,
    numpy.generic,
)
_BY_NAME = (type, types.FunctionType, types.BuiltinFunctionType)
_IN_SETS = (str, bytes, int, float, bool, type(None), enum.Enum)


@dataclass(frozen=True, slots=True)
class Described:
    """A value: its class, what is said of its content, and how it is shown."""

    cls: str
    content: str
    shown: str = field(default="", compare=False)

    def __repr__(self) -> str:
        return self.shown


def described(value: Any) -> Described | None:
    """What a file says of a value; None for one that words do not tell from others.

    >>> class Mode(enum.Enum):
    ...     FAST = 1
    >>> described(Mode.FAST).content, described(Mode.FAST)
    ('FAST', <Mode.FAST: 1>)
    """
    content = _content(value)
    if content is None:
        return None
    # Where a function is in memory is no matter of a file.
    shown = content.replace(":", ".") if isinstance(value, _BY_NAME) else _short(value)
    return Described(_name(type(value)), content, shown)


def is_as_described(value: Any, before: Described) -> bool:
    """Whether what a call gives is what the file describes."""
    return value == before if isinstance(value, Described) else described(value) == before


def _content(value: Any) -> str | None:
    if isinstance(value, enum.Enum):
        # A combination of flags may have no name.
        return value.name if value.name is not None else repr(value.value)
    if isinstance(value, numpy.ndarray):
        if value.dtype.hasobject:
            return None
        return f"{value.dtype.str} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, (set, frozenset)):
        # They have no order.
        parts = [f"{_name(type(part))} {_content(part) or part!r}" for part in value if isinstance(part, _IN_SETS)]
        return ", ".join(sorted(parts)) if len(parts) == len(value) else None
    if isinstance(value, _BY_NAME):
        name = f"{value.__module__}:{value.__qualname__}"
        return None if "<" in name else name
    return repr(value) if isinstance(value, _BY_REPR) else None


def _name(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 200 else text[:197] + "..."
