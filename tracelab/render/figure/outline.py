"""What a figure shows: boxes in frames, and the lines between them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tracelab.errors import InputError
from tracelab.graph.text.printable import replaced
from tracelab.graph.types import counted
from tracelab.protocol.view_document import Role, ViewDocument
from tracelab.render.figure.repeats import Repeats, repeats
from tracelab.render.module_tree import Module, module_tree, output_names, value_name
from tracelab.render.picture.boxes import has_tensors
from tracelab.render.picture.dot import writers

_FEW_OPERATORS = 3
"""A module of so few operators, with no modules in it, is one box at any depth."""
_AT_FIRST = 25
"""Boxes up to which a figure without a depth is opened."""
_MOST = 400
_LONGEST = 44
_FEWEST_CONSTANTS = 2
"""So many operators that make positions or a mask are one box."""
_AGAIN = re.compile(r"\.\d+$")
"""What makes a name unique."""
_FAN = 6
"""A value with more lines does not pull together what it feeds."""


@dataclass(slots=True)
class FigureBox:
    """One box: `kind` is that of the theme's looks, `times` how many blocks it stands for."""

    key: str
    kind: str
    title: str
    subtitle: str = ""
    times: int = 1


@dataclass(slots=True)
class Frame:
    """An open module or function around its boxes."""

    row: int
    title: str
    is_function: bool = False
    times: int = 1
    boxes: list[FigureBox] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)


@dataclass(slots=True)
class Link:
    """A line from one box to another, with the size of the tensor that flows there."""

    tail: str
    head: str
    label: str = ""
    far: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """What is open, by rows, in place of a depth; `inlined` are those whose contents stand in what is around them."""

    rows: frozenset[int]
    inlined: frozenset[int] = frozenset()


@dataclass(slots=True)
class Outline:
    """All that is drawn; the boxes of `root` are in no frame."""

    name: str
    root: Frame
    inputs: list[FigureBox]
    outputs: list[FigureBox]
    links: list[Link]

    def __len__(self) -> int:
        return _count(self.root)


def _count(frame: Frame) -> int:
    return len(frame.boxes) + sum(map(_count, frame.frames))


def outline(
    document: ViewDocument,
    depth: int | None,
    root: str,
    fold_repeats: bool,
    sizes: Callable[[int], str],
    types: Callable[[int], str],
    opened: Opened | None = None,
) -> Outline:
    """The outline of a graph.

    Args:
        document: The graph.
        depth: How many levels of modules and functions are open; None for as many as 25 boxes allow.
        root: The path of the module that is drawn; all of the graph where it is empty.
        fold_repeats: Whether blocks that are alike are one, with their number.
        sizes: What a line says of a value.
        types: What inputs and outputs say of a value.
        opened: What is open, where that is not a matter of depth.

    Returns:
        The outline.

    Raises:
        InputError: There is no such module, or there would be too many boxes.
    """
    modules = module_tree(document)
    top = _module_at(modules, root)
    inside = _below(top)
    drawn = _drawn(document, {module.row for module in inside})
    same = _identities(document, drawn, sizes)
    folded = repeats(document, top, drawn, same) if fold_repeats else Repeats()

    def made(levels: int) -> Outline:
        return _Outliner(document, top, drawn, same, folded, levels, sizes, types, opened).build()

    deepest = max(module.depth for module in inside) - top.depth + 1
    if opened is not None:
        found = made(deepest)
    elif depth is None:
        found = made(1)
        for levels in range(2, deepest + 1):
            deeper = made(levels)
            if len(deeper) > _AT_FIRST:
                break
            found = deeper
    else:
        found = made(depth)
    if len(found) > _MOST:
        what = "give a smaller depth, or a root" if opened is None else f"close some, so that there are at most {_MOST}"
        raise InputError(f"the figure would have {len(found):,} boxes: {what}")
    return found


def paths_of(modules: list[Module]) -> dict[int, str]:
    """The path of each module from the root, by its row; functions are no part of it."""
    paths: dict[int, str] = {}
    for module in modules:
        above = "" if module.parent is None else paths[module.parent.row]
        own = "" if module.parent is None or module.is_function else module.name
        paths[module.row] = ".".join(part for part in (above, own) if part)
    return paths


def _module_at(modules: list[Module], root: str) -> Module:
    if not root:
        return modules[0]
    paths = paths_of(modules)
    known = [module for module in modules[1:] if not module.is_function]
    for module in known:
        if paths[module.row] == root:
            return module
    last = root.rpartition(".")[2]
    near = [paths[module.row] for module in known if module.name.rpartition(".")[2] == last]
    others = near or [paths[module.row] for module in known]
    shown = ", ".join(others[:8]) + (", …" if len(others) > 8 else "")
    raise InputError(f"nothing ran in a module {root!r}: there are {shown}" if others else f"no module {root!r}")


def _below(top: Module) -> list[Module]:
    found = [top]
    for child in top.children:
        found += _below(child)
    return found


def _drawn(document: ViewDocument, rows: set[int]) -> set[int]:
    """The nodes on which tensors flow to an output."""
    nodes = document["nodes"]
    aside = set(nodes.get("unused", ())) | {node for node, _ in nodes.get("sizes", ())}
    return {
        node
        for node, scope in enumerate(nodes["scope"])
        if scope in rows and node not in aside and has_tensors(document, node)
    }


_MAY_CHANGE_NOTHING = frozenset(
    f"aten::{name}"
    for name in ("view", "reshape", "slice", "to", "contiguous", "expand", "alias", "detach", "unflatten", "type_as")
)


def _identities(document: ViewDocument, drawn: set[int], sizes: Callable[[int], str]) -> dict[int, int]:
    """What operators make that change nothing (a cast to its own dtype), with what they are given: not drawn."""
    nodes, values, strings = document["nodes"], document["values"], document["strings"]
    same: dict[int, int] = {}
    for node, _ in nodes.get("identities", ()):
        if node in drawn:
            same[nodes["outputs"][node][0]] = nodes["inputs"][node][0]
            drawn.discard(node)
    for node in sorted(drawn):
        if strings[nodes["kind"][node]] not in _MAY_CHANGE_NOTHING or len(nodes["outputs"][node]) != 1:
            continue
        made = nodes["outputs"][node][0]
        read = nodes["inputs"][node][0] if nodes["inputs"][node] else -1
        if read < 0 or node == nodes.get("failed", -1):
            continue
        alike = all(values[column][made] == values[column][read] for column in ("shape", "dtype", "device"))
        if alike and sizes(made) == sizes(read) and "?" not in sizes(made) and "…" not in sizes(made):
            same[made] = read
            drawn.discard(node)
    return same


class _Outliner:
    def __init__(
        self,
        document: ViewDocument,
        top: Module,
        drawn: set[int],
        same: dict[int, int],
        folded: Repeats,
        levels: int,
        sizes: Callable[[int], str],
        types: Callable[[int], str],
        opened: Opened | None,
    ) -> None:
        self.document, self.top, self.drawn, self.folded = document, top, drawn, folded
        self.same = same
        self.levels, self.sizes, self.types, self.opened = levels, sizes, types, opened
        self.shown = {node for node in drawn if node not in folded.stands_in}
        self.constant = self.shown & set(document["nodes"].get("constants", ()))
        self.box_of: dict[int, str] = {}
        self.inputs: dict[str, FigureBox] = {}
        self.outputs: dict[str, FigureBox] = {}
        self.values_of: dict[str, set[int]] = {}
        """By each input and output, the tensors that it stands for."""

    def build(self) -> Outline:
        frame = self.frame(self.top, 0)
        links = self.links()
        for key, values in self.values_of.items():
            if len(values) > 1:
                (self.inputs.get(key) or self.outputs[key]).subtitle = counted(len(values), "tensor")
        return Outline(self.top.name, frame, list(self.inputs.values()), list(self.outputs.values()), links)

    # Boxes -----------------------------------------------------------------------------------------------

    def frame(self, module: Module, level: int) -> Frame:
        frame = Frame(module.row, self.titled(module, self.folded.times.get(module.row, 1)), module.is_function)
        frame.times = self.folded.times.get(module.row, 1)
        for _, item in sorted(self.items(module), key=lambda pair: pair[0]):
            if isinstance(item, int):
                frame.boxes.append(self.operator(item))
            elif isinstance(item, list):
                frame.boxes.append(self.constants(module.row, item))
            elif self.opens(item, level + 1):
                frame.frames.append(self.frame(item, level + 1))
            else:
                frame.boxes.append(self.closed(item))
        return frame

    def items(self, module: Module) -> list[tuple[int, int | Module | list[int]]]:
        """What stands right in a module, each with its first node; constants are a list of nodes."""
        items: list[tuple[int, int | Module | list[int]]] = []
        constants: list[int] = []
        for node in module.nodes:
            if node in self.constant:
                constants.append(node)
            elif node in self.shown:
                items.append((node, node))
        for child in module.children:
            inside = self.inside(child)
            if self.opened is not None and child.row in self.opened.inlined:
                items += self.items(child)
            elif inside and self.constant.issuperset(inside):
                constants += inside
            elif inside:
                items.append((min(inside), child))
        if len(constants) >= _FEWEST_CONSTANTS:
            items.append((min(constants), sorted(constants)))
        else:
            items += [(node, node) for node in constants]
        return items

    def inside(self, module: Module) -> list[int]:
        """The shown nodes in and below a module."""
        return [node for item in _below(module) for node in item.nodes if node in self.shown]

    def opens(self, module: Module, level: int) -> bool:
        if self.opened is not None:
            return module.row in self.opened.rows
        return level < self.levels and (
            any(self.inside(child) for child in module.children)
            or sum(node in self.shown for node in module.nodes) > _FEW_OPERATORS
        )

    def operator(self, node: int) -> FigureBox:
        nodes, strings = self.document["nodes"], self.document["strings"]
        name = strings[nodes["kind"][node]].rpartition("::")[2]
        if node in nodes.get("opaque", ()):
            name = next((strings[text] for key, text in nodes["arguments"][node] if strings[key] == "name"), name)
        failed = node == nodes.get("failed", -1)
        self.box_of[node] = key = f"n{node}"
        return FigureBox(key, "failed" if failed else "operator", _text(name), "failed" if failed else "")

    def constants(self, row: int, members: list[int]) -> FigureBox:
        """One box for what makes positions or masks, named as the code names what it makes, if that is one tensor."""
        document, key = self.document, f"c{row}"
        self.box_of.update(dict.fromkeys(members, key))
        nodes = document["nodes"]
        read = {
            value for node, inputs in enumerate(nodes["inputs"]) if self.box_of.get(node) != key for value in inputs
        }
        read.update(document["outputs"])
        leaving = [value for node in members for value in nodes["outputs"][node] if value in read]
        name = "constants"
        if len(leaving) == 1:
            operator = document["strings"][nodes["kind"][document["values"]["node"][leaving[0]]]].rpartition("::")[2]
            given = _AGAIN.sub("", value_name(document, leaving[0]))
            name = given if given != operator else name
        return FigureBox(key, "operator", _text(name))

    def closed(self, module: Module) -> FigureBox:
        key = f"m{module.row}"
        nodes = self.inside(module)
        self.box_of.update(dict.fromkeys(nodes, key))
        failed = self.document["nodes"].get("failed", -1) in nodes
        times = self.folded.times.get(module.row, 1)
        kind = "failed" if failed else "function" if module.is_function else "module"
        name, class_name = self.named(module, times), module.class_name
        if times > 1:
            class_name = f"{class_name} × {times}" if class_name else f"× {times}"
        return FigureBox(key, kind, _text(name), _text(class_name), times)

    def named(self, module: Module, times: int) -> str:
        return module.name if times == 1 else f"{module.name} … {self.folded.last[module.row].name}"

    def titled(self, module: Module, times: int) -> str:
        name = "  ".join(part for part in (self.named(module, times), module.class_name) if part)
        return _text(f"{name} × {times}" if times > 1 else name)

    # Lines -----------------------------------------------------------------------------------------------

    def links(self) -> list[Link]:
        """Each pair of boxes is joined once; a size that leaves a box is told once."""
        document = self.document
        nodes, shapes = document["nodes"], document["values"]["shape"]
        behind = writers(document)
        joined: dict[tuple[str, str], Link] = {}
        told: set[tuple[str, str]] = set()

        def join(tail: str, head: str, label: str) -> None:
            if tail == head or (tail, head) in joined:
                return
            label = "" if (tail, label) in told else label
            told.add((tail, label))
            joined[tail, head] = Link(tail, head, label)

        for node in sorted(self.shown):
            for value in nodes["inputs"][node]:
                value = behind.get((node, value), value)
                if shapes[value] >= 0:
                    tail = self.tail(value)
                    if tail is not None:
                        join(tail, self.box_of[node], "" if tail in self.inputs else self.sizes(value))
        for value, name in self.results():
            made = behind.get((-1, value), value)
            tail = self.tail(made) if shapes[value] >= 0 else None
            if tail is not None:
                join(tail, self.end(self.outputs, "o", "output", value, name), "")
        links = list(joined.values())
        fans = Counter(link.tail for link in links)
        for link in links:
            link.far = fans[link.tail] > _FAN
        return links

    def tail(self, value: int) -> str | None:
        """The box from which a value comes; None for parameters and other state."""
        while value in self.same:
            value = self.same[value]
        node = self.document["values"]["node"][value]
        if node >= 0 and node in self.drawn:
            return self.box_of[self.folded.shown(node)]
        if node < 0 and self.document["values"]["role"][value] != Role.INPUT:
            return None
        if node >= 0 and self.top.parent is None:
            # Made by what is not drawn.
            return None
        return self.end(self.inputs, "i", "input", value, value_name(self.document, value))

    def results(self) -> list[tuple[int, str]]:
        """The values that leave what is drawn, with their names."""
        document = self.document
        if self.top.parent is None:
            paths = document.get("output_names", [-1] * len(document["outputs"]))
            unnamed = sum(path < 0 for path in paths)
            named = [
                name if path >= 0 else f"output {place + 1}" if unnamed > 1 else "output"
                for place, (name, path) in enumerate(zip(output_names(document), paths, strict=True))
            ]
            return list(zip(document["outputs"], named, strict=True))
        inside = set(self.top_nodes())
        leaves = dict.fromkeys(value for value in document["outputs"])
        for node, inputs in enumerate(document["nodes"]["inputs"]):
            if node not in inside and node not in document["nodes"].get("unused", ()):
                leaves.update(dict.fromkeys(inputs))
        return [(value, value_name(document, value)) for value in leaves if document["values"]["node"][value] in inside]

    def top_nodes(self) -> list[int]:
        return [node for module in _below(self.top) for node in module.nodes]

    def end(self, ends: dict[str, FigureBox], prefix: str, kind: str, value: int, name: str) -> str:
        """The box of an input or output; those of one structure are one box."""
        name = name.partition(".")[0] if self.top.parent is None else name
        key = next((key for key, box in ends.items() if box.title == _text(name)), "")
        if not key:
            key = f"{prefix}{len(ends)}"
            ends[key] = FigureBox(key, kind, _text(name), self.types(value))
        self.values_of.setdefault(key, set()).add(value)
        return key


def _text(text: str) -> str:
    text = replaced(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
