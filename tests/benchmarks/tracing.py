"""Tracing and replay, side by side with torch.jit.trace, torch.export and the tracers that draw."""

from __future__ import annotations

import gc
import statistics
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

import tracelab
from tracelab.demo import GPT, ResNet

from .measuring import Measurement, against, paired, ratio_of, seconds
from .peers import drawing_tracers


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
    "gpt-demo": lambda: (GPT(layers=12).eval(), torch.randint(0, 256, (1, 32))),
    "chain-1000": lambda: (chain(1000), torch.randn(4)),
    "lstm-500": lambda: (Recurrent().eval(), torch.randn(500, 1, 8)),
    "bert-12": bert,
}
_ONLY_FULL = {"bert-12"}
_SLOW_TO_EXPORT = {"chain-1000", "lstm-500"}
_DRAWN = {"resnet50", "gpt-demo"}
"""Those that the tracers that draw are asked for: they take modules, and minutes for long ones."""


class _Called(nn.Module):
    """torch.export takes modules alone."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


def measurements(full: bool) -> Iterator[Measurement]:
    for name in CASES:
        if full or name not in _ONLY_FULL:
            yield from _speed(name, full)
    yield from _growth(100_000 if full else 10_000)
    if full:
        yield from _compiled("chain-1000")
        yield from _compiled("lstm-500")


def _speed(name: str, full: bool) -> Iterator[Measurement]:
    function, example = CASES[name]()
    module = function if isinstance(function, nn.Module) else _Called(function)

    def ours() -> Any:
        return tracelab.trace(function, example, check_trace=False, strict=False)

    def jit() -> Any:
        return torch.jit.trace(function, example, check_trace=False)

    def export() -> Any:
        return torch.export.export(module, (example,), strict=False)

    yield from against("tracing", name, "trace", ours, {"torch.jit.trace": jit}, 9 if full else 3)
    if full or name not in _SLOW_TO_EXPORT:
        yield from against("tracing", name, "trace", ours, {"torch.export": export}, 3)
    if name in _DRAWN:
        yield from against("tracing", name, "trace", ours, drawing_tracers(module, example), 5 if full else 3)
    traced, scripted = ours(), jit()
    with torch.no_grad():
        # TorchScript specializes in its first calls.
        for _ in range(5):
            scripted(example)
        peers = {"plain Python": lambda: function(example), "torch.jit.trace": lambda: scripted(example)}
        yield from against("replay", name, "call", lambda: traced(example), peers, 50 if full else 20)


def _growth(longest: int) -> Iterator[Measurement]:
    """Microseconds an operator of long chains, against those of a chain of 1,000; bytes of a node."""
    example = torch.randn(4)

    def cost(length: int) -> float:
        return seconds(lambda: tracelab.trace_graph(chain(length), example)) / length * 1e6

    short, long = paired(3, lambda: tracelab.trace_graph(chain(1000), example), lambda: None)[0], []
    for _ in short:
        long.append(cost(longest))
    short = [time / 1000 * 1e6 for time in short]
    yield Measurement(
        "tracing",
        f"chain-{longest}",
        "time an operator",
        "µs",
        statistics.median(long),
        "a chain of 1,000",
        statistics.median(short),
        ratio_of(long, short),
        own=True,
    )
    gc.collect()
    tracemalloc.start()
    graph, _ = tracelab.trace_graph(chain(longest), example)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] / len(graph.nodes)
    tracemalloc.stop()
    yield Measurement("tracing", f"chain-{longest}", "memory of a node", "bytes", held)


def _compiled(name: str) -> Iterator[Measurement]:
    """The inductor backend, which needs a C++ compiler and some minutes."""
    function, example = CASES[name]()
    fast = tracelab.trace(function, example, check_trace=False, strict=False).with_backend("inductor")
    scripted = torch.jit.trace(function, example, check_trace=False)
    with torch.no_grad():
        for _ in range(5):
            scripted(example)
        peers = {"torch.jit.trace": lambda: scripted(example)}
        yield from against("replay", name, "call, inductor backend", lambda: fast(example), peers, 30)
