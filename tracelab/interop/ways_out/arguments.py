"""The arguments of a call as torch's pytrees have them, with what each leaf is for the graph."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import torch
from torch.utils import _pytree as pytree

from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.input_names import input_names
from tracelab.graph.ir import Role, Value
from tracelab.graph.kinds import ARGUMENT
from tracelab.graph.tree import PlainBuilder, Tree, build
from tracelab.graph.types import TensorType
from tracelab.interop.ways_out.refusals import ExportError, refused


@dataclass(frozen=True, slots=True)
class Given:
    """One leaf of the arguments: an input of the graph, a number at a place, or a constant."""

    value: Value | None
    place: str
    constant: Any
    name: str
    """What its placeholder is called."""
    argument: int
    """The number of the argument that it stands in."""

    @property
    def is_number(self) -> bool:
        """Whether it is a number that the graph may ask for."""
        return self.value is None and bool(self.place)


@dataclass(frozen=True, slots=True)
class Arguments:
    """How a call's arguments nest, and its leaves in order."""

    names: list[str]
    """The arguments' names, as Python can say them."""
    keyword_only: int
    leaves: list[Given]
    spec: pytree.TreeSpec
    """Of a tuple of the positional arguments and a dict of the others."""
    plain: bool
    """Whether each argument is one tensor that is given by position."""

    def built(self, leaf: Callable[[Given], Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call, of what `leaf` gives for each leaf."""
        args, kwargs = pytree.tree_unflatten([leaf(given) for given in self.leaves], self.spec)
        return args, kwargs


class _Mark:
    """Stands for one tensor or number while arguments are taken apart."""

    def __init__(self, number: int, place: str = "", constant: Any = None) -> None:
        self.number = number
        self.place = place
        self.constant = constant


class _Marks(PlainBuilder):
    """Builds arguments of marks."""

    def __init__(self) -> None:
        super().__init__(map(_Mark, count()))
        self.tensors = 0

    def tensor(self) -> Any:
        self.tensors += 1
        return super().tensor()

    def array(self, tree: Tree) -> Any:
        return self.tensor()

    def number(self, tree: Tree) -> Any:
        return _Mark(-1, tree.place, tree.value)


def arguments_of(graph: Graph) -> Arguments:
    """The arguments that the graph's traced callable takes.

    Raises:
        ExportError: An argument is of a class that torch's pytrees do not know.
    """
    tree = input_tree_of(graph)
    users = graph.user_inputs
    marks, known = _Marks(), {}  # type: ignore[var-annotated]
    built = [build(_without_arrays(part), marks, known) for part in tree.trees]
    names = _python_names(tree.names)
    count = len(names) - tree.keyword_only
    _, spec = pytree.tree_flatten((tuple(built[:count]), dict(zip(names[count:], built[count:], strict=True))))
    words = [name for part, name in zip(tree.trees, tree.names, strict=True) for name in input_names(part, name)]
    leaves: list[Given] = []
    found = 0
    for number, (name, item) in enumerate(zip(names, built, strict=True)):
        for part in pytree.tree_leaves(item):
            if isinstance(part, _Mark) and part.number >= 0:
                leaves.append(Given(users[part.number], "", None, words[part.number], number))
                found += 1
            elif isinstance(part, _Mark):
                leaves.append(Given(None, part.place, part.constant, part.place or name, number))
            else:
                leaves.append(Given(None, "", part, name, number))
    if found < marks.tensors:
        known_here = {id(given.value) for given in leaves}
        lost = next(value for value in users if id(value) not in known_here)
        holder = next(name for name, item in zip(names, built, strict=True) if _holds(item, _class_leaf))
        raise refused(
            f"the tensor `{lost.name}` stands in an object of a class that torch's pytrees do not know "
            f"(argument `{holder}`)",
            None,
            "register the class by torch.export.register_dataclass or torch.utils._pytree.register_pytree_node, or "
            "trace a function that takes the tensors in tuples, lists and dicts",
        )
    plain = tree.plain and not tree.keyword_only
    return Arguments(names, tree.keyword_only, leaves, spec, plain)


def examples(
    arguments: Arguments, devices: Mapping[torch.device, torch.device]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments of the recorded kinds, filled with ones: torch reads their sizes only."""

    def leaf(given: Given) -> Any:
        kind = given.value.type if given.value is not None else None
        if given.value is not None and (not isinstance(kind, TensorType) or -1 in kind.shape):
            raise refused(
                f"the sizes of the input `{given.name}` are not known",
                None,
                "the graph comes from a file that does not tell them; load the model itself, and trace it with an "
                "example: tracelab.trace(model, example)",
            )
        if not isinstance(kind, TensorType):
            return given.constant
        device = devices.get(kind.device, kind.device)
        if kind.stride is None:
            raise ExportError(f"the input `{given.name}` is sparse or nested, which exported programs do not take")
        made = torch.empty_strided(kind.shape, kind.stride, dtype=kind.dtype, device=device)
        return made.fill_(1) if 0 not in kind.stride else made.zero_()

    return arguments.built(leaf)


def example_call(graph: Graph, devices: Mapping[torch.device, torch.device]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The same for a graph."""
    return examples(arguments_of(graph), devices)


def numbers_asked(graph: Graph) -> set[str]:
    """The places of the numbers that the graph asks for."""
    return {node.args[0] for node in graph.nodes if node.kind == ARGUMENT}


def state_values(graph: Graph) -> list[Value]:
    """Parameters, buffers and captured tensors."""
    return [value for value in graph.inputs if value.role is not Role.INPUT]


def _class_leaf(item: Any) -> bool:
    return not isinstance(item, (_Mark, bool, int, float, complex, str, type(None)))


def _holds(item: Any, test: Callable[[Any], bool]) -> bool:
    return any(test(leaf) for leaf in pytree.tree_leaves(item))


def _without_arrays(tree: Tree) -> Tree:
    """The same with tensors where a call takes arrays."""
    if tree.kind == "array":
        return replace(tree, kind="tensor", value=None)
    return replace(tree, children=[_without_arrays(child) for child in tree.children]) if tree.children else tree


def _python_names(names: list[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        word = re.sub(r"\W", "_", name)
        word = word if word.isidentifier() else f"_{word}"
        while word in found or word == "self" or keyword.iskeyword(word):
            word += "_"
        found.append(word)
    return found
