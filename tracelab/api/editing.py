"""`edited`: edits as values. Another trace is given, and the one that was edited stays as it is."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace as with_fields
from typing import Any, Self

import torch

from tracelab.errors import TracelabError
from tracelab.execute.module import ReplayModule
from tracelab.execute.run.lookup import Key, find_node, place
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node


class Editing:
    """`edited` and `undo` of everything that was traced."""

    __slots__ = ()

    @property
    def undo(self) -> Self | None:
        """The trace that this one was made of by `edited`; None for one that was recorded or loaded."""
        found: Self | None = self.__dict__.get("_undo")
        return found

    def edited(
        self: Any,
        *,
        replace: Mapping[Key, Callable[..., Any]] | None = None,
        remove: Iterable[Key] | Key = (),
        insert_after: Mapping[Key, Callable[..., Any]] | None = None,
        method: str = "forward",
    ) -> Any:
        """Another trace with other nodes; this one stays as it is, and is the `undo` of the other.

        A node is named by itself, its value, its debug name, or a module path (the module's last node). All names are
        those of this trace. Parameters are shared; of several recordings this one alone is edited.

        Args:
            replace: What runs instead of a node, on the same arguments: an operator (`torch.nn.functional.gelu`,
                `torch.ops.aten.gelu.default`), or a Python function of one result.
            remove: Nodes to leave out: what used one uses the first tensor that it was given.
            insert_after: What runs on a node's output, and takes its place: an operator or function of one argument.
            method: Which traced method of a module.

        Returns:
            The other trace, which runs, saves and diffs.

        Raises:
            TracelabError: A node is not there, cannot be left out, or is edited twice, or an operator does not take its
                arguments.
            GraphError: The edited graph is not well formed.

        >>> traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))
        >>> other = traced.edited(replace={"relu": torch.neg})
        >>> other(torch.ones(2)), other.undo is traced
        (tensor([0., 0.]), True)
        """
        old = self._graph_of(method)
        if isinstance(remove, (str, Node)) or not isinstance(remove, Iterable):
            remove = [remove]
        changes: list[tuple[int, str, Any]] = [
            (find_node(old, key), "replace", by) for key, by in (replace or {}).items()
        ]
        changes += [(find_node(old, key), "remove", None) for key in remove]
        inserted = [(find_node(old, key), by) for key, by in (insert_after or {}).items()]
        for index in {index for index, _, _ in changes}:
            if sum(1 for place_, _, _ in changes if place_ == index) > 1:
                raise TracelabError(f"{place(old.nodes[index])} is to be replaced or removed twice: name it once")
        graph = _own_copy(self, method, old)
        nodes = list(graph.nodes)
        # Before the others, so that what is behind a node stays there when the node is replaced.
        for index, by in inserted:
            _insert(graph, nodes[index], by)
        for index, what, by in changes:
            if what == "remove":
                _remove(graph, nodes[index])
            else:
                _replace(graph, nodes[index], by)
        graph.lint()
        return _with_graph(self, method, graph)


def _own_copy(traced: Any, method: str, old: Graph) -> Graph:
    """A copy of the graph, with devices and constants where the module has moved them."""
    if not isinstance(traced, ReplayModule):
        now: Graph = traced._graph_now()
        return now.copy()
    graph = old.copy()
    devices, constants = traced._moved(method)
    moved = dict(zip(old.values(), graph.values(), strict=True))
    graph.state.update({moved[value]: tensor for value, tensor in constants.items()})
    if any(before != now for before, now in devices.items()):
        for node in graph.nodes:
            node.args = _on(node.args, devices)
            node.kwargs = _on(node.kwargs, devices)
    return graph


def _on(item: Any, devices: Mapping[torch.device, torch.device]) -> Any:
    if isinstance(item, torch.device):
        return devices.get(item, item)
    if type(item) in (tuple, list):
        return type(item)(_on(part, devices) for part in item)
    if type(item) is dict:
        return {key: _on(part, devices) for key, part in item.items()}
    return item


def _with_graph(traced: Any, method: str, graph: Graph) -> Any:
    """The same traced object over another graph, with modules of its own that share the tensors."""
    if not isinstance(traced, ReplayModule):
        twin = traced._twin(graph, with_fields(traced.policy, several=False))
        twin.origin = None
    else:
        alone = copy.copy(traced)
        alone.__dict__["_family"] = {}
        alone.__dict__.pop("_undo", None)
        tensors = (*traced.parameters(), *traced.buffers())
        twin = copy.deepcopy(alone, {id(tensor): tensor for tensor in tensors})
        name = method if method in traced._graphs else traced._method
        twin.__dict__["_graphs"] = {**traced._graphs, name: graph}
        twin.__dict__["_runs"] = {}
        twin.policy.several = False
    twin.checked = None
    # Not by assignment: a module would take it for one of its children.
    twin.__dict__["_undo"] = traced
    return twin


def _replace(graph: Graph, node: Node, by: Any) -> None:
    if len(node.outputs) != 1:
        raise TracelabError(f"cannot replace {place(node)}: it has {len(node.outputs)} outputs, not one")
    with graph.inserting_before(node):
        new = graph.call_function(by, node.args, node.kwargs, name=node.output.name)
    _take_place(graph, node, new)


def _remove(graph: Graph, node: Node) -> None:
    if node.traits.region:
        raise TracelabError(f"cannot remove {place(node)}: it begins or ends a region, which needs both ends")
    if node.outputs:
        given = next((value for value in node.inputs if value.is_tensor), None)
        if len(node.outputs) != 1 or not node.output.is_tensor or given is None:
            raise TracelabError(
                f"cannot remove {place(node)}: it does not make one tensor of another, which could take its place"
            )
        node.replace_all_uses_with(given)
    graph.erase_node(node)


def _insert(graph: Graph, node: Node, by: Any) -> None:
    if len(node.outputs) != 1:
        raise TracelabError(f"cannot insert after {place(node)}: it has {len(node.outputs)} outputs, not one")
    with graph.inserting_after(node):
        new = graph.call_function(by, (node.output,))
    node.replace_all_uses_with(new)


def _take_place(graph: Graph, node: Node, new: Node) -> None:
    new.scope, new.source = node.scope, node.source
    for user in graph.replace_all_uses_with(node.output, new.output):
        assert user is not node
    graph.erase_node(node)
    new.output.name = node.output.name
