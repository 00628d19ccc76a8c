"""A figure of what an explorer shows, as the file that the browser asks for."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

import tracelab
from tracelab.jupyter.widget.explorer import GraphExplorer
from tracelab.render.figure import outline


def halved(x):
    return x[..., : x.shape[-1] // 2] * 0.5 + 1


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.up = nn.LayerNorm(8), nn.Linear(8, 8)

    def forward(self, x):
        return x + self.up(self.norm(x)).relu()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block() for _ in range(3)])

    def forward(self, x):
        batch, length, _ = x.shape
        for block in self.blocks:
            x = block(x)
        return halved(x.reshape(batch * length, 8))


class Asking(GraphExplorer):
    """An explorer that keeps what it sends."""

    def __init__(self, shown):
        self.sent = []
        super().__init__(shown)

    def _send_columns(self, content, buffers):
        self.sent.append((content, buffers))

    def scopes(self, *names):
        """The scopes of these names."""
        document = self._shown.document
        strings, scopes = document["strings"], document["scopes"]
        return [scope for scope, name in enumerate(scopes["name"]) if strings[name] in names]

    def asked(self, form="tex", opened=(), inlined=(), repeats=False, symbolic=False, horizontal=False):
        self._hear(
            self,
            {
                "type": "figure.ask",
                "form": form,
                "opened": list(opened),
                "inlined": list(inlined),
                "repeats": repeats,
                "symbolic": symbolic,
                "horizontal": horizontal,
            },
            [],
        )
        return self.sent[-1]

    def tikz(self, **view):
        content, (file,) = self.asked(**view)
        assert content == {"type": "figure.made", "form": "tex", "message": ""}
        return file.decode()


@pytest.fixture
def explorer():
    return Asking(tracelab.trace(Net(), torch.ones(2, 5, 8)))


def test_what_is_closed_is_a_box(explorer):
    figure = explorer.tikz()
    assert [figure.count(f"{{blocks.{number}}}") for number in range(3)] == [1, 1, 1]
    assert "relu" not in figure


def test_what_is_open_shows_what_is_in_it_and_no_more(explorer):
    figure = explorer.tikz(opened=explorer.scopes("blocks.1"))
    assert figure.count("relu") == 1
    assert figure.count("norm") == 1


def test_it_runs_from_left_to_right_where_the_picture_does(explorer):
    def size(figure):
        width, height = re.search(r"\(0,0\) rectangle \(([\d.]+),([\d.]+)\)", figure).groups()
        return float(width), float(height)

    assert size(explorer.tikz())[0] < size(explorer.tikz())[1]
    assert size(explorer.tikz(horizontal=True))[0] > size(explorer.tikz(horizontal=True))[1]


def test_repeated_blocks_are_one_where_they_are_so_on_the_screen(explorer):
    assert r"{Block $\times$ 3}" in explorer.tikz(repeats=True)
    assert [explorer.tikz(repeats=folded).count("{Block") for folded in (True, False)] == [1, 3]


def test_a_function_is_a_box_unless_calls_of_functions_are_no_groups(explorer):
    halved = explorer.scopes("halved", "halved()")
    assert len(halved) == 1
    assert "slice" not in explorer.tikz()
    inlined = explorer.tikz(inlined=halved)
    assert "slice" in inlined
    assert "halved" not in inlined


def test_sizes_have_their_names_where_the_screen_shows_them(explorer):
    assert "batch" not in explorer.tikz()
    assert "batch" in explorer.tikz(symbolic=True)


def test_the_file_is_the_same_each_time(explorer):
    pytest.importorskip("matplotlib")
    content, (first,) = explorer.asked("pdf", opened=explorer.scopes("blocks.0"))
    assert content == {"type": "figure.made", "form": "pdf", "message": ""}
    assert first.startswith(b"%PDF")
    assert explorer.asked("pdf", opened=explorer.scopes("blocks.0"))[1] == [first]


def test_what_is_too_large_is_said_in_a_sentence(explorer, monkeypatch):
    monkeypatch.setattr(outline, "_MOST", 2)
    content, buffers = explorer.asked(opened=explorer.scopes("blocks.0"))
    assert content["message"].startswith("the figure would have ")
    assert content["message"].endswith(" boxes: close some, so that there are at most 2")
    assert buffers == []


def test_a_graph_has_a_figure_with_its_numbers():
    explorer = Asking(tracelab.trace(torch.relu, torch.ones(2, 3)).graph)
    assert "relu" in explorer.tikz(symbolic=True)


def test_a_difference_says_that_its_figure_is_an_svg():
    one, other = tracelab.trace(torch.relu, torch.ones(2)), tracelab.trace(torch.tanh, torch.ones(2))
    content, buffers = Asking(tracelab.diff(one, other)).asked()
    assert "SVG" in content["message"]
    assert buffers == []


@pytest.mark.parametrize("content", [None, [], {"type": "figure"}, {}])
def test_other_messages_have_no_answer(explorer, content):
    explorer._hear(explorer, content, [])
    assert explorer.sent == []


def test_a_damaged_message_is_a_view_with_all_closed(explorer):
    explorer._hear(explorer, {"type": "figure.ask", "form": "tex", "opened": "all", "inlined": [None, "x"]}, [])
    assert explorer.sent[-1][1][0].decode() == explorer.tikz()
