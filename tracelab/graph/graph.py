"""`Graph`: one recorded run, and what one does with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import torch

from tracelab.compat.operators import OpOverload, OpOverloadPacket
from tracelab.errors import TracelabError
from tracelab.graph.callables.result_types import result_types
from tracelab.graph.data import GraphData
from tracelab.graph.ir import Node, Role, Value, as_values, unique_names
from tracelab.graph.kinds import CONSTANT, PYTHON_CALL, TABLE
from tracelab.graph.lint import call_problem, lint
from tracelab.graph.passes import dce
from tracelab.graph.text.printer import graph_text
from tracelab.graph.text.readable import readable_text, table_text
from tracelab.graph.text.tables import to_networkx, to_pandas
from tracelab.graph.types import Type, tensor_type


class Graph(GraphData):
    """One recorded run.

    `inputs` are the user's tensors, flattened in order, then each parameter and buffer that was used, once.
    `outputs` holds what the function returned: a single value, made by `prim::TupleConstruct` and the like
    where the function returned a structure. `warnings` are the places where the trace is narrower than the code;
    `failed` is the node that raised, for a run that did not end.

    Editing speaks torch.fx's verbs, on nodes whose arguments are values. What was traced runs the graph as it is after
    the edit; to keep the old one, edit a `copy()`.

    >>> graph, out = tracelab.trace_graph(lambda x: x.relu() + 1, torch.ones(2))
    >>> [node.kind for node in graph.nodes]
    ['aten::relu', 'aten::add']
    >>> relu = graph.find_nodes("relu")[0]
    >>> with graph.inserting_after(relu):
    ...     sine = graph.call_function(torch.ops.aten.sin.default, (relu.output,))
    >>> users = relu.replace_all_uses_with(sine)
    >>> graph.lint()
    >>> graph.to_callable()(torch.zeros(2))
    tensor([1., 1.])
    """

    __slots__ = ("_insert_at", "_insert_like")

    def __init__(self, name: str = "forward") -> None:
        super().__init__(name)
        self._insert_at: Node | None = None
        """New nodes go before this one; None for the end."""
        self._insert_like: Node | None = None
        """New nodes belong to the module that this one belongs to."""

    # Finding ---------------------------------------------------------------------------------------------

    def find_nodes(self, op: str | None = None, *, target: Any = None) -> list[Node]:
        """The nodes of one operator, in order.

        Args:
            op: The kind (`aten::linear`) or the operator's short name (`linear`); None for any.
            target: What runs the node: an overload (`torch.ops.aten.add.Tensor`), all overloads of an operator
                (`torch.ops.aten.add`), or a function; None for any. A function of torch's (`torch.relu`) stands for
                the operator of its name.

        Returns:
            The nodes that fit both.

        >>> graph, _ = tracelab.trace_graph(lambda x: x.relu() + 1, torch.ones(2))
        >>> graph.find_nodes("relu") == graph.find_nodes(target=torch.ops.aten.relu)
        True
        """
        if op in _FX_OPCODES or not isinstance(op, (str, type(None))):
            raise TracelabError(
                f"find_nodes: op={op!r} is not the kind of a node (`aten::linear`) or its short name (`linear`)"
            )
        if target is not None and not callable(target):
            raise TracelabError(f"find_nodes: target={target!r} is not a function: give a name as op={target!r}")
        overloads = [target]
        if isinstance(target, OpOverloadPacket):
            overloads = [getattr(target, name) for name in target.overloads()]
        elif not isinstance(target, OpOverload) and (found := _operator_named(target)) is not None:
            overloads += [getattr(found, name) for name in found.overloads()]
        return [
            node
            for node in self.nodes
            if (op is None or op in (node.kind, node.name))
            and (target is None or any(node.target is overload for overload in overloads))
        ]

    # Editing ---------------------------------------------------------------------------------------------

    @contextmanager
    def inserting_before(self, node: Node | None = None) -> Iterator[None]:
        """New nodes go before `node`; without one, to the beginning."""
        first = self.nodes[0] if self.nodes else None
        with self._inserting(node if node is not None else first):
            yield

    @contextmanager
    def inserting_after(self, node: Node | None = None) -> Iterator[None]:
        """New nodes go behind `node`, in the order in which they are made; without one, to the end."""
        after = None
        if node is not None:
            index = self._index(node) + 1
            after = self.nodes[index] if index < len(self.nodes) else None
        with self._inserting(after, node):
            yield

    @contextmanager
    def _inserting(self, node: Node | None, neighbour: Node | None = None) -> Iterator[None]:
        if node is not None:
            self._index(node)
        before, self._insert_at = (self._insert_at, self._insert_like), node
        self._insert_like = neighbour if neighbour is not None else node
        try:
            yield
        finally:
            self._insert_at, self._insert_like = before

    def create_node(
        self,
        kind: str,
        target: Callable[..., Any] | None,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        types: Sequence[Type] = ("Tensor",),
        name: str | None = None,
        attributes: dict[str, Any] | None = None,
    ) -> Node:
        """Put a new node at the insertion point (the end, unless `inserting_before` or `inserting_after` says other).

        Args:
            kind: The schema name of an operator, or a kind of `tracelab.graph.kinds`.
            target: What runs it.
            args: Its arguments: values, constants, and lists, tuples and dicts of both. A node stands for its output.
            kwargs: Its arguments by keyword.
            types: The type of each output; its length is the number of outputs.
            name: The debug name of the outputs; else that of the operator. A name that is taken gets a number.
            attributes: What is known of it beside its arguments.

        Returns:
            The node; `node.outputs` are its values.

        Raises:
            TracelabError: The kind is none that a graph knows, or an argument cannot be one.
        """
        _check_new(kind, target, args, kwargs)
        given = as_values(tuple(args)), as_values(dict(kwargs)) if kwargs else None
        node = Node(kind, target, *given, attributes=attributes)
        node.overload = getattr(node.schema, "overload_name", "")
        node.outputs = tuple(Value(name or node.name, type_, node) for type_ in types)
        place = len(self.nodes) if self._insert_at is None else self._index(self._insert_at)
        neighbour = self._insert_like or (self.nodes[-1] if self.nodes else None)
        node.scope = neighbour.scope if neighbour is not None and neighbour.scope is not None else self.root
        # Values that are there keep their names.
        unique_names(node.outputs, (value.name for value in self.values()))
        self.nodes.insert(place, node)
        for warning in self.warnings:
            warning.position += warning.position > place
        self.guard_nodes = [(position + (position > place), guard) for position, guard in self.guard_nodes]
        return node

    def call_function(
        self, target: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None, *, name: str | None = None
    ) -> Node:
        """Put a call of an operator at the insertion point.

        Args:
            target: An operator: a function of torch such as `torch.relu`, or an overload of torch's registry such as
                `torch.ops.aten.add.Tensor`; or a Python function of one result, which the graph does not look into.
            args: Its arguments; values, or the nodes that make them, stand for tensors and traced numbers.
            kwargs: Its arguments by keyword.
            name: The debug name of the outputs.

        Returns:
            The node. The types of its outputs are those that the operator gives for the recorded shapes.

        Raises:
            TracelabError: `target` is neither, or the arguments do not fit its schema.
        """
        if not isinstance(args, (tuple, list)):
            raise TracelabError(f"call_function takes the arguments as a tuple, but got {type(args).__name__}")
        schema = getattr(target, "_schema", None)
        if isinstance(target, FunctionType):
            called = {"name": target.__name__}
            return self.create_node(PYTHON_CALL, target, tuple(args), kwargs, name=name, attributes=called)
        args, kwargs = as_values(tuple(args)), as_values(dict(kwargs or {}))
        if schema is None:
            named = target if isinstance(target, OpOverloadPacket) else _operator_named(target)
            if named is None:
                raise TracelabError(
                    "call_function needs an operator, such as torch.relu or torch.ops.aten.add.Tensor, or a Python "
                    f"function, but got {getattr(target, '__name__', target)!r}"
                )
            target = _overload_for(named, args, kwargs)
            schema = target._schema
        problem = call_problem(target, args, kwargs)
        if problem:
            raise TracelabError(f"call_function({schema.name}): {problem}")
        types = result_types(target, args, kwargs)
        return self.create_node(schema.name, target, args, kwargs, types=types, name=name)

    def constant(self, tensor: torch.Tensor, *, name: str = "constant") -> Value:
        """Put a tensor that the graph keeps at the insertion point.

        Args:
            tensor: The tensor; files hold it, and a traced module that moves takes it along.
            name: The debug name of its value.

        Returns:
            Its value, for the arguments of other nodes.

        >>> graph, _ = tracelab.trace_graph(lambda x: x * 2, torch.ones(2))
        >>> times = graph.nodes[0]
        >>> with graph.inserting_before(times):
        ...     seven = graph.constant(torch.full((2,), 7.0))
        >>> times.args = (times.args[0], seven)
        >>> graph.to_callable()(torch.ones(2))
        tensor([7., 7.])
        """
        node = self.create_node(CONSTANT, None, types=(tensor_type(tensor),), name=name)
        node.output.role = Role.CONSTANT
        self.state[node.output] = tensor
        return node.output

    def erase_node(self, node: Node) -> None:
        """Take a node out.

        Raises:
            TracelabError: Something still uses what it makes; the message names one user.
        """
        index = self._index(node)
        user = next(iter(node.users), None)
        if user is not None:
            raise TracelabError(f"cannot erase {node.kind} (%{node.outputs[0].name}): {user!r} uses it")
        if any(value in self.outputs for value in node.outputs):
            raise TracelabError(f"cannot erase {node.kind} (%{node.outputs[0].name}): the graph returns it")
        self.retain([*self.nodes[:index], *self.nodes[index + 1 :]])
        for value in node.outputs:
            self.state.pop(value, None)
        node.stands_in = None

    def eliminate_dead_code(self) -> bool:
        """Take out nodes whose outputs nobody uses and which change nothing; says whether there were any."""
        before = len(self.nodes)
        dce(self)
        return len(self.nodes) != before

    def lint(self) -> None:
        """Verify that the graph is well formed.

        Raises:
            GraphError: It is not; the message names the node and what is wrong.
        """
        lint(self)

    def _index(self, node: Node) -> int:
        if not isinstance(node, Node):
            raise TracelabError(f"a node of the graph is needed, but got {type(node).__name__}")
        for index, other in enumerate(self.nodes):
            if other is node:
                return index
        raise TracelabError(f"{node.kind} is not a node of this graph: it belongs to another trace, or was erased")

    # Running ---------------------------------------------------------------------------------------------

    def to_callable(self) -> Callable[..., Any]:
        """A function that runs the graph on its inputs, in the order of `graph.inputs`.

        Where only the user's inputs are given, parameters are those of the traced module.
        """
        if _runner is None:
            raise TracelabError("nothing that runs graphs is loaded: import tracelab.execute")
        return _runner(self)

    # Reading ---------------------------------------------------------------------------------------------

    def print_tabular(self) -> None:
        """Print one line a node: operator, what it makes, its arguments, its module and its line."""
        print(table_text(self))

    def print_readable(self) -> str:
        """Print the graph as lines of Python with types, modules and source lines; gives the text."""
        text = readable_text(self)
        print(text)
        return text

    def to_pandas(self) -> Any:
        """One row a node, as a pandas `DataFrame`.

        Returns:
            The table, in the order of the run. `dtype`, `shape` and `device` are those of the first tensor that a node
            makes, `types` has one text for each output; `inputs`, `outputs` and `warnings` are tuples.

        Raises:
            TracelabError: pandas is not installed.

        >>> graph, _ = tracelab.trace_graph(lambda x: x.relu() + 1, torch.ones(2))
        >>> print(graph.to_pandas()[["name", "kind", "inputs", "dtype", "shape"]])
           name        kind   inputs    dtype shape
        0  relu  aten::relu     (x,)  float32  (2,)
        1   add   aten::add  (relu,)  float32  (2,)
        """
        return to_pandas(self)

    def to_networkx(self) -> Any:
        """The graph as a networkx `DiGraph`.

        Returns:
            Inputs and nodes of the graph under the names of what they make, with the attributes that `to_pandas` has
            as columns, and `returned`; an edge has the names and types of the values that go along it.

        Raises:
            TracelabError: networkx is not installed.

        >>> graph, _ = tracelab.trace_graph(lambda x: x.relu() + x, torch.ones(2))
        >>> list(graph.to_networkx().edges)
        [('x', 'relu'), ('x', 'add'), ('relu', 'add')]
        """
        return to_networkx(self)

    def __str__(self) -> str:
        return graph_text(self)

    def __repr__(self) -> str:
        return f"Graph({self.name}, {len(self.nodes)} nodes, {len(self.inputs)} inputs)"


_FX_OPCODES = ("call_function", "call_method", "call_module", "get_attr", "placeholder", "output")


def _check_new(kind: Any, target: Any, args: Any, kwargs: Any) -> None:
    """Refuse what cannot be a node."""
    if kind in _FX_OPCODES:
        raise TracelabError(
            f"create_node: {kind!r} is an opcode of torch.fx, not a kind: use graph.call_function(function, args)"
        )
    operator = getattr(target, "_schema", None) is not None or getattr(target, "__name__", None) is not None
    if not isinstance(kind, str) or (kind not in TABLE and ("::" not in kind or not operator)):
        raise TracelabError(
            f"create_node: {kind!r} is not a kind: give the name of an operator (`aten::relu`) with its overload, a "
            "kind of tracelab.graph.kinds, or use graph.call_function(function, args)"
        )
    found: list[Any] = [args, kwargs]
    for item in found:
        if isinstance(item, torch.Tensor):
            raise TracelabError(f"create_node({kind}): a tensor cannot be an argument: use graph.constant(tensor)")
        found += item.values() if isinstance(item, dict) else item if isinstance(item, (list, tuple)) else ()


def _operator_named(function: Any) -> OpOverloadPacket | None:
    """The operator that a function of torch's or a tensor's method calls; None for any other function."""
    name = getattr(function, "__name__", "")
    module = getattr(function, "__module__", None) or ("torch" if hasattr(torch.Tensor, name) else "")
    owner = getattr(function, "__objclass__", None)
    if not (module.partition(".")[0] == "torch" or owner is torch.Tensor or owner is torch.Tensor.__base__):
        return None
    found = getattr(torch.ops.aten, name, None) if name else None
    return found if isinstance(found, OpOverloadPacket) else None


def _overload_for(packet: OpOverloadPacket, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> OpOverload:
    """The first overload that takes the arguments and writes to none."""
    problems = []
    for name in packet.overloads():
        overload: OpOverload = getattr(packet, name)
        if any(argument.is_out for argument in overload._schema.arguments):
            continue
        problem = call_problem(overload, args, kwargs)
        if not problem:
            try:
                result_types(overload, args, kwargs)
            except (TracelabError, RuntimeError, TypeError) as error:
                problem = str(error)
        if not problem:
            return overload
        problems.append(problem)
    raise TracelabError(f"call_function({packet}): {problems[0] if problems else 'no overload'}")


_runner: Callable[[Graph], Callable[..., Any]] | None = None


def set_runner(make: Callable[[Graph], Callable[..., Any]]) -> None:
    """Say what `Graph.to_callable` gives: running stands above this room, and announces itself here."""
    global _runner
    _runner = make
