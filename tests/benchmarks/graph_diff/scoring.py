"""How well a tool's answer fits the truth: precision and recall of changed nodes, pairs, and the first divergence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product

from .cases import Case
from .plain import Plain


@dataclass(frozen=True, slots=True)
class Difference:
    """What a tool found. Ids are those of the graphs that it was given."""

    removed: list[str] = field(default_factory=list)
    """Nodes of the left graph that are not in the right."""
    added: list[str] = field(default_factory=list)
    """Nodes of the right graph that are not in the left."""
    changed: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of which something is different: operator, attribute, dtype, shape, or their place."""
    pairs: list[tuple[str, str]] = field(default_factory=list)
    """All nodes that are in both, changed or not."""
    first: str | None = None
    """Where they part first, as `"left:n3"` or `"right:n4"`; None leaves it to `first_of`."""


Tool = Callable[[Plain, Plain], Difference]


@dataclass(frozen=True, slots=True)
class Score:
    """Of one case: nodes that were found rightly, wrongly, and not at all."""

    hits: int
    wrong: int
    missed: int
    pairs: float
    """Which share of the true pairs was found."""
    first: bool

    @property
    def exact(self) -> bool:
        return self.wrong == self.missed == 0


def score(case: Case, found: Difference) -> Score:
    """The score against the alternatives that fit best."""
    said = {f"left:{node}" for node in found.removed} | {f"right:{node}" for node in found.added}
    for mine, theirs in found.changed:
        said |= {f"left:{mine}", f"right:{theirs}"}
    said -= {node for truth in case.truths for node in truth.consequences} - {
        node for truth in case.truths for side in truth.alternatives for node in side
    }
    best = None
    for choice in product(*(truth.alternatives for truth in case.truths)):
        wanted = set().union(*choice)
        free = set().union(*(truth.consequences for truth in case.truths)) - wanted
        hits, wrong, missed = len(said & wanted), len(said - wanted - free), len(wanted - said)
        if best is None or (wrong + missed, -hits) < (best[1] + best[2], -best[0]):
            best = (hits, wrong, missed)
    assert best is not None
    # Where one of several layers may be called the new one, which belongs to which is open.
    open_ = {
        node for truth in case.truths if truth.kind.endswith("_layer") for side in truth.alternatives for node in side
    }
    true = [pair for pair in case.pairs if f"left:{pair[0]}" not in open_ and f"right:{pair[1]}" not in open_]
    known = set(map(tuple, found.pairs))
    share = sum(pair in known for pair in true) / len(true) if true else 1.0
    return Score(*best, share, _is_first(case, found))


def first_of(case: Case, found: Difference) -> str | None:
    """The earliest of the nodes that a tool names: places of the right graph, and of the left by their partners."""
    right = {node["id"]: float(place) for place, node in enumerate(case.right["nodes"])}
    partner = dict(found.pairs)
    places: dict[str, float] = {}
    at = -1.0
    for node in case.left["nodes"]:
        if node["id"] in partner:
            at = right[partner[node["id"]]]
            places[node["id"]] = at
        else:
            at += 1e-6
            places[node["id"]] = at
    named = [(places[node], f"left:{node}") for node in (*found.removed, *(mine for mine, _ in found.changed))]
    named += [(right[node], f"right:{node}") for node in found.added]
    return min(named)[1] if named else None


def _is_first(case: Case, found: Difference) -> bool:
    first = found.first or first_of(case, found)
    truths = [truth for truth in case.truths if truth.first]
    if not truths:
        return first is None
    return first in min(truths, key=lambda truth: truth.place).first
