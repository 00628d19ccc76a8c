"""Kernels of other compilers stay one node, which launches them again.

Without a GPU Triton's interpreter runs them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

import tracelab

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"
triton = pytest.importorskip("triton", reason="needs Triton, which torch brings along with CUDA")
tl = pytest.importorskip("triton.language")

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@triton.jit
def plus_one(given, made, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(made + at, tl.load(given + at, mask=at < n) + 1, mask=at < n)


def raised(x):
    made = torch.empty_like(x)
    n = x.numel()
    plus_one[lambda options: (triton.cdiv(n, options["BLOCK"]),)](x, made, n, BLOCK=16)
    return made * 2


def test_a_launch_is_one_node_at_the_line_of_the_user():
    traced = tracelab.trace(raised, torch.ones(5, device=DEVICE))
    (node,) = [node for node in traced.graph.nodes if node.attributes.get("name") == "plus_one"]
    assert "plus_one[lambda" in Path(__file__).read_text(encoding="utf-8").splitlines()[node.source.line - 1]


def test_a_launch_follows_sizes_and_values():
    traced = tracelab.trace(raised, torch.ones(5, device=DEVICE))
    x = torch.randn(50, device=DEVICE)
    torch.testing.assert_close(traced(x), (x + 1) * 2)


def test_a_launch_with_a_tuple_as_grid_follows():
    def function(x):
        made = torch.empty_like(x)
        plus_one[(triton.cdiv(x.shape[0], 16),)](x, made, x.shape[0], BLOCK=16)
        return made

    traced = tracelab.trace(function, torch.ones(5, device=DEVICE))
    x = torch.randn(50, device=DEVICE)
    torch.testing.assert_close(traced(x), x + 1)


def test_a_launcher_that_was_fetched_before_the_trace_is_seen():
    launch = plus_one[(4,)]

    def function(x):
        made = torch.empty_like(x)
        launch(x, made, x.numel(), BLOCK=16)
        return made

    traced = tracelab.trace(function, torch.ones(5, device=DEVICE))
    x = torch.randn(50, device=DEVICE)
    torch.testing.assert_close(traced(x), x + 1)


def test_a_kernel_that_writes_into_an_input_writes_again():
    def function(x):
        plus_one[(1,)](x, x, x.numel(), BLOCK=16)
        return x.sum()

    traced = tracelab.trace(function, torch.zeros(4, device=DEVICE))
    x = torch.zeros(4, device=DEVICE)
    assert traced(x).item() == 4
    assert x.tolist() == [1, 1, 1, 1]


def test_kernels_of_triton_run_as_before_once_the_trace_is_made():
    run = type(plus_one).run.__code__
    tracelab.trace(raised, torch.ones(5, device=DEVICE))
    assert type(plus_one).run.__code__ is run


@cuda
def test_a_tuned_kernel_is_one_node():
    tuned = triton.autotune([triton.Config({"BLOCK": 16}), triton.Config({"BLOCK": 64})], key=["n"])(plus_one)

    def function(x):
        made = torch.empty_like(x)
        tuned[lambda options: (triton.cdiv(x.numel(), options["BLOCK"]),)](x, made, x.numel())
        return made

    traced = tracelab.trace(function, torch.ones(5, device=DEVICE))
    x = torch.randn(200, device=DEVICE)
    torch.testing.assert_close(traced(x), x + 1)


@cuda
def test_a_kernel_of_the_jiterator_is_one_node():
    kernel = torch.cuda.jiterator._create_jit_fn(
        "template <typename T> T weighed(T x, T y, T a) { return x + a * y; }", a=1.0
    )
    traced = tracelab.trace(lambda x: kernel(x, x * 2, a=3.0), torch.ones(3, device=DEVICE))
    x = torch.randn(5, device=DEVICE)
    torch.testing.assert_close(traced(x), x * 7)
