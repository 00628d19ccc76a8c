"""The difference of two graphs by size, side by side with difflib on their printed lines.

difflib on the printed graph is how torch.jit.trace's own check compares two graphs. It is given the text without
values' names (canonical numbers would shift behind the first edit), which is to its advantage.
"""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Callable, Iterator
from functools import partial

import tracelab
from support.built_graphs import BINARY, NUMBER, UNARY, Op, graph_from
from tracelab.graph.graph import Graph

from .measuring import Measurement, against

_LAYER = 25
_MOST_LINES = 20_000
"""difflib takes minutes for more."""


def layers(count: int, seed: int) -> list[list[Op]]:
    """Layers of 25 operators in modules within modules, all alike, as in a transformer."""
    chance = random.Random(seed)
    one = []
    for place in range(_LAYER):
        name = chance.choice((*UNARY, *BINARY, *NUMBER))
        back = (1, chance.randint(1, place + 1)) if name in BINARY else (1,)
        one.append((name, back, 1 if name in NUMBER else None, ("", ".attention", ".mlp", ".mlp.act")[place % 4]))
    return [
        [Op(name, back, constant, f"h.{number}{module}") for name, back, constant, module in one]
        for number in range(count)
    ]


def nested(count: int) -> tuple[Graph, Graph]:
    """One layer inserted, one operator replaced, one argument changed."""
    before = layers(count // _LAYER, 1)
    after = [list(layer) for layer in before]
    extra = [Op("sin", (1,), None, "extra") for _ in range(_LAYER)]
    after.insert(len(after) // 2, extra)
    quarter = after[len(after) // 4]
    quarter[3] = Op("cos" if quarter[3].name != "cos" else "sin", (1,), None, quarter[3].module)
    last = after[-1]
    last[7] = Op("softmax", (1,), 0, last[7].module)
    return tuple(graph_from([op for layer in part for op in layer]) for part in (before, after))  # type: ignore[return-value]


def flat(count: int) -> tuple[Graph, Graph]:
    """One function without modules; one edit for every thousand operators."""
    chance = random.Random(2)
    before = [_any(chance) for _ in range(count)]
    after = list(before)
    for place in range(count - 500, 0, -1000):
        after.insert(place, _any(chance))
    return graph_from(before), graph_from(after)


def unrelated(count: int) -> tuple[Graph, Graph]:
    """The worst case: the same few operators in another order throughout."""
    one, two = random.Random(3), random.Random(4)
    return graph_from([_any(one) for _ in range(count)]), graph_from([_any(two) for _ in range(count)])


def _any(chance: random.Random) -> Op:
    name = chance.choice((*UNARY, *BINARY))
    return Op(name, (1, chance.randint(1, 9)) if name in BINARY else (1,), None)


CASES: dict[str, Callable[[int], tuple[Graph, Graph]]] = {"nested": nested, "flat": flat, "unrelated": unrelated}


def by_lines(a: Graph, b: Graph) -> int:
    """How many lines difflib calls different."""
    left, right = (re.sub(r"%[\w.]+", "%", str(graph)).splitlines() for graph in (a, b))
    return sum(line[:1] in "+-" for line in difflib.unified_diff(left, right, lineterm="", n=0))


def measurements(full: bool) -> Iterator[Measurement]:
    for case, make in CASES.items():
        for count in (1_000, 5_000, 20_000, 100_000) if full else (1_000, 5_000):
            a, b = make(count)
            theirs = count <= _MOST_LINES and not (case == "unrelated" and count > 5_000)
            peers = {"difflib on lines": partial(by_lines, a, b)} if theirs else {}
            rounds = 5 if count <= 5_000 else 3 if count <= 20_000 else 1
            ours = partial(tracelab.diff, a, b)
            yield from against("diff", f"{case}, {count:,} nodes", "diff", ours, peers, rounds)
