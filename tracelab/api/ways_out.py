"""Ways out of everything that was traced: torch.fx, torch.export, ONNX, compiled packages, TorchScript."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from torch import fx
from torch.export import ExportedProgram

from tracelab.errors import AssumptionWarning

from tracelab.execute.run.program import program_of
from tracelab.interop.ways_out.fx_graph import graph_module
from tracelab.interop.ways_out.program import exported_program, warning_of


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

    def export(self: Any, dims: Mapping[str, Any] | None = None, *, method: str = "forward") -> ExportedProgram:
        """A `torch.export.ExportedProgram` that does the same, also for code that torch.export refuses.

        Sizes that the graph does not fix are dynamic; a branch on a size becomes a condition on the inputs. What the
        trace takes for granted of values is warned of, and kept in `graph_module.meta["tracelab_assumptions"]`.

        Args:
            dims: The names of dynamic sizes by argument, `{"x": ("batch", None)}`: only these are dynamic then. None
                for every size that the graph does not fix.
            method: Which traced method of a module.

        Returns:
            The program.

        Raises:
            ExportError: torch cannot express the graph; the message names the node and its line.
            InputError: `dims` names no argument.

        >>> traced = tracelab.trace(torch.nn.Linear(3, 2), torch.ones(4, 3))
        >>> program = traced.export({"input": ("batch", None)})
        >>> program.module()(torch.ones(7, 3)).shape
        torch.Size([7, 2])
        """
        program = program_of(self, method)
        exported = exported_program(program.graph, program.state, program.devices, dims)
        sentence = warning_of(program.graph)
        if sentence:
            warnings.warn(sentence, AssumptionWarning, stacklevel=2)
        return exported
