"""Running graphs: generated Python code, and the callables around it."""

from tracelab.execute.codegen.code import graph_code
from tracelab.execute.function import TracedFunction, function_of_graph
from tracelab.execute.module import TracedModule
from tracelab.execute.run.failures import RunError
from tracelab.execute.run.run import Run

__all__ = ["Run", "RunError", "TracedFunction", "TracedModule", "function_of_graph", "graph_code"]
