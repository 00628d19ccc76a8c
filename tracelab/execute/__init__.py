"""Running graphs: generated Python code, and the callables around it."""

from tracelab.execute.codegen import graph_code
from tracelab.execute.module import TracedModule
from tracelab.execute.traced import TracedFunction, function_of_graph

__all__ = ["TracedFunction", "TracedModule", "function_of_graph", "graph_code"]
