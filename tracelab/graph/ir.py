"""`Graph`, `Node` and `Value`: what a recorded run is made of.

The shape of it follows TorchScript's IR (nodes in execution order, values with one maker and many uses,
schema names as kinds), with two differences: arguments keep their Python structure, so that a constant is
no node; and in-place operators are recorded as they ran, so that node order is execution order.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tracelab.graph.scope import Scope
from tracelab.graph.types import TensorType, Type

if TYPE_CHECKING:
    import torch

    from tracelab.graph.diagnostic import TraceWarning
    from tracelab.graph.source import Source


class Role(enum.IntEnum):
    """Where a value comes from."""

    NODE = 0
    INPUT = 1
    PARAMETER = 2
    BUFFER = 3
    CONSTANT = 4


class Value:
    """One value of the graph: an input, a parameter, or something that a node made.

    `name` is the debug name, unique in the graph after recording; `path` the qualified name of a parameter
    or buffer (`layer1.0.conv1.weight`); `node` the node that made it, None for inputs.
    """

    __slots__ = ("name", "node", "path", "role", "type")

    def __init__(
        self,
        name: str,
        type_: Type,
        node: Node | None = None,
        role: Role = Role.NODE,
        path: str = "",
    ) -> None:
        self.name = name
        self.type = type_
        self.node = node
        self.role = role
        self.path = path

    @property
    def is_tensor(self) -> bool:
        return isinstance(self.type, TensorType)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The recorded shape in elements, None for what is not a tensor."""
        return self.type.shape if isinstance(self.type, TensorType) else None

    def __repr__(self) -> str:
        return f"%{self.name} : {self.type}"


_NO_ATTRIBUTES: Mapping[str, Any] = {}


class Node:
    """One call: an operator, a Python function, or a piece of structure.

    `kind` is the schema name (`aten::linear`), `overload` the overload's name (`Tensor`), `target` what runs it.
    `args` and `kwargs` hold values, constants, and lists, tuples and dicts of both.
    """

    __slots__ = ("_attributes", "args", "kind", "kwargs", "outputs", "overload", "scope", "source", "target")

    def __init__(
        self,
        kind: str,
        target: Callable[..., Any] | None,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        outputs: tuple[Value, ...] = (),
        scope: Scope | None = None,
        source: Source | None = None,
        attributes: dict[str, Any] | None = None,
        overload: str = "",
    ) -> None:
        self.kind = kind
        self.overload = overload
        self.target = target
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs
        self.scope = scope
        self.source = source
        self._attributes = attributes

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What is known of the node beside its arguments: `inplace`, `value`, `name`."""
        return _NO_ATTRIBUTES if self._attributes is None else self._attributes

    def set_attribute(self, name: str, value: Any) -> None:
        if self._attributes is None:
            self._attributes = {}
        self._attributes[name] = value

    @property
    def inputs(self) -> tuple[Value, ...]:
        """The values it uses, in argument order; a value used twice stands twice."""
        found: list[Value] = []
        collect_values(self.args, found)
        if self.kwargs:
            collect_values(self.kwargs, found)
        return tuple(found)

    @property
    def output(self) -> Value:
        """Its only output; `ValueError` when it has none or several."""
        if len(self.outputs) != 1:
            raise ValueError(f"{self.kind} has {len(self.outputs)} outputs, not one")
        return self.outputs[0]

    @property
    def schema(self) -> torch.FunctionSchema | None:
        """The operator's schema, None for what is not an operator of torch's registry."""
        return getattr(self.target, "_schema", None)

    @property
    def name(self) -> str:
        """The operator's short name: `linear` of `aten::linear`."""
        return self.kind.rpartition("::")[2]

    @property
    def mutates(self) -> bool:
        """Whether running it changes one of its inputs or some state, beside making its outputs."""
        return bool(mutated_arguments(self)) or self.kind in SIDE_EFFECTS

    def __repr__(self) -> str:
        made = ", ".join(f"%{value.name}" for value in self.outputs)
        used = ", ".join(f"%{value.name}" for value in self.inputs)
        return f"{made} = {self.kind}({used})" if made else f"{self.kind}({used})"


SIDE_EFFECTS = frozenset(
    {
        "prim::EnterGradMode",
        "prim::ExitGradMode",
        "prim::EnterContext",
        "prim::ExitContext",
        "prim::PythonOp",
        "prim::CallFunction",
        "prim::CallMethod",
        "prim::SetAttr",
        "prim::set_data",
        "prim::set_grad",
        "aten::requires_grad_",
    }
)


def mutated_arguments(node: Node) -> tuple[Value, ...]:
    """The values that the node writes into, as its schema declares."""
    schema = node.schema
    if schema is None:
        return ()
    found: list[Value] = []
    for index, argument in enumerate(schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            if index < len(node.args):
                collect_values(node.args[index], found)
            elif node.kwargs and argument.name in node.kwargs:
                collect_values(node.kwargs[argument.name], found)
    return tuple(found)


def collect_values(item: Any, found: list[Value]) -> None:
    """Append every `Value` inside a structure of arguments to `found`, in order."""
    if type(item) is Value:
        found.append(item)
    elif isinstance(item, (tuple, list)):
        for child in item:
            collect_values(child, found)
    elif isinstance(item, dict):
        for child in item.values():
            collect_values(child, found)
    elif type(item) is slice:
        collect_values((item.start, item.stop, item.step), found)


def map_values(item: Any, function: Callable[[Value], Any]) -> Any:
    """The same structure of arguments with every `Value` replaced by `function(value)`."""
    if type(item) is Value:
        return function(item)
    if isinstance(item, tuple):
        mapped = [map_values(child, function) for child in item]
        return type(item)(*mapped) if hasattr(item, "_fields") else tuple(mapped)
    if isinstance(item, list):
        return [map_values(child, function) for child in item]
    if isinstance(item, dict):
        return {key: map_values(child, function) for key, child in item.items()}
    if type(item) is slice:
        return slice(*(map_values(part, function) for part in (item.start, item.stop, item.step)))
    return item


class Graph:
    """One recorded run.

    `inputs` are the user's tensors, flattened in order, then each parameter and buffer that was used, once.
    `outputs` holds what the function returned: a single value, made by `prim::TupleConstruct` and the like
    where the function returned a structure. `warnings` are the places that the trace froze; `failed` is the
    node that raised, for a run that did not end.

    >>> graph, out = tracelab.trace_graph(lambda x: x.relu() + 1, torch.ones(2))
    >>> [node.kind for node in graph.nodes]
    ['aten::relu', 'aten::add']
    """

    __slots__ = (
        "__weakref__",
        "failed",
        "input_tree",
        "inputs",
        "name",
        "nodes",
        "outputs",
        "root",
        "state",
        "warnings",
    )

    def __init__(self, name: str = "forward") -> None:
        self.name = name
        self.inputs: list[Value] = []
        self.nodes: list[Node] = []
        self.outputs: list[Value] = []
        self.warnings: list[TraceWarning] = []
        self.root = Scope(name, "", None)
        self.failed: Node | None = None
        self.state: dict[Value, torch.Tensor] = {}
        """The tensors behind parameter, buffer and constant values; shared with the traced module."""
        self.input_tree: Any = None
        """How the user's inputs nest: see `tracelab.graph.structure`."""

    @property
    def user_inputs(self) -> list[Value]:
        """The inputs that a caller gives."""
        return [value for value in self.inputs if value.role is Role.INPUT]

    @property
    def parameters(self) -> list[Value]:
        """Parameters, buffers and captured tensors that the run used."""
        return [value for value in self.inputs if value.role is not Role.INPUT]

    def values(self) -> Iterator[Value]:
        """Every value: inputs first, then what each node made, in order."""
        yield from self.inputs
        for node in self.nodes:
            yield from node.outputs

    def uses(self) -> dict[Value, list[Node]]:
        """The nodes that use each value, computed in one walk."""
        found: dict[Value, list[Node]] = {}
        for node in self.nodes:
            for value in dict.fromkeys(node.inputs):
                found.setdefault(value, []).append(node)
        return found

    def scopes(self) -> list[Scope]:
        """The scope tree, parents before children, in the order of the run."""
        ordered: list[Scope] = []
        stack = [self.root]
        while stack:
            scope = stack.pop()
            ordered.append(scope)
            stack.extend(reversed(scope.children))
        return ordered

    def find_nodes(self, kind: str) -> list[Node]:
        """The nodes of one kind, in order."""
        return [node for node in self.nodes if node.kind == kind]

    def to_callable(self) -> Callable[..., Any]:
        """A function that runs the graph on its inputs, in the order of `graph.inputs`.

        Where only the user's inputs are given, parameters are those of the traced module.
        """
        from tracelab.execute.function import function_of_graph

        return function_of_graph(self)

    def __str__(self) -> str:
        from tracelab.graph.printer import graph_text

        return graph_text(self)

    def __repr__(self) -> str:
        return f"Graph({self.name}, {len(self.nodes)} nodes, {len(self.inputs)} inputs)"


def unique_names(values: Iterable[Value]) -> None:
    """Give every value a name of its own: the second `x` becomes `x.1`, the third `x.2`."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for value in values:
        base = value.name
        name = base
        while name in taken:
            counts[base] = counts.get(base, 0) + 1
            name = f"{base}.{counts[base]}"
        taken.add(name)
        value.name = name
