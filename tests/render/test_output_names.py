"""What a result holds is called by its path in it: in summaries, pictures, documents and messages."""

from __future__ import annotations

import collections
import io
import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

import tracelab
from tracelab.check.outputs import mismatches
from tracelab.graph.output_names import output_names
from tracelab.render.text import summary_text

X = torch.ones(2)


@dataclass
class Out:
    logits: Tensor
    hidden: tuple[Tensor, ...] = ()
    note: str = "out"


class Pair(NamedTuple):
    left: Tensor
    right: Tensor


class Layer:
    def __init__(self, keys: Tensor) -> None:
        self.keys = keys


class Cache:
    def __init__(self, *layers: Layer) -> None:
        self.layers = list(layers)
        self.size: int | None = None

    def __len__(self) -> int:
        return len(self.layers)


RESULTS: dict[str, tuple[Any, list[str]]] = {
    "tensor": (lambda x: x + 1, [""]),
    "tuple": (lambda x: (x + 1, [x * 2]), ["", ""]),
    "dict": (lambda x: {"a": x + 1, "b": {"left": x, 3: x}}, ["a", 'b["left"]', "b[3]"]),
    "other keys": (lambda x: {"two words": x + 1, 0: x * 2}, ['["two words"]', "[0]"]),
    "ordered": (lambda x: collections.OrderedDict(a={"b": x + 1}), ['a["b"]']),
    "dataclass": (lambda x: Out(x + 1, (x * 2, x * 3)), ["logits", "hidden.0", "hidden.1"]),
    "named tuple": (lambda x: {"pair": Pair(x + 1, x * 2)}, ["pair.left", "pair.right"]),
    "in a tuple": (lambda x: (x.sum(), Out(x + 1)), ["", "1.logits"]),
    "cache": (
        lambda x: {"cache": Cache(Layer(x + 1), Layer(x * 2)), "logits": x},
        ["cache.0.keys", "cache.1.keys", "logits"],
    ),
    "none": (lambda x: {"a": None, "b": x + 1}, ["b"]),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_part_of_a_result_is_called_by_its_path(name: str):
    function, wanted = RESULTS[name]
    traced = tracelab.trace(function, X, strict=False)
    assert [path for _, path in output_names(traced.graph)] == wanted


@pytest.mark.parametrize("name", RESULTS)
def test_a_file_keeps_the_paths(name: str):
    traced = tracelab.trace(RESULTS[name][0], X, strict=False)
    file = io.BytesIO()
    tracelab.save(traced, file)
    file.seek(0)
    loaded = tracelab.load(file)
    assert [path for _, path in output_names(loaded.graph)] == [path for _, path in output_names(traced.graph)]


def test_the_names_of_values_stay():
    graph = tracelab.trace(lambda x: {"a": x + 1}, X, strict=False).graph
    assert [str(node).split(" = ")[0] for node in graph.nodes] == ["%add", "%dict"]


SUMMARY = """\
<lambda>: 2 ops
inputs
  x  float32[2]
outputs
  logits    float32[2]
  hidden.0  float32[2]"""


def test_the_summary_of_a_trace():
    traced = tracelab.trace(lambda x: Out(x + 1, (x * 2,)), X)
    assert summary_text(traced.graph) == SUMMARY
    assert traced.summary().splitlines()[-1] == "returns logits float32[2], hidden.0 float32[2]"


def test_a_result_without_names_is_not_listed():
    assert tracelab.trace(lambda x: (x + 1, x * 2), X).summary().splitlines()[-1] == "2 operators"


def test_the_picture_shows_the_paths():
    svg = tracelab.trace(lambda x: {"masks": {"left": x + 1}}, X, strict=False).to_dot()
    assert 'masks[\\"left\\"]' in svg


def test_the_document_of_a_view_has_the_paths():
    document = json.loads(tracelab.trace(lambda x: (x * 3, Out(x + 1)), X).to_json())
    names = [document["strings"][at] if at >= 0 else "" for at in document["output_names"]]
    assert names[-1] == "1.logits"
    assert "output_names" not in json.loads(tracelab.trace(lambda x: x + 1, X).to_json())


def test_a_message_names_the_output():
    wanted = {"logits": X, "cache": Cache(Layer(X), Layer(X))}
    found = {"logits": X, "cache": Cache(Layer(X), Layer(X * 2))}
    messages = [str(item) for item in mismatches(wanted, found, 1e-5)]
    assert [message.partition(":")[0] for message in messages] == [
        "Output nr 3. (cache.1.keys) of the traced function does not match the corresponding output of the Python "
        "function"
    ]
