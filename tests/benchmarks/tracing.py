"""Tracing and replay, side by side with torch.jit.trace and eager: medians, as ratios.

python tests/benchmarks/tracing.py [case ...] [compiled]

`compiled` runs the chain and the LSTM on the inductor backend; it needs a C++ compiler and some minutes.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

import tracelab
from tracelab.demo import GPT, ResNet


def chain(length: int) -> Callable[[Tensor], Tensor]:
    def run(x: Tensor) -> Tensor:
        for _ in range(length):
            x = x + 1
        return x

    return run


class Recurrent(nn.Module):
    """An LSTM cell, 500 steps."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(8, 8)

    def forward(self, steps: Tensor) -> Tensor:
        h = c = torch.zeros(steps.shape[1], 8)
        for step in range(500):
            h, c = self.cell(steps[step], (h, c))
        return h


def gpt2() -> tuple[nn.Module, Tensor]:
    from transformers import GPT2Config, GPT2Model

    config = GPT2Config(n_embd=192, n_layer=12, n_head=4, vocab_size=500, use_cache=False)
    config.return_dict = False
    return GPT2Model(config).eval(), torch.randint(0, 500, (1, 32))


def bert() -> tuple[nn.Module, Tensor]:
    from transformers import BertConfig, BertModel

    config = BertConfig(
        hidden_size=192, num_attention_heads=4, intermediate_size=384, vocab_size=500, return_dict=False
    )
    config.return_dict = False
    return BertModel(config).eval(), torch.randint(0, 500, (1, 32))


CASES: dict[str, Callable[[], tuple[Callable[..., Any], Tensor]]] = {
    "resnet50": lambda: (ResNet.resnet50(1000, 16).eval(), torch.randn(1, 3, 64, 64)),
    "gpt2-12": gpt2,
    "bert-12": bert,
    "gpt-demo": lambda: (GPT(layers=12).eval(), torch.randint(0, 256, (1, 32))),
    "chain-1000": lambda: (chain(1000), torch.randn(4)),
    "lstm-500": lambda: (Recurrent().eval(), torch.randn(500, 1, 8)),
}


def medians(rounds: int, *functions: Callable[[], Any]) -> list[float]:
    """Median seconds of each, taken in turns so that a busy machine slows all alike."""
    for function in functions:
        function()
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        for function, found in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            found.append(time.perf_counter() - start)
    return [statistics.median(found) for found in times]


def speed(name: str) -> None:
    function, example = CASES[name]()
    ours, theirs = medians(
        5,
        lambda: tracelab.trace(function, example, check_trace=False, strict=False),
        lambda: torch.jit.trace(function, example, check_trace=False),
    )
    traced = tracelab.trace(function, example, check_trace=False, strict=False)
    scripted = torch.jit.trace(function, example, check_trace=False)
    with torch.no_grad():
        for _ in range(5):
            scripted(example)
        eager, replay, script = medians(
            30, lambda: function(example), lambda: traced(example), lambda: scripted(example)
        )
    print(
        f"{name:12}{ours * 1e3:9.1f}{theirs * 1e3:9.1f}{ours / theirs:7.2f}   "
        f"{replay * 1e3:8.2f}{eager * 1e3:8.2f}{script * 1e3:8.2f}{replay / eager:7.2f}{replay / script:7.2f}"
    )


def growth() -> None:
    example = torch.randn(4)
    print("\ntrace time per op, and memory of the graph")
    for length in (1_000, 10_000, 100_000):
        start = time.perf_counter()
        tracelab.trace_graph(chain(length), example)
        print(f"  {length:7,} ops  {(time.perf_counter() - start) / length * 1e6:6.1f} µs/op")
    gc.collect()
    tracemalloc.start()
    graph, _ = tracelab.trace_graph(chain(100_000), example)
    gc.collect()
    print(f"  {tracemalloc.get_traced_memory()[0] / len(graph.nodes):.0f} bytes a node")
    tracemalloc.stop()


def compiled(name: str) -> None:
    function, example = CASES[name]()
    fast = tracelab.trace(function, example, check_trace=False, strict=False).with_backend("inductor")
    scripted = torch.jit.trace(function, example, check_trace=False)
    with torch.no_grad():
        start = time.perf_counter()
        fast(example)
        took = time.perf_counter() - start
        for _ in range(5):
            scripted(example)
        ours, theirs = medians(30, lambda: fast(example), lambda: scripted(example))
    print(
        f"{name:12}compiled {ours * 1e3:8.2f} ms, jit {theirs * 1e3:8.2f} ms, ratio {ours / theirs:.2f}; "
        f"the first call took {took:.0f} s"
    )


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"torch {torch.__version__}; ms; trace without check; replay under no_grad")
    print(f"{'':12}{'trace':>9}{'jit':>9}{'ratio':>7}   {'replay':>8}{'eager':>8}{'jit':>8}{'/eager':>7}{'/jit':>7}")
    cases = [name for name in names if name != "compiled"]
    for name in cases or list(CASES):
        speed(name)
    if not names:
        growth()
    if "compiled" in names:
        for name in ("chain-1000", "lstm-500"):
            compiled(name)


if __name__ == "__main__":
    main(sys.argv[1:])
