"""From an outline to a scene: Graphviz finds the places, of boxes whose sizes are known here."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from tracelab.render.figure.frame_bounds import Bounds, around, grown, of_curve
from tracelab.render.figure.outline import FigureBox, Frame, Link, Outline
from tracelab.render.figure.scene import Arrowhead, Curve, Line, Point, Rectangle, Scene
from tracelab.render.figure.text_width import text_width
from tracelab.render.figure.theme import Theme
from tracelab.render.picture.graphviz import drawn_by_graphviz

_TITLE, _SUBTITLE, _LABEL = 9.0, 7.5, 7.0
_PAD = 7.0
_MARGIN = 4.0
_STACK = 2.5
"""How far the second box of repeated blocks stands out."""
_POINTS = 72.0
_SPACE = 7.0
_LEADING = 8.0
"""The size of the letters that keep room for text."""


def scene_of(outline: Outline, theme: Theme, horizontal: bool) -> Scene:
    """The scene of an outline, from left to right or from top to bottom."""
    text = dot_of(outline, horizontal)
    return _Drawing(outline, theme, horizontal, json.loads(drawn_by_graphviz(text, "json"))).scene()


def dot_of(outline: Outline, horizontal: bool) -> str:
    """What Graphviz is asked: boxes, frames and labels of fixed sizes, without any text."""
    lines = [
        "digraph figure {",
        f"graph [rankdir={'LR' if horizontal else 'TB'}, nodesep=0.2, ranksep={0.3 if horizontal else 0.26}, "
        f"pad=0, margin=0, remincross=true, fontname=Courier, fontsize={_SPACE}]",
        'node [shape=box, fixedsize=true, label=""]',
        f"edge [arrowsize=0.5, fontname=Courier, fontsize={_SPACE}]",
    ]
    lines += [_node(box) for box in outline.inputs]
    lines += _frame_lines(outline.root)
    lines += [_node(box) for box in outline.outputs]
    for link in outline.links:
        said = [f"label={_space(*_label_size(label_lines(link.label, horizontal)))}"] if link.label else []
        said += ["weight=0"] if link.far else []
        lines.append(f"{link.tail} -> {link.head} [{', '.join(said)}]")
    return "\n".join([*lines, "}"])


def _node(box: FigureBox) -> str:
    width, height = _size(box)
    return f"{box.key} [width={width / _POINTS:.4f}, height={height / _POINTS:.4f}]"


def _size(box: FigureBox) -> tuple[float, float]:
    wide = max(text_width(box.title, _TITLE, box.kind != "operator"), text_width(box.subtitle, _SUBTITLE))
    height = 19.0 if not box.subtitle else 29.0
    more = _STACK * 2 if box.times > 1 else 0.0
    return max(wide + 2 * _PAD, 34.0) + more, height + more


def label_lines(label: str, horizontal: bool) -> list[str]:
    """A size on one line; on lines from left to right below each other, so that these stay short.

    >>> label_lines("batch × length × 64", horizontal=True)
    ['batch', '× length', '× 64']
    """
    if not horizontal:
        return [label]
    first, *others = label.split(" × ")
    return [first, *(f"× {other}" for other in others)]


def _label_size(lines: list[str]) -> tuple[float, int]:
    return max(text_width(line, _LABEL) for line in lines) + 5, len(lines)


def _space(width: float, lines: int = 1) -> str:
    """Room for text that is drawn later: letters of a font whose letters are all as wide."""
    line = "x" * math.ceil(width / (0.6 * _SPACE))
    return '"' + r"\n".join([line] * lines) + '"'


def _frame_lines(frame: Frame) -> list[str]:
    lines = [_node(box) for box in frame.boxes]
    for inner in frame.frames:
        room = _space(text_width(inner.title, _SUBTITLE, True) + 8)
        lines.append(f"subgraph cluster_{inner.row} {{")
        lines.append(f"graph [margin=7, labeljust=l, label={room}]")
        lines += [*_frame_lines(inner), "}"]
    return lines


class _Drawing:
    def __init__(self, outline: Outline, theme: Theme, horizontal: bool, found: dict[str, Any]) -> None:
        self.outline, self.theme, self.horizontal = outline, theme, horizontal
        self.objects = {item["name"]: item for item in found.get("objects", ())}
        self.names = {item["_gvid"]: item["name"] for item in found.get("objects", ())}
        self.edges = {(self.names[item["tail"]], self.names[item["head"]]): item for item in found.get("edges", ())}
        left, bottom, right, top = _numbers(found["bb"])
        self.frames = self._frame_bounds()
        # Lines that go round may leave the box that Graphviz tells.
        curves = [of_curve(_spline(item["pos"])[0]) for item in self.edges.values()]
        for one in (*curves, *self.frames.values()):
            left, right, bottom, top = (
                min(left, one.left),
                max(right, one.right),
                min(bottom, one.bottom),
                max(top, one.top),
            )
        self.left, self.top = left - _MARGIN, top + _MARGIN
        self.width, self.height = right - left + 2 * _MARGIN, top - bottom + 2 * _MARGIN

    def _frame_bounds(self) -> dict[int, Bounds]:
        """The frames by row, each about the lines and labels that begin and end in it."""
        found = {
            frame.row: Bounds(*_numbers(self.objects[f"cluster_{frame.row}"]["bb"]))
            for frame in _frames(self.outline.root)
        }
        outline = self.outline
        boxes = {
            box.key: around(_point(self.objects[box.key]["pos"]), *_size(box))
            for box in (*outline.inputs, *_boxes(outline.root), *outline.outputs)
        }
        # Frames that are in others come first.
        for frame in reversed(_frames(outline.root)):
            keys = {box.key for box in _boxes(frame)}
            rows = {inner.row for inner in _frames(frame)}
            within = [link for link in outline.links if link.tail in keys and link.head in keys]
            labels = [(link, self._label_bounds(link)) for link in outline.links if link.label]
            inside = [of_curve(_spline(self.edges[link.tail, link.head]["pos"])[0]) for link in within]
            inside += [bounds for link, bounds in labels if link in within]
            inside += [found[row] for row in rows]
            outside = [bounds for key, bounds in boxes.items() if key not in keys]
            outside += [bounds for link, bounds in labels if link not in within]
            above = [other.row for other in _frames(outline.root) if frame in _frames(other)]
            outside += [bounds for row, bounds in found.items() if row not in (*rows, *above, frame.row)]
            found[frame.row] = grown(found[frame.row], inside, outside)
        return found

    def _label_bounds(self, link: Link) -> Bounds:
        width, lines = _label_size(label_lines(link.label, self.horizontal))
        return around(_point(self.edges[link.tail, link.head]["lp"]), width, lines * _LEADING)

    def place(self, x: float, y: float) -> Point:
        return round(x - self.left, 2), round(self.top - y, 2)

    def scene(self) -> Scene:
        outline = self.outline
        scene = Scene(outline.name, round(self.width, 2), round(self.height, 2), self.theme.page)
        for frame in outline.root.frames:
            self.frame(scene, frame)
        for link in outline.links:
            self.link(scene, self.edges[link.tail, link.head])
        for box in (*outline.inputs, *_boxes(outline.root), *outline.outputs):
            self.box(scene, box)
        for frame in outline.root.frames:
            self.title(scene, frame)
        for link in outline.links:
            if link.label:
                self.label(scene, link)
        return scene

    def label(self, scene: Scene, link: Link) -> None:
        x, y = self.place(*_numbers(self.edges[link.tail, link.head]["lp"]))
        lines = label_lines(link.label, self.horizontal)
        y += _LABEL * 0.35 - (len(lines) - 1) * _LEADING / 2
        for number, line in enumerate(lines):
            scene.items.append(Line(x, round(y + number * _LEADING, 2), line, _LABEL, self.theme.faint))

    def frame(self, scene: Scene, frame: Frame) -> None:
        bounds = self.frames[frame.row]
        x, y = self.place(bounds.left, bounds.top)
        width, height = round(bounds.right - bounds.left, 2), round(bounds.top - bounds.bottom, 2)
        look = self.theme.looks["function frame" if frame.is_function else "frame"]
        if frame.times > 1:
            behind = Rectangle(
                x + _STACK, y + _STACK, width, height, 5.0, look.fill, look.border, 0.7, frame.is_function
            )
            scene.items.append(behind)
        scene.items.append(Rectangle(x, y, width, height, 5.0, look.fill, look.border, 0.7, frame.is_function))
        for inner in frame.frames:
            self.frame(scene, inner)

    def title(self, scene: Scene, frame: Frame) -> None:
        """Titles of frames lie over the lines that pass."""
        x, y = self.place(self.frames[frame.row].left, self.frames[frame.row].top)
        fill = self.theme.looks["function frame" if frame.is_function else "frame"].fill
        width = round(text_width(frame.title, _SUBTITLE, True) + 4, 2)
        scene.items.append(Rectangle(round(x + 4, 2), round(y + 2, 2), width, _SUBTITLE + 3, 0.0, fill, fill, 0.0))
        baseline = round(y + _SUBTITLE + 3, 2)
        scene.items.append(Line(round(x + 6, 2), baseline, frame.title, _SUBTITLE, self.theme.faint, True, "start"))
        for inner in frame.frames:
            self.title(scene, inner)

    def box(self, scene: Scene, box: FigureBox) -> None:
        x, y = self.place(*_numbers(self.objects[box.key]["pos"]))
        width, height = _size(box)
        look, dashed = self.theme.looks[box.kind], box.kind == "function"
        radius = 8.0 if box.kind in ("input", "output") else 9.0 if box.kind == "operator" else 3.0
        if box.times > 1:
            width, height = width - 2 * _STACK, height - 2 * _STACK
            for step in (1.0, 0.0):
                left, top = x - width / 2 + step * _STACK, y - height / 2 + step * _STACK
                scene.items.append(
                    Rectangle(round(left, 2), round(top, 2), width, height, radius, look.fill, look.border, 0.8, dashed)
                )
        else:
            left, top = round(x - width / 2, 2), round(y - height / 2, 2)
            scene.items.append(
                Rectangle(left, top, round(width, 2), height, radius, look.fill, look.border, 0.8, dashed)
            )
        bold = box.kind != "operator"
        if box.subtitle:
            scene.items.append(Line(x, round(y - 1.8, 2), box.title, _TITLE, self.theme.ink, bold))
            scene.items.append(Line(x, round(y + 8.6, 2), box.subtitle, _SUBTITLE, self.theme.faint))
        else:
            scene.items.append(Line(x, round(y + _TITLE * 0.35, 2), box.title, _TITLE, self.theme.ink, bold))

    def link(self, scene: Scene, item: dict[str, Any]) -> None:
        points, tip = _spline(item["pos"])
        curve = tuple(self.place(*point) for point in points)
        scene.items.append(Curve(curve, self.theme.line))
        if tip is None:
            return
        (x, y), (end_x, end_y) = curve[-1], self.place(*tip)
        along_x, along_y = end_x - x, end_y - y
        length = (along_x**2 + along_y**2) ** 0.5 or 1.0
        half = 2.0
        across_x, across_y = -along_y / length * half, along_x / length * half
        corners = (
            (end_x, end_y),
            (round(x + across_x, 2), round(y + across_y, 2)),
            (round(x - across_x, 2), round(y - across_y, 2)),
        )
        scene.items.append(Arrowhead(corners, self.theme.line))


def _boxes(frame: Frame) -> list[FigureBox]:
    return [*frame.boxes, *(box for inner in frame.frames for box in _boxes(inner))]


def _frames(frame: Frame) -> list[Frame]:
    """The frames in a frame, outer ones first."""
    return [found for inner in frame.frames for found in (inner, *_frames(inner))]


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


def _point(text: str) -> Point:
    x, y = _numbers(text)
    return x, y


def _spline(text: str) -> tuple[list[Point], Point | None]:
    """The points of a line of Graphviz, and where its arrow ends."""
    end = re.match(r"e,(\S+) ", text)
    tip = None
    if end is not None:
        x, y = _numbers(end[1])
        tip = (x, y)
    points = []
    for part in text.split():
        if not part.startswith(("e,", "s,")):
            x, y = _numbers(part)
            points.append((x, y))
    return points, tip
