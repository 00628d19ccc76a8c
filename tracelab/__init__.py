"""tracelab: trace PyTorch code into a graph that you read, check, run and explore."""

from tracelab.capture import TraceError, is_tracing
from tracelab.check import TracingCheckError
from tracelab.execute import TracedFunction, TracedModule
from tracelab.graph import Graph, Node, Scope, Source, TracerWarning, TraceWarning, Value, passes
from tracelab.graph.structure import InputError, TracelabError
from tracelab.storage import TracelabFileError, load, save
from tracelab.tracing import trace, trace_graph, trace_module

__version__ = "0.1.0"

__all__ = [
    "Graph",
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
    "is_tracing",
    "load",
    "passes",
    "save",
    "trace",
    "trace_graph",
    "trace_module",
]
