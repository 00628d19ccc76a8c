"""Whether a trace gives something else from call to call, and which of its nodes draw random numbers."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import nn

from tracelab.check.copied import copied_arguments
from tracelab.check.findings import CallInputs, CheckInput, Finding, FindingKind, Severity
from tracelab.check.isolation import isolated, written_state
from tracelab.check.outputs import cloned, mismatches
from tracelab.execute.codegen.guards import silenced
from tracelab.graph.aliasing import is_random
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node
from tracelab.graph.text.arguments import given_arguments

_MOST_NAMES = 6
_DROPOUT_ARGUMENTS = frozenset({"train", "training", "dropout", "dropout_p"})


def random_nodes(graph: Graph) -> list[Node]:
    """The nodes that draw random numbers; dropout that is switched off draws none."""
    return [node for node in graph.nodes if is_random(node) and not _switched_off(node)]


def _switched_off(node: Node) -> bool:
    given = dict(given_arguments(node))
    if given.get("train") is False or given.get("training") is False:
        return True
    return any(given.get(name) in (0, 0.0) for name in ("p", "dropout", "dropout_p") if name in given)


def nondeterminism(graph: Graph, call: Any, tried: CheckInput, python: Any, severity: Severity) -> Finding | None:
    """A finding where two runs from different random states give different outputs."""
    nodes = random_nodes(graph)
    if not nodes or not _changes(graph, call, tried.build(), python):
        return None
    names = Counter(f"{node.kind}{f' ({place})' if (place := _place(node)) else ''}" for node in nodes)
    words = [f"{name}{f' × {count}' if count > 1 else ''}" for name, count in names.items()]
    more = f" and {len(words) - _MOST_NAMES} more" if len(words) > _MOST_NAMES else ""
    return Finding(
        FindingKind.NONDETERMINISM,
        f"Trace had nondeterministic nodes: {', '.join(words[:_MOST_NAMES])}{more}; "
        "its outputs change from call to call",
        nodes[0],
        nodes[0].source,
        None,
        tried,
        1,
        severity,
        _suggestion(nodes, python),
    )


def _suggestion(nodes: list[Node], python: Any) -> str:
    module = isinstance(python, nn.Module) or isinstance(getattr(python, "__self__", None), nn.Module)
    dropped = [_is_dropout(node) and (module or _in_module(node)) for node in nodes]
    ways = []
    if any(dropped):
        ways.append("call .eval() on the model before tracing")
    if not all(dropped):
        ways.append("seed in the traced code (torch.manual_seed(0)), or pass the random numbers in as an input")
    meant = "it is" if all(dropped) else "they are"
    return f"{'; '.join(ways)}; where {meant} meant, check with traced.check(allow={{'nondeterminism'}})"


def _is_dropout(node: Node) -> bool:
    """Whether it draws random numbers in training only."""
    return not _DROPOUT_ARGUMENTS.isdisjoint(dict(given_arguments(node)))


def _in_module(node: Node) -> bool:
    return node.scope is not None and bool(node.scope.path)


def _place(node: Node) -> str:
    scope = "" if node.scope is None else node.scope.path
    if scope:
        return scope
    return "" if node.source is None else f"line {node.source.line}"


def _changes(graph: Graph, call: Any, inputs: CallInputs, python: Any) -> bool:
    results = []
    with silenced(), isolated((python, call), written_state(graph)) as again:
        for seed in (1, 2):
            again()
            torch.manual_seed(seed)
            args, kwargs = copied_arguments(inputs.args, inputs.kwargs)
            try:
                results.append(cloned(call(*args, **kwargs)))
            except Exception:
                # What the trace cannot run is told by the trial itself.
                return False
    return bool(mismatches(results[0], results[1], 0.0))
