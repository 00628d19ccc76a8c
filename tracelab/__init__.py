"""tracelab: trace PyTorch code into a graph that you read, check, run and explore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracelab.lazy import lazy_names
from tracelab.version import __version__

if TYPE_CHECKING:
    from tracelab.api.comparing import compare
    from tracelab.api.files import load, read
    from tracelab.api.saving import save
    from tracelab.api.traced_function import TracedFunction
    from tracelab.api.traced_module import TracedModule
    from tracelab.api.tracing import trace, trace_graph, trace_module
    from tracelab.capture.failures import TraceError, last_failure
    from tracelab.capture.record import is_tracing
    from tracelab.check.findings import CallInputs, Finding
    from tracelab.check.report import CheckReport, TracingCheckError
    from tracelab.comparison.diff import GraphDiff, diff
    from tracelab.comparison.values import Comparison
    from tracelab.errors import AssumptionError, AssumptionWarning, InputError, TracelabError, TracelabFileError
    from tracelab.graph import Assumption, Graph, Node, Scope, Source, TraceDiagnostic, TracerWarning, Value, passes
    from tracelab.graph.registered import register_structure
    from tracelab.interop.export.exported import from_exported
    from tracelab.interop.fx import from_fx
    from tracelab.interop.overlays.overlay import Overlay
    from tracelab.interop.overlays.read import read_overlay
    from tracelab.interop.torchscript.program import from_torchscript
    from tracelab.jupyter.widget.explorer import GraphExplorer
    from tracelab.quickfix.quick_fix import QuickFix, quick_fix

__all__ = [
    "Assumption",
    "AssumptionError",
    "AssumptionWarning",
    "CallInputs",
    "CheckReport",
    "Comparison",
    "Finding",
    "Graph",
    "GraphDiff",
    "GraphExplorer",
    "InputError",
    "Node",
    "Overlay",
    "QuickFix",
    "Scope",
    "Source",
    "TraceDiagnostic",
    "TraceError",
    "TracedFunction",
    "TracedModule",
    "TracelabError",
    "TracelabFileError",
    "TracerWarning",
    "TracingCheckError",
    "Value",
    "__version__",
    "compare",
    "diff",
    "from_exported",
    "from_fx",
    "from_torchscript",
    "is_tracing",
    "last_failure",
    "load",
    "passes",
    "quick_fix",
    "read",
    "read_overlay",
    "register_structure",
    "save",
    "trace",
    "trace_graph",
    "trace_module",
]

# The Jupyter server and the command line import this package, and need no torch.
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "tracelab.api.comparing": ["compare"],
        "tracelab.api.files": ["load", "read"],
        "tracelab.api.saving": ["save"],
        "tracelab.api.traced_function": ["TracedFunction"],
        "tracelab.api.traced_module": ["TracedModule"],
        "tracelab.api.tracing": ["trace", "trace_graph", "trace_module"],
        "tracelab.capture.failures": ["TraceError", "last_failure"],
        "tracelab.capture.record": ["is_tracing"],
        "tracelab.check.findings": ["CallInputs", "Finding"],
        "tracelab.check.report": ["CheckReport", "TracingCheckError"],
        "tracelab.comparison.diff": ["GraphDiff", "diff"],
        "tracelab.comparison.values": ["Comparison"],
        "tracelab.errors": ["AssumptionError", "AssumptionWarning", "InputError", "TracelabError", "TracelabFileError"],
        "tracelab.graph": [
            "Assumption",
            "Graph",
            "Node",
            "Scope",
            "Source",
            "TraceDiagnostic",
            "TracerWarning",
            "Value",
            "passes",
        ],
        "tracelab.graph.registered": ["register_structure"],
        "tracelab.interop.export.exported": ["from_exported"],
        "tracelab.interop.fx": ["from_fx"],
        "tracelab.interop.overlays.overlay": ["Overlay"],
        "tracelab.interop.overlays.read": ["read_overlay"],
        "tracelab.interop.torchscript.program": ["from_torchscript"],
        "tracelab.jupyter.widget.explorer": ["GraphExplorer"],
        "tracelab.quickfix.quick_fix": ["QuickFix", "quick_fix"],
    },
    """
    api capture check comparison execute graph interop jupyter quickfix render storage
    """.split(),
)


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext tracelab`: register `%%trace`, `%trace` and `%trace_diff`."""
    from tracelab.jupyter.magics.trace_magic import register

    register(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext tracelab`: take the magics away again."""
    from tracelab.jupyter.magics.trace_magic import unregister

    unregister(shell)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """What the Jupyter server is to load: the reader of files behind the viewer."""
    return [{"module": "tracelab.jupyter.server"}]
