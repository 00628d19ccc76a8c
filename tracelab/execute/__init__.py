"""Running graphs: generated Python code, and the callables around it."""

from tracelab.execute.codegen import graph_code
from tracelab.execute.failures import RunError
from tracelab.execute.module import TracedModule
from tracelab.execute.run import Run
from tracelab.execute.traced import TracedFunction, function_of_graph

__all__ = ["Run", "RunError", "TracedFunction", "TracedModule", "function_of_graph", "graph_code"]
