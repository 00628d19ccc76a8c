"""What `tracelab.compat.script` says of objects, script objects or not."""

from __future__ import annotations

import io
import warnings
from typing import Any

import pytest
import torch
from torch import nn

import tracelab
from tracelab.compat import script


class Halves(nn.Module):
    def forward(self, given: torch.Tensor, times: int = 1) -> torch.Tensor:
        return given / 2 * times

    @torch.jit.export
    def twice(self, given: torch.Tensor) -> torch.Tensor:
        return given * 2


def double(given: torch.Tensor) -> torch.Tensor:
    return given * 2


def _scripted(item: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(item)


ANSWERS = {"is_function": "function", "is_module": "module", "is_cpp_module": "cpp_module", "is_graph": "graph"}


@pytest.mark.parametrize("question", ANSWERS)
def test_each_question_is_answered_by_class(question: str) -> None:
    function, module = _scripted(double), _scripted(Halves())
    items = {
        "function": function,
        "module": module,
        "cpp_module": script.unwrapped(module),
        "graph": function.graph,
        "python function": double,
        "plain module": Halves(),
        "fx graph": torch.fx.symbolic_trace(Halves()).graph,
        "tensor": torch.ones(2),
        "nothing": None,
    }
    assert [name for name, item in items.items() if getattr(script, question)(item)] == [ANSWERS[question]]


def test_a_traced_script_module_is_one_too() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(Halves(), torch.ones(2))
    assert script.is_module(traced)


def test_exported_methods_are_told_from_others() -> None:
    assert script.is_exported(Halves.twice)
    assert script.is_exported(Halves().twice)
    assert not script.is_exported(Halves.forward)
    assert not script.is_exported(3)


def test_a_trace_that_calls_a_script_module_is_drawn_and_saved() -> None:
    module = _scripted(Halves())
    traced = tracelab.trace(lambda x: module(x + 1, 3), torch.ones(2))
    assert script.parameter_names(module) == ("given", "times")
    assert '"given"' in traced.to_json()
    assert '"times"' in traced.to_json()
    assert "svg" in traced.to_svg()
    file = io.BytesIO()
    traced.save(file)
    file.seek(0)
    loaded = tracelab.load(file, allow={"torchscript"})
    assert torch.equal(loaded(torch.ones(2)), torch.full((2,), 3.0))
    # Saved again, what was loaded is drawn again.
    loaded.save(io.BytesIO())
