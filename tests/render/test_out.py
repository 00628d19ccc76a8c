"""Graphs written out: HTML, SVG, DOT, JSON."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html.parser
import json
import re
import subprocess
import sys

import pytest
import torch
from torch import nn

import tracelab
from tracelab.errors import TracelabError
from tracelab.render import html as page_module
from tracelab.render.html import document_html
from tracelab.render.view_document.document import view_bytes


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.body(x)) * 2


class Scripts(html.parser.HTMLParser):
    """The scripts of a page, as a browser's parser cuts them out."""

    def __init__(self, text):
        super().__init__()
        self.kinds, self.texts, self.tags = [], [], []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "script":
            self.kinds.append(dict(attributes).get("type"))
            self.texts.append("")
            self.inside = True

    def handle_endtag(self, tag):
        if tag == "script":
            self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.texts[-1] += data


@pytest.fixture
def traced():
    return tracelab.trace(Net(), torch.ones(1, 3))


def plain(graph):
    """The document as a reader gets it: of lists and objects."""
    return json.loads(view_bytes(graph))


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A front end that is small enough to compare: the real one needs a build."""
    (tmp_path / "page.html").write_text(
        '<title>{{title}}</title><meta content="{{policy}}">'
        '<script type="application/json">{{document}}</script><script type="module">{{script}}</script>'
    )
    (tmp_path / "page.js").write_text("start()")
    monkeypatch.setattr(page_module, "_STATIC", tmp_path)
    return tmp_path


def test_a_page_holds_the_view_document(traced, built):
    scripts = Scripts(traced.to_html())
    assert json.loads(scripts.texts[0]) == plain(traced.graph)


def a_long_chain(x):
    for _ in range(6000):
        x = x + 1
    return x


def unpacked(text):
    """What the explorer's own script makes of it."""
    found = json.loads(gzip.decompress(base64.b64decode(json.loads(text))))
    for table, column in found["differences"]:
        running = 0

        def summed(item):
            nonlocal running
            if isinstance(item, list):
                return [summed(part) for part in item]
            running += item
            return running

        found["document"][table][column] = summed(found["document"][table][column])
    return found["document"]


def test_a_large_document_is_packed(built):
    long = tracelab.trace(a_long_chain, torch.ones(2), check_trace=False)
    page = long.to_html()
    assert unpacked(Scripts(page).texts[0]) == plain(long.graph)
    assert len(page) < len(view_bytes(long.graph)) / 8
    assert page == long.to_html()


def test_a_page_is_written_to_a_path(traced, built, tmp_path):
    assert traced.to_html(tmp_path / "net.html") is None
    assert (tmp_path / "net.html").read_text(encoding="utf-8") == traced.to_html()


def test_a_page_lets_only_its_own_script_run(traced, built):
    digest = base64.b64encode(hashlib.sha256(b"start()").digest()).decode()
    assert f"content=\"'sha256-{digest}'\"" in traced.to_html()


@pytest.mark.parametrize(
    "text",
    ["</script><script>alert(1)</script>", "<!--<script>", "{{script}}", "]]>", "\u2028", "\\u003c/script>"],
)
def test_text_of_a_document_stays_text(traced, built, text):
    document = plain(traced.graph)
    document["name"] = text
    document["strings"] = [f"{each}{text}" for each in document["strings"]]
    scripts = Scripts(document_html(document))
    assert scripts.tags == ["title", "meta", "script", "script"]
    assert json.loads(scripts.texts[0]) == document


def test_without_a_front_end_the_way_out_is_named(traced, tmp_path, monkeypatch):
    monkeypatch.setattr(page_module, "_STATIC", tmp_path)
    with pytest.raises(TracelabError, match=r"page\.html is missing; install tracelab from a wheel, or run `npm"):
        traced.to_html()


def test_json_is_the_view_document(traced):
    assert json.loads(traced.to_json()) == plain(traced.graph)


def test_dot_draws_at_most_so_many_boxes(traced):
    assert len(re.findall(r"^\s+n\d+ \[", traced.to_dot(max_boxes=2), re.MULTILINE)) <= 2


def test_svg_is_a_picture(traced, tmp_path):
    traced.to_svg(tmp_path / "net.svg")
    assert (tmp_path / "net.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_a_picture_without_boxes_is_refused(traced):
    with pytest.raises(ValueError, match="max_boxes is 0"):
        traced.to_svg(max_boxes=0)


def test_a_traced_function_is_written_out_too():
    assert json.loads(tracelab.trace(lambda x: x + 1, torch.ones(2)).to_json())["summary"]["ops"] == 1


def test_tracing_does_not_import_the_pictures():
    code = "import sys, torch, tracelab.execute; print('graphviz' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
