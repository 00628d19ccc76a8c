"""The data: one `Graph` that everything else reads."""

from tracelab.graph import passes
from tracelab.graph.aliasing import written_values
from tracelab.graph.assumptions import Assumption
from tracelab.graph.diagnostic import TraceDiagnostic, TracerWarning
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.scope import Scope
from tracelab.graph.source import Source
from tracelab.graph.types import TensorType, type_text

__all__ = [
    "Assumption",
    "Graph",
    "Node",
    "Role",
    "Scope",
    "Source",
    "TensorType",
    "TraceDiagnostic",
    "TracerWarning",
    "Value",
    "passes",
    "type_text",
    "written_values",
]
