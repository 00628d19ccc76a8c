"""Functions of `functools.lru_cache` that are called with sizes are followed, and their caches hold plain numbers."""

from __future__ import annotations

import functools
import gc
import itertools

import pytest
import torch

import tracelab

pytestmark = pytest.mark.filterwarnings("error::tracelab.TracerWarning")


@functools.lru_cache
def halved(height, width):
    return height // 2, width * 2


@functools.cache
def mask(length):
    return torch.ones(length, length).tril()


@functools.lru_cache(4)
def shaped(shape, *, extra=0):
    return torch.zeros((*shape, 2 + extra))


class Tables:
    @functools.lru_cache(8)  # noqa: B019
    def table(self, length):
        return torch.arange(length)


tables = Tables()
CACHES = (halved, mask, shaped, Tables.table)
PROGRAMS = {
    "two sizes": lambda x: x.reshape(halved(x.shape[0], x.shape[1])),
    "a tensor": lambda x: x.mm(mask(x.shape[1])),
    "a shape, and a keyword": lambda x: x[..., None] + shaped(x.shape, extra=1),
    "a method": lambda x: x * tables.table(x.shape[1]),
    "over several lines": lambda x: x.mm(
        mask(
            x.shape[1],
        )
    ),
    "twice": lambda x: x.mm(mask(x.shape[1])) + mask(x.shape[1]).sum(),
}


@pytest.fixture
def cold():
    for cache in CACHES:
        cache.cache_clear()


def symbolic():
    gc.collect()
    return {id(item) for item in gc.get_objects() if type(item) in (torch.SymInt, torch.SymFloat)}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_a_cached_function_is_followed_to_other_sizes(program, warm, cold):
    x, other = torch.randn(4, 3), torch.randn(8, 5)
    if warm:
        program(x), program(other)
    traced = tracelab.trace(program, x)
    assert torch.equal(traced(other), program(other))
    assert torch.equal(traced(x), program(x))


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_no_cache_holds_a_traced_number_afterwards(program, cold):
    before = symbolic()
    tracelab.trace(program, torch.randn(4, 3), check_trace=False)
    assert symbolic() == before
    assert halved(4, 3) == (2, 6)
    assert list(map(type, halved(4, 3))) == [int, int]


def test_an_error_leaves_no_traced_number_in_a_cache(cold):
    def fails(x):
        halved(x.shape[0], x.shape[1])
        raise ValueError("mine")

    with pytest.raises((ValueError, tracelab.TracelabError)):
        tracelab.trace(fails, torch.randn(4, 3))
    assert list(map(type, itertools.chain(halved(4, 3), halved(2, 5)))) == [int] * 4


def test_a_size_as_a_key_of_a_dict_is_found_and_noted():
    with pytest.warns(tracelab.TracerWarning):
        traced = tracelab.trace(lambda x: x * {3: 2.0}[x.shape[0]] + len({x.shape[0], 3}), torch.ones(3))
    assert traced(torch.ones(3)).tolist() == [3, 3, 3]
    assert "int" in {warning.kind for warning in traced.graph.warnings}
