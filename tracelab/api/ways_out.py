"""Ways out of everything that was traced: torch.fx, torch.export, ONNX, compiled packages, TorchScript."""

from __future__ import annotations

from typing import Any

from torch import fx

from tracelab.execute.run.program import program_of
from tracelab.interop.ways_out.fx_graph import graph_module


class WaysOut:
    """`to_fx`, `export`, `to_onnx`, `to_package` and `to_torchscript` of everything that was traced."""

    __slots__ = ()

    def to_fx(self: Any, method: str = "forward") -> fx.GraphModule:
        """A `torch.fx.GraphModule` that does the same, built node by node.

        Every node has `meta["val"]`, `meta["nn_module_stack"]` and `meta["stack_trace"]`; parameters and buffers keep
        their names and are shared. `tracelab.from_fx` gives the graph back.

        Args:
            method: Which traced method of a module.

        Returns:
            The graph module; it takes the arguments that the traced callable takes.

        Raises:
            ExportError: The graph holds what torch.fx has no node for; the message names it and its line.

        >>> traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))
        >>> module = traced.to_fx()
        >>> module(torch.tensor([-1.0, 2.0]))
        tensor([1., 3.])
        >>> bool(tracelab.diff(traced, tracelab.from_fx(module)))
        False
        """
        program = program_of(self, method)
        return graph_module(program.graph, program.state, program.devices)
