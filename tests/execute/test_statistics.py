"""Statistics of tensors, whatever they hold and however they lie."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tracelab.execute.measure.statistics import BINS, Statistics, _later, plain_elements, statistics_of

numbers = st.floats(width=32, allow_nan=True, allow_infinity=True)


def test_nan_and_infinity_are_counted_and_left_out_of_the_rest():
    found = statistics_of(torch.tensor([0.0, 1.0, 3.0, float("nan"), float("inf"), float("-inf")]))
    assert (found.count, found.min, found.max, found.zeros, found.nans, found.infs) == (6, 0, 3, 1, 1, 2)
    assert found.mean == pytest.approx(4 / 3)
    assert found.std == pytest.approx(torch.tensor([0.0, 1.0, 3.0]).std(correction=0).item())
    assert sum(found.histogram) == 3
    assert (found.histogram[0], found.histogram[-1]) == (1, 1)


def test_an_empty_tensor_and_one_without_a_finite_element():
    assert statistics_of(torch.empty(0)) == Statistics(0, None, None, None, None, 0, 0, 0, None)
    nothing = statistics_of(torch.tensor([float("nan")]))
    assert nothing == Statistics(1, None, None, None, None, 0, 1, 0, None)
    assert str(nothing) == "no finite element NaN 1"


def test_equal_elements_make_one_bar():
    assert statistics_of(torch.full((7,), 2.5)).histogram == (7,)


@pytest.mark.parametrize(
    "dtype",
    [torch.bool, torch.uint8, torch.int8, torch.int64, torch.float16, torch.bfloat16, torch.float64, torch.float8_e5m2],
)
def test_every_dtype_has_statistics(dtype):
    found = statistics_of(torch.tensor([0, 1, 1, 0]).to(dtype))
    assert (found.count, found.min, found.max, found.mean, found.zeros) == (4, 0, 1, 0.5, 2)


def test_complex_numbers_by_their_absolute_value():
    assert statistics_of(torch.tensor([3 + 4j])).max == 5


def test_a_sparse_tensor_by_its_stored_elements():
    assert statistics_of(torch.eye(3).to_sparse()).max == 1


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_a_quantized_tensor_by_the_numbers_it_stands_for():
    assert statistics_of(torch.quantize_per_tensor(torch.tensor([0.0, 2.0]), 1.0, 0, torch.qint8)).max == 2


def test_a_tensor_without_data_has_none():
    assert statistics_of(torch.empty(3, device="meta")) is None


def test_very_large_numbers_have_a_mean_and_a_deviation():
    found = statistics_of(torch.tensor([3e38, -3e38, 3e38]))
    assert found.mean == pytest.approx(1e38, rel=1e-6)
    assert found.std == pytest.approx(2.828427e38, rel=1e-6)
    assert sum(found.histogram) == 3


@pytest.mark.parametrize("size", [1e-45, 1e-25, 1e-16])
def test_very_small_numbers_have_a_deviation(size):
    found = statistics_of(torch.tensor([size, -size], dtype=torch.float32))
    assert found.std == pytest.approx(size, rel=0.5 if size < 1e-40 else 1e-6)


@pytest.mark.parametrize("width", [1e-45, 1e-40, 1e-20, 3e38])
def test_the_narrowest_and_the_widest_range_have_a_histogram(width):
    bars = statistics_of(torch.tensor([0.0, 0.0, width])).histogram
    assert (bars[0], bars[-1]) == (2, 1)


@given(st.lists(numbers, min_size=1, max_size=60))
@settings(deadline=None, max_examples=100)
def test_what_is_read_later_from_a_device_is_what_is_read_at_once(items):
    elements = torch.tensor(items, dtype=torch.float32)
    once, later = statistics_of(elements), _later(plain_elements(elements))()
    assert (once.count, once.min, once.max, once.zeros, once.nans, once.infs) == (
        later.count,
        later.min,
        later.max,
        later.zeros,
        later.nans,
        later.infs,
    )
    if once.min is not None:
        scale = max(abs(once.min), abs(once.max))
        assert math.isclose(once.mean, later.mean, rel_tol=1e-4, abs_tol=1e-5 * scale)
        assert math.isclose(once.std, later.std, rel_tol=1e-3, abs_tol=1e-4 * scale)
        assert sum(once.histogram) == sum(later.histogram) == len(items) - once.nans - once.infs


@given(st.permutations([2, 3, 4]), st.booleans())
@settings(deadline=None, max_examples=20)
def test_how_the_elements_lie_makes_no_difference(order, flip):
    tensor = torch.arange(24.0).reshape(2, 3, 4)
    turned = tensor.permute([order.index(size) for size in (2, 3, 4)])
    turned = turned.flip(0) if flip else turned
    assert statistics_of(turned) == statistics_of(tensor)
    assert len(statistics_of(turned).histogram) == BINS


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.int64, torch.complex64])
def test_an_expanded_tensor_is_counted_without_a_copy(dtype):
    held = torch.tensor([[0, 1], [2, 0]], dtype=dtype)
    expanded = held[:, None].expand(2, 3, 2)
    found, wanted = statistics_of(expanded), statistics_of(expanded.contiguous())
    assert found.std == pytest.approx(wanted.std)
    assert replace(found, std=None) == replace(wanted, std=None)


def test_a_huge_expanded_tensor_takes_no_memory():
    assert statistics_of(torch.ones(1).expand(10**12)).count == 10**12
