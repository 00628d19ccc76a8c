"""tracelab: trace PyTorch code into a graph that you read, check, run and explore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracelab.capture import TraceError, is_tracing
from tracelab.check import CallInputs, CheckReport, Finding, GraphDiff, TracingCheckError, diff
from tracelab.check.compare import Comparison, compare
from tracelab.execute import TracedFunction, TracedModule
from tracelab.graph import Graph, Node, Scope, Source, TracerWarning, TraceWarning, Value, passes
from tracelab.graph.structure import InputError, TracelabError
from tracelab.interop.exported import from_exported
from tracelab.interop.fx import from_fx
from tracelab.interop.reading import read
from tracelab.interop.torchscript import from_torchscript
from tracelab.storage import TracelabFileError, load, save
from tracelab.tracing import trace, trace_graph, trace_module

if TYPE_CHECKING:
    from tracelab.jupyter.explorer import GraphExplorer

__version__ = "0.1.0"

__all__ = [
    "CallInputs",
    "CheckReport",
    "Comparison",
    "Finding",
    "Graph",
    "GraphDiff",
    "GraphExplorer",
    "InputError",
    "Node",
    "Scope",
    "Source",
    "TraceError",
    "TraceWarning",
    "TracedFunction",
    "TracedModule",
    "TracelabError",
    "TracelabFileError",
    "TracerWarning",
    "TracingCheckError",
    "Value",
    "compare",
    "diff",
    "from_exported",
    "from_fx",
    "from_torchscript",
    "is_tracing",
    "load",
    "passes",
    "read",
    "save",
    "trace",
    "trace_graph",
    "trace_module",
]


def __getattr__(name: str) -> Any:
    # Widgets take a second to import, and scripts do not need them.
    if name == "GraphExplorer":
        from tracelab.jupyter.explorer import GraphExplorer

        return GraphExplorer
    raise AttributeError(f"module 'tracelab' has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext tracelab`: register `%%trace` and `%trace`."""
    from tracelab.jupyter.magic import register

    register(shell)
