"""`TracedModule`: what `trace` gives for a module."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from tracelab.api.checking import Checking
from tracelab.api.editing import Editing
from tracelab.api.estimating import Estimating
from tracelab.api.exporting import Exporting
from tracelab.api.extracting import Extracting
from tracelab.api.recordings import recordings_line, recordings_part
from tracelab.api.retracing import Retracing
from tracelab.api.running import Running
from tracelab.api.shaping import Shaping
from tracelab.api.signed_forward import SignedForward
from tracelab.api.ways_out import WaysOut
from tracelab.display import MimeBundle, display_bundle
from tracelab.execute.module import ReplayModule
from tracelab.execute.origin import Origin
from tracelab.graph.graph import Graph
from tracelab.graph.types import counted
from tracelab.render.summary_table import summary_table


class TracedModule(
    Retracing, ReplayModule, Running, Editing, Estimating, Checking, Extracting, Exporting, Shaping, WaysOut
):
    """A module as its methods ran once.

    It is an `nn.Module` that shares the parameters of the module it was traced from: `state_dict`, `.to()`, `compile`,
    `copy` and `deepcopy` work as for any module. Devices that the trace wrote down move along with it. `print` shows a
    table of its modules, `repr` one line.

    >>> traced = tracelab.trace(torch.nn.Linear(3, 2), torch.ones(1, 3))
    >>> traced(torch.ones(5, 3)).shape
    torch.Size([5, 2])
    """

    forward = SignedForward()
    examples: list[Tensor] | None = None
    """What a part of a trace was given in the run that it was taken from; None for any other trace."""

    def _part_class(self) -> type[TracedModule]:
        return TracedModule

    def _origin_of(self, method: str) -> Origin | None:
        return self.origins.get(method)

    def _new_case(self, method: str, graph: Graph, origin: Origin) -> TracedModule:
        case = self._case_of(method, graph)
        case.origins = {method: origin}
        return case

    def summary(self, depth: int | None = None) -> str:
        """A table of modules with operators, parameters and output shapes.

        Args:
            depth: How many levels of modules to show; None for as many as fit a screen.

        Returns:
            The table as text.

        >>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
        >>> print(tracelab.trace(net, torch.ones(2, 4)).summary(depth=0))
        module      class       operators  parameters  output
        ----------  ----------  ---------  ----------  -------------
        Sequential  Sequential          2          15  float32[2, 3]
        2 operators, 15 parameters (60 B)
        """
        return summary_table(self.graph, depth, recordings_line(self))

    def __repr__(self) -> str:
        graph = self.graph
        nodes, parameters = counted(len(graph.nodes), "node"), counted(len(graph.parameters), "parameter")
        return f"TracedModule({self.original_name}, {nodes}, {parameters}{recordings_part(self)})"

    def __str__(self) -> str:
        return self.summary()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> MimeBundle:
        return display_bundle(self)
