"""Blocks that are alike and follow each other: one of them stands for all."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tracelab.protocol.view_document import Role, ViewDocument
from tracelab.render.module_tree import Module

_STATE = (Role.PARAMETER, Role.BUFFER)


@dataclass(slots=True)
class Repeats:
    """`times` and `last`, by the row of the module that stands for several; `stands_in` for each node of the others."""

    times: dict[int, int] = field(default_factory=dict)
    last: dict[int, Module] = field(default_factory=dict)
    stands_in: dict[int, int] = field(default_factory=dict)

    def shown(self, node: int) -> int:
        """The node that is drawn for a node."""
        while node in self.stands_in:
            node = self.stands_in[node]
        return node


class _Finder:
    def __init__(self, document: ViewDocument, drawn: set[int], same: dict[int, int]) -> None:
        self.document = document
        self.drawn = drawn
        self.same = same
        self.nodes: dict[int, list[int]] = {}
        self.found = Repeats()
        values = document["values"]
        self.makers = {value: node for value, node in enumerate(values["node"]) if node >= 0}

    def maker(self, value: int) -> int:
        """The node that makes a value, behind what changes nothing; -1 where none does."""
        while value in self.same:
            value = self.same[value]
        return self.makers.get(value, -1)

    def contents(self, module: Module) -> list[int]:
        """The drawn nodes in and below a module, in order."""
        if module.row not in self.nodes:
            below = [node for child in module.children for node in self.contents(child)]
            self.nodes[module.row] = sorted([*(node for node in module.nodes if node in self.drawn), *below])
        return self.nodes[module.row]

    def search(self, module: Module) -> None:
        """Find the repeats right in a module, and in each of its children that is drawn."""
        children = sorted((child for child in module.children if self.contents(child)), key=self._first)
        own = [node for node in module.nodes if node in self.drawn]
        groups: list[list[Module]] = []
        for child in children:
            if groups and self._follows(groups[-1][-1], child, own):
                groups[-1].append(child)
            else:
                groups.append([child])
        for first, *others in groups:
            if others:
                self.found.times[first.row] = 1 + len(others)
                self.found.last[first.row] = others[-1]
                for other in others:
                    pairs = zip(self.contents(other), self.contents(first), strict=True)
                    self.found.stands_in.update(pairs)
            self.search(first)

    def _first(self, module: Module) -> int:
        return self.contents(module)[0]

    def _follows(self, module: Module, after: Module, own: list[int]) -> bool:
        """Whether the second is another of the first: alike, numbered alike, fed by it, with nothing between."""
        here, there = self.contents(module), self.contents(after)
        if here[-1] >= there[0] or len(here) != len(there) or _stem(module) != _stem(after):
            return False
        if _number(after) != _number(module) + 1:
            # What stands between changes nothing, and is not drawn.
            return False
        if any(here[-1] < node < there[0] for node in own):
            return False
        inside = set(here)
        fed = any(self.maker(value) in inside for node in there for value in self.document["nodes"]["inputs"][node])
        return fed and self.alike(module) == self.alike(after)

    def alike(self, module: Module) -> tuple[object, ...]:
        """What two modules have in common that are drawn as one: classes, operators, and the sizes that they make."""
        nodes, values = self.document["nodes"], self.document["values"]
        here = self.contents(module)
        position = {node: place for place, node in enumerate(here)}
        rows = []
        for node in here:
            made = tuple((values["dtype"][value], values["shape"][value]) for value in nodes["outputs"][node])
            read = tuple(position.get(self.maker(value), -1) for value in nodes["inputs"][node])
            state = tuple(values["shape"][value] for value in nodes["inputs"][node] if values["role"][value] in _STATE)
            rows.append((nodes["kind"][node], made, read, state))
        return (_shape(module), tuple(rows))


def _stem(module: Module) -> tuple[str, str]:
    """Class and name without the number: `h.` of `h.3`; a name without one is like no other."""
    stem = re.fullmatch(r"(.*?)\d+", module.name)
    return (module.class_name, stem[1]) if stem else (f"{module.class_name} {module.row}", module.name)


def _number(module: Module) -> int:
    return int(module.name[len(_stem(module)[1]) :])


def _shape(module: Module) -> tuple[object, ...]:
    return (module.class_name, *((child.name, _shape(child)) for child in module.children))


def repeats(document: ViewDocument, root: Module, drawn: set[int], same: dict[int, int]) -> Repeats:
    """The repeated blocks below a module, of the drawn nodes; `same` is what each value is that nothing changed."""
    finder = _Finder(document, drawn, same)
    finder.search(root)
    return finder.found
