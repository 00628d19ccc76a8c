"""The functions that run a graph: one for any use, one that is faster where no gradients are wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracelab.execute.codegen.code import compile_code, optimized_code
from tracelab.execute.codegen.inference import inference_region, may_use_inference
from tracelab.graph.graph import Graph


class Replay:
    """The compiled code of one graph.

    `function` takes the graph's inputs in order; `namespace` holds what its code names; `code` is that code.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.version = graph.nodes.version
        """Which edit of the graph this runs."""
        self.code = optimized_code(graph)
        self.namespace = self.code.namespace
        self.function: Callable[..., Any] = compile_code(self.code, self.code.text)
        self._quick: Callable[..., Any] | None = None

    def best(self, args: tuple[Any, ...]) -> Callable[..., Any]:
        """The fastest function that is right for these inputs at this moment."""
        if not may_use_inference(args):
            return self.function
        if self._quick is None:
            region = inference_region(self.graph)
            self._quick = compile_code(self.code, self.code.written(region)) if region else self.function
        return self._quick
