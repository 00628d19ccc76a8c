"""The difference of two graphs by size, side by side with difflib on their printed lines: medians, in one process.

difflib on the printed graph is how torch.jit.trace's own check compares two graphs. It is given the text without
values' names (canonical numbers would shift behind the first edit), which is to its advantage.

python tests/benchmarks/diffing.py [nodes ...]
"""

from __future__ import annotations

import difflib
import gc
import pathlib
import random
import re
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import tracelab
from support.built_graphs import BINARY, NUMBER, UNARY, Op, graph_from
from tracelab.graph.graph import Graph

_LAYER = 25
_ROUNDS = 3
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


def timed(function: Callable[[], Any], rounds: int) -> float:
    found = []
    for _ in range(rounds):
        gc.collect()
        start = time.perf_counter()
        function()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def main(sizes: list[int]) -> None:
    print(f"{'case':11}{'nodes':>8}{'found':>22}{'ms':>9}{'µs/node':>9}{'difflib ms':>12}{'ratio':>7}")
    for case, make in CASES.items():
        for count in sizes or [1_000, 5_000, 20_000, 100_000]:
            a, b = make(count)
            found = tracelab.diff(a, b)
            seconds = timed(lambda a=a, b=b: tracelab.diff(a, b), _ROUNDS if count <= 20_000 else 2)
            words = f"+{len(found.added)} -{len(found.removed)} ~{len(found.changed)}"
            line = f"{case:11}{len(b.nodes):8,}{words:>22}{seconds * 1e3:9.0f}{seconds / len(b.nodes) * 1e6:9.1f}"
            if count <= _MOST_LINES and not (case == "unrelated" and count > 5_000):
                theirs = timed(lambda a=a, b=b: by_lines(a, b), 1)
                line += f"{theirs * 1e3:12.0f}{seconds / theirs:7.2f}"
            print(line, flush=True)


if __name__ == "__main__":
    main([int(size.replace(",", "").replace("_", "")) for size in sys.argv[1:]])
