"""`GraphData`: what a graph holds; `Graph` adds what one does with it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import torch

from tracelab.errors import TracelabError
from tracelab.graph.assumptions import Assumption, GuardNodes, guard_nodes_of
from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.ir import Node, NodeList, Role, Value, ValueList, map_values
from tracelab.graph.scope import Scope
from tracelab.graph.structure import InputTree
from tracelab.graph.tree import Tree

_NUMBERS = ("int", "float", "bool")


class GraphData:
    """Inputs, nodes and outputs of one recorded run, and what they refer to."""

    __slots__ = (
        "__weakref__",
        "_inputs",
        "_nodes",
        "_outputs",
        "assumptions",
        "cell",
        "failed",
        "function_scopes",
        "guard_nodes",
        "input_tree",
        "name",
        "root",
        "size_names",
        "state",
        "warnings",
    )

    def __init__(self, name: str = "forward") -> None:
        self.name = name
        self._nodes = NodeList(self)
        self._inputs = ValueList(self._nodes)
        self._outputs = ValueList(self._nodes)
        self.warnings: list[TraceDiagnostic] = []
        self.assumptions: list[Assumption] = []
        """What decided what was recorded: see `tracelab.graph.assumptions`."""
        self.guard_nodes: GuardNodes = []
        """Arithmetic on sizes that only assumptions need, which is not drawn, printed or exported."""
        self.root = Scope(name, "", None)
        self.failed: Node | None = None
        self.function_scopes = True
        """Whether pictures draw calls of Python functions as boxes, beside those of modules."""
        self.size_names: tuple[int, Mapping[Value, Sequence[str]]] | None = None
        """Sizes by name, which the printed graph has as comments, and the version of the nodes that they are of."""
        self.cell = ""
        """The file name that the notebook gave the cell that was traced; empty for any other graph."""
        self.state: dict[Value, torch.Tensor] = {}
        """The tensors behind parameter, buffer and constant values; shared with the traced module."""
        self.input_tree: InputTree | None = None
        """How the user's inputs nest: see `tracelab.graph.structure`."""

    @property
    def nodes(self) -> NodeList:
        """The nodes, in the order in which they ran."""
        return self._nodes

    @property
    def inputs(self) -> list[Value]:
        """The user's tensors, flattened, and then each parameter and buffer that the run used."""
        return self._inputs

    @inputs.setter
    def inputs(self, inputs: list[Value]) -> None:
        self._inputs = ValueList(self._nodes, inputs)
        self._nodes.version += 1

    @property
    def outputs(self) -> list[Value]:
        """What it returns: one value, or none."""
        return self._outputs

    @outputs.setter
    def outputs(self, outputs: list[Value]) -> None:
        self._outputs = ValueList(self._nodes, outputs)
        self._nodes.version += 1

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
        return self.nodes.uses()

    def replace_all_uses_with(self, old: Value, new: Value) -> list[Node]:
        """Let every node, and the outputs, use `new` where they use `old`; gives the nodes that changed.

        Nodes up to the one that makes `new` keep using `old`: before it there is no `new`. So one node or several may
        be put behind a value and take its place.

        Raises `TracelabError` where no use comes after the node that makes `new`.
        """
        changed: list[Node] = []
        earlier: list[Node] = []
        maker = new.node if new.node is not None and new.node.graph is self else None
        for node in self.nodes:
            before, maker = maker is not None, None if node is maker else maker
            if old in node.inputs:
                (earlier if before else changed).append(node)
        if earlier and not changed and old not in self.outputs:
            first = earlier[0].kind
            raise TracelabError(
                f"{new!r} comes after every use of {old!r}: insert what makes it before {first}, its first user"
            )
        for node in changed:
            rename(node, {old: new})
        self.outputs[:] = [new if value is old else value for value in self.outputs]
        self.rename_in_guards({old: new})
        return changed

    def rename_in_guards(self, renamed: dict[Value, Value]) -> None:
        """Let assumptions, and the arithmetic that only they need, be about other values."""
        for _, node in self.guard_nodes:
            if any(value in renamed for value in node.inputs):
                rename(node, renamed)
        self.assumptions = [assumption.moved(renamed) for assumption in self.assumptions]

    def scopes(self) -> list[Scope]:
        """The scope tree, parents before children, in the order of the run."""
        ordered: list[Scope] = []
        stack = [self.root]
        while stack:
            scope = stack.pop()
            ordered.append(scope)
            stack.extend(reversed(scope.children))
        return ordered

    def copy(self) -> Self:
        """A graph of its own nodes and values; scopes, sources, targets and tensors are shared."""
        copied = type(self)(self.name)
        copied.root = self.root
        copied.cell = self.cell
        copied.function_scopes = self.function_scopes
        copied.input_tree = self.input_tree
        new: dict[Value, Value] = {}
        for value in self.inputs:
            new[value] = Value(value.name, value.type, None, value.role, value.path)
        copied.inputs = [new[value] for value in self.inputs]
        twins: dict[Node, Node] = {}
        for node in self.nodes:
            twin = twins[node] = _twin(node, new)
            copied.nodes.append(twin)
        copied.failed = twins.get(self.failed) if self.failed is not None else None
        copied.outputs = [new[value] for value in self.outputs]
        copied.state = {new[value]: tensor for value, tensor in self.state.items() if value in new}
        copied.warnings = [warning.moved(twins, new) for warning in self.warnings]
        copied.guard_nodes = [(position, _twin(node, new)) for position, node in self.guard_nodes]
        copied.assumptions = [assumption.moved(new) for assumption in self.assumptions]
        return copied

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """The same with tensors of its own."""
        copied = memo[id(self)] = self.copy()
        copied.state = {value: copied_tensor(tensor, memo) for value, tensor in copied.state.items()}
        return copied

    def retain(self, kept: list[Node]) -> None:
        """Leave only these of the nodes, in their order; positions of warnings count what stays.

        Of what goes, arithmetic that assumptions need stays beside the graph; what they are about must be defined.
        """
        if (self.warnings or self.assumptions) and len(kept) != len(self.nodes):
            staying = set(kept)
            before = [0]
            for node in self.nodes:
                before.append(before[-1] + (node in staying))
            self.renumber(before)
            if self.assumptions:
                self._keep_guards(kept, staying, before)
        self._nodes[:] = kept

    def renumber(self, places: list[int]) -> None:
        """Let warnings and the arithmetic of assumptions stand where `places` says: one more place than nodes."""
        for warning in self.warnings:
            warning.position = places[min(warning.position, len(self.nodes))]
        self.guard_nodes = [(places[min(position, len(self.nodes))], node) for position, node in self.guard_nodes]

    def _keep_guards(self, kept: list[Node], staying: set[Node], before: list[int]) -> None:
        dropped = [
            (before[index], node)
            for index, node in enumerate(self.nodes)
            if node not in staying and all(value.type in _NUMBERS for value in node.outputs)
        ]
        everything = sorted([*dropped, *self.guard_nodes], key=lambda item: item[0])
        self.guard_nodes = guard_nodes_of(everything, self.assumptions)
        defined = {*self.inputs, *(value for node in kept for value in node.outputs)}
        usable = []
        for position, node in self.guard_nodes:
            if all(value in defined for value in node.inputs):
                defined.update(node.outputs)
                usable.append((position, node))
        self.guard_nodes = usable
        self.assumptions = [item for item in self.assumptions if item.value is None or item.value in defined]


def copied_tensor(tensor: torch.Tensor, memo: dict[int, Any]) -> torch.Tensor:
    """A tensor's deep copy; of one that autograd made, which torch does not copy, the values."""
    if id(tensor) not in memo and not tensor.is_leaf:
        memo[id(tensor)] = tensor.detach().clone().requires_grad_(tensor.requires_grad)
    return copy.deepcopy(tensor, memo)


def input_tree_of(graph: GraphData) -> InputTree:
    """The graph's input tree; flat for a graph that was recorded without one."""
    if graph.input_tree is None:
        users = graph.user_inputs
        graph.input_tree = InputTree([value.name for value in users], [Tree("tensor") for _ in users])
    return graph.input_tree


def _twin(node: Node, new: dict[Value, Value]) -> Node:
    twin = Node(
        node.kind,
        node.target,
        map_values(node.args, new.__getitem__),
        map_values(node.kwargs, new.__getitem__) if node.kwargs else None,
        (),
        node.scope,
        node.source,
        dict(node.attributes) or None,
        node.overload,
    )
    for value in node.outputs:
        new[value] = Value(value.name, value.type, twin, value.role, value.path)
    twin.outputs = tuple(new[value] for value in node.outputs)
    return twin


def rename(node: Node, renamed: dict[Value, Value]) -> None:
    """Let a node use other values."""
    if renamed:
        node.args = map_values(node.args, lambda value: renamed.get(value, value))
        if node.kwargs:
            node.kwargs = map_values(node.kwargs, lambda value: renamed.get(value, value))
