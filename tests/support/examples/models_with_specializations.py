"""Models that a trace specializes, and the inputs that show each of them wrong.

python tests/support/examples/models_with_specializations.py   # prints the table
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import tracelab
from tracelab.check import CheckReport


@dataclass(frozen=True)
class Model:
    """A module and what it is traced on."""

    make: Callable[[], nn.Module]
    inputs: Callable[[], tuple[Any, ...]]


class MixtureOfExperts(nn.Module):
    """Each token goes to one expert; experts that get no token are passed over."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(8, 3)
        self.experts = nn.ModuleList(nn.Linear(8, 8) for _ in range(3))

    def forward(self, tokens: Tensor) -> Tensor:
        chosen = self.gate(tokens).argmax(-1)
        out = torch.zeros_like(tokens)
        for number, expert in enumerate(self.experts):
            mine = (chosen == number).nonzero().flatten().tolist()
            if mine:
                out[mine] = expert(tokens[mine])
        return out


class WindowAttention(nn.Module):
    """Attention within windows; a sequence that does not fill the last window is padded."""

    def __init__(self, width: int = 16, window: int = 4) -> None:
        super().__init__()
        self.qkv, self.out, self.window = nn.Linear(width, 3 * width), nn.Linear(width, width), window

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        missing = -length % self.window
        if missing > 0:
            x = F.pad(x, (0, 0, 0, missing))
        windows = x.unflatten(1, (-1, self.window))
        q, k, v = self.qkv(windows).chunk(3, -1)
        return self.out(F.scaled_dot_product_attention(q, k, v)).flatten(1, 2)[:, :length]


class Detector(nn.Module):
    """Boxes above a threshold, the best first, never more than `most`; an image without any gives its mean."""

    def __init__(self, most: int = 5) -> None:
        super().__init__()
        self.head, self.most = nn.Conv2d(3, 5, 3, padding=1), most

    def forward(self, image: Tensor) -> Tensor:
        rows = self.head(image).flatten(2).transpose(1, 2)[0]
        kept = rows[rows[:, 4] > 0]
        if kept.shape[0] == 0:
            return rows.mean(0, keepdim=True)
        count = min(self.most, int(kept.shape[0]))
        return kept[kept[:, 4].argsort(descending=True)[:count]]


class Decoder(nn.Module):
    """Greedy decoding until the end token, in a Python loop."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.cell, self.head = nn.Embedding(12, 8), nn.GRUCell(8, 8), nn.Linear(8, 12)

    def forward(self, start: Tensor, memory: Tensor) -> Tensor:
        token, state, scores = start, memory, []
        for _ in range(6):
            state = self.cell(self.embed(token), state)
            scores.append(self.head(state))
            token = scores[-1].argmax(-1)
            if bool((token == 0).all()):
                break
        return torch.stack(scores, 1)


class Quantiser(nn.Module):
    """Scales by the greatest magnitude, as a Python number, and clips outliers."""

    def forward(self, x: Tensor) -> Tensor:
        scale = x.abs().max().item() / 127
        if scale == 0:
            return x
        steps = torch.round(x / scale)
        if (steps.abs() > 64).sum() > x.numel() // 2:
            steps = steps.clamp(-64, 64)
        return steps * scale


def seeded(function: Callable[[], Any]) -> Any:
    torch.manual_seed(0)
    return function()


MODELS = {
    "mixture of experts": Model(MixtureOfExperts, lambda: (torch.randn(6, 8),)),
    "window attention": Model(WindowAttention, lambda: (torch.randn(2, 12, 16),)),
    "detector": Model(Detector, lambda: (torch.randn(1, 3, 6, 6),)),
    "greedy decoder": Model(Decoder, lambda: (torch.tensor([3, 11]), torch.randn(2, 8))),
    "quantiser": Model(Quantiser, lambda: (torch.randn(4, 8),)),
}


def traced(name: str) -> tuple[nn.Module, tracelab.TracedModule]:
    """One model and its trace, the same each time."""
    module, inputs = seeded(MODELS[name].make).eval(), seeded(MODELS[name].inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return module, tracelab.trace(module, inputs)


def report_of(name: str, tries: int = 64) -> CheckReport:
    """The check of one model, with inputs that tracelab proposes."""
    return traced(name)[1].check(max_examples=tries, progress=False)


def counterexamples_hold(name: str) -> bool:
    """Whether model and trace differ on every input that the check names, run by hand."""
    module, trace = traced(name)
    for finding in trace.check(max_examples=64, progress=False).errors:
        args, kwargs = finding.counterexample()
        try:
            found = trace(*args, **kwargs)
        except RuntimeError:
            continue
        expected = module(*args, **kwargs)
        if found.shape == expected.shape and torch.allclose(found, expected):
            return False
    return True


def main() -> None:
    for name in MODELS:
        report = report_of(name)
        print(f"{name}: {report!r}")
        for place in report.specializations:
            source = place.diagnostic.source
            print(f"  {source.line:>3} {source.text.strip():<60.60}  {place.diagnostic.kind:<7} {place.verdict}")


if __name__ == "__main__":
    main()
