"""Running graphs: generated Python code, and the callables around it."""

from tracelab.execute.codegen.code import graph_code
from tracelab.execute.function import ReplayFunction, function_of_graph
from tracelab.execute.module import ReplayModule
from tracelab.execute.run.run import Run, RunError
from tracelab.graph.graph import set_runner

set_runner(function_of_graph)

__all__ = ["ReplayFunction", "ReplayModule", "Run", "RunError", "function_of_graph", "graph_code"]
