"""What the functions of a region do, each as a graph of its own: so that files hold data in place of code.

The region runs as always. Of each function's first call, the arguments are kept as plain tensors (of a batch its first
element), and afterwards the function is recorded on them. Such a graph has no state: parameters and constants that the
function uses are arguments of the region's node, and so of the graph.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tracelab.capture.outside.kept import python_state_kept
from tracelab.capture.recording.recorder import Recorder
from tracelab.compat.functorch import plain_example
from tracelab.compat.modes import set_grad_enabled
from tracelab.compat.pytrees import map_leaves
from tracelab.graph.callables.higher_order import Lifted, Piece, functions_in
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value, unique_names
from tracelab.graph.kinds import CONSTANT
from tracelab.graph.structure import InputTree
from tracelab.graph.tree import Tree
from tracelab.graph.types import tensor_type

_GIVEN_OPERANDS = {"cond": (1, 3), "while_loop": (0, 2), "while_loop_stack_output": (0, 2)}
"""Operators that may leave a function out, with where their functions begin and end; operands come behind."""


@dataclass(slots=True)
class _Call:
    """The arguments of a function's first call, and the gradient mode."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    gradients: bool


class Calls:
    """The calls of the functions that one region was given: of each function the first."""

    def __init__(self, is_operator: bool) -> None:
        self.is_operator = is_operator
        self.first: dict[int, _Call | str] = {}

    def watched(self, item: Lifted, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function to call in the place of another, so that its first call is noted."""
        if self.is_operator and isinstance(function, torch.fx.GraphModule):
            # They tell it by its class.
            return function

        def call(*args: Any, **kwargs: Any) -> Any:
            if id(item) not in self.first:
                self.first[id(item)] = _noted(args, kwargs)
            return function(*args, **kwargs)

        return functools.update_wrapper(call, function, updated=())

    def record_pieces(
        self, recorder: Recorder, name: str, args: tuple[Any, ...], found: list[Any], lent: Sequence[Any]
    ) -> None:
        """Record each function that was called; what it uses from outside joins `found`."""
        self._note_operands(name, args)
        held, places = tuple(lent), {id(item): place for place, item in enumerate(found)}
        for item in functions_in(args):
            call = self.first.get(id(item))
            if call is None:
                continue
            if isinstance(call, str):
                item.why_not = call
                continue
            before = torch.is_grad_enabled()
            try:
                set_grad_enabled(call.gradients)
                with python_state_kept(item.function):
                    graph, outside = recorder.record_inner(_Body(item, len(held)), (*held, *call.args), call.kwargs)
            except Exception as error:
                item.why_not = str(error).partition("\n")[0] or type(error).__name__
                continue
            finally:
                set_grad_enabled(before)
            taken = _without_state(graph, set(outside))
            for tensor, is_outside in taken:
                if id(tensor) not in places:
                    places[id(tensor)] = len(found)
                    found.append(tensor)
                    if not is_outside:
                        _bind_constant(recorder, tensor)
            first = tuple(places[id(tensor)] for tensor, _ in taken)
            item.piece = Piece(graph, (*first, *range(len(held))))

    def _note_operands(self, name: str, args: tuple[Any, ...]) -> None:
        """What a function would be given that was left out: the other side of a branch."""
        if name not in _GIVEN_OPERANDS:
            return
        begin, end = _GIVEN_OPERANDS[name]
        operands = tuple(part for whole in args[end:] for part in whole)
        for item in args[begin:end]:
            if isinstance(item, Lifted) and id(item) not in self.first:
                self.first[id(item)] = _noted(operands, {})


class _Body:
    """A function as one of what it uses from outside, too."""

    def __init__(self, item: Lifted, held: int) -> None:
        self.item = item
        self.held = held
        self.__name__ = getattr(item, "__name__", type(item.function).__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.item.of(args[: self.held])(*args[self.held :], **kwargs)


def _noted(args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call | str:
    try:
        args, kwargs = map_leaves(
            lambda item: plain_example(item) if isinstance(item, Tensor) else item, (args, kwargs)
        )
    except Exception as error:
        return str(error).partition("\n")[0] or type(error).__name__
    return _Call(args, kwargs, torch.is_grad_enabled())


def _without_state(graph: Graph, outside: set[Value]) -> list[tuple[Tensor, bool]]:
    """Make arguments of the tensors that a graph holds; gives them, and whether they were there before."""
    held = dict(graph.state)
    taken = [(tensor, value in outside or value.role is not Role.CONSTANT) for value, tensor in held.items()]
    graph.state.clear()
    constants = {value.node for value in held if value.node is not None}
    for node in constants:
        node.outputs = ()
    graph.retain([node for node in graph.nodes if node not in constants])
    for value in held:
        value.node, value.role, value.path = None, Role.INPUT, ""
        if not value.name.isidentifier():
            value.name = "outside"
    tree = graph.input_tree
    assert tree is not None
    graph.inputs = [*held, *(value for value in graph.inputs if value not in held)]
    unique_names(graph.values())
    graph.input_tree = InputTree(
        [*(value.name for value in held), *tree.names],
        [*(Tree("tensor", place=value.name) for value in held), *tree.trees],
        tree.keyword_only,
        tree.defaults,
        given=tree.given,
    )
    return taken


def _bind_constant(recorder: Recorder, tensor: Tensor) -> None:
    """Make a constant of a tensor that a function made of Python's data."""
    constant = Value("constant", tensor_type(tensor), None, Role.CONSTANT)
    constant.node = Node(CONSTANT, None, (), None, (constant,), recorder.scope)
    recorder.graph.state[constant] = tensor
    recorder.nodes.append(constant.node)
    recorder.kept.append(tensor)
    recorder.bind(tensor, constant)
