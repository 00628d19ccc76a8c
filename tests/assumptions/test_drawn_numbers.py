"""Numbers that code draws from the generators of Python and NumPy are told; what leaves them as they were is not."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

import tracelab
from support.told import told

ONES = torch.ones(2)


@pytest.fixture(autouse=True)
def as_before():
    """The two generators are the ones of before, and stand where they stood."""
    bits, state, python = np.random.get_bit_generator(), np.random.get_state(), random.getstate()
    yield
    np.random.set_bit_generator(bits)
    np.random.set_state(state)
    random.setstate(python)


def drawn(code):
    """From which generators a trace of the code says that it drew."""
    traced = tracelab.trace(code, ONES, check_trace=False)
    return [name for name in ("random", "numpy.random") for item in told(traced, ONES) if f"`{name}`" in item]


def test_code_that_draws_nothing():
    assert drawn(lambda x: x + 1) == []


def test_a_draw_of_each():
    assert drawn(lambda x: x * random.random() * np.random.rand()) == ["random", "numpy.random"]


def test_the_second_of_two_normal_numbers_of_numpy():
    np.random.seed(0)
    np.random.randn()
    assert drawn(lambda x: x * np.random.randn()) == ["numpy.random"]


def test_the_second_of_two_normal_numbers_of_python():
    random.seed(0)
    random.gauss(0, 1)
    assert drawn(lambda x: x * random.gauss(0, 1)) == ["random"]


def seeded(x):
    np.random.seed(3)
    random.seed(3)
    return x * np.random.rand() * random.random()


def test_a_seed_that_leads_elsewhere():
    assert drawn(seeded) == ["random", "numpy.random"]


def test_a_seed_that_leads_where_they_stood():
    seeded(ONES)
    assert drawn(seeded) == []


def put_back(x):
    state, python = np.random.get_state(), random.getstate()
    y = x * np.random.randn() * random.gauss(0, 1)
    np.random.set_state(state)
    random.setstate(python)
    return y


def test_a_state_that_is_put_back():
    assert drawn(put_back) == []


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.SFC64, np.random.Philox, np.random.MT19937])
class TestAnotherBitGenerator:
    def test_that_nothing_draws_from(self, kind):
        np.random.set_bit_generator(kind(0))
        assert drawn(lambda x: x + 1) == []

    def test_that_code_draws_from(self, kind):
        np.random.set_bit_generator(kind(0))
        assert drawn(lambda x: x * np.random.rand()) == ["numpy.random"]

    def test_that_code_puts_in(self, kind):
        assert drawn(lambda x: (x, np.random.set_bit_generator(kind(0)))[0] * 2) == ["numpy.random"]

    def test_that_a_check_puts_back(self, kind):
        np.random.set_bit_generator(kind(0))
        before = repr(np.random.get_state(legacy=False))
        tracelab.trace(lambda x: x + 1, ONES).check()
        assert repr(np.random.get_state(legacy=False)) == before
