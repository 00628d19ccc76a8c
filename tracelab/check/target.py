"""What is checked: one traced method, with the Python callable that it was made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tracelab.errors import TracelabError
from tracelab.execute.module import ReplayModule
from tracelab.execute.origin import Origin
from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.structure import InputTree


@dataclass(frozen=True, slots=True)
class CheckTarget:
    """A traced function, or one method of a traced module, and where it came from."""

    traced: Any
    method: str
    graph: Graph
    origin: Origin
    name: str

    @property
    def call(self) -> Callable[..., Any]:
        """What runs the trace."""
        return method_of(self.traced, self.method)

    @property
    def tree(self) -> InputTree:
        """How the inputs nest."""
        return input_tree_of(self.graph)


def method_of(traced: Any, method: str) -> Callable[..., Any]:
    """The callable of one traced method."""
    if isinstance(traced, ReplayModule):
        call: Callable[..., Any] = traced if method == "forward" else getattr(traced, method)
        return call
    return traced  # type: ignore[no-any-return]


def target_of(traced: Any, method: str | None) -> CheckTarget:
    """Raises `TracelabError` for a method that was not traced, and where there is no Python function to run."""
    if isinstance(traced, ReplayModule):
        methods = list(traced._graphs)
        name = method or ("forward" if "forward" in methods else methods[0])
        if name not in methods:
            raise TracelabError(f"`{name}` was not traced; traced methods: {', '.join(methods)}")
        origin = traced.origins.get(name)
        label = traced.original_name if name == "forward" else f"{traced.original_name}.{name}"
        graph = traced._graphs[name]
    else:
        if method not in (None, "forward"):
            raise TracelabError(f"{traced.__name__} is a function: it has no traced method `{method}`")
        name, origin, label, graph = "forward", traced.origin, traced.__name__, traced.graph
    if origin is None:
        raise TracelabError(
            f"{label} has no Python function to check it against (it was loaded from a file, copied, or is a cell): "
            "trace the function again, check a cell by %%trace --check, or use tracelab.compare(traced, function, x)"
        )
    return CheckTarget(traced, name, graph, origin, label)
