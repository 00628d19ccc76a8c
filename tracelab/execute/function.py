"""`ReplayFunction`: a recorded function that can be called."""

from __future__ import annotations

import copy
import inspect
import re
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Self

import torch

from tracelab.errors import InputError, TracelabError
from tracelab.execute.cases import Cases, flat_inputs
from tracelab.execute.codegen.code import graph_code, state_inputs
from tracelab.execute.codegen.explained import raise_explained
from tracelab.execute.codegen.guards import Policy
from tracelab.execute.codegen.replay import STALE, Replay
from tracelab.execute.origin import Origin
from tracelab.graph import passes
from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Role, Value
from tracelab.graph.structure import InputTree
from tracelab.graph.types import counted


def _alive(owner: weakref.ref[ReplayFunction]) -> ReplayFunction:
    """The function whose code runs."""
    found = owner()
    assert found is not None
    return found


class ReplayFunction(Cases):
    """A function as it ran once: callable on other inputs, differentiable, readable.

    `graph` is what was recorded, `code` the Python code generated from it.

    >>> traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))
    >>> traced(torch.tensor([-1.0, 2.0, 3.0]))
    tensor([1., 3., 4.])
    """

    def __init__(self, graph: Graph, name: str = "forward", origin: Origin | None = None) -> None:
        self.graph = graph
        self.__name__ = name
        self.origin = origin
        """The function that was traced, and how; None after loading from a file, and for a cell."""
        self.examples: list[torch.Tensor] | None = None
        """What a cell was traced on, where it was small enough to be copied."""
        self.checked: tuple[bool, str] | None = None
        """Whether the last check found no difference, and what it said in a few words; None before the first."""
        self.policy = Policy()
        self._family = {}
        self._replay: Replay | None = None
        self._state: list[torch.Tensor] = []

    @property
    def replay(self) -> Replay:
        """The compiled code of the graph."""
        if self._replay is None or self._replay.version != self.graph.nodes.version:
            if self._replay is None or self._replay.version != STALE:
                self._state = held_state(self.graph)
            self._replay = Replay(self.graph, self.__name__, self.policy)
            owner = weakref.ref(self)
            self._replay.namespace["set_buffer"] = lambda path, tensor: _alive(owner)._set_buffer(path, tensor)
            self._replay.namespace["get_buffer"] = lambda path: _alive(owner)._get_buffer(path)
        return self._replay

    def guards_changed(self, method: str) -> None:
        """Write the code anew at the next call: what it checks is different."""
        if self._replay is not None:
            self._replay.version = STALE

    def _set_buffer(self, path: str, tensor: torch.Tensor) -> None:
        for index, value in enumerate(state_inputs(self.graph)):
            if value.path == path:
                self._state[index] = tensor

    def _get_buffer(self, path: str) -> torch.Tensor | None:
        return next((tensor for value, tensor in self._held() if value.path == path), None)

    @property
    def input_tree(self) -> InputTree:
        """How the arguments nest."""
        return input_tree_of(self.graph)

    @property
    def code(self) -> str:
        """Python code that does what the trace does."""
        return graph_code(self.graph)

    @property
    def _method(self) -> str:
        return "forward"

    def _graph_of(self, method: str) -> Graph:
        return self.graph

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.policy.picks:
            return self._fitting("forward", args, kwargs)
        return self._replayed("forward", args, kwargs)

    def _replayed(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        replay = self._replay
        if replay is None or replay.version != self.graph.nodes.version:
            replay = self.replay
        tree = self.input_tree
        if kwargs or not tree.plain or len(args) != len(tree.names) or not _all_tensors(args):
            args = tuple(flat_inputs(self, tree, args, kwargs, self.__name__))
        try:
            return replay.best(args)(*args, *self._state)
        except Exception as error:
            raise_explained(error, replay, args)
            raise
        finally:
            if not tree.plain:
                tree.given.forget()

    def __copy__(self) -> Self:
        twin = self._twin(self._graph_now(), replace(self.policy))
        for case in self.cases:
            if case is not self:
                twin._add_case("forward", case._twin(case._graph_now(), twin.policy))
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = memo[id(self)] = self._twin(copy.deepcopy(self._graph_now(), memo), copy.deepcopy(self.policy, memo))
        twin.examples = copy.deepcopy(self.examples, memo)
        twin._family = copy.deepcopy(self._family, memo)
        return twin

    def __getstate__(self) -> dict[str, Any]:
        # Pickles hold no Python code: what was traced is left out, as in files.
        return {**self.__dict__, "graph": self._graph_now(), "origin": None, "_replay": None, "_state": []}

    def _twin(self, graph: Graph, policy: Policy) -> Self:
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.graph, twin.policy, twin._family, twin._replay, twin._state = graph, policy, {}, None, []
        return twin

    def _graph_now(self) -> Graph:
        """The graph, with buffers as calls have left them."""
        if all(tensor is self.graph.state[value] for value, tensor in self._held()):
            return self.graph
        graph = self.graph.copy()
        graph.state.update(zip(state_inputs(graph), self._state, strict=True))
        return graph

    def _held(self) -> list[tuple[Value, torch.Tensor]]:
        return list(zip(state_inputs(self.graph), self._state, strict=True)) if self._state else []

    @property
    def __signature__(self) -> inspect.Signature:
        names = self.input_tree.names
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature([inspect.Parameter(re.sub(r"\W", "_", name), kind) for name in names])

    def graph_for(self, *inputs: Any, **kwargs: Any) -> Graph:
        """The graph after dead code and common subexpressions are taken out."""
        return passes.cse(passes.dce(self.graph.copy()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__name__}, {counted(len(self.graph.nodes), 'node')})"


def held_state(graph: Graph) -> list[torch.Tensor]:
    """The tensors behind parameters and buffers; `TracelabError` for a graph that was read without them."""
    for value in state_inputs(graph):
        if value not in graph.state:
            raise TracelabError(
                f"the graph has no weights (`{value.path or value.name}`), so that it shows but does not run: load the "
                "program with torch.export.load, and give it to tracelab.from_exported"
            )
    return [graph.state[value] for value in state_inputs(graph)]


def _all_tensors(args: tuple[Any, ...]) -> bool:
    return all(isinstance(arg, torch.Tensor) for arg in args)


def function_of_graph(graph: Graph) -> ReplayFunction:
    """A function over all of the graph's inputs: the user's, flattened, and then its parameters.

    Called with the user's inputs alone (flat or nested), it takes the parameters of the traced module.
    """
    return _GraphFunction(graph, graph.name)


class _GraphFunction(ReplayFunction):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        replay = self.replay
        if kwargs:
            raise InputError(f"the graph takes its tensors by position, but `{next(iter(kwargs))}` is given by name")
        leaves = _flat(args)
        users = sum(1 for value in self.graph.inputs if value.role is Role.INPUT)
        if len(leaves) == users:
            leaves += self._state
        elif len(leaves) != len(self.graph.inputs):
            raise InputError(
                f"the graph takes {counted(users, 'tensor')}, or {len(self.graph.inputs)} with its parameters, "
                f"but {len(leaves)} {'was' if len(leaves) == 1 else 'were'} given"
            )
        try:
            return replay.function(*leaves)
        except Exception as error:
            raise_explained(error, replay, tuple(leaves))
            raise


def _flat(items: Any) -> list[torch.Tensor]:
    if isinstance(items, torch.Tensor):
        return [items]
    if not isinstance(items, Iterable) or isinstance(items, (str, bytes)):
        raise InputError(f"the graph takes tensors, in lists, tuples and dicts, but got {type(items).__name__}")
    children = items.values() if isinstance(items, Mapping) else items
    return [leaf for child in children for leaf in _flat(child)]
