"""Any index that Python can write, traced on one size, equals eager on another."""

from __future__ import annotations

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tracelab
from support.replay import assert_same, replays

bounds = st.none() | st.integers(-6, 6)
slices = st.builds(slice, bounds, bounds, st.none() | st.integers(1, 3))
integers = st.integers(-3, 2)
masks = st.just("mask")
tables = st.lists(st.integers(-3, 2), min_size=1, max_size=3)
plain = slices | integers | st.none() | st.just(Ellipsis)
example_sizes = st.tuples(*[st.integers(3, 6)] * 3)

STEPS = ["t", "flatten", "unsqueeze", "expand", "repeat", "arange", "cat", "rows"]

fast = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def fits(index):
    """At most three dimensions are used, and at most one ellipsis."""
    used = sum(1 for entry in index if entry is not None and entry is not Ellipsis)
    return used <= 3 and sum(1 for entry in index if entry is Ellipsis) <= 1


indices = st.lists(plain, min_size=1, max_size=4).map(tuple).filter(fits)


@fast
@given(index=indices, size=example_sizes, other=example_sizes)
def test_slices_and_numbers(index, size, other):
    replays(lambda x: x[index], torch.randn(size), torch.randn(other))


@fast
@given(index=indices, size=example_sizes, other=example_sizes, number=st.integers(-5, 5))
def test_assignments_to_slices_and_numbers(index, size, other, number):
    def assign(x):
        x = x.clone()
        x[index] = number
        return x

    replays(assign, torch.randn(size), torch.randn(other))


@fast
@given(
    index=st.lists(plain | tables.map(torch.tensor), min_size=1, max_size=3).map(tuple).filter(fits),
    size=example_sizes,
    other=example_sizes,
)
def test_tables_of_indices_among_slices(index, size, other):
    try:
        torch.zeros(size)[index]
    except IndexError:
        return
    traced = tracelab.trace(lambda x: x[index], torch.randn(size), check_trace=False)
    x = torch.randn(other)
    assert_same(traced(x), x[index])


@fast
@given(index=slices, size=example_sizes, other=example_sizes, threshold=st.floats(-1, 1))
def test_masks_behind_slices(index, size, other, threshold):
    def masked(x):
        part = x[index]
        return part[part > threshold], x[x.sum((1, 2)) > threshold]

    replays(masked, torch.randn(size), torch.randn(other))


@fast
@given(size=example_sizes, other=example_sizes, numbers=st.lists(st.integers(1, 4), min_size=3, max_size=3))
def test_bounds_made_of_sizes(size, other, numbers):
    a, b, c = numbers

    def window(x):
        return x[: x.size(0) // a, x.size(1) % b :, -(x.size(2) // c + 1) :]

    replays(window, torch.randn(size), torch.randn(other))


@fast
@given(
    size=example_sizes,
    other=example_sizes,
    steps=st.lists(st.sampled_from(STEPS), max_size=5),
)
def test_chains_of_shape_operators(size, other, steps):
    def chain(x):
        for step in steps:
            if step == "t":
                x = x.transpose(0, -1)
            elif step == "flatten":
                x = x.reshape(x.size(0), -1)
            elif step == "unsqueeze":
                x = x.unsqueeze(1)
            elif step == "expand":
                x = x.unsqueeze(0).expand(2, *x.shape)
            elif step == "repeat":
                x = x.repeat(*[1] * (x.dim() - 1), 2)
            elif step == "arange":
                x = x + torch.arange(x.size(-1))
            elif step == "cat":
                x = torch.cat([x, x.new_zeros(x.shape)], dim=-1)
            else:
                x = x[: x.size(0) // 2 + 1]
        return x

    replays(chain, torch.randn(size), torch.randn(other))
