"""Where the generators stand that `random.random` and `numpy.random.rand` draw from.

To ask them for their states takes longer than to record a small function. What lies in their memory tells as well
whether something was drawn; it is only read, and compared.
"""

from __future__ import annotations

import ctypes
import random
import sys
from typing import Any

import numpy

_python: Any = getattr(random.getstate, "__self__", None)
_numpy: Any = getattr(numpy.random.get_state, "__self__", None)

_HEAD = object.__basicsize__
"""What each object begins with: its class, and how often it is held."""
_WORDS = 625 * 4
"""The state of an `MT19937`: as many words, and the place in them."""

_IS_C = sys.implementation.name == "cpython"
_READS_PYTHON = _IS_C and type(_python) is random.Random
_READS_NUMPY = _IS_C and type(_numpy) is numpy.random.RandomState


def python_stands() -> Any:
    """Where `random` stands, as something to compare."""
    if not _READS_PYTHON:
        return random.getstate()
    return _fields(_python, random.Random.__base__), _python.gauss_next


def numpy_stands() -> Any:
    """Where `numpy.random` stands, as something to compare."""
    if not _READS_NUMPY:
        return repr(numpy.random.get_state(legacy=False))
    bits = _numpy._bit_generator
    is_twister = type(bits) is numpy.random.MT19937
    state = ctypes.string_at(bits.ctypes.state_address, _WORDS) if is_twister else repr(bits.state)
    # Beside it, among others, the second of two normal numbers that were made at once.
    return _fields(_numpy, numpy.random.RandomState), state


def _fields(item: Any, cls: Any) -> bytes:
    """The fields that a class of C gives an object."""
    return ctypes.string_at(id(item) + _HEAD, cls.__basicsize__ - _HEAD)
