"""`TracedFunction`: what `trace` gives for a function."""

from __future__ import annotations

from typing import Any

from tracelab.api.checking import Checking
from tracelab.api.editing import Editing
from tracelab.api.estimating import Estimating
from tracelab.api.exporting import Exporting
from tracelab.api.extracting import Extracting
from tracelab.api.recordings import recordings_line, recordings_part
from tracelab.api.retracing import Retracing
from tracelab.api.running import Running
from tracelab.api.shaping import Shaping
from tracelab.api.traced_module import TracedModule
from tracelab.api.ways_out import WaysOut
from tracelab.display import MimeBundle, display_bundle
from tracelab.execute.function import ReplayFunction
from tracelab.execute.origin import Origin
from tracelab.graph.graph import Graph
from tracelab.graph.types import counted
from tracelab.render.summary_table import summary_table


class TracedFunction(
    Retracing, ReplayFunction, Running, Editing, Estimating, Checking, Extracting, Exporting, Shaping, WaysOut
):
    """A function as it ran once: callable on other inputs, differentiable, readable.

    `graph` is what was recorded, `code` the Python code generated from it.

    >>> traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))
    >>> traced(torch.tensor([-1.0, 2.0, 3.0]))
    tensor([1., 3., 4.])
    """

    def _part_class(self) -> type[TracedModule]:
        return TracedModule

    def _origin_of(self, method: str) -> Origin | None:
        return self.origin

    def _new_case(self, method: str, graph: Graph, origin: Origin) -> TracedFunction:
        return TracedFunction(graph, self.__name__, origin)

    def summary(self, depth: int | None = None) -> str:
        """A table of what ran: modules, operators, parameters and output shapes."""
        return summary_table(self.graph, depth, recordings_line(self))

    def __repr__(self) -> str:
        nodes = counted(len(self.graph.nodes), "node")
        return f"TracedFunction({self.__name__}, {nodes}{recordings_part(self)})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> MimeBundle:
        return display_bundle(self)
