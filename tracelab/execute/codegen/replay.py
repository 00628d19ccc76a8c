"""The functions that run a graph: one for any use, one that is faster where no gradients are wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracelab.execute.codegen.code import compile_code, optimized_code
from tracelab.execute.codegen.guards import GuardMonitor, Policy, guards_of, unwatched
from tracelab.execute.codegen.inference import inference_region, may_use_inference
from tracelab.graph.graph import Graph

Function = Callable[..., Any]


class Replay:
    """The compiled code of one graph.

    `function` takes the graph's inputs in order and checks nothing; `namespace` holds what its code names; `code` is
    that code. `best` gives a function that checks the graph's assumptions too, where it has some and the policy wants
    it.
    """

    def __init__(self, graph: Graph, name: str = "", policy: Policy | None = None) -> None:
        self.graph = graph
        self.version = graph.nodes.version
        """Which edit of the graph this runs."""
        self.policy = policy if policy is not None else Policy("ignore")
        self.code = optimized_code(graph)
        self.namespace = self.code.namespace
        self.monitor = self.namespace["guards"] = GuardMonitor(graph, name or graph.name, self.policy)
        self.function: Function = compile_code(self.code, self.code.text)
        self._has_guards = bool(guards_of(graph))
        self._quick: Function | None = None
        self._guarded: Function | None = None
        self._guarded_quick: Function | None = None

    def best(self, args: tuple[Any, ...]) -> Function:
        """The fastest function that is right for these inputs at this moment."""
        quick = may_use_inference(args)
        if self._has_guards and self.policy.on_violation != "ignore" and (quick or unwatched()):
            return self._with_guards(quick)
        if not quick:
            return self.function
        if self._quick is None:
            region = inference_region(self.graph)
            self._quick = compile_code(self.code, self.code.written(region)) if region else self.function
        return self._quick

    def _with_guards(self, quick: bool) -> Function:
        if quick:
            if self._guarded_quick is None:
                text = self.code.written(inference_region(self.graph), guarded=True)
                self._guarded_quick = compile_code(self.code, text)
            return self._guarded_quick
        if self._guarded is None:
            self._guarded = compile_code(self.code, self.code.written(guarded=True))
        return self._guarded
