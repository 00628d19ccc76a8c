"""Evaluating, comparing and showing what `%trace_diff` names."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.display import display

from tracelab.comparison.diff import GraphDiff, MethodDiffs, diff, graphs_of
from tracelab.errors import TracelabError
from tracelab.jupyter.widget.explorer import GraphExplorer, in_kernel


def compared(shell: Any, expressions: tuple[str, str]) -> GraphDiff | MethodDiffs:
    """The difference of what two expressions give."""
    traces = [evaluated(shell, expression) for expression in expressions]
    try:
        return diff(*traces)
    except TracelabError as error:
        raise UsageError(f"%trace_diff: {error}") from None


def evaluated(shell: Any, expression: str) -> Any:
    """The trace or graph that a variable or an expression names."""
    space = shell.user_ns
    if expression.isidentifier():
        if expression not in space:
            raise UsageError(f"%trace_diff: there is no variable `{expression}` to compare")
        item = space[expression]
    else:
        try:
            item = shell.ev(expression)
        except Exception as error:
            raise UsageError(
                f"%trace_diff: `{expression}` cannot be evaluated: {type(error).__name__}: {error}"
            ) from None
    try:
        graphs_of(item)
    except TracelabError:
        raise UsageError(
            f"%trace_diff: `{expression}` ({type(item).__name__}) is not a trace: give two graphs, or what "
            "tracelab.trace, %%trace or tracelab.load gave"
        ) from None
    return item


def show_diff(found: GraphDiff | MethodDiffs, widget: bool) -> None:
    """The difference as a merged graph; as text where no widget is wanted, or can be shown."""
    if not (found and widget and in_kernel()):
        print(found)
    elif isinstance(found, GraphDiff):
        display(GraphExplorer(found))
    else:
        for method, part in found.items():
            print(method if part else f"{method}: no difference")
            if part:
                display(GraphExplorer(part))
