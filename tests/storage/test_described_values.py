"""Values of Python's that a file cannot hold are described in it: a call is compared with the description."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import fractions
import io
import pathlib
import re
import uuid
import warnings
from dataclasses import dataclass
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor

import tracelab

X = torch.ones(2)


class Mode(enum.Enum):
    FAST = 1
    SLOW = 2


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Word(enum.StrEnum):
    LEFT = "left"
    RIGHT = "right"


class Way(enum.Flag):
    IN = 1
    OUT = 2


@dataclass
class Options:
    x: Tensor
    mode: Mode = Mode.FAST
    level: Level = Level.LOW


def stored(traced: Any) -> Any:
    file = io.BytesIO()
    tracelab.save(traced, file)
    file.seek(0)
    return tracelab.load(file)


VALUES: dict[str, tuple[Any, Any]] = {
    "enum": (Mode.FAST, Mode.SLOW),
    "whole enum": (Level.LOW, Level.HIGH),
    "whole enum and number": (Level.LOW, 1),
    "text enum": (Word.LEFT, Word.RIGHT),
    "text enum and text": (Word.LEFT, "left"),
    "flag": (Way.IN, Way.OUT),
    "flags": (Way.IN | Way.OUT, Way.IN),
    "set": (frozenset({"a", "b"}), frozenset({"a"})),
    "kinds in a set": (frozenset({1}), frozenset({"1"})),
    "bytes": (b"ab", b"ac"),
    "range": (range(3), range(4)),
    "decimal": (decimal.Decimal("1.5"), decimal.Decimal("1.50")),
    "fraction": (fractions.Fraction(1, 3), fractions.Fraction(2, 3)),
    "date": (datetime.date(2020, 1, 2), datetime.date(2020, 1, 3)),
    "time": (datetime.timedelta(1), datetime.timedelta(2)),
    "path": (pathlib.PurePosixPath("a"), pathlib.PurePosixPath("b")),
    "pattern": (re.compile("a"), re.compile("a", re.IGNORECASE)),
    "uuid": (uuid.UUID(int=1), uuid.UUID(int=2)),
    "class": (Mode, Level),
    "function": (torch.relu, torch.tanh),
    "number of NumPy's": (numpy.float32(1), numpy.float64(1)),
    "array of text": (numpy.array(["a"]), numpy.array(["b"])),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_loaded_trace_knows_the_value_that_it_was_traced_with(name: str):
    then, now = VALUES[name]
    loaded = stored(tracelab.trace(lambda x, value: x * 2, X, then))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(loaded(X, then), X * 2)
    with pytest.warns(tracelab.AssumptionWarning, match="`value` was "):
        loaded(X, now)


def test_an_enum_is_shown_as_it_is():
    loaded = stored(tracelab.trace(lambda x, mode: x * 2, X, Mode.FAST))
    assert [str(item) for item in loaded.assumptions] == ["mode is <Mode.FAST: 1>"]
    with pytest.warns(tracelab.AssumptionWarning, match="was <Mode.FAST: 1> when it was traced, and is <Mode.SLOW: 2>"):
        loaded(X, Mode.SLOW)


def test_enums_in_the_fields_of_a_dataclass():
    loaded = stored(tracelab.trace(lambda options: options.x * options.level, Options(X)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(loaded(Options(X * 3)), X * 3)
    with pytest.warns(tracelab.AssumptionWarning, match=r"`options.mode` was <Mode.FAST: 1>"):
        loaded(Options(X, Mode.SLOW))


def test_a_default_that_is_an_enum():
    def code(x: Tensor, mode: Mode = Mode.FAST) -> Tensor:
        return x * (2 if mode is Mode.FAST else 3)

    slow = stored(tracelab.trace(code, X, Mode.SLOW))
    with pytest.warns(tracelab.AssumptionWarning, match="`mode` was <Mode.SLOW: 2>"):
        slow(X)
    fast = stored(tracelab.trace(code, X, Mode.FAST))
    assert torch.equal(fast(X), X * 2)


def test_a_file_is_the_same_each_time():
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        tracelab.save(tracelab.trace(lambda x, value: x * 2, X, torch.relu), file)
    assert b"0x" not in files[0].getvalue()


def test_a_file_that_was_loaded_is_saved_again():
    again = stored(stored(tracelab.trace(lambda x, mode: x * 2, X, Mode.FAST)))
    with pytest.warns(tracelab.AssumptionWarning, match="was <Mode.FAST: 1>"):
        again(X, Mode.SLOW)


def test_what_words_do_not_tell_from_others_is_told_at_each_call():
    loaded = stored(tracelab.trace(lambda x, value: value(x), X, lambda x: x * 2))
    with pytest.warns(tracelab.AssumptionWarning, match="not kept in the file"):
        loaded(X, lambda x: x * 2)


def test_a_default_dict_of_an_enum_as_key_is_refused():
    given = collections.defaultdict(int, {Mode.FAST: X})
    with pytest.raises(tracelab.TracelabFileError, match="dict with keys of type Mode"):
        stored(tracelab.trace(lambda x, items: items[Mode.FAST] + x, X, given))
