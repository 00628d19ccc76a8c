"""tracelab: trace PyTorch code into a graph that you read, check, run and explore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracelab.lazy import lazy_names

if TYPE_CHECKING:
    from tracelab.capture import TraceError, is_tracing
    from tracelab.check import CallInputs, CheckReport, Finding, TracingCheckError
    from tracelab.check.compare import Comparison, compare
    from tracelab.check.diff import GraphDiff, diff
    from tracelab.check.mend import Mend, mend
    from tracelab.errors import InputError, TracelabError
    from tracelab.execute import TracedFunction, TracedModule
    from tracelab.graph import Graph, Node, Scope, Source, TracerWarning, TraceWarning, Value, passes
    from tracelab.interop.exported import from_exported
    from tracelab.interop.fx import from_fx
    from tracelab.interop.reading import read
    from tracelab.interop.torchscript import from_torchscript
    from tracelab.jupyter.explorer import GraphExplorer
    from tracelab.saving import save
    from tracelab.storage import TracelabFileError, load
    from tracelab.tracing import trace, trace_graph, trace_module

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
    "Mend",
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
    "mend",
    "passes",
    "read",
    "save",
    "trace",
    "trace_graph",
    "trace_module",
]

# The Jupyter server and the command line import this package, and need no torch.
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "tracelab.capture": ["TraceError", "is_tracing"],
        "tracelab.check": ["CallInputs", "CheckReport", "Finding", "GraphDiff", "TracingCheckError", "diff"],
        "tracelab.check.compare": ["Comparison", "compare"],
        "tracelab.check.mend": ["Mend", "mend"],
        "tracelab.errors": ["InputError", "TracelabError"],
        "tracelab.execute": ["TracedFunction", "TracedModule"],
        "tracelab.graph": ["Graph", "Node", "Scope", "Source", "TraceWarning", "TracerWarning", "Value", "passes"],
        "tracelab.interop.exported": ["from_exported"],
        "tracelab.interop.fx": ["from_fx"],
        "tracelab.interop.reading": ["read"],
        "tracelab.interop.torchscript": ["from_torchscript"],
        "tracelab.jupyter.explorer": ["GraphExplorer"],
        "tracelab.saving": ["save"],
        "tracelab.storage": ["TracelabFileError", "load"],
        "tracelab.tracing": ["trace", "trace_graph", "trace_module"],
    },
    ["capture", "check", "execute", "graph", "interop", "jupyter", "render", "storage", "tracing"],
)


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext tracelab`: register `%%trace` and `%trace`."""
    from tracelab.jupyter.magic import register

    register(shell)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """What the Jupyter server is to load: the reader of files behind the viewer."""
    return [{"module": "tracelab.jupyter.server"}]
