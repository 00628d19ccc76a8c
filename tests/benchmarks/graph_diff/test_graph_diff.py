"""The benchmark of graph differences: its data are what the seed gives, its truths are right, its score is fair."""

from __future__ import annotations

import json

import pytest

from benchmarks.graph_diff import generate
from benchmarks.graph_diff.__main__ import by_kind, judge, main, table
from benchmarks.graph_diff.cases import CASES, all_cases
from benchmarks.graph_diff.edits import Edited
from benchmarks.graph_diff.plain import by_id, maker, names, read
from benchmarks.graph_diff.scoring import Difference, score
from benchmarks.graph_diff.tools import TOOLS, by_difflib, by_tracelab

EVERY = list(all_cases())


def chain(*ops):
    nodes = [
        {
            "id": f"n{place}",
            "op": op,
            "inputs": [f"n{place - 1}:0" if place else "x0"],
            "attributes": {"dim": 1},
            "outputs": [{"dtype": "float32", "shape": [2]}],
            "scope": "a",
        }
        for place, op in enumerate(ops)
    ]
    given = {"id": "x0", "role": "input", "path": "x", "dtype": "float32", "shape": [2]}
    return {"name": "chain", "inputs": [given], "outputs": [f"n{len(ops) - 1}:0"], "nodes": nodes}


def edited(graph, *edits):
    work = Edited(graph)
    for edit in edits:
        work.apply(edit)
    return work.finish()


def wiring(graph):
    """Each node's operator with those that it reads."""
    nodes = by_id(graph)
    ops = {name: node["op"] for name, node in nodes.items()} | {"x0": "x"}
    return [(node["op"], [ops[maker(value)] for value in node["inputs"]]) for node in graph["nodes"]]


def perfect(case):
    """What a tool that knows the truth would say."""
    sides = [truth.alternatives[0] for truth in case.truths]
    said = {node for side in sides for node in side}
    pairs = dict(case.pairs)
    changed = [(mine, theirs) for mine, theirs in pairs.items() if f"left:{mine}" in said and f"right:{theirs}" in said]
    left, right = {mine for mine, _ in changed}, {theirs for _, theirs in changed}
    removed = [node[5:] for node in said if node.startswith("left:") and node[5:] not in left]
    added = [node[6:] for node in said if node.startswith("right:") and node[6:] not in right]
    return Difference(removed, added, changed, list(pairs.items()))


def test_the_cases_are_what_the_seed_gives():
    assert generate.cases() == json.loads(CASES.read_text(encoding="utf-8"))


def test_every_kind_of_edit_has_cases():
    assert {case.kind for case in EVERY} == {*generate.KINDS, "several"}
    assert len({case.name for case in EVERY}) == len(EVERY)


@pytest.mark.parametrize("kind", [*generate.KINDS, "several"])
def test_the_right_graphs_are_sound(kind):
    """Each value is made before it is read, and no id is that of the left."""
    for case in EVERY:
        if case.kind == kind:
            known = {given["id"] for given in case.right["inputs"]}
            for node in case.right["nodes"]:
                assert set(node["inputs"]) <= known, case.name
                known |= {f"{node['id']}:{place}" for place in range(len(node["outputs"]))}
            assert set(case.right["outputs"]) <= known
            assert not set(by_id(case.left)) & set(by_id(case.right))


@pytest.mark.parametrize("kind", [*generate.KINDS, "several"])
def test_the_truth_has_the_full_score(kind):
    for case in EVERY:
        if case.kind == kind:
            found = score(case, perfect(case))
            assert found.exact, case.name
            assert found.pairs == 1
            assert found.first, case.name


def test_an_insertion_stands_between_a_node_and_its_readers():
    right, (truth,), pairs = edited(chain("sin", "cos"), {"kind": "insert", "after": "n0", "op": "relu"})
    assert wiring(right) == [("sin", ["x"]), ("relu", ["sin"]), ("cos", ["relu"])]
    assert truth.alternatives == [{"right:r1"}]
    assert truth.consequences == {"left:n1", "right:r2"}
    assert pairs == [("n0", "r0"), ("n1", "r2")]


def test_what_was_dropped_is_passed_over():
    right, (truth,), _ = edited(chain("sin", "cos", "tanh"), {"kind": "drop", "node": "n1"})
    assert wiring(right) == [("sin", ["x"]), ("tanh", ["sin"])]
    assert truth.alternatives == [{"left:n1"}]


def test_two_operators_change_places():
    right, (truth,), _ = edited(chain("sin", "cos", "tanh"), {"kind": "swap", "first": "n0", "second": "n1"})
    assert wiring(right) == [("cos", ["x"]), ("sin", ["cos"]), ("tanh", ["sin"])]
    assert truth.alternatives[0] == {"left:n0", "right:r1"}
    assert truth.alternatives[1] == {"left:n1", "right:r0"}


def test_a_decomposition_replaces_one_by_several():
    right, (truth,), _ = edited(chain("sin", "cos"), {"kind": "decompose", "node": "n0", "into": ["exp", "div"]})
    assert wiring(right) == [("exp", ["x"]), ("div", ["exp"]), ("cos", ["div"])]
    assert truth.alternatives == [{"left:n0", "right:r0", "right:r1"}]


def test_of_layers_that_are_alike_any_is_a_right_answer():
    layers = [case for case in EVERY if case.kind == "insert_layer"]
    case = next(case for case in layers if len(case.truths[0].alternatives) > 1)
    for alternative in case.truths[0].alternatives:
        added = [node.partition(":")[2] for node in alternative]
        assert score(case, Difference(added=added)).exact
    assert not score(case, Difference()).exact


def test_the_score_counts_what_is_wrong_and_what_is_missed_and_no_consequences():
    case = next(case for case in EVERY if case.kind == "insert")
    (right,) = case.truths[0].alternatives[0]
    added = right.partition(":")[2]
    other = next(node["id"] for node in case.left["nodes"] if f"left:{node['id']}" not in case.truths[0].consequences)
    consequence = next(node[5:] for node in case.truths[0].consequences if node.startswith("left:"))
    found = score(case, Difference([other, consequence], [added]))
    assert (found.hits, found.wrong, found.missed) == (1, 1, 0)
    found = score(case, Difference())
    assert (found.hits, found.wrong, found.missed, found.first) == (0, 0, 1, False)


def test_tracelab_finds_single_edits_of_a_model_exactly():
    cases = [case for case in EVERY if case.name.startswith("llama ") and case.kind != "several"]
    assert len(cases) > 20
    wrong = [case.name for case, found in judge(by_tracelab, cases) if not (found.exact and found.first)]
    assert not wrong


def test_lines_do_not_see_another_input():
    """What the benchmark is for: a tool that looks at operators alone misses what they read."""
    cases = [case for case in EVERY if case.kind == "rewire"]
    assert by_kind(judge(by_difflib, cases))["rewire"]["recall"] == 0


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_finds_no_difference_between_equal_graphs(tool):
    if tool == "networkx":
        pytest.importorskip("networkx")
    left, right = read(names()[0]), read(names()[0])
    found = TOOLS[tool](left, right)
    assert (found.removed, found.added, found.changed) == ([], [], [])
    assert found.pairs == [(node["id"], node["id"]) for node in left["nodes"]]


def test_a_tool_of_ones_own_is_named_on_the_command_line(tmp_path, capsys):
    place = tmp_path / "figures.json"
    own = "benchmarks.graph_diff.tools:by_difflib"
    assert main(["--only", "difflib", "--tool", own, "--json", str(place)]) == 0
    results = json.loads(place.read_text(encoding="utf-8"))
    assert results[own] == results["difflib"]
    assert table(results) in capsys.readouterr().out


def test_cases_leave_as_json(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.graph_diff.cases.all_cases", lambda: iter(EVERY[:2]))
    assert main(["--export", str(tmp_path)]) == 0
    data = json.loads((tmp_path / f"{EVERY[0].name.replace(' ', '-')}.json").read_text(encoding="utf-8"))
    assert data["left"] == EVERY[0].left
    assert data["truth"][0]["alternatives"] == [sorted(EVERY[0].truths[0].alternatives[0])]
