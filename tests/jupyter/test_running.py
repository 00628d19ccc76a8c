"""Runs of an explorer: what is sent to its picture, and what comes back to Python."""

from __future__ import annotations

import json
import random
import struct
import threading

import numpy as np
import pytest
import torch
from torch import nn

import tracelab
from tracelab.errors import InputError, TracelabError
from tracelab.jupyter.widget.explorer import GraphExplorer, saved_bundle
from tracelab.jupyter.widget.heatmap import heatmap
from tracelab.jupyter.widget.run_inputs import inputs_from


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.body(x)) * 2


class Told(GraphExplorer):
    """An explorer that keeps what it sends."""

    def __init__(self, traced):
        self.messages = []
        super().__init__(traced)

    def _send_columns(self, content, buffers):
        self.messages.append((content, buffers))

    def ask(self, **content):
        self._hear(self, content, [])
        thread = self._session.thread
        if thread is not None:
            thread.join()

    def of(self, kind):
        return [(content, buffers) for content, buffers in self.messages if content["type"] == kind]

    def rows(self):
        """Nodes whose figures were sent, in order."""
        return [row for content, buffers in self.of("run.progress") for row in ints(buffers[0])]


def ints(buffer):
    return list(struct.unpack(f"{len(buffer) // 4}i", buffer))


def doubles(buffer):
    return list(struct.unpack(f"{len(buffer) // 8}d", buffer))


@pytest.fixture
def explorer():
    torch.manual_seed(0)
    return Told(tracelab.trace(Net(), torch.ones(1, 3)))


# From Python -------------------------------------------------------------------------------------------------


def test_a_run_gives_its_outputs_and_shows_every_node(explorer):
    run = explorer.run(torch.ones(1, 3))
    assert run.outputs.shape == (1, 2)
    assert explorer.rows() == [0, 1, 2, 3]
    assert explorer.last_run is run


def test_without_inputs_those_of_the_trace_are_taken(explorer):
    torch.testing.assert_close(explorer.run().outputs, explorer._session._traced(torch.ones(1, 3)))


def test_statistics_travel_as_columns(explorer):
    run = explorer.run(torch.ones(1, 3))
    values, figures, bars = [], [], []
    for _, buffers in explorer.of("run.progress"):
        values += ints(buffers[3])
        figures += doubles(buffers[4])
        bars += ints(buffers[5])
    found = run.records[-1].statistics[run.graph.outputs[0]]
    assert len(values) == 4
    assert figures[-8:] == [2.0, found.min, found.max, found.mean, found.std, 0.0, 0.0, 0.0]
    assert bars[-32:] == list(found.histogram)


def test_the_end_says_where_the_first_nan_is(explorer):
    explorer.run(torch.full((1, 3), float("nan")))
    (end, _), *_ = explorer.of("run.end")
    assert (end["state"], end["nan"], end["nonfinite"]) == ("finished", 0, 0)


def test_a_node_that_fails_is_named_and_raised(explorer):
    with pytest.raises(TracelabError, match="aten::linear"):
        explorer.run(torch.ones(1, 5))
    (end, _), *_ = explorer.of("run.end")
    assert (end["state"], end["node"]) == ("failed", 0)
    assert "aten::linear" in end["message"]


def test_a_graph_without_a_function_says_what_to_show_instead(explorer):
    with pytest.raises(TracelabError, match="make one of what"):
        GraphExplorer(explorer.graph).run(torch.ones(1, 3))


def test_a_picture_put_up_later_gets_the_run_again(explorer):
    explorer.run(torch.ones(1, 3))
    explorer.messages.clear()
    explorer.ask(type="run.hello")
    assert [content["type"] for content, _ in explorer.messages] == [
        "run.ready",
        "run.begin",
        "run.progress",
        "run.end",
    ]


def test_errors_against_another_run_lie_over_the_picture(explorer):
    traced = explorer._session._traced
    explorer.overlay("error", tracelab.compare(traced, traced, torch.ones(1, 3)))
    ((header, buffers),) = explorer.of("run.overlay")
    assert header["name"] == "error"
    assert doubles(buffers[0]) == [0.0, 0.0, 0.0, 0.0]


def test_a_run_changes_nothing_of_what_a_notebook_saves(explorer):
    before = json.dumps(saved_bundle(explorer._session._traced))
    explorer.run(torch.ones(1, 3))
    after, _ = explorer._repr_mimebundle_()
    assert {**after, **json.loads(before)} == after


# From the run bar --------------------------------------------------------------------------------------------


def test_hello_names_devices_and_inputs(explorer):
    explorer.ask(type="run.hello")
    ((ready, _),) = explorer.messages
    assert ready["devices"][0] == "cpu"
    assert ready["devices"][-1] == "meta"
    assert ready["inputs"] == [{"name": "x", "type": "float32 1×3", "kept": True}]


def test_run_to_here_stops_after_that_node(explorer):
    explorer.ask(type="run.start", until=1)
    assert explorer.rows() == [0, 1]
    assert explorer.of("run.end")[0][0]["state"] == "stopped"


def test_random_inputs_of_another_shape(explorer):
    explorer.ask(type="run.start", inputs=["8×3"])
    assert explorer.last_run.outputs.shape == (8, 2)


def test_what_cannot_run_is_one_sentence(explorer):
    explorer.ask(type="run.start", inputs=["nowhere"])
    ((error, _),) = explorer.of("run.error")
    assert error["message"] == "there is no variable `nowhere` for the input x: run the cell that makes it"


def test_a_device_that_is_not_there_ends_the_run_with_a_sentence(explorer):
    explorer.ask(type="run.start", device="cuda:7")
    assert explorer.of("run.end")[0][0]["message"].startswith("there is no device `cuda:7` here; present: cpu")


def test_stop_ends_within_one_node():
    entered, go_on = threading.Event(), threading.Event()

    class Waiting(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            if tracing:
                return x + 1
            entered.set()
            go_on.wait(10)
            return x + 1

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    tracing = True
    explorer = Told(tracelab.trace(lambda x: Waiting.apply(x.sin()).cos().tan(), torch.ones(3)))
    tracing = False
    explorer._hear(explorer, {"type": "run.start"}, [])
    assert entered.wait(10)
    explorer._hear(explorer, {"type": "run.stop"}, [])
    go_on.set()
    explorer._session.thread.join()
    assert explorer.of("run.end")[0][0]["state"] == "cancelled"
    assert explorer.rows() == [0, 1]


def test_operations_are_counted_without_data(explorer):
    explorer.ask(type="run.flops")
    ((header, buffers),) = explorer.of("run.overlay")
    assert (header["name"], doubles(buffers[0])) == ("FLOPs", [24.0, 0.0, 16.0, 0.0])


# Values ------------------------------------------------------------------------------------------------------


def test_a_value_is_drawn_from_the_last_run(explorer):
    explorer.run(torch.ones(1, 3))
    row = explorer._session._rows.value[explorer.graph.nodes[0].outputs[0]]
    explorer.ask(type="run.view", value=row)
    ((answer, buffers),) = explorer.of("run.heatmap")
    assert (answer["shape"], answer["rows"], answer["columns"]) == ([1, 4], 1, 4)
    assert len(buffers[0]) == 16


def test_random_numbers_are_those_of_the_run():
    explorer = Told(tracelab.trace(lambda x: torch.nn.functional.dropout(x, 0.5).sum(), torch.ones(1, 64)))
    run = explorer.run(torch.ones(1, 64))
    state = torch.get_rng_state()
    row = explorer._session._rows.value[explorer.graph.nodes[0].outputs[0]]
    explorer.ask(type="run.view", value=row)
    (_, buffers) = explorer.of("run.heatmap")[0]
    assert sum(struct.unpack("64f", buffers[0])) == float(run.outputs)
    assert torch.equal(torch.get_rng_state(), state)


def test_looking_at_a_value_leaves_every_generator_and_the_state_of_modules():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(3)
            self.generator = torch.Generator()

        def forward(self, x):
            noise = torch.rand(x.shape, generator=self.generator)
            return self.norm(torch.nn.functional.dropout(x + noise, 0.5)).sum()

    net = Net()
    explorer = Told(tracelab.trace(net, torch.ones(8, 3), check_trace=False))
    first = explorer.run(torch.ones(8, 3))
    random.seed(1)
    np.random.seed(1)
    before = (torch.get_rng_state(), net.generator.get_state(), net.norm.running_mean.clone())
    others = random.getstate(), np.random.get_state()[1].tolist()
    norm = next(node for node in explorer.graph.nodes if "batch_norm" in node.kind)
    explorer.ask(type="run.view", value=explorer._session._rows.value[norm.outputs[0]])
    (_, buffers) = explorer.of("run.heatmap")[0]
    assert sum(struct.unpack("24f", buffers[0])) == pytest.approx(float(first.outputs), abs=1e-4)
    after = (torch.get_rng_state(), net.generator.get_state(), net.norm.running_mean)
    assert all(map(torch.equal, before, after))
    assert (random.getstate(), np.random.get_state()[1].tolist()) == others


def test_a_value_before_any_run_says_to_run(explorer):
    row = explorer._session._rows.value[explorer.graph.nodes[0].outputs[0]]
    explorer.ask(type="run.view", value=row)
    ((answer, buffers),) = explorer.of("run.heatmap_error")
    assert answer["message"].startswith("nothing ran yet")
    assert buffers == []


def test_a_heatmap_is_small_and_shows_means():
    found = heatmap(torch.arange(300.0 * 200).reshape(300, 200))
    assert (found.rows, found.columns, found.step, found.low, found.high) == (100, 100, (3, 2), 0.0, 59999.0)
    assert struct.unpack("1f", found.cells[:4]) == (200.5,)


def test_axes_and_places_of_a_slice_are_chosen():
    tensor = torch.arange(24.0).reshape(2, 3, 4)
    found = heatmap(tensor, (2, 0), (0, 1, 0))
    assert struct.unpack("8f", found.cells) == tuple(tensor[:, 1, :].t().reshape(-1).tolist())


def test_a_nan_in_a_cell_is_not_averaged_away():
    tensor = torch.zeros(256, 256)
    tensor[3, 3] = float("nan")
    cells = struct.unpack(f"{128 * 128}f", heatmap(tensor).cells)
    assert sum(cell != cell for cell in cells) == 1


@pytest.mark.parametrize(
    ("axes", "index", "message"),
    [
        ((0, 0), None, "dimensions 0 and 0 do not span a slice of a tensor of 3 dimensions"),
        ((1, 2), (9, 0, 0), "index 9 is outside dimension 0, of extent 2"),
    ],
)
def test_a_slice_that_is_not_there_is_named(axes, index, message):
    with pytest.raises(InputError, match=message):
        heatmap(torch.zeros(2, 3, 4), axes, index)


# Inputs ------------------------------------------------------------------------------------------------------


def test_random_integers_are_rows_of_the_table_they_are_looked_up_in():
    torch.manual_seed(0)
    traced = tracelab.trace(nn.Embedding(1000, 4), torch.tensor([[1, 2]]))
    (ids,) = inputs_from(traced, traced.graph, ["8×64"], {})
    assert ids.shape == (8, 64)
    assert 500 < int(ids.max()) < 1000


def test_a_variable_is_taken_by_name(explorer):
    traced = explorer._session._traced
    x = torch.zeros(2, 3)
    assert inputs_from(traced, traced.graph, ["mine"], {"mine": x}) == [x]


def test_a_variable_that_is_no_tensor_is_named(explorer):
    traced = explorer._session._traced
    with pytest.raises(InputError, match="`mine` is of type int, but the input x is a tensor"):
        inputs_from(traced, traced.graph, ["mine"], {"mine": 3})
