"""TorchScript of modules that have no method `forward`, or several forms of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import tracelab
from tracelab.errors import TracelabFileError
from tracelab.render.export import to_html


class Coder(nn.Module):
    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        return self._twice(x) + 1

    @torch.jit.export
    def _twice(self, x: Tensor) -> Tensor:
        return x * 2


class Both(Coder):
    @torch.jit.export
    def decode(self, x: Tensor) -> Tensor:
        return x - 1


def scripted(module: nn.Module, path: Path) -> Path:
    torch.jit.save(torch.jit.script(module), path)
    return path


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_a_scripted_recurrent_layer_is_read_and_shown(name: str, tmp_path: Path) -> None:
    layer = {"lstm": nn.LSTM, "gru": nn.GRU}[name](3, 4)
    graph = tracelab.read(scripted(layer, tmp_path / "net.pt"))
    assert [value.name for value in graph.user_inputs] == ["input", "hx"]
    assert f"aten::{name}(" in str(graph)
    graph.lint()
    assert (to_html(graph) or "").startswith("<!doctype html>")


def test_the_only_public_method_is_read(tmp_path: Path) -> None:
    graph = tracelab.read(scripted(Coder(), tmp_path / "net.pt"))
    assert [node.kind for node in graph.nodes if node.kind.startswith("aten")] == ["aten::mul", "aten::add"]


def test_several_public_methods_are_named(tmp_path: Path) -> None:
    with pytest.raises(TracelabFileError, match=r"has no method `forward`, but has `decode`, `encode`: tracelab.from_"):
        tracelab.read(scripted(Both(), tmp_path / "net.pt"))
