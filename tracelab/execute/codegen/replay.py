"""The functions that run a graph: one for any use, one that is faster where no gradients are wanted."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch

from tracelab.compat.modes import makes_fx
from tracelab.execute.codegen.code import compile_code, optimized_code
from tracelab.execute.codegen.guards import GuardMonitor, Policy, guards_of, tell_unchecked, unwatched
from tracelab.execute.codegen.inference import inference_region, may_use_inference
from tracelab.execute.codegen.undo import UndoPlan
from tracelab.graph.graph import Graph
from tracelab.graph.takers import takers

Function = Callable[..., Any]

STALE = -1
"""The version of code that is written anew at its next call."""


_numbers = itertools.count()


class Replay:
    """The compiled code of one graph.

    `function` takes the graph's inputs in order and checks nothing; `namespace` holds what its code names; `code` is
    that code. `best` gives a function that checks the graph's assumptions too, where it has some and the policy wants
    it.
    """

    def __init__(self, graph: Graph, name: str, policy: Policy) -> None:
        self.graph = graph
        self._number = next(_numbers)
        self.version = graph.nodes.version
        """Which edit of the graph this runs."""
        self.policy = policy
        self.code = optimized_code(graph)
        self.namespace = self.code.namespace
        self.monitor = self.namespace["guards"] = GuardMonitor(graph, name, policy)
        self.function: Function = compile_code(self.code, self.code.text)
        self._guards = len(guards_of(graph))
        self._may_be_taken = bool(guards_of(graph, taking=True))
        self._region: int | None = None
        """How many of the first nodes run in inference mode; found where a call may."""
        self._taking: Function | None = None
        """Compiled at first use inside of a recording, which takes over what is assumed."""
        self._functions: dict[tuple[bool, bool, bool], Function] = {(False, False, False): self.function}
        """Compiled at first use: in inference mode as far as it goes, with guards, and with what undoes writes."""

    def best(self, args: tuple[Any, ...]) -> Function:
        """The fastest function that is right for these inputs at this moment."""
        quick = self._region != 0 and may_use_inference(args)
        if quick and self._region is None:
            self._region = inference_region(self.graph)
            quick = self._region > 0
        policy = self.policy
        looks = policy.on_violation != "ignore" or policy.several
        if not quick and self._may_be_taken and looks and takers.find() is not None:
            return self._taken_over()
        guarded = self._guards > 0 and looks and (quick or unwatched())
        if self._guards and looks and not guarded and (torch.compiler.is_compiling() or makes_fx()):
            tell_unchecked(self._number, self.monitor.name, self._guards)
        undone = guarded and policy.stops
        function = self._functions.get((quick, guarded, undone))
        return self._compiled(quick, guarded, undone) if function is None else function

    def _compiled(self, quick: bool, guarded: bool, undone: bool) -> Function:
        region = self._region or 0 if quick else 0
        if region or guarded:
            undo = self._undo_plan() if undone else None
            function = compile_code(self.code, self.code.written(region, guarded=guarded, undo=undo or None))
        else:
            function = self.function
        self._functions[quick, guarded, undone] = function
        return function

    def _taken_over(self) -> Function:
        if self._taking is None:
            self._taking = compile_code(self.code, self.code.written(guarded=True, taking=True))
        return self._taking

    def _undo_plan(self) -> UndoPlan:
        about = {guard.assumption.value for guard in guards_of(self.graph)}
        return UndoPlan(self.graph, {value for value in about if value is not None and value.node is not None})
