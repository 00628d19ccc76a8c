"""The verifier: what holds of every well-formed graph.

It is to this graph what jax's jaxpr checker is to a jaxpr. Passes, edits and loading end in it while `enabled`, which
the tests switch on.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeVar

import torch

from tracelab.errors import TracelabError
from tracelab.graph.data import GraphData
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import (
    ARGUMENT,
    CONSTANT,
    CONSTRUCTS,
    CONTEXT,
    DICT_CONSTRUCT,
    ENTER_GRAD_MODE,
    GRAD_MODE,
    PYTHON_CALL,
    SET_ATTRIBUTE,
    UNPACKS,
)
from tracelab.graph.text.arguments import text_of
from tracelab.graph.types import TensorType

enabled = False
"""Whether passes, recordings and loaded files are verified as they end; costs about as much as a pass."""

_NUMBERS = ("int", "SymInt", "float", "bool", "number", "complex")
"""What schemas call numbers; values have the same words."""

G = TypeVar("G", bound=GraphData)


class GraphError(TracelabError):
    """A graph that is not well formed."""


def verified(graph: G) -> G:
    """The same graph, verified where `enabled`."""
    if enabled:
        lint(graph)
    return graph


def lint(graph: GraphData) -> None:
    """Verify that a graph is well formed.

    Every value is defined before it is used, and once; names are unique; arguments fit the operators' schemas, and
    outputs what they return; structure has its form; what a region closes is open, and contexts are closed; state,
    sources, scopes and warnings belong to the graph.

    Args:
        graph: Any graph; of one that ended in an error (`graph.failed`) regions may be open.

    Raises:
        GraphError: The first thing that is wrong, with its node.
    """
    defined: set[Value] = set()
    names: set[str] = set()
    scopes = set(graph.scopes())
    for value in (*graph.inputs, *graph.outputs):
        if type(value) is not Value:
            _wrong(graph, None, f"its inputs and outputs are values, but one is of type {type(value).__name__}")
    if graph.input_tree is not None:
        wanted, given = sum(tree.size for tree in graph.input_tree.trees), len(graph.user_inputs)
        if wanted != given:
            _wrong(graph, None, f"it takes {wanted} tensors from its caller, and has {given} inputs for them")
    for value in graph.inputs:
        if value.role in (Role.COMPUTED, Role.CONSTANT) and value.node is not None:
            _wrong(graph, None, f"the input %{value.name} is made by {value.node.kind}")
        _define(graph, None, value, defined, names)
    regions: dict[str, list[Node]] = {GRAD_MODE: [], CONTEXT: []}
    for node in graph.nodes:
        if node.graph is not graph:
            _wrong(graph, node, "it belongs to another graph")
        for value in node.inputs:
            if value not in defined:
                _wrong(graph, node, f"%{value.name} is used before it is defined")
        _check_call(graph, node)
        _check_form(graph, node)
        _check_region(graph, node, regions)
        _check_place(graph, node, scopes)
        for value in node.outputs:
            if value.node is not node:
                _wrong(graph, node, f"its output %{value.name} names another maker")
            _define(graph, node, value, defined, names)
    if graph.failed is None:
        # `torch.set_grad_enabled(False)` as a statement sets a mode for good; contexts always end.
        if regions[CONTEXT]:
            _wrong(graph, regions[CONTEXT][0], "nothing closes the region that it opens")
    elif graph.failed not in graph.nodes:
        _wrong(graph, graph.failed, "the failed node is not a node of the graph")
    _check_ends(graph, defined)


def _define(graph: GraphData, node: Node | None, value: Value, defined: set[Value], names: set[str]) -> None:
    if value in defined:
        _wrong(graph, node, f"%{value.name} is defined twice")
    if value.name in names:
        _wrong(graph, node, f"two values are called %{value.name}")
    if isinstance(value.type, TensorType) and value.type.stride is not None:
        sizes, strides = len(value.type.shape), len(value.type.stride)
        if sizes != strides:
            _wrong(graph, node, f"%{value.name} has {sizes} sizes and {strides} strides")
    defined.add(value)
    names.add(value.name)


def _check_call(graph: GraphData, node: Node) -> None:
    """Arity and types against the schema."""
    schema = node.schema
    if schema is None:
        if node.target is None and node is not graph.failed and not node.traits.needs_no_target:
            _wrong(graph, node, "nothing is known that runs it")
        return
    if schema.name != node.kind:
        _wrong(graph, node, f"its target is {schema.name}")
    problem = call_problem(node.target, node.args, node.kwargs or {})
    if problem:
        _wrong(graph, node, problem)
    _, _, results = _arity(node.target)
    if len(node.outputs) not in (0, len(results)) and node is not graph.failed:
        _wrong(graph, node, f"it has {len(node.outputs)} outputs, and the schema {len(results)}")
    for value, word in zip(node.outputs, results, strict=False):
        if value.is_tensor if word in _NUMBERS else word == "Tensor" and value.type in _NUMBERS:
            _wrong(graph, node, f"its output %{value.name} is {_described(value)}, and the schema returns {word}")


def call_problem(target: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """What is wrong with the arguments of an overload, against its schema; empty where they fit."""
    names, required, _ = _arity(target)
    if len(args) > len(names):
        return f"it has {len(args)} arguments, and the schema {len(names)}"
    given = list(names)[: len(args)]
    for name in kwargs:
        if name not in names:
            return f"the schema has no argument `{name}`"
        if name in given:
            return f"the argument `{name}` is given twice"
    missing = required.difference(given, kwargs)
    if missing:
        return f"the argument `{sorted(missing)[0]}` is missing"
    for name, item in (*zip(names, args, strict=False), *kwargs.items()):
        if _is_misfit(item, names[name]):
            return f"the argument `{name}` is {_described(item)}, and the schema wants {names[name]}"
    return ""


def _is_misfit(item: Any, wanted: str) -> bool:
    """Whether an argument is certain not to be of a type; numbers stand for tensors, and one number for a list."""
    plain = wanted.removeprefix("Optional[").removesuffix("]") if wanted.startswith("Optional[") else wanted
    if item is None:
        return plain is wanted and plain in (*_NUMBERS, "Tensor", "str")
    if isinstance(item, Value):
        return item.is_tensor and (plain in _NUMBERS or plain.startswith("List[") or plain == "str")
    if plain == "Tensor":
        return not isinstance(item, (torch.Tensor, int, float, complex))
    if plain.startswith("List["):
        return isinstance(item, (str, dict))
    return plain in _NUMBERS and isinstance(item, (str, list, tuple, dict))


def _described(item: Any) -> str:
    kind = item.type if isinstance(item, Value) else type(item).__name__
    return kind.short if isinstance(kind, TensorType) else kind


@functools.lru_cache(maxsize=4096)
def _arity(target: Any) -> tuple[dict[str, str], frozenset[str], list[str]]:
    """Types of the arguments by name, the names of those that have no default, and types of the results."""
    schema: torch.FunctionSchema = target._schema
    types = {argument.name: str(argument.type) for argument in schema.arguments}
    required = frozenset(argument.name for argument in schema.arguments if not argument.has_default_value())
    return types, required, [str(result.type) for result in schema.returns]


def _check_form(graph: GraphData, node: Node) -> None:
    """The form of structure and state, for which code is written directly."""
    problem = form_problem(node, node is graph.failed)
    if problem:
        _wrong(graph, node, problem)
    if node.kind == CONSTANT and node.outputs[0] in graph.state:
        state = graph.state[node.outputs[0]]
        if not isinstance(state, torch.Tensor):
            _wrong(graph, node, f"its value is of type {type(state).__name__}")


def form_problem(node: Node, failed: bool = False) -> str:
    """What is wrong with a piece of structure, a region or a state node; empty where it has its form."""
    kind, traits, args, attributes = node.kind, node.traits, node.args, node.attributes
    if kind == CONSTANT and (args or len(node.outputs) != 1):
        return "a constant has no arguments and one output"
    if kind in UNPACKS and (len(args) != 1 or type(args[0]) is not Value):
        return "it takes one value apart"
    if kind in CONSTRUCTS:
        if len(node.outputs) != 1 or node.kwargs:
            return "it makes one value, of arguments by position"
        if kind == DICT_CONSTRUCT and len(args) % 2:
            return "it has a key without a value"
        if kind == DICT_CONSTRUCT and node.target is not None and "class" not in attributes:
            return "it does not name its class"
        if "fields" in attributes and len(attributes["fields"]) != len(args):
            return "it has not one item for each field"
    if kind == ENTER_GRAD_MODE and (len(args) != 1 or type(args[0]) is not bool or node.outputs):
        return "it takes True or False and makes nothing"
    if traits.closes and (args or node.outputs):
        return "it takes and makes nothing"
    if traits.opens == CONTEXT and node.outputs:
        return "it makes nothing"
    if kind == ARGUMENT and (len(args) != 1 or type(args[0]) is not str or len(node.outputs) != 1):
        return "it names one place among the arguments"
    if kind == SET_ATTRIBUTE and (len(args) > 1 or node.outputs or "name" not in attributes):
        return "it takes one value and the name of a buffer"
    if kind == PYTHON_CALL and "name" not in attributes and not failed:
        return "it does not say what it calls"
    return ""


def _check_region(graph: GraphData, node: Node, regions: dict[str, list[Node]]) -> None:
    """What it closes is open. A gradient mode and a context may cross: a generator that ends inside one does that."""
    traits = node.traits
    if traits.opens:
        regions[traits.opens].append(node)
    if traits.closes:
        if not regions[traits.closes]:
            _wrong(graph, node, "it closes a region that nothing opened")
        regions[traits.closes].pop()


def _check_place(graph: GraphData, node: Node, scopes: set[Any]) -> None:
    if node.scope is not None and node.scope not in scopes:
        _wrong(graph, node, f"its scope {node.scope!r} is not of the graph's tree")
    source = node.source
    if source is not None and not (
        source.file and source.line >= 1 and source.end_line >= source.line and source.column >= 0
    ):
        _wrong(graph, node, f"its source {source!r} is not a place")


def _check_ends(graph: GraphData, defined: Iterable[Value]) -> None:
    known = set(defined)
    for value in graph.outputs:
        if value not in known:
            _wrong(graph, value.node, f"the graph returns %{value.name}, which it does not define")
    for value in graph.state:
        if value not in known:
            _wrong(graph, value.node, f"the graph keeps a tensor for %{value.name}, which it does not define")
    for warning in graph.warnings:
        if not 0 <= warning.position <= len(graph.nodes):
            _wrong(graph, warning.node, f"a warning stands at {warning.position} of {len(graph.nodes)} nodes")
    if graph.guard_nodes or graph.assumptions:
        _check_guards(graph)


def _check_guards(graph: GraphData) -> None:
    """What assumptions ask for is made before they ask."""
    known = set(graph.inputs)
    done = 0
    for position, node in graph.guard_nodes:
        if not 0 <= position <= len(graph.nodes):
            _wrong(graph, node, f"an assumption needs it after {position} of {len(graph.nodes)} nodes")
        for earlier in graph.nodes[done:position]:
            known.update(earlier.outputs)
        done = max(done, position)
        for value in node.inputs:
            if value not in known:
                _wrong(graph, node, f"an assumption needs it after {position} nodes, where %{value.name} is not made")
        known.update(node.outputs)
    for later in graph.nodes[done:]:
        known.update(later.outputs)
    for assumption in graph.assumptions:
        if assumption.value is not None and assumption.value not in known:
            _wrong(graph, None, f"an assumption is about %{assumption.value.name}, which it does not define")


def _wrong(graph: GraphData, node: Node | None, what: str) -> NoReturn:
    place = ""
    if node is not None:
        number = next((f"node {index}, " for index, other in enumerate(graph.nodes) if other is node), "")
        arguments = ", ".join(text_of(item) for item in (*node.args, *(node.kwargs or {}).values()))
        place = f", {number}{node.kind}({arguments})"
    raise GraphError(f"the graph {graph.name} is not well formed{place}: {what}")
