"""The view document and the picture of a difference."""

from __future__ import annotations

import json
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tracelab
from support.built_graphs import Op, graph_from
from tracelab.render.picture.dot import document_dot, document_svg
from tracelab.render.text import document_text
from tracelab.render.view_document.diff_document import diff_document

BEFORE = [Op("relu", module="a"), Op("exp", module="b"), Op("sin", module="c"), Op("softmax", (1,), 1, "c")]
AFTER = [Op("relu", module="a"), Op("cos", module="new"), Op("sin", module="c"), Op("softmax", (1,), 0, "c")]


def difference(before=BEFORE, after=AFTER):
    return tracelab.diff(graph_from(before), graph_from(after))


def document(before=BEFORE, after=AFTER):
    return diff_document(difference(before, after))


def rows(found):
    strings = found["strings"]
    return list(zip([strings[kind] for kind in found["nodes"]["kind"]], found["diff"]["nodes"]["status"], strict=True))


def changes(found):
    strings = found["strings"]
    return {
        row: [[strings[part] for part in change] for change in told] for row, told in found["diff"]["nodes"]["changes"]
    }


def test_nodes_of_both_graphs_are_rows():
    assert rows(document()) == [
        ("aten::relu", 0),
        ("aten::exp", 2),
        ("aten::cos", 1),
        ("aten::sin", 0),
        ("aten::softmax", 3),
    ]


def test_what_changed_is_said_in_words():
    assert changes(document())[4] == [["argument dim", "1", "0"]]


def test_what_reads_from_another_node_says_so_and_is_the_same():
    found = document()
    assert changes(found)[3] == [["input self", "%exp", "%cos"]]
    assert found["diff"]["nodes"]["status"][3] == 0


def test_a_removed_node_hangs_together_with_what_read_it():
    found = document()
    names = [found["strings"][name] for name in found["values"]["name"]]
    inputs = [[names[value] for value in row] for row in found["nodes"]["inputs"]]
    assert inputs == [["x"], ["relu"], ["relu"], ["cos", "exp"], ["sin"]]


def test_modules_count_their_differences():
    found = document()
    names = [found["strings"][name] for name in found["scopes"]["name"]]
    marks = found["diff"]["scopes"]
    assert dict(zip(names, zip(marks["status"], marks["differences"], strict=True), strict=True)) == {
        "built": (0, 3),
        "a": (0, 0),
        "b": (2, 1),
        "new": (1, 1),
        "c": (0, 1),
    }


def test_a_renamed_module_says_what_it_was():
    two = [Op("relu", module="a"), Op("sin", module="a")]
    found = document(two, [Op(op.name, module="b") for op in two])
    assert found["diff"]["scopes"]["status"] == [0, 3]
    assert found["strings"][found["diff"]["scopes"]["was"][1]] == "a"


def test_nodes_that_follow_are_listed():
    wider = [Op("relu", shape=(5, 3)), Op("sin", shape=(5, 3))]
    found = document([Op("relu"), Op("sin")], wider)
    assert found["diff"]["nodes"]["follows"] == [1]


def test_the_order_before_is_known():
    assert document()["diff"]["nodes"]["order"] == [0, 1, -1, 2, 3]


def test_overlays_are_one_number_for_each_row():
    found = difference()
    found.overlays["error"] = {
        found.b.nodes[0]: 0.5,
        found.removed[0]: float("inf"),
        found.added[0]: float("nan"),
    }
    assert diff_document(found)["overlays"] == [{"name": "error", "values": [0.5, "inf", "nan", None, None]}]


def test_the_same_difference_gives_the_same_bytes():
    assert json.dumps(document(), allow_nan=False) == json.dumps(document(), allow_nan=False)


def test_values_of_the_second_graph_keep_their_names():
    found = document([Op("relu"), Op("exp"), Op("exp", shape=(9,))], [Op("relu"), Op("exp"), Op("sin")])
    names = {found["strings"][name] for name in found["values"]["name"]}
    assert {"x", "relu", "exp", "sin"} <= names


def test_outputs_are_those_of_the_second_graph():
    found = document()
    assert [found["strings"][found["values"]["name"][value]] for value in found["outputs"]] == ["softmax"]


def test_a_reader_that_knows_no_differences_can_read_it():
    found = document()
    del found["diff"]
    assert document_text(found).startswith("built: 5 ops")
    assert document_svg(found).startswith("<svg")


def test_a_node_is_marked_by_sign_and_outline_too():
    dot = document_dot(document())
    assert re.search(r'label="~ softmax\\n1?d?i?m?:? ?.*1 → 0".*peripheries=2', dot)
    assert re.search(r'label="\N{MINUS SIGN} b .*style="filled,dashed"', dot)
    assert re.search(r'label="\+ new .*penwidth=2', dot)


def test_what_stayed_the_same_is_folded_together():
    many = [Op("relu", module=str(number)) for number in range(200)]
    edited = [*many[:100], Op("sin", module="extra"), *many[100:]]
    dot = document_dot(document(many, edited))
    assert "0 … 99  100 × Block" in dot
    assert "+ extra  Block" in dot
    assert len(re.findall(r"^\s*n\d+ \[", dot, re.MULTILINE)) == 3


@pytest.mark.parametrize("count", [100, 700])
def test_a_picture_of_many_differences_is_bounded(count):
    one = [Op("relu", module=f"h.{number}") for number in range(count)]
    two = [Op("relu" if number % 3 else "sin", module=f"h.{number}") for number in range(count)]
    dot = document_dot(document(one, two))
    assert len(re.findall(r"^\s*n\d+ \[", dot, re.MULTILINE)) <= 60


names = st.sampled_from(("relu", "sin", "exp"))
ops = st.lists(st.builds(Op, names, st.just((1,)), st.none(), st.sampled_from(("", "a", "a.b", "c"))), max_size=12)


@given(ops, ops)
@settings(deadline=None)
def test_every_index_is_in_range(one, two):
    found = document(one, two)
    nodes, values, marks = found["nodes"], found["values"], found["diff"]
    count = len(nodes["kind"])
    assert len(marks["nodes"]["status"]) == len(marks["nodes"]["order"]) == count
    assert len(marks["scopes"]["status"]) == len(found["scopes"]["parent"])
    made = [values["node"][value] for row in range(count) for value in nodes["inputs"][row]]
    assert all(-1 <= node < count for node in made)
    assert all(values["node"][value] < row for row in range(count) for value in nodes["inputs"][row]), (
        "a line against the order"
    )
    for row, told in marks["nodes"]["changes"]:
        assert 0 <= row < count
        assert all(0 <= part < len(found["strings"]) for change in told for part in change)


def test_a_warning_stays_with_its_node():
    def branching(x, number):
        y = x * number
        return y if y.sum() > 0 else -y

    with pytest.warns(tracelab.TracerWarning):
        one, two = (tracelab.trace_graph(branching, (torch.ones(2), torch.tensor(n)))[0] for n in (2.0, 3.0))
    found = diff_document(tracelab.diff(one, two))
    (warning,) = found["warnings"]
    assert found["strings"][found["nodes"]["kind"][warning["node"]]] == "aten::gt"
