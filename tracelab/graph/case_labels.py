"""What several recordings of one callable are called: by what is different in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.expressions import negated
from tracelab.graph.graph import Graph
from tracelab.graph.tree import Tree
from tracelab.graph.types import TensorType, counted

_SHORT = 40
"""Characters of one difference."""

Facts = dict[tuple[str, str], tuple[object, str]]
"""By what it is about: what it is, and the words for it; what tells more comes first."""


def case_labels(graphs: Sequence[Graph]) -> list[str]:
    """A label for each recording, all different; empty where there is only one."""
    if len(graphs) == 1:
        return [""]
    facts = [dict(_facts(graph)) for graph in graphs]
    arguments = {key: None for mine in facts for key in mine if key[0] == "given"}
    for mine in facts:
        absent: Facts = {key: (False, f"no {key[1]}") for key in arguments if key not in mine}
        mine.update(absent)
    return _numbered([_label(mine, [other for other in facts if other is not mine]) for mine in facts])


def _label(mine: Facts, others: list[Facts]) -> str:
    """The facts that tell a recording from the others, as few as do."""
    words = []
    for key in sorted(mine, key=lambda key: key[0] != "given"):
        alike = [other for other in others if key not in other or other[key][0] == mine[key][0]]
        if len(alike) < len(others):
            words.append(mine[key][1])
            others = alike
    return ", ".join(words)


def _numbered(labels: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    made = []
    for number, label in enumerate(labels, 1):
        name = label or f"recording {number}"
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return made


def _facts(graph: Graph) -> Iterator[tuple[tuple[str, str], tuple[object, str]]]:
    """What may be different, what tells more first."""
    tree = graph.input_tree
    if tree is not None:
        for name, part in zip(tree.names, tree.trees, strict=True):
            if part.kind == "value":
                yield ("value", name), (part, f"{name} = {_cut(repr(part.value))}")
                continue
            given = part.kind != "none"
            yield ("given", name), (given, f"{name} given" if given else f"no {name}")
            if given and part.holds_objects:
                yield from _inner_facts(part)
            elif given:
                yield ("nesting", name), (part, f"{name} {_nesting(part)}")
    users = graph.user_inputs
    types = [(value.name, value.type) for value in users if isinstance(value.type, TensorType)]
    for name, kind in types:
        dtype = str(kind.dtype).removeprefix("torch.")
        yield ("dtype", name), (dtype, dtype if len(users) == 1 else f"{name} {dtype}")
    for name, kind in types:
        yield ("dimensions", name), (len(kind.shape), f"{name} of {counted(len(kind.shape), 'dimension')}")
    modes = [(path, item) for item in graph.assumptions for path in item.paths]
    if modes:
        yield ("modes", ""), (sorted((path, item.constant) for path, item in modes), _modes(modes))
    seen: Counter[str] = Counter()
    for item in graph.assumptions:
        if item.paths or item.kind is AssumptionKind.ARGUMENT:
            continue
        seen[item.about] += 1
        # Several values may go by one name of the user's.
        yield ("assumption", f"{item.about} {seen[item.about]}"), (repr(item.constant), _assumed(item))
    for name, kind in types:
        yield ("sizes", name), (kind.shape, f"{name} {list(kind.shape)}")


def _inner_facts(tree: Tree) -> Iterator[tuple[tuple[str, str], tuple[object, str]]]:
    """What may be different inside of an object."""
    for part in tree.walk():
        place = part.place
        if part.kind == "value":
            yield ("value", place), (part, f"{place} = {_cut(repr(part.value))}")
        elif part.kind in ("list", "tuple"):
            yield ("length", place), (len(part.children), f"{place} of {len(part.children)}")
        elif part.keys:
            yield ("nesting", place), (list(part.keys), f"{place} {_nesting(part)}")
        for key, child in zip(part.keys or range(len(part.children)), part.children, strict=True):
            inner = f"{place}.{key}" if part.kind == "object" else f"{place}[{key!r}]"
            yield ("given", inner), (child.kind, f"no {inner}" if child.kind == "none" else f"{inner} given")


def _nesting(tree: Tree) -> str:
    if tree.kind == "dict":
        return "with " + ", ".join(map(str, tree.keys))
    return f"of {len(tree.children)}" if tree.children else tree.kind


def _modes(modes: list[tuple[str, Assumption]]) -> str:
    """`training`, or `training, bn evaluation` where they differ; of the mode that most are in, first."""
    counts = Counter(item.constant for _, item in modes)
    most = counts[True] >= counts[False]
    others = [f"{path or 'itself'} {_mode(item)}" for path, item in modes if item.constant is not most]
    return ", ".join(["training" if most else "evaluation", *others])


def _mode(item: Assumption) -> str:
    return "training" if item.constant else "evaluation"


def _assumed(item: Assumption) -> str:
    if item.kind is AssumptionKind.TRAINING:
        return _mode(item)
    if not item.subject and item.source is not None and not item.source.expression:
        # The code cannot be read.
        return f"{item.kind} at line {item.source.line}: {_cut(str(item.constant))}"
    if item.constant is True:
        return _cut(item.about)
    if item.constant is False:
        return _cut(negated(item.about))
    shown = " ".join(str(item.constant).removeprefix("torch.").split())
    return f"{_cut(item.about)} = {_cut(shown)}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
