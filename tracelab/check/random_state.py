"""The state of random generators, kept and put back: those of each device, NumPy's, Python's, and single objects."""

from __future__ import annotations

import contextlib
import copy
import functools
import random
from collections.abc import Iterable, Iterator
from typing import Any

import numpy
import torch

from tracelab.execute.generators import Access, torch_generators

GENERATORS = (torch.Generator, numpy.random.Generator, numpy.random.RandomState, random.Random)
"""Classes of objects that draw random numbers; what is reachable of them is kept with the rest."""


class RandomState:
    """The state of all random generators of the process, and of the given ones, as it is now."""

    def __init__(self, generators: Iterable[Any] = ()) -> None:
        accesses = [*_of_the_process(), *map(_access, generators)]
        self._kept = [(get, put, get()) for get, put in accesses]

    def restore(self) -> None:
        """Put it back."""
        for _, put, state in self._kept:
            put(state)

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        """Within it random numbers are those that followed this state; afterwards the state is as before."""
        now = [(put, get()) for get, put, _ in self._kept]
        self.restore()
        try:
            yield
        finally:
            for put, state in now:
                put(state)


def _of_the_process() -> Iterator[Access]:
    yield from torch_generators()
    yield random.getstate, random.setstate
    yield functools.partial(numpy.random.get_state, legacy=False), numpy.random.set_state


def _access(generator: Any) -> Access:
    if isinstance(generator, numpy.random.Generator):
        bits: Any = generator.bit_generator

        def put(state: Any) -> None:
            bits.state = state

        return lambda: copy.deepcopy(bits.state), put
    if isinstance(generator, random.SystemRandom):
        # What it gives is the system's, which keeps no state for it.
        return lambda: None, lambda state: None
    if isinstance(generator, random.Random):
        return generator.getstate, generator.setstate
    return generator.get_state, generator.set_state
