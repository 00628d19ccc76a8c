"""From a graph to few enough boxes: modules are closed, then neighbours folded, until the picture is readable."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracelab.protocol.view_document import ViewDocument
from tracelab.render.module_tree import Module, module_tree

_LEAF_OPS = 3
"""A module of so few ops, with no modules in it, is one box: `fc1  Linear`."""


@dataclass(slots=True, eq=False)
class Box:
    """One box: an operator, a closed module, or a run of either. `module` is the open module it stands in."""

    module: Module
    nodes: list[int]
    closed: list[Module] = field(default_factory=list)
    """The modules that it stands for; empty for operators."""
    unused: bool = False
    """It stands for all in the module that nothing depends on."""


def boxes(document: ViewDocument, most: int) -> list[Box]:
    """At most `most` boxes, in execution order, that hold every node on which tensors flow."""
    modules = module_tree(document)
    nodes = document["nodes"]
    marked = {node for node, _ in (*nodes.get("markers", ()), *nodes.get("identities", ()))}
    drawn = [node not in marked and has_tensors(document, node) for node in range(len(nodes["kind"]))]
    opened = _open_modules(modules, drawn, most)
    return fold_runs(document, boxes_in(document, modules, drawn, opened), most)


def boxes_in(document: ViewDocument, modules: list[Module], drawn: list[bool], opened: set[int]) -> list[Box]:
    """A box for every closed module right in an open one, and for every drawn node there, in execution order."""
    found: list[Box] = []
    last: dict[int, Box] = {}
    aside: dict[int, Box] = {}
    unused = set(document["nodes"].get("unused", ()))
    for node, scope in enumerate(document["nodes"]["scope"]):
        if not drawn[node]:
            continue
        closed = _closed_above(modules[scope], opened)
        if closed is None and node in unused:
            if scope in aside:
                aside[scope].nodes.append(node)
            else:
                aside[scope] = Box(modules[scope], [node], unused=True)
                found.append(aside[scope])
        elif closed is None:
            found.append(Box(modules[scope], [node]))
        elif closed.row in last:
            last[closed.row].nodes.append(node)
        else:
            assert closed.parent is not None
            last[closed.row] = Box(closed.parent, [node], [closed])
            found.append(last[closed.row])
    return found


def has_tensors(document: ViewDocument, node: int) -> bool:
    """Arithmetic on sizes and switches of modes are left out of the static picture, unless they failed."""
    shapes, nodes = document["values"]["shape"], document["nodes"]
    values = (*nodes["outputs"][node], *nodes["inputs"][node])
    makes_tensor = any(shapes[value] >= 0 for value in nodes["outputs"][node])
    effect = not nodes["outputs"][node] and any(shapes[value] >= 0 for value in values)
    return makes_tensor or effect or node == nodes.get("failed", -1) or node in nodes.get("opaque", ())


def _open_modules(modules: list[Module], drawn: list[bool], most: int) -> set[int]:
    """Rows of the modules to open: level by level, all of one class together, as long as the boxes are few."""
    opened = {0}
    counts = {module.row: sum(drawn[node] for node in module.nodes) for module in modules}
    total = counts[0] + len(modules[0].children)
    kinds: dict[tuple[int, str], list[Module]] = {}
    for module in modules[1:]:
        kinds.setdefault((module.depth, module.class_name or module.name), []).append(module)
    for _, group in sorted(kinds.items(), key=lambda item: item[0][0]):
        able = [
            module
            for module in group
            if module.parent is not None
            and module.parent.row in opened
            and (module.children or counts[module.row] > _LEAF_OPS)
        ]
        more = sum(counts[module.row] + len(module.children) - 1 for module in able)
        if able and total + more <= most:
            opened.update(module.row for module in able)
            total += more
    return opened


def _closed_above(module: Module, opened: set[int]) -> Module | None:
    """The outermost closed module around a node; None where all are open."""
    closed = None
    at: Module | None = module
    while at is not None:
        if at.row not in opened:
            closed = at
        at = at.parent
    return closed


def fold_runs(document: ViewDocument, found: list[Box], most: int) -> list[Box]:
    """Neighbours of one kind become one box where there are too many; then any neighbours do."""
    if len(found) <= most:
        return found
    folded: list[Box] = []
    for box in found:
        last = folded[-1] if folded else None
        if last is not None and last.module is box.module and _same_kind(last, box):
            last.nodes += box.nodes
            last.closed += box.closed
        else:
            folded.append(box)
    if len(folded) <= most:
        return folded
    length = -(-len(folded) // most)
    merged: list[Box] = []
    for start in range(0, len(folded), length):
        group = folded[start : start + length]
        module = group[0].module
        while any(not _within(box.module, module) for box in group):
            assert module.parent is not None
            module = module.parent
        nodes = [node for box in group for node in box.nodes]
        merged.append(Box(module, nodes, [closed for box in group for closed in box.closed]))
    return merged


def _same_kind(first: Box, second: Box) -> bool:
    """Both operators, or both modules of one class."""
    if first.unused or second.unused:
        return False
    if first.closed and second.closed:
        return first.closed[-1].class_name == second.closed[0].class_name
    return not first.closed and not second.closed


def _within(module: Module, outer: Module) -> bool:
    at: Module | None = module
    while at is not None:
        if at is outer:
            return True
        at = at.parent
    return False
