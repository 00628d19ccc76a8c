"""The tools that are compared: each is a function of two plain graphs. A new one needs nothing else."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from typing import Any

from .plain import Plain, is_state, maker
from .scoring import Difference, Tool


def label(node: Plain) -> str:
    """What a node is, without the names of what it reads and without its module."""
    return json.dumps([node["op"], node["attributes"], node["outputs"]], sort_keys=True)


def by_difflib(left: Plain, right: Plain) -> Difference:
    """Python's difflib on the list of nodes; a replaced block is paired in order."""
    return _by_lines(left, right, label)


def by_difflib_with_inputs(left: Plain, right: Plain) -> Difference:
    """The same on lines that also say how far back each input was made, so that another input is seen."""
    return _by_lines(left, right, None)


def _by_lines(left: Plain, right: Plain, text: Any) -> Difference:
    a, b = ([text(node) for node in graph["nodes"]] if text else _with_inputs(graph) for graph in (left, right))
    ids_a, ids_b = ([node["id"] for node in graph["nodes"]] for graph in (left, right))
    found = Difference()
    for tag, i, i_end, j, j_end in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        both = min(i_end - i, j_end - j)
        pairs = list(zip(ids_a[i : i + both], ids_b[j : j + both], strict=True))
        found.pairs.extend(pairs)
        if tag != "equal":
            found.changed.extend(pairs)
            found.removed.extend(ids_a[i + both : i_end])
            found.added.extend(ids_b[j + both : j_end])
    return found


def _with_inputs(graph: Plain) -> list[str]:
    order = {node["id"]: place for place, node in enumerate(graph["nodes"])}
    state = is_state(graph)
    return [
        label(node) + str([place - order.get(maker(value), place) for value in node["inputs"] if value not in state])
        for place, node in enumerate(graph["nodes"])
    ]


def by_networkx(left: Plain, right: Plain) -> Difference:
    """Weisfeiler and Lehman's hashes of neighbourhoods, by networkx: from wide to narrow, equal hashes are paired.

    Within one hash the first of the left belongs to the first of the right. What is left over is paired by operator
    where all that they read belongs together.
    """
    import networkx

    depth = 4
    hashes = []
    for graph in (left, right):
        made = networkx.DiGraph()
        for node in graph["nodes"]:
            made.add_node(node["id"], label=label(node))
        state = is_state(graph)
        for node in graph["nodes"]:
            made.add_edges_from(
                (maker(value), node["id"]) for value in node["inputs"] if value not in state and ":" in value
            )
        found = [
            networkx.weisfeiler_lehman_subgraph_hashes(each, node_attr="label", iterations=depth)
            for each in (made, made.reverse())
        ]
        # Above and below, at every width; width 0 is the node alone.
        hashes.append(
            {
                node: [label_of(made, node)] + [found[0][node][at] + found[1][node][at] for at in range(depth)]
                for node in made
            }
        )
    a, b = hashes
    partner: dict[str, str] = {}
    taken: set[str] = set()
    for width in range(depth, -1, -1):
        waiting: dict[str, list[str]] = {}
        for node in right["nodes"]:
            if node["id"] not in taken:
                waiting.setdefault(b[node["id"]][width], []).append(node["id"])
        for node in left["nodes"]:
            same = waiting.get(a[node["id"]][width])
            if node["id"] not in partner and same:
                partner[node["id"]] = same.pop(0)
                taken.add(partner[node["id"]])
    changed = _pair_by_operator(left, right, partner, taken)
    return Difference(
        [node["id"] for node in left["nodes"] if node["id"] not in partner],
        [node["id"] for node in right["nodes"] if node["id"] not in taken],
        changed,
        list(partner.items()),
    )


def label_of(graph: Any, node: str) -> str:
    return str(graph.nodes[node]["label"])


def _pair_by_operator(left: Plain, right: Plain, partner: dict[str, str], taken: set[str]) -> list[tuple[str, str]]:
    changed = []
    rest = [node for node in right["nodes"] if node["id"] not in taken]
    for node in left["nodes"]:
        if node["id"] in partner:
            continue
        read = Counter(partner.get(maker(value), "") for value in node["inputs"] if ":" in value)
        for other in rest:
            theirs = Counter(maker(value) for value in other["inputs"] if ":" in value)
            if other["id"] not in taken and other["op"] == node["op"] and read == theirs:
                partner[node["id"]] = other["id"]
                taken.add(other["id"])
                changed.append((node["id"], other["id"]))
                break
    return changed


def by_tracelab(left: Plain, right: Plain) -> Difference:
    """`tracelab.diff`. What merely reads another value now (`rewired`) is no change."""
    import tracelab

    from .to_tracelab import graph_of

    (a, ids_a), (b, ids_b) = graph_of(left), graph_of(right)
    found = tracelab.diff(a, b)
    changed = {(ids_a[before], ids_b[after]): None for before, after, _ in found.changed}
    for before, after in found.moved:
        # Whole module calls that moved have their nodes unchanged.
        if before in ids_a:
            changed[ids_a[before], ids_b[after]] = None
    return Difference(
        [ids_a[node] for node in found.removed],
        [ids_b[node] for node in found.added],
        list(changed),
        [(ids_a[before], ids_b[after]) for before, after in found.alignment.pairs],
    )


TOOLS: dict[str, Tool] = {
    "tracelab": by_tracelab,
    "difflib": by_difflib,
    "difflib, with inputs": by_difflib_with_inputs,
    "networkx": by_networkx,
}
