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


class _Memory:
    """Memory that an object keeps for as long as it lives."""

    __slots__ = ("_owner", "_view")

    def __init__(self, owner: Any, address: int, size: int) -> None:
        self._owner = owner
        self._view = memoryview((ctypes.c_char * size).from_address(address))

    def read(self) -> bytes:
        return self._view.tobytes()


def _fields(item: Any, cls: Any) -> _Memory:
    """The fields that a class of C gives an object, behind what each object begins with."""
    head = object.__basicsize__
    return _Memory(item, id(item) + head, cls.__basicsize__ - head)


_python: Any = getattr(random.getstate, "__self__", None)
_numpy: Any = getattr(numpy.random.get_state, "__self__", None)
_is_c = sys.implementation.name == "cpython"
_of_python = _fields(_python, random.Random.__base__) if _is_c and type(_python) is random.Random else None
_of_numpy = _fields(_numpy, numpy.random.RandomState) if _is_c and type(_numpy) is numpy.random.RandomState else None

_WORDS = 625 * 4
"""The state of an `MT19937`: as many words, and the place in them."""

_twister: tuple[Any, _Memory] | None = None
"""The last one that NumPy drew from, and its state."""


def python_stands() -> Any:
    """Where `random` stands, as something to compare."""
    return random.getstate() if _of_python is None else (_of_python.read(), _python.gauss_next)


def numpy_stands() -> Any:
    """Where `numpy.random` stands, as something to compare."""
    global _twister
    if _of_numpy is None:
        return repr(numpy.random.get_state(legacy=False))
    bits, known = _numpy._bit_generator, _twister
    # Beside the state of the bits, among others: the second of two normal numbers that were made at once.
    beside = _of_numpy.read()
    if type(bits) is not numpy.random.MT19937:
        return beside, repr(bits.state)
    if known is None or known[0] is not bits:
        known = _twister = (bits, _Memory(bits, bits.ctypes.state_address, _WORDS))
    return beside, known[1].read()
