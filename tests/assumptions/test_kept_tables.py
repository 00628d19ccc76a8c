"""Tables that code makes once and keeps (rotary embeddings, masks): told only where what is kept is another one."""

from __future__ import annotations

import itertools
import random
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import tracelab


def told(traced: Any, *args: Any) -> tuple[Any, list[str]]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        result = traced(*args)
    return result, [str(item.message) for item in said if issubclass(item.category, tracelab.AssumptionWarning)]


def traced_of(code: Any, *args: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tracelab.trace(code, *args)


class Rotary(nn.Module):
    """The angles in an attribute, made anew where they are too few."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("inv_freq", 1.0 / torch.arange(1, 3))
        self.cos = self.sin = None

    def forward(self, x: Tensor) -> Tensor:
        n = x.size(-2)
        if self.cos is None or self.cos.size(0) < n:
            angles = torch.outer(torch.arange(n), self.inv_freq).repeat(1, 2)
            self.cos, self.sin = angles.cos(), angles.sin()
        return x * self.cos[:n] + x.flip(-1) * self.sin[:n]


class CountedRotary(nn.Module):
    """The same with a number beside buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0

    def forward(self, x: Tensor) -> Tensor:
        n = x.size(-2)
        if n > self.most:
            self.most = n
            self.register_buffer("cos", torch.outer(torch.arange(n), torch.ones(4)).cos(), persistent=False)
        return x * self.cos[:n]


class Mask(nn.Module):
    """A table that fits one size."""

    def __init__(self) -> None:
        super().__init__()
        self.mask = None

    def forward(self, x: Tensor) -> Tensor:
        n = x.size(-2)
        if self.mask is None or self.mask.size(0) != n:
            self.mask = torch.ones(n, n).tril()
        return self.mask @ x


class Positions(nn.Module):
    """A table of no size, looked for by name."""

    def forward(self, x: Tensor) -> Tensor:
        if not hasattr(self, "positions"):
            self.positions = torch.arange(4.0)
        return x + self.positions


class OfDtype(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = None

    def forward(self, x: Tensor) -> Tensor:
        if self.scale is None or self.scale.dtype != x.dtype:
            self.scale = torch.arange(4).to(x)
        return x * self.scale


class InALayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Rotary(), CountedRotary(), Mask()])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x).relu()
        return x


KEPT = [Rotary, CountedRotary, Mask, Positions, OfDtype, InALayer]


@pytest.mark.parametrize("make", KEPT)
def test_a_table_that_python_would_take_or_make_is_told_of_at_no_call(make):
    code = make()
    traced = traced_of(code, torch.randn(2, 3, 4))
    for rows in (3, 5, 2, 4, 1, 6):
        x = torch.randn(2, rows, 4)
        result, said = told(traced, x)
        torch.testing.assert_close(result, code(x))
        assert said == []


def test_another_dtype_for_which_the_code_makes_its_table_anew():
    code = OfDtype()
    traced = traced_of(code, torch.randn(2, 4))
    x = torch.randn(2, 4, dtype=torch.float64)
    result, said = told(traced, x)
    assert said == []
    torch.testing.assert_close(result, code(x))


def test_a_table_that_somebody_changed_is_told():
    code = Rotary()
    traced = traced_of(code, torch.randn(3, 4))
    code.cos.fill_(2.0)
    _, said = told(traced, torch.randn(3, 4))
    assert [text.partition(" when")[0] for text in said] == ["Rotary.cos was None"]
    assert "is a tensor that is another than this call makes at this call" in said[0]


def test_an_emptied_table_is_made_again():
    code = Rotary()
    traced = traced_of(code, torch.randn(3, 4))
    code.cos = code.sin = None
    assert told(traced, torch.randn(5, 4))[1] == []


def test_a_changed_buffer_that_the_kept_table_does_not_know_is_told():
    code = Rotary()
    traced = traced_of(code, torch.randn(3, 4))
    traced.inv_freq.fill_(5.0)
    assert told(traced, torch.randn(3, 4))[1]


def test_under_raise_it_raises():
    code = Rotary()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(code, torch.randn(3, 4), on_violation="raise")
    traced(torch.randn(5, 4))
    code.sin.zero_()
    with pytest.raises(tracelab.AssumptionError, match=r"Rotary\.sin"):
        traced(torch.randn(3, 4))


def test_a_file_has_nothing_that_is_kept(tmp_path):
    traced = traced_of(Rotary(), torch.randn(3, 4))
    tracelab.save(traced, tmp_path / "rotary.tlab")
    loaded = tracelab.load(tmp_path / "rotary.tlab")
    x = torch.randn(5, 4)
    result, said = told(loaded, x)
    assert said == []
    torch.testing.assert_close(result, traced(x))


def test_without_a_check_it_is_told():
    code = Rotary()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(code, torch.randn(3, 4), check_trace=False)
    assert told(traced, torch.randn(3, 4))[1]


# Generated ---------------------------------------------------------------------------------------------------------

GUARDS = {
    "once": lambda self, n: self.kept is None,
    "small": lambda self, n: self.kept is None or self.kept.shape[0] < n,
    "other": lambda self, n: self.kept is None or self.kept.shape[0] != n,
    "counted": lambda self, n: n > self.most,
}
CONTENTS = {
    "range": lambda self, x, n: torch.arange(n).float(),
    "scaled by the size": lambda self, x, n: torch.arange(n) / n,
    "of the values": lambda self, x, n: x.mean() + torch.zeros(n),
    "of a buffer": lambda self, x, n: torch.arange(n) * self.factor,
    "the size": lambda self, x, n: torch.full((1,), 1.0) * n,
}
USES = {
    "first part": lambda self, x, n: x * self.kept[:n].sum() if self.kept.shape[0] == 1 else x * self.kept[:n, None],
    "whole": lambda self, x, n: x * self.kept.sum(),
    "a fixed part": lambda self, x, n: x * self.kept[:2].sum(),
    "the end": lambda self, x, n: x * self.kept[-1],
    "both": lambda self, x, n: x * self.kept[:n].sum() + self.kept.sum(),
    "a slice of a slice": lambda self, x, n: x * self.kept[:n][:2].sum(),
}


class Generated(nn.Module):
    def __init__(self, guard: str, content: str, use: str) -> None:
        super().__init__()
        self.guard, self.content, self.use = GUARDS[guard], CONTENTS[content], USES[use]
        self.register_buffer("factor", torch.tensor(2.0))
        self.kept, self.most = None, 0

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        if self.guard(self, n):
            self.most = n
            self.kept = self.content(self, x, n)
        return self.use(self, x, n)


@pytest.mark.parametrize(("guard", "content", "use"), list(itertools.product(GUARDS, CONTENTS, USES)))
def test_each_call_is_right_or_told(guard, content, use):
    drawn = random.Random(f"{guard} {content} {use}")
    code = Generated(guard, content, use)
    try:
        traced = traced_of(code, torch.randn(3, 2))
    except tracelab.TracelabError:
        return
    for _ in range(6):
        x = torch.randn(drawn.randint(1, 6), 2)
        try:
            result, said = told(traced, x)
        except (RuntimeError, IndexError, tracelab.TracelabError):
            result, said = None, ["an error"]
        try:
            expected = code(x)
        except (RuntimeError, IndexError):
            continue
        assert said or torch.equal(result, expected)
