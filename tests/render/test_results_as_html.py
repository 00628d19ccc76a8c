"""What a notebook shows of a result: tables without script, for light and dark pages, with all text escaped."""

from __future__ import annotations

import copy
import pickle
from html.parser import HTMLParser

import pytest
import torch
from torch import nn

import tracelab

X = torch.randn(2, 4)
VOID = {"br", "hr", "img"}


class Parsed(HTMLParser):
    """The elements of some HTML; fails where one is not closed in its place."""

    def __init__(self, text):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.cells: list[list[str]] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "tr":
            self.cells.append([])
        elif tag in ("th", "td"):
            self.cells[-1].append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if not {"th", "td"}.isdisjoint(self._open):
            self.cells[-1][-1] += data

    @property
    def text(self):
        return "".join(self.words)


def html_of(result):
    if hasattr(result, "_repr_mimebundle_"):
        return result._repr_mimebundle_()["text/html"]
    return result._repr_html_()


@pytest.fixture(scope="module")
def traced():
    net = nn.Sequential(nn.Linear(4, 8), nn.Sequential(nn.ReLU(), nn.Linear(8, 2)))
    return tracelab.trace(net, X)


def results():
    net = nn.Sequential(nn.Linear(4, 8), nn.Sequential(nn.ReLU(), nn.Linear(8, 2)))
    traced = tracelab.trace(net, X)
    branching = tracelab.trace(lambda x: x * 2 if x.shape[0] > 1 else x, X, check_trace=False)
    return {
        "run": traced.run(X),
        "run with statistics": traced.run(X, statistics=True),
        "run without data": traced.run(X.to("meta"), device="meta"),
        "profile": traced.profile(X, repeat=1, warmup=0),
        "comparison": tracelab.compare(traced, tracelab.trace(net, X), X),
        "assumptions": branching.assumptions,
        "no assumptions": tracelab.trace(torch.relu, X).assumptions,
        "summary": traced.summary(),
        "check": traced.check(max_examples=4),
    }


@pytest.mark.parametrize("name", list(results()))
def test_it_is_sound_and_runs_nothing(name):
    parsed = Parsed(html_of(results()[name]))
    assert not {"script", "style", "iframe", "img"} & {tag for tag, _ in parsed.tags}
    assert all(attributes["href"].startswith("#tracelab:") for tag, attributes in parsed.tags if tag == "a")
    assert not any(key.startswith("on") for _, attributes in parsed.tags for key in attributes)


@pytest.mark.parametrize("name", list(results()))
def test_tables_say_what_their_rows_and_columns_are(name):
    text = html_of(results()[name])
    parsed = Parsed(text)
    tables = [tag for tag, _ in parsed.tags if tag == "table"]
    captions = [tag for tag, _ in parsed.tags if tag == "caption"]
    assert len(tables) == len(captions)
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in parsed.tags if tag == "th")
    assert len({len(row) for row in parsed.cells}) <= len(tables)


@pytest.mark.parametrize("name", list(results()))
def test_colours_are_those_of_the_page(name):
    text = html_of(results()[name])
    known = ("c62828", "2e7d32", "tracelab:")
    fixed = [part for part in text.split("#")[1:] if not part.lower().startswith(known)]
    assert fixed == []


def test_a_run_shows_its_nodes_with_what_they_made(traced):
    parsed = Parsed(html_of(traced.run(X)))
    assert parsed.cells[0] == ["value", "operator", "module", "makes", "time"]
    assert [row[:4] for row in parsed.cells[1:]] == [
        ["%linear", "aten::linear", "0", "float32[2, 8]"],
        ["%relu", "aten::relu", "1.0", "float32[2, 8]"],
        ["%linear.1", "aten::linear", "1.1", "float32[2, 2]"],
    ]
    assert "1 Sequential, 2 nodes" in parsed.text


def test_the_time_of_a_profile_stands_before_its_other_numbers(traced):
    head, first, *_ = Parsed(html_of(traced.profile(X, repeat=1, warmup=0))).cells
    assert head == ["value", "operator", "module", "bound", "time", "share", "of peak", "GFLOP/s", "GB/s"]
    assert first[4].endswith("s")
    assert first[5].endswith("%")


def test_what_a_row_is_of_can_be_selected_in_the_explorer(traced):
    links = [attributes["href"] for tag, attributes in Parsed(html_of(traced.run(X))).tags if tag == "a"]
    assert links[2:] == ["#tracelab:%25relu", "#tracelab:1.0", "#tracelab:%25linear.1", "#tracelab:1.1"]


def test_a_name_stays_inside_of_its_link():
    graph = tracelab.trace(nn.Sequential(nn.ReLU()), X)
    graph.graph.nodes[-1].outputs[0].name = """x" onclick='f()' \ud800/?&"""
    links = [attributes for tag, attributes in Parsed(html_of(graph.run(X))).tags if tag == "a"]
    assert links[0]["href"] == "#tracelab:%25x%22%20onclick%3D%27f%28%29%27%20%3F%2F%3F%26"
    assert set(links[0]) == {"href", "style"}


def test_a_run_on_other_sizes_claims_no_sizes(traced):
    parsed = Parsed(html_of(traced.run(torch.randn(5, 4))))
    assert {row[3] for row in parsed.cells[1:]} == {"float32"}


def test_a_run_on_meta_has_no_times(traced):
    parsed = Parsed(html_of(traced.run(X.to("meta"), device="meta")))
    assert parsed.cells[0] == ["value", "operator", "module", "makes"]


def test_the_first_nan_is_named():
    traced = tracelab.trace(lambda x: x.log() * 2, torch.ones(2))
    parsed = Parsed(html_of(traced.run(-torch.ones(2), check_finite=True)))
    assert "first NaN: aten::log (%log" in parsed.text
    assert [row[4] for row in parsed.cells[1:]] == ["NaN", "NaN"]


def test_a_long_run_shows_the_slowest_nodes():
    def code(x):
        for _ in range(50):
            x = x + 1
        return x

    parsed = Parsed(html_of(tracelab.trace(code, X).run(X)))
    assert "the 24 slowest of 50 nodes, in their order" in parsed.text
    assert len(parsed.cells) == 25


def test_a_comparison_marks_what_differs():
    one = tracelab.trace(lambda x: (x.sin() + 1).exp(), X)
    two = tracelab.trace(lambda x: (x.sin() + 1.5).exp(), X)
    parsed = Parsed(html_of(tracelab.compare(one, two, X)))
    assert [row[:3] for row in parsed.cells[1:]] == [
        ["", "%sin", "aten::sin"],
        ["differs", "%add", "aten::add"],
        ["differs", "%exp", "aten::exp"],
    ]


def test_a_summary_shows_as_a_table_and_prints_as_text(traced):
    summary = traced.summary()
    parsed = Parsed(html_of(summary))
    assert parsed.cells[0] == ["module", "class", "operators", "parameters", "output"]
    assert parsed.cells[-1] == ["1", "Linear", "1", "18", "float32[2, 2]"]
    assert repr(summary) == str(summary)
    assert pickle.loads(pickle.dumps(summary)) == copy.deepcopy(summary) == summary


def test_names_are_escaped():
    graph = tracelab.trace(nn.Sequential(nn.ReLU()), X)
    graph.graph.nodes[-1].outputs[0].name = '<img src=x onerror="alert(1)">\x1b[31m'
    text = html_of(graph.run(X))
    assert "<img" not in text
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;\N{REPLACEMENT CHARACTER}[31m" in text


def test_a_check_and_assumptions_give_the_same_bytes():
    assert html_of(results()["assumptions"]) == html_of(results()["assumptions"])


def test_a_terminal_gets_the_text(traced):
    run = traced.run(X)
    assert run._repr_mimebundle_()["text/plain"] == str(run)


def test_a_run_is_a_data_frame(traced):
    frame = traced.run(X, statistics=True).to_pandas()
    assert list(frame["operator"]) == ["aten::linear", "aten::relu", "aten::linear"]
    assert list(frame["module"]) == ["0", "1.0", "1.1"]
    assert frame["zeros"].iloc[1] == int((traced.run(X, record=["relu"])["relu"] == 0).sum())


def test_a_comparison_is_a_data_frame():
    one, two = (tracelab.trace(f, X) for f in (torch.sin, torch.sin))
    frame = tracelab.compare(one, two, X).to_pandas()
    assert frame.to_dict("records") == [
        {
            "a": "sin",
            "b": "sin",
            "operator": "aten::sin",
            "module": "",
            "differs": "",
            "max_abs": 0.0,
            "max_rel": 0.0,
            "cosine": 1.0,
            "ulp": 0,
        }
    ]
