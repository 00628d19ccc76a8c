"""Random graphs with random edits: what is found is never more than what was done, and turns with the arguments."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tracelab
from support.built_graphs import BINARY, NUMBER, UNARY, Op, graph_from
from tracelab.comparison.align.sequences import common_subsequence, heaviest_increasing
from tracelab.comparison.changes import Change

MODULES = ("", "a", "a.x", "b", "b.0", "b.1", "c")


@st.composite
def op(draw):
    name = draw(st.sampled_from((*UNARY, *BINARY, *NUMBER)))
    back = (1, draw(st.integers(1, 6))) if name in BINARY else (1,)
    constant = draw(st.integers(0, 1)) if name in NUMBER else None
    return Op(name, back, constant, "", draw(st.sampled_from([(2, 3), (4,)])))


@st.composite
def built(draw):
    """Operators in modules that are entered once each, in any order."""
    modules = draw(st.permutations(MODULES))
    ops = draw(st.lists(op(), min_size=1, max_size=25))
    cuts = sorted(draw(st.lists(st.integers(0, len(ops)), min_size=len(modules) - 1, max_size=len(modules) - 1)))
    found = []
    for module, start, stop in zip(modules, [0, *cuts], [*cuts, len(ops)], strict=True):
        found += [replace(item, module=module) for item in ops[start:stop]]
    return found


def kinds(difference):
    """In which of its lists a difference holds something."""
    return {name for name in ("added", "removed", "changed", "moved") if getattr(difference, name)}


chains = st.lists(
    st.builds(Op, st.sampled_from(UNARY), st.just((1,)), st.none(), st.just(""), st.sampled_from([(2, 3), (4,)])),
    min_size=2,
    max_size=30,
)


@given(built())
@settings(deadline=None)
def test_a_graph_is_no_different_from_itself(ops):
    graph = graph_from(ops)
    assert not tracelab.diff(graph, graph)


@given(built())
@settings(deadline=None)
def test_a_graph_is_no_different_from_its_equal(ops):
    difference = tracelab.diff(graph_from(ops), graph_from(ops))
    assert not difference
    assert len(difference.alignment.pairs) == len(ops)


@given(built(), built())
@settings(deadline=None, max_examples=300)
def test_the_other_way_round_is_the_mirror_image(one, two):
    a, b = graph_from(one), graph_from(two)
    there, back = tracelab.diff(a, b), tracelab.diff(b, a)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert set(there.alignment.pairs) == {(mine, theirs) for theirs, mine in back.alignment.pairs}
    assert set(there.moved) == {(mine, theirs) for theirs, mine in back.moved}
    assert set(there.renamed) == {(mine, theirs) for theirs, mine in back.renamed}
    turned = {before: (after, tuple(map(Change.mirrored, changes))) for after, before, changes in back.changed}
    assert {before: (after, changes) for before, after, changes in there.changed} == turned


@given(built(), built())
@settings(deadline=None)
def test_every_node_is_paired_added_or_removed(one, two):
    a, b = graph_from(one), graph_from(two)
    alignment = tracelab.diff(a, b).alignment
    assert [*dict(alignment.pairs), *alignment.removed] == [*dict.fromkeys([*dict(alignment.pairs), *a.nodes])]
    assert sorted(map(id, [*dict(map(reversed, alignment.pairs)), *alignment.added])) == sorted(map(id, b.nodes))


@given(built(), built())
@settings(deadline=None)
def test_text_can_be_made_of_any_difference(one, two):
    text = str(tracelab.diff(graph_from(one), graph_from(two)))
    assert len(text.splitlines()) < 60


@given(chains, st.data())
@settings(deadline=None)
def test_an_inserted_operator_is_found(ops, data):
    place = data.draw(st.integers(0, len(ops) - 1))
    extra = data.draw(st.sampled_from(UNARY))
    difference = tracelab.diff(graph_from(ops), graph_from([*ops[:place], Op(extra, shape=(7,)), *ops[place:]]))
    assert [node.name for node in difference.added] == [extra]
    assert kinds(difference) == {"added"}


@given(chains, st.data())
@settings(deadline=None)
def test_a_removed_operator_is_found(ops, data):
    place = data.draw(st.integers(0, len(ops) - 2))
    difference = tracelab.diff(graph_from(ops), graph_from(ops[:place] + ops[place + 1 :]))
    assert [node.name for node in difference.removed] == [ops[place].name]
    assert kinds(difference) == {"removed"}


@given(built(), st.data())
@settings(deadline=None)
def test_a_changed_dtype_is_found(ops, data):
    place = data.draw(st.integers(0, len(ops) - 1))
    edited = [*ops[:place], replace(ops[place], dtype=torch.float64), *ops[place + 1 :]]
    difference = tracelab.diff(graph_from(ops), graph_from(edited))
    assert [(before.name, list(map(str, changes))) for before, _, changes in difference.changed] == [
        (ops[place].name, ["dtype: float32 → float64"])
    ]
    assert kinds(difference) == {"changed"}


@given(built(), st.data())
@settings(deadline=None)
def test_a_replaced_operator_is_found(ops, data):
    place = data.draw(st.integers(0, len(ops) - 1))
    edited = [*ops[:place], replace(ops[place], name="erf", back=(1,), constant=None), *ops[place + 1 :]]
    difference = tracelab.diff(graph_from(ops), graph_from(edited))
    if difference.nothing_in_common:
        assert len(ops) < 20
        return
    operators = [str(change) for *_, changes in difference.changed for change in changes if change.what == "operator"]
    one_for_one = operators == [f"operator: aten::{ops[place].name} → aten::erf"] and not difference.added
    taken_out = [node.name for node in difference.removed] == [ops[place].name]
    assert one_for_one or (taken_out and [node.name for node in difference.added] == ["erf"])


@given(built(), st.data())
@settings(deadline=None)
def test_several_edits_never_cost_more_nodes_than_were_edited(ops, data):
    count = data.draw(st.integers(1, 4))
    edited = list(ops)
    for _ in range(count):
        place = data.draw(st.integers(0, len(edited) - 1))
        extra = replace(edited[place], name=data.draw(st.sampled_from(UNARY)), back=(1,), constant=None, shape=(9,))
        edited.insert(place, extra)
    difference = tracelab.diff(graph_from(ops), graph_from(edited))
    assert len(difference.added) == count
    assert not difference.removed


# Sequences ---------------------------------------------------------------------------------------------------------

words = st.lists(st.integers(0, 5), max_size=30)


@given(words, words)
@settings(deadline=None)
def test_common_parts_are_common_and_in_order(a, b):
    pairs = common_subsequence(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert all(x < y for x, y in pairwise(pairs))
    assert all(x[1] < y[1] for x, y in pairwise(pairs))


@given(words, words)
@settings(deadline=None)
def test_short_sequences_have_the_longest_common_part(a, b):
    longest = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a)):
        for j in range(len(b)):
            longest[i + 1][j + 1] = longest[i][j] + 1 if a[i] == b[j] else max(longest[i][j + 1], longest[i + 1][j])
    assert len(common_subsequence(a, b)) == longest[len(a)][len(b)]


@given(st.lists(st.integers(0, 3), min_size=200, max_size=400), st.lists(st.integers(0, 3), min_size=200, max_size=400))
@settings(deadline=None, max_examples=20)
def test_very_different_sequences_still_give_what_is_common(a, b):
    pairs = common_subsequence(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert all(x[0] < y[0] and x[1] < y[1] for x, y in pairwise(pairs))


def test_many_edits_in_a_long_sequence_of_few_kinds_are_all_found():
    chance = random.Random(0)
    a = [chance.randrange(9) for _ in range(5000)]
    b = list(a)
    for place in range(4900, 0, -50):
        b.insert(place, 99)
    assert len(common_subsequence(a, b)) == len(a)


@given(st.permutations(range(7)), st.lists(st.integers(1, 9), min_size=7, max_size=7))
@settings(deadline=None)
def test_the_heaviest_part_in_order_stays(order, weights):
    kept = heaviest_increasing(order, weights)
    best = 0
    for mask in range(1 << 7):
        places = [place for place in range(7) if mask >> place & 1]
        if all(order[x] < order[y] for x, y in pairwise(places)):
            best = max(best, sum(weights[place] for place in places))
    assert sum(weights[place] for place in kept) == best
    assert [order[place] for place in sorted(kept)] == sorted(order[place] for place in kept)
