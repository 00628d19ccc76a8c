"""Whatever happens to a file: it loads, or there is one `TracelabFileError`."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import math
import pathlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.archives import entries, from_bytes, packed
from tracelab.errors import TracelabFileError

CONTENT = (pathlib.Path(__file__).parent / "fixtures" / "v1.tlab").read_bytes()
ENTRIES = entries(CONTENT)
DOCUMENT = json.loads(ENTRIES["graph.json"])

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
MANY = settings(max_examples=4000, deadline=None, suppress_health_check=list(HealthCheck))

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 12),
    st.sampled_from(
        [2**31, 2**63 - 1, 2**63, -(2**63), 10**40, 0.0, -0.0, 1e308, "", "x", "cpu", "aten::relu", "float32"]
    ),
    st.text("ab.0 \n'\"()", max_size=5),
    st.sampled_from([[], {}, [[]], [0, 0], {"value": 0}, {"tuple": []}, {"value": 10**9}, {"dtype": "int8"}]),
)


def paths(item, here=()):
    yield here
    if isinstance(item, dict):
        for key, child in item.items():
            yield from paths(child, (*here, key))
    elif isinstance(item, list):
        for index, child in enumerate(item):
            yield from paths(child, (*here, index))


PATHS = [path for path in paths(DOCUMENT) if path]


def change(document, path, action, item):
    holder = functools.reduce(lambda holder, key: holder[key], path[:-1], document)
    key = path[-1]
    if action == "replace":
        holder[key] = item
    elif action == "delete":
        del holder[key]
    elif isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    else:
        holder["extra"] = item


def holds(content):
    """Loading ends in the one error, or in a trace that can be shown."""
    with contextlib.suppress(TracelabFileError):
        loaded = from_bytes(content)
        assert str(loaded.graph).startswith("graph(")
        compile(loaded.code, "loaded", "exec")


edits = st.lists(
    st.tuples(st.sampled_from(PATHS), st.sampled_from(["replace", "delete", "add"]), ODD),
    min_size=1,
    max_size=3,
)


def edit_holds(changes):
    document = copy.deepcopy(DOCUMENT)
    for path, action, item in changes:
        try:
            change(document, path, action, copy.deepcopy(item))  # a later edit may reach into it
        except (KeyError, IndexError, TypeError):
            continue
    holds(packed({**ENTRIES, "graph.json": json.dumps(document).encode()}))


def flip_holds(flips):
    spoiled = bytearray(CONTENT)
    for place, bit in flips:
        spoiled[place % len(spoiled)] ^= 1 << bit
    holds(bytes(spoiled))


flips = st.lists(st.tuples(st.integers(0, len(CONTENT) - 1), st.integers(0, 7)), min_size=1, max_size=8)
# The zip's own table of contents is a small part of the file: aim at it.
table = st.lists(
    st.tuples(st.integers(len(CONTENT) - 260, len(CONTENT) - 1), st.integers(0, 7)), min_size=1, max_size=3
)


@FEW
@given(flips)
def test_flipped_bits(changes):
    flip_holds(changes)


@FEW
@given(table)
def test_flipped_bits_in_the_table_of_contents(changes):
    flip_holds(changes)


@FEW
@given(st.integers(0, len(CONTENT)), st.integers(0, len(CONTENT)))
def test_cut_out_pieces(start, end):
    holds(CONTENT[: min(start, end)] + CONTENT[max(start, end) :])


@FEW
@given(edits)
def test_edited_graphs(changes):
    edit_holds(changes)


@FEW
@given(st.binary(max_size=300), st.integers(0, 400))
def test_overwritten_weights(piece, place):
    held = bytearray(ENTRIES["weights.safetensors"])
    held[place : place + len(piece)] = piece
    holds(packed({**ENTRIES, "weights.safetensors": bytes(held)}))


@FEW
@given(st.sampled_from(sorted(ENTRIES)), st.text(max_size=12))
def test_renamed_entries(name, new):
    holds(packed([(new if held == name else held, text) for held, text in ENTRIES.items()]))


@pytest.mark.nightly
@MANY
@given(edits)
def test_many_edited_graphs(changes):
    edit_holds(changes)


@pytest.mark.nightly
@MANY
@given(st.one_of(flips, table))
def test_many_flipped_bits(changes):
    flip_holds(changes)


def test_every_single_deletion():
    for path in PATHS:
        edit_holds([(path, "delete", None)])


@pytest.mark.parametrize("item", [None, -1, 10**30, math.pi, "x", [], {}, True], ids=repr)
def test_every_single_replacement(item):
    for path in PATHS:
        edit_holds([(path, "replace", item)])
