"""Which boxes a picture of a difference has: what is different by itself, what stayed folded together."""

from __future__ import annotations

from typing import Any

from tracelab.protocol.view_document import ViewDocument
from tracelab.render.module_tree import Module, module_tree
from tracelab.render.picture.boxes import Box, boxes_in, fold_runs, has_tensors

SAME, ADDED, REMOVED, CHANGED = range(4)
SIGNS = {SAME: "", ADDED: "+ ", REMOVED: "\N{MINUS SIGN} ", CHANGED: "~ "}
"""Marks that tell kinds apart without their colours."""


def diff_boxes(document: ViewDocument, most: int) -> list[Box]:
    """At most `most` boxes: modules that hold differences are open, neighbours that stayed the same are one box."""
    modules = module_tree(document)
    status = node_status(document)
    drawn = [mark != SAME or has_tensors(document, node) for node, mark in enumerate(status)]
    opened = _with_differences(modules, status)
    while True:
        found = _fold_unchanged(document, boxes_in(document, modules, drawn, opened), status)
        deepest = max(modules[row].depth for row in opened)
        if len(found) <= most or deepest == 0:
            return fold_runs(document, found, most)
        opened = {row for row in opened if modules[row].depth < deepest}


def node_status(document: ViewDocument) -> list[int]:
    """What became of every node; what changed only in the wake of another counts as the same."""
    nodes = document["diff"]["nodes"]
    status = list(nodes["status"])
    for node in nodes["follows"]:
        status[node] = SAME
    return status


def box_status(document: ViewDocument, box: Box, status: list[int]) -> int:
    """That of its nodes where they are all alike; changed where some are different, or its modules got other names."""
    found = {status[node] for node in box.nodes}
    if found == {SAME} and _renamed(document, box) and not _numbered(box):
        return CHANGED
    return found.pop() if len(found) == 1 else CHANGED


def _renamed(document: ViewDocument, box: Box) -> bool:
    return any(document["diff"]["scopes"]["status"][module.row] == CHANGED for module in box.closed)


def _numbered(box: Box) -> bool:
    """Whether the modules' names are numbers: another number is a consequence, and no difference by itself."""
    return all(module.name.rpartition(".")[2].isdigit() for module in box.closed)


def _with_differences(modules: list[Module], status: list[int]) -> set[int]:
    """Modules that are neither the same nor added or removed as a whole."""
    kinds: list[set[int]] = [{status[node] for node in module.nodes} for module in modules]
    for module in reversed(modules):
        if module.parent is not None:
            kinds[module.parent.row] |= kinds[module.row]
    opened = {0}
    for module in modules[1:]:
        assert module.parent is not None
        if module.parent.row in opened and (len(kinds[module.row]) > 1 or kinds[module.row] == {CHANGED}):
            opened.add(module.row)
    return opened


def _fold_unchanged(document: ViewDocument, found: list[Box], status: list[int]) -> list[Box]:
    """Neighbours that stayed the same, and those that only got another number, together."""

    def kind(box: Box) -> tuple[Any, ...]:
        renamed = _renamed(document, box)
        alike = {status[node] for node in box.nodes} == {SAME} and (not renamed or _numbered(box))
        return (box.module.row, bool(box.closed), renamed) if alike else (id(box),)

    folded: list[Box] = []
    before: tuple[Any, ...] = ()
    for box in found:
        now = kind(box)
        if now == before:
            folded[-1].nodes += box.nodes
            folded[-1].closed += box.closed
        else:
            folded.append(box)
        before = now
    return folded
