"""Sizes by name in an explorer: asked for when its picture is up, worked out while the kernel is idle."""

from __future__ import annotations

import gc
import json
import logging
import weakref

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import tracelab
from tracelab.execute.shapes.breaks import Breaks, Ended
from tracelab.execute.shapes.known import known_shapes
from tracelab.jupyter.widget.explorer import GraphExplorer, saved_bundle
from tracelab.jupyter.widget.kernel_breaks import KERNEL
from tracelab.protocol.view_document import MIME_TYPE


class Told(GraphExplorer):
    """An explorer that keeps what it sends."""

    def __init__(self, traced):
        self.messages = []
        super().__init__(traced)

    def _send_columns(self, content, buffers):
        self.messages.append(content)

    def names(self):
        """Sizes by name that it is told, by the names of values."""
        self._hear(self, {"type": "sizes.ask"}, [])
        self._naming.thread.join(timeout=60)
        told = [content for content in self.messages if content["type"] == "sizes.told"]
        document = json.loads(self._document)
        names = [document["strings"][row] for row in document["values"]["name"]]
        return {names[row]: texts for row, texts in told[-1]["sizes"]} if told else None


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(4, 4)

    def forward(self, x):
        batch, length, width = x.shape
        return self.mix(x.reshape(batch * length, width)).relu()


def traced_attention():
    return tracelab.trace(Attention(), torch.ones(2, 5, 4))


def test_an_explorer_is_told_the_names_of_sizes():
    assert Told(traced_attention()).names() == {
        "x": ["batch", "length", "4"],
        "reshape": ["length*batch", "4"],
        "linear": ["length*batch", "4"],
        "relu": ["length*batch", "4"],
    }


def test_names_that_were_given_are_those_that_it_is_told():
    traced = tracelab.trace(lambda x: x.relu(), torch.ones(2, 3))
    traced.shapes(dims={"x": ("rows", "columns")})
    assert Told(traced).names() == {"x": ["rows", "columns"], "relu": ["rows", "columns"]}


def test_a_value_of_unknown_sizes_has_no_names():
    traced = tracelab.trace(lambda x: (x.nonzero(), x.relu()), torch.ones(3))
    assert "nonzero" not in Told(traced).names()


def test_they_are_worked_out_once():
    traced = traced_attention()
    first = known_shapes(traced)
    Told(traced).names()
    assert known_shapes(traced) is first


@pytest.mark.parametrize("make", [traced_attention, lambda: tracelab.trace(torch.relu, torch.ones(2))])
def test_they_go_with_the_trace(make):
    traced = make()
    traced.shapes()
    gone = weakref.ref(traced)
    del traced
    gc.collect()
    assert gone() is None


def test_after_an_edit_they_are_worked_out_again():
    traced = tracelab.trace(lambda x: x.relu(), torch.ones(2, 3))
    first = traced.shapes()
    relu = traced.graph.find_nodes("relu")[0]
    with traced.graph.inserting_after(relu):
        traced.graph.call_function(torch.ops.aten.sin.default, (relu.output,))
    assert traced.shapes() is not first


def test_a_picture_of_a_graph_that_was_edited_since_is_told_nothing():
    traced = tracelab.trace(lambda x: x.relu(), torch.ones(2, 3))
    explorer = Told(traced)
    traced.graph = tracelab.trace(lambda x: x.sin(), torch.ones(2, 3)).graph
    assert explorer.names() is None


def test_a_large_graph_waits_until_somebody_asks(monkeypatch):
    monkeypatch.setattr("tracelab.jupyter.widget.size_names._MOST_NODES", 0)
    traced = tracelab.trace(lambda x: x.relu(), torch.ones(2, 3))
    explorer = Told(traced)
    explorer._hear(explorer, {"type": "sizes.ask"}, [])
    assert explorer._naming.thread is None
    traced.shapes()
    assert explorer.names() == {"x": ["x.0", "x.1"], "relu": ["x.0", "x.1"]}


def test_a_difference_has_no_names_to_tell():
    one, other = tracelab.trace(torch.relu, torch.ones(2)), tracelab.trace(torch.sin, torch.ones(2))
    explorer = Told(tracelab.diff(one, other))
    explorer._hear(explorer, {"type": "sizes.ask"}, [])
    assert explorer.messages == []


# What a notebook saves --------------------------------------------------------------------------------------


def saved_sizes(traced):
    return saved_bundle(traced)[MIME_TYPE]["values"].get("sizes")


def test_what_a_notebook_saves_has_none_before_somebody_asks():
    traced = traced_attention()
    assert saved_sizes(traced) is None


def test_what_was_told_in_the_background_is_not_saved():
    traced = traced_attention()
    before = saved_bundle(traced)
    Told(traced).names()
    assert saved_bundle(traced) == before


def test_what_a_notebook_saves_has_those_that_somebody_asked_for():
    traced = tracelab.trace(lambda x: x.relu(), torch.ones(2, 3))
    traced.shapes()
    bundle = saved_bundle(traced)[MIME_TYPE]
    assert [[bundle["strings"][text] for text in texts] for _, texts in bundle["values"]["sizes"]] == [
        ["x.0", "x.1"],
        ["x.0", "x.1"],
    ]


def test_a_page_has_them_where_it_is_asked_to():
    traced = tracelab.trace(lambda x: x.relu(), torch.ones(2, 3))
    plain = traced.to_html()
    assert '"x.1"' not in plain
    assert '"x.1"' in traced.to_html(shapes=True)
    assert traced.to_html(shapes=False) == plain


# In the background --------------------------------------------------------------------------------------------


def noisy(x):
    torch.manual_seed(3)
    return F.dropout(x + torch.randn(x.shape), 0.5)


def test_random_numbers_stay_as_they_are():
    traced = tracelab.trace(noisy, torch.ones(2, 3))
    torch.manual_seed(99)
    before = torch.get_rng_state()
    traced.shapes()
    assert torch.equal(torch.get_rng_state(), before)


GENERATOR = torch.Generator()


def seeded(x):
    GENERATOR.manual_seed(1)
    return x * torch.rand(2, 3, generator=GENERATOR)


def test_generators_stay_as_they_are():
    traced = tracelab.trace(seeded, torch.ones(2, 3))
    GENERATOR.manual_seed(99)
    before = GENERATOR.get_state()
    traced.shapes()
    assert torch.equal(GENERATOR.get_state(), before)


def test_nothing_is_worked_out_while_a_cell_runs():
    explorer = Told(traced_attention())
    with KERNEL.busy():
        explorer._hear(explorer, {"type": "sizes.ask"}, [])
        explorer._naming.thread.join(timeout=0.3)
        assert explorer.messages == []
    explorer._naming.thread.join(timeout=60)
    assert [content["type"] for content in explorer.messages] == ["sizes.told"]


class OneBreak(Breaks):
    """Breaks that come once, after some steps; keeps what it finds as it rests."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self.found = []

    @property
    def wanted(self):
        self.steps -= 1
        return self.steps == 0

    def wait(self):
        logger = logging.getLogger("of the user")
        self.found.append((torch.ones(2, 2).sum().item(), torch.is_grad_enabled(), logger.isEnabledFor(logging.ERROR)))


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_while_it_rests_torch_and_logging_are_as_they_were(steps):
    breaks = OneBreak(steps)
    known_shapes(traced_attention(), breaks=breaks)
    assert breaks.found == [(4.0, True, True)]


def test_a_break_changes_nothing_of_what_is_found():
    plain = known_shapes(traced_attention()).by_name().values()
    assert list(known_shapes(traced_attention(), breaks=OneBreak(2)).by_name().values()) == list(plain)


def test_when_the_process_ends_so_does_the_work():
    breaks = Breaks()
    breaks.finish()
    with pytest.raises(Ended):
        known_shapes(traced_attention(), breaks=breaks)


def test_a_cell_that_made_an_explorer_counts_as_running_until_it_ends(shell):
    shell.run("import tracelab\nfrom tracelab.jupyter.widget.kernel_breaks import KERNEL, _followed\n_followed.clear()")
    shell.run("explorer = tracelab.GraphExplorer(tracelab.trace(torch.relu, torch.ones(2)))\nduring = KERNEL.wanted")
    assert (shell.space["during"], KERNEL.wanted) == (True, False)


def test_every_cell_after_it_counts_too(shell):
    shell.run("import tracelab\nfrom tracelab.jupyter.widget.kernel_breaks import KERNEL")
    shell.run("explorer = tracelab.GraphExplorer(tracelab.trace(torch.relu, torch.ones(2)))")
    shell.run("during = KERNEL.wanted")
    assert (shell.space["during"], KERNEL.wanted) == (True, False)
