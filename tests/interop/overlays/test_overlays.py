"""`tracelab.read_overlay`: profiles of torch.profiler and Model Explorer's node data on a trace."""

from __future__ import annotations

import gzip
import io
import json
import math

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

import tracelab


def _net():
    torch.manual_seed(0)
    body = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU())
    return torch.nn.Sequential(
        body, torch.nn.Flatten(), torch.nn.Linear(8 * 36, 4), torch.nn.Linear(4, 4), torch.nn.Softmax(-1)
    ).eval()


@pytest.fixture(scope="module")
def traced():
    return tracelab.trace(_net(), torch.ones(2, 3, 8, 8))


def _profiled(tmp_path, runs=1, suffix=".json", shapes=True, size=2):
    net, x = _net(), torch.ones(size, 3, 8, 8)
    with profile(activities=[ProfilerActivity.CPU], record_shapes=shapes) as found:
        for _ in range(runs):
            net(x)
    path = tmp_path / f"profile{suffix}"
    found.export_chrome_trace(str(path))
    return path


def _operator(name, ts, dur, external=0, dims=None, tid=1):
    args = {"External id": external, **({"Input Dims": dims} if dims is not None else {})}
    return {"ph": "X", "cat": "cpu_op", "name": name, "pid": 1, "tid": tid, "ts": ts, "dur": dur, "args": args}


def _kernel(dur, **args):
    return {"ph": "X", "cat": "kernel", "name": "k", "pid": 0, "tid": 7, "ts": 0, "dur": dur, "args": args}


def _read(events, traced):
    return tracelab.read_overlay(io.BytesIO(json.dumps({"traceEvents": events}).encode()), traced)


def _two_relus():
    return tracelab.trace(lambda x: x.relu().relu(), torch.ones(2, 3))


@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
@pytest.mark.parametrize("shapes", [True, False])
def test_every_operator_of_a_profile_of_the_same_model_is_found(traced, tmp_path, suffix, shapes):
    overlay = tracelab.read_overlay(_profiled(tmp_path, suffix=suffix, shapes=shapes), traced)
    wanted = {node for node in traced.graph.nodes if node.schema is not None}
    assert set(overlay.values) == wanted
    assert all(seconds > 0 for seconds in overlay.values.values())


def test_a_profile_of_another_batch_size_fits_by_its_names(traced, tmp_path):
    overlay = tracelab.read_overlay(_profiled(tmp_path, size=5), traced)
    assert {node.kind for node in overlay.values} >= {"aten::conv2d", "aten::linear", "aten::softmax"}


def test_several_runs_give_their_mean(traced, tmp_path):
    overlay = tracelab.read_overlay(_profiled(tmp_path, runs=4), traced)
    assert overlay.note.endswith("mean of 4 runs")


def test_a_module_has_the_sum_of_its_nodes(traced, tmp_path):
    overlay = tracelab.read_overlay(_profiled(tmp_path), traced)
    parts = [overlay.values[node] for node in overlay.values if node.scope.path.startswith("0")]
    assert len(parts) >= 3
    assert math.isclose(overlay["0"], sum(parts))
    assert math.isclose(overlay.modules[traced.graph.root], sum(overlay.values.values()))


def test_a_table_has_a_row_for_each_node(traced, tmp_path):
    table = tracelab.read_overlay(_profiled(tmp_path), traced).to_pandas()
    assert "aten::conv2d" in set(table["operator"])
    assert (table["time"] == table["operator seconds"]).all()


def test_operators_are_told_apart_by_their_shapes():
    traced = _two_relus()
    events = [_operator("aten::relu", ts, 10, dims=[shape]) for ts, shape in ((0, [9, 9]), (20, [2, 3]), (40, [2, 3]))]
    events[0]["dur"], events[1]["dur"], events[2]["dur"] = 1, 2, 3
    overlay = _read(events, traced)
    assert [round(1e6 * seconds) for seconds in overlay.values.values()] == [2, 3]


def test_an_operator_inside_another_is_not_taken_for_the_next_node():
    traced = tracelab.trace(lambda x: x.reshape(6).view(3, 2), torch.ones(2, 3))
    events = [_operator("aten::reshape", 0, 9), _operator("aten::view", 2, 1), _operator("aten::view", 20, 5)]
    overlay = _read(events, traced)
    assert [round(1e6 * overlay.values[node]) for node in traced.graph.nodes if node in overlay.values] == [9, 5]


def test_kernels_count_for_the_operator_that_started_them():
    launch = {"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "ts": 1, "dur": 1}
    launch["args"] = {"External id": 2, "correlation": 70}
    events = [
        _operator("aten::relu", 0, 10, external=1),
        _operator("aten::clamp_min", 1, 5, external=2),
        launch,
        _operator("aten::relu", 20, 10, external=3),
        _kernel(100, correlation=70),
        _kernel(30, **{"External id": 3}),
    ]
    overlay = _read(events, _two_relus())
    assert [round(1e6 * seconds) for seconds in overlay.values.values()] == [100, 30]
    assert list(overlay.columns) == ["operator seconds", "kernel seconds"]


def test_the_thread_of_the_model_is_chosen():
    others = [_operator("aten::relu", 1, 7, tid=2)]
    events = [*others, _operator("aten::relu", 0, 1), _operator("aten::relu", 5, 2)]
    assert [round(1e6 * seconds) for seconds in _read(events, _two_relus()).values.values()] == [1, 2]


def test_node_data_comes_back_as_it_was_written(traced, tmp_path):
    overlay = tracelab.read_overlay(_profiled(tmp_path), traced)
    overlay.to_node_data(tmp_path / "data.json")
    again = tracelab.read_overlay(tmp_path / "data.json", traced)
    assert again.values == {node: seconds for node, seconds in overlay.values.items() if node.outputs}


def test_node_data_is_written_under_the_names_of_the_fx_graph(traced, tmp_path):
    overlay = tracelab.read_overlay(_profiled(tmp_path), traced)
    results = json.loads(overlay.to_node_data())["main"]["results"]
    names = {node.name for node in traced.to_fx().graph.nodes}
    assert set(results) <= names


def test_names_of_node_data_that_the_graph_lacks_are_counted():
    data = {"main": {"results": {"relu": {"value": 2}, "gone": {"value": 1}}}}
    overlay = tracelab.read_overlay(io.BytesIO(json.dumps(data).encode()), _two_relus())
    assert list(overlay.values.values()) == [2.0]
    assert overlay.note == "the graph lacks 1 name of the file"


def test_the_html_escapes_what_a_file_says():
    overlay = tracelab.read_overlay(io.BytesIO(b'{"results": {"relu": {"value": 2}}}'), _two_relus(), name="<b>")
    assert "<b>" not in overlay._repr_mimebundle_()["text/html"]


def test_an_explorer_is_coloured_by_it():
    traced = _two_relus()
    overlay = tracelab.read_overlay(io.BytesIO(b'{"results": {"relu": {"value": 2}}}'), traced)
    explorer = tracelab.GraphExplorer(traced)
    explorer.overlay("score", overlay)
    assert "score" in explorer._session._overlays
    with pytest.raises(tracelab.TracelabError, match="another graph"):
        tracelab.GraphExplorer(_two_relus()).overlay("score", overlay)


def _event(**changes):
    return json.dumps({"traceEvents": [{**_operator("aten::relu", 0, 1), **changes}]}).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is not JSON"),
        (b"\xff\xfe\x00", "the file is not JSON"),
        (b"[" * 100_000, "the file is not JSON"),
        (b"[]" * 1_000_000, "an unlikely number of lists"),
        (b'{"a": 1}', "JSON without numbers for nodes: tracelab reads Chrome traces"),
        (b"[1]", "JSON without numbers for nodes"),
        (b'{"traceEvents": []}', "no operators of torch"),
        (b'{"traceEvents": [1, null, {"ph": "X", "cat": []}]}', "no operators of torch"),
        (_event(name="aten::mm"), "is it of another model"),
        (_event(name=3), "has no name"),
        (_event(ts="x"), "the ts of an event of the profile is no number"),
        (_event(dur=-1), "the dur of an event of the profile is no time"),
        (_event(dur=10**400), "the dur of an event of the profile is no number"),
        (_event(dur=math.nan), "the dur of an event of the profile is no number"),
        (b'{"results": {"relu": {"value": []}}}', "is no number"),
        (b'{"results": {"x": {"value": 1}}}', "no number for a value of this graph, such as 'x'"),
        (b'{"a": {"results": {}}, "b": {"results": {}}}', "node data of 2 graphs"),
        (b"\x1f\x8b broken", "a damaged gzip file"),
        (gzip.compress(b'{"traceEvents": []}', mtime=0)[:-9], "a truncated gzip file"),
        (gzip.compress(b" " * (80 << 20), mtime=0), "unpacks to an unlikely size"),
    ],
)
def test_a_file_that_is_none_is_one_sentence(content, message):
    with pytest.raises(tracelab.TracelabFileError, match=message) as caught:
        tracelab.read_overlay(io.BytesIO(content), _two_relus())
    assert "\n" not in str(caught.value)


def test_a_profile_of_many_equal_operators_is_matched_in_time():
    import time

    traced = tracelab.trace(lambda x: tuple(x.relu() for _ in range(1000)), torch.ones(2))
    events = [_operator("aten::relu", 2 * at, 1) for at in range(5000)]
    before = time.perf_counter()
    overlay = _read(events, traced)
    assert overlay.note.endswith("mean of 5 runs")
    assert time.perf_counter() - before < 30
