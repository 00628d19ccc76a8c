"""Known edits of plain graphs, each with what a tool should find.

An edit is plain data that names nodes of the left graph. `Edited.apply` makes it and notes its truth: `alternatives`
are sets of nodes, of the left and of the right graph, any one of which is a right answer (of two operators that changed
places, one moved; of four layers that are alike, any one was added); `consequences` are nodes that only read another
value now, which a tool may report or not.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from .plain import Plain, by_id, doing, first_output, inside, is_state, layers, maker, readers

Edit = dict[str, Any]


@dataclass(slots=True)
class Truth:
    """What one edit did: sets of `"left:n3"` and `"right:n4"`."""

    kind: str
    alternatives: list[set[str]]
    consequences: set[str] = field(default_factory=set)
    first: set[str] = field(default_factory=set)
    """Where the graphs part; any of these is right."""
    place: int = 0
    """The place of the edit in the left graph."""


class Edited:
    """A graph while it is edited; nodes keep their ids until `finish` numbers them anew."""

    def __init__(self, left: Plain) -> None:
        self.left = left
        self.graph = copy.deepcopy(left)
        self.order = {node["id"]: place for place, node in enumerate(left["nodes"])}
        self.truths: list[Truth] = []
        self.fresh = 0

    def apply(self, edit: Edit) -> None:
        arguments = {name: value for name, value in edit.items() if name != "kind"}
        getattr(self, "_" + edit["kind"])(**arguments)
        self.truths[-1].kind = edit["kind"]

    def finish(self) -> tuple[Plain, list[Truth], list[tuple[str, str]]]:
        """The right graph with ids of its own, the truths in these ids, and the pairs of nodes that are the same."""
        new = {node["id"]: f"r{place}" for place, node in enumerate(self.graph["nodes"])}
        pairs = [(old, new[old]) for old in self.order if old in new]
        for node in self.graph["nodes"]:
            node["id"] = new[node["id"]]
            node["inputs"] = [_renamed(value, new) for value in node["inputs"]]
        self.graph["outputs"] = [_renamed(value, new) for value in self.graph["outputs"]]
        for truth in self.truths:
            truth.alternatives = [_in_new(side, new) for side in truth.alternatives]
            truth.consequences = _in_new(truth.consequences, new)
            truth.first = _in_new(truth.first, new)
        return self.graph, self.truths, pairs

    # The edits ---------------------------------------------------------------------------------------------

    def _insert(self, after: str, op: str) -> None:
        """An operator between a node and all that read its first output."""
        made = by_id(self.graph)[after]
        consequences = self._both(reader["id"] for reader in readers(self.graph, after))
        node = self._node(op, [first_output(made)], made["scope"], copy.deepcopy(made["outputs"][:1]))
        self._redirect(first_output(made), first_output(node))
        self._put_after(after, [node])
        right = f"right:{node['id']}"
        self._note([{right}], consequences, {right}, after)

    def _drop(self, node: str) -> None:
        """An operator that has one input but for parameters: its readers read that."""
        gone = by_id(self.graph)[node]
        consequences = self._both(reader["id"] for reader in readers(self.graph, node))
        state = is_state(self.graph)
        (source,) = [value for value in gone["inputs"] if value not in state]
        self._redirect(first_output(gone), source)
        self.graph["nodes"].remove(gone)
        self._note([{f"left:{node}"}], consequences, {f"left:{node}"}, node)

    def _swap(self, first: str, second: str) -> None:
        """Two operators, one of which alone reads the other, change places."""
        nodes = by_id(self.graph)
        one, two = nodes[first], nodes[second]
        consequences = self._both(reader["id"] for reader in readers(self.graph, second))
        state = is_state(self.graph)
        (source,) = [value for value in one["inputs"] if value not in state]
        self._redirect(first_output(two), "swapped")
        two["inputs"] = [source if value == first_output(one) else value for value in two["inputs"]]
        one["inputs"] = [first_output(two) if value == source else value for value in one["inputs"]]
        self._redirect("swapped", first_output(one))
        at = self.graph["nodes"].index(one)
        self.graph["nodes"].remove(two)
        self.graph["nodes"].insert(at, two)
        alternatives = [self._both([first]), self._both([second]), self._both([first, second])]
        self._note(alternatives, consequences, self._both([first, second]), first)

    def _rename(self, scope: str, to: str) -> None:
        """A module under another name: no node is changed."""
        for node in self.graph["nodes"]:
            if inside(node, scope):
                node["scope"] = to + node["scope"][len(scope) :]
        for given in self.graph["inputs"]:
            if given["path"].startswith(scope + "."):
                given["path"] = to + given["path"][len(scope) :]
        self._note([set()], set(), set(), next(node["id"] for node in self.left["nodes"] if inside(node, scope)))

    def _decompose(self, node: str, into: list[str]) -> None:
        """Several operators do what one did; the first reads its inputs, and each other the one before it."""
        old = by_id(self.graph)[node]
        consequences = self._both(reader["id"] for reader in readers(self.graph, node))
        made: list[Plain] = []
        for op in into:
            read = list(old["inputs"]) if not made else [first_output(made[-1])]
            made.append(self._node(op, read, old["scope"], copy.deepcopy(old["outputs"][:1])))
        self._redirect(first_output(old), first_output(made[-1]))
        self._put_after(node, made)
        self.graph["nodes"].remove(old)
        right = [f"right:{each['id']}" for each in made]
        self._note([{f"left:{node}", *right}], consequences, {f"left:{node}", right[0]}, node)

    def _constant(self, node: str, attribute: str, value: Any) -> None:
        by_id(self.graph)[node]["attributes"][attribute] = value
        self._changed(node)

    def _dtype(self, node: str, value: str) -> None:
        by_id(self.graph)[node]["outputs"][0]["dtype"] = value
        self._changed(node)

    def _shape(self, node: str, value: list[int]) -> None:
        by_id(self.graph)[node]["outputs"][0]["shape"] = value
        self._changed(node)

    def _insert_layer(self, scope: str) -> None:
        """A copy of a layer behind it; the numbers of those behind it grow by one."""
        prefix = scope.rpartition(".")[0]
        paths = layers(self.graph)[prefix]
        at = paths.index(scope)
        mine = [node for node in self.graph["nodes"] if inside(node, scope)]
        stream, left = stream_of(self.graph, scope)
        for path in reversed(paths[at + 1 :]):
            self._move_scope(path, _numbered(prefix, int(path.rpartition(".")[2]) + 1))
        place = _numbered(prefix, at + 1)
        new: dict[str, str] = {}
        copies = []
        state = {given["id"]: given for given in self.graph["inputs"] if given["role"] != "input"}
        for node in mine:
            made = copy.deepcopy(node)
            self.fresh += 1
            new[node["id"]] = made["id"] = f"new{self.fresh}"
            made["scope"] = place + node["scope"][len(scope) :]
            made["inputs"] = [left if value == stream else _renamed(value, new) for value in node["inputs"]]
            for index, value in enumerate(made["inputs"]):
                given = state.get(value)
                if given is not None and given["path"].startswith(scope + "."):
                    made["inputs"][index] = self._copied_state(given, scope, place)
            copies.append(made)
        consequences = self._both(
            reader["id"] for reader in readers(self.graph, maker(left)) if not inside(reader, scope)
        )
        self._redirect(left, _renamed(left, new), but=mine)
        last = mine[-1]
        self._put_after(last["id"], copies)
        alternatives = [{f"right:{node['id']}" for node in alike} for alike in _alike(self.graph, prefix, place)]
        first = {f"right:{alike[0]['id']}" for alike in _alike(self.graph, prefix, place)}
        self._note(alternatives, consequences | self._readers_of_layers(prefix), first, last["id"])

    def _drop_layer(self, scope: str) -> None:
        """A layer less: what read it reads what it read, and the numbers of those behind it shrink."""
        prefix = scope.rpartition(".")[0]
        paths = layers(self.graph)[prefix]
        stream, left = stream_of(self.graph, scope)
        alike = _alike(self.graph, prefix, scope)
        consequences = self._readers_of_layers(prefix)
        mine = [node for node in self.graph["nodes"] if inside(node, scope)]
        self._redirect(left, stream, but=mine)
        for node in mine:
            self.graph["nodes"].remove(node)
        used = {value for node in self.graph["nodes"] for value in node["inputs"]}
        self.graph["inputs"] = [
            given for given in self.graph["inputs"] if given["role"] == "input" or given["id"] in used
        ]
        for path in paths[paths.index(scope) + 1 :]:
            self._move_scope(path, _numbered(prefix, int(path.rpartition(".")[2]) - 1))
        alternatives = [{f"left:{node['id']}" for node in each} for each in alike]
        first = {f"left:{each[0]['id']}" for each in alike}
        self._note(alternatives, consequences, first, mine[0]["id"])

    # What they share ---------------------------------------------------------------------------------------

    def _note(self, alternatives: list[set[str]], consequences: set[str], first: set[str], at: str) -> None:
        self.truths.append(Truth("", alternatives, consequences, first, self.order[at]))

    def _rewire(self, node: str, value: str, to: str) -> None:
        """A node reads another value of the same type."""
        reader = by_id(self.graph)[node]
        at = reader["inputs"].index(value)
        reader["inputs"][at] = to
        self._changed(node)

    def _changed(self, node: str) -> None:
        both = self._both([node])
        self._note([both], set(), set(both), node)

    def _both(self, nodes: Any) -> set[str]:
        return {f"{side}:{node}" for node in nodes for side in ("left", "right")}

    def _node(self, op: str, inputs: list[str], scope: str, outputs: list[Any]) -> Plain:
        self.fresh += 1
        name = f"new{self.fresh}"
        return {"id": name, "op": op, "inputs": inputs, "attributes": {}, "outputs": outputs, "scope": scope}

    def _put_after(self, node: str, made: list[Plain]) -> None:
        nodes = self.graph["nodes"]
        at = next(place for place, other in enumerate(nodes) if other["id"] == node)
        nodes[at + 1 : at + 1] = made

    def _redirect(self, old: str, new: str, but: list[Plain] | None = None) -> None:
        for node in self.graph["nodes"]:
            if but is None or node not in but:
                node["inputs"] = [new if value == old else value for value in node["inputs"]]
        self.graph["outputs"] = [new if value == old else value for value in self.graph["outputs"]]

    def _move_scope(self, old: str, new: str) -> None:
        for node in self.graph["nodes"]:
            if inside(node, old):
                node["scope"] = new + node["scope"][len(old) :]
        for given in self.graph["inputs"]:
            if given["path"].startswith(old + "."):
                given["path"] = new + given["path"][len(old) :]

    def _copied_state(self, given: Plain, scope: str, place: str) -> str:
        path = place + given["path"][len(scope) :]
        for other in self.graph["inputs"]:
            if other["path"] == path:
                return str(other["id"])
        self.fresh += 1
        made = {**given, "path": path, "id": f"p_new{self.fresh}"}
        self.graph["inputs"].append(made)
        return str(made["id"])

    def _readers_of_layers(self, prefix: str) -> set[str]:
        """What reads the end of any layer of the list: whichever is called the new one, they may read another."""
        found: set[str] = set()
        for path in layers(self.graph).get(prefix, []):
            try:
                _, left = stream_of(self.graph, path)
            except ValueError:
                continue
            found |= self._both(reader["id"] for reader in readers(self.graph, maker(left)))
        return found


def stream_of(graph: Plain, scope: str) -> tuple[str, str]:
    """What enters a layer last and the one value that leaves it.

    Raises:
        ValueError: Several values leave it, or nothing enters.
    """
    mine = {node["id"] for node in graph["nodes"] if inside(node, scope)}
    state = is_state(graph)
    order = {node["id"]: place for place, node in enumerate(graph["nodes"])}
    entering, leaving = set(), {value for value in graph["outputs"] if maker(value) in mine}
    for node in graph["nodes"]:
        for value in node["inputs"]:
            if node["id"] in mine and maker(value) not in mine and value not in state:
                entering.add(value)
            elif node["id"] not in mine and maker(value) in mine:
                leaving.add(value)
    if len(leaving) != 1 or not entering:
        raise ValueError(f"{scope} is no layer with one value that leaves it")
    return max(entering, key=lambda value: (order.get(maker(value), -1), value)), leaving.pop()


def _alike(graph: Plain, prefix: str, scope: str) -> list[list[Plain]]:
    """The nodes of this layer and of those beside it without a gap that do the same."""
    paths = layers(graph)[prefix]
    at = paths.index(scope)
    mine = doing(graph, scope)
    low = high = at
    while low > 0 and doing(graph, paths[low - 1]) == mine:
        low -= 1
    while high + 1 < len(paths) and doing(graph, paths[high + 1]) == mine:
        high += 1
    return [[node for node in graph["nodes"] if inside(node, path)] for path in paths[low : high + 1]]


def _numbered(prefix: str, number: int) -> str:
    return f"{prefix}.{number}" if prefix else str(number)


def _renamed(value: str, new: dict[str, str]) -> str:
    node, colon, output = value.partition(":")
    return new[node] + colon + output if colon and node in new else value


def _in_new(nodes: set[str], new: dict[str, str]) -> set[str]:
    """Ids of the right graph where they are of the right; nodes that are not there any more are left out."""
    found = set()
    for node in nodes:
        side, _, name = node.partition(":")
        if side == "left":
            found.add(node)
        elif name in new:
            found.add(f"right:{new[name]}")
    return found
