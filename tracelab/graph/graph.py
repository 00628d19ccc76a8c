"""`Graph`: one recorded run, and what one does with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tracelab.compat.operators import OpOverloadPacket
from tracelab.errors import TracelabError
from tracelab.graph.callables.result_types import result_types
from tracelab.graph.data import GraphData
from tracelab.graph.ir import Node, Value, unique_names
from tracelab.graph.lint import lint
from tracelab.graph.passes import dce
from tracelab.graph.text.printer import graph_text
from tracelab.graph.text.readable import readable_text, table_text
from tracelab.graph.types import Type


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

    __slots__ = ("_insert_at",)

    def __init__(self, name: str = "forward") -> None:
        super().__init__(name)
        self._insert_at: Node | None = None
        """New nodes go before this one; None for the end."""

    # Finding ---------------------------------------------------------------------------------------------

    def find_nodes(self, op: str | None = None, *, target: Any = None) -> list[Node]:
        """The nodes of one operator, in order.

        Args:
            op: The kind (`aten::linear`) or the operator's short name (`linear`); None for any.
            target: What runs the node: an overload (`torch.ops.aten.add.Tensor`), all overloads of an operator
                (`torch.ops.aten.add`), or a function; None for any.

        Returns:
            The nodes that fit both.

        >>> graph, _ = tracelab.trace_graph(lambda x: x.relu() + 1, torch.ones(2))
        >>> graph.find_nodes("relu") == graph.find_nodes(target=torch.ops.aten.relu)
        True
        """
        overloads = [target]
        if isinstance(target, OpOverloadPacket):
            overloads = [getattr(target, name) for name in target.overloads()]
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
        with self._inserting(after):
            yield

    @contextmanager
    def _inserting(self, node: Node | None) -> Iterator[None]:
        if node is not None:
            self._index(node)
        before, self._insert_at = self._insert_at, node
        try:
            yield
        finally:
            self._insert_at = before

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
            args: Its arguments: values, constants, and lists, tuples and dicts of both.
            kwargs: Its arguments by keyword.
            types: The type of each output; its length is the number of outputs.
            name: The debug name of the outputs; else that of the operator. A name that is taken gets a number.
            attributes: What is known of it beside its arguments.

        Returns:
            The node; `node.outputs` are its values.
        """
        node = Node(kind, target, tuple(args), dict(kwargs) if kwargs else None, attributes=attributes)
        node.overload = getattr(node.schema, "overload_name", "")
        node.outputs = tuple(Value(name or node.name, type_, node) for type_ in types)
        place = len(self.nodes) if self._insert_at is None else self._index(self._insert_at)
        neighbour = self._insert_at or (self.nodes[-1] if self.nodes else None)
        node.scope = neighbour.scope if neighbour is not None and neighbour.scope is not None else self.root
        # Values that are there keep their names.
        unique_names(node.outputs, (value.name for value in self.values()))
        self.nodes.insert(place, node)
        for warning in self.warnings:
            warning.position += warning.position > place
        return node

    def call_function(
        self, target: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None, *, name: str | None = None
    ) -> Node:
        """Put a call of an operator at the insertion point.

        Args:
            target: An overload of torch's registry, such as `torch.ops.aten.add.Tensor`.
            args: Its arguments; values stand for tensors and traced numbers.
            kwargs: Its arguments by keyword.
            name: The debug name of the outputs.

        Returns:
            The node. The types of its outputs are those that the operator gives for the recorded shapes.

        Raises:
            TracelabError: `target` is no overload.
        """
        schema = getattr(target, "_schema", None)
        if schema is None:
            raise TracelabError(
                f"call_function needs an overload of an operator, such as torch.ops.aten.add.Tensor, but got {target!r}"
            )
        types = result_types(target, args, kwargs or {})
        return self.create_node(schema.name, target, args, kwargs, types=types, name=name)

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
        node.graph = None

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

    def __str__(self) -> str:
        return graph_text(self)

    def __repr__(self) -> str:
        return f"Graph({self.name}, {len(self.nodes)} nodes, {len(self.inputs)} inputs)"


_runner: Callable[[Graph], Callable[..., Any]] | None = None


def set_runner(make: Callable[[Graph], Callable[..., Any]]) -> None:
    """Say what `Graph.to_callable` gives: running stands above this room, and announces itself here."""
    global _runner
    _runner = make
