"""`extract`: a part of a trace that runs alone, with its real inputs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from tracelab.check.findings import CallInputs
from tracelab.compat.modes import keeps_modes
from tracelab.errors import TracelabError
from tracelab.execute.codegen.script import script_of, tensors_to_save
from tracelab.execute.part import current_state, module_of_graph, recorded_inputs, span_of
from tracelab.execute.run.lookup import Key
from tracelab.execute.run.program import state_of
from tracelab.graph.data import input_tree_of
from tracelab.graph.part import part_of
from tracelab.graph.tree import rebuild_all


class Extracting:
    """`extract` of everything that was traced."""

    __slots__ = ()

    @keeps_modes
    def extract(
        self: Any,
        first: Key,
        last: Key | None = None,
        *,
        inputs: Any = None,
        script: str | os.PathLike[str] | None = None,
        seeded: bool = False,
        method: str = "forward",
    ) -> Any:
        """A part of the trace as a traced module that runs alone.

        It shares parameters and buffers with the whole, under the names that they have there. What it takes are the
        tensors that it used from before, in the order in which they were made; what it gives is what was used of it
        behind. A part that writes into an input writes into what it is given.

        Args:
            first: A module path (`"layers.0"`: all that ran in its first call), or the first node, by itself or a name.
            last: The last node; without it the part is the module, or the one node.
            inputs: The call from which the inputs of the part are recorded, as in `check`: a tensor, a tuple of the
                arguments, or `tracelab.CallInputs`; by default the inputs on which the trace was made.
            script: A Python file to write, which runs the part with torch and nothing else, for a bug report. Tensors
                lie beside it in a safetensors file of the same name.
            seeded: Let the script make random tensors of the same shapes, means and spreads instead.
            method: Which traced method of a module.

        Returns:
            The part, a `TracedModule`; `part.examples` are its real inputs, None where the trace has none and none were
            given.

        Raises:
            TracelabError: The part needs from before what is no tensor, or a script cannot hold what it runs.

        >>> net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
        >>> traced = tracelab.trace(net, torch.ones(1, 3))
        >>> part = traced.extract("2")
        >>> part, sorted(part.state_dict())
        (TracedModule(2, 1 node, 2 parameters), ['2.bias', '2.weight'])
        >>> bool((part(*part.examples) == traced(torch.ones(1, 3))).all())
        True
        """
        graph, name, state = state_of(self, method)
        start, stop = span_of(graph, first, last)
        path = first if isinstance(first, str) and last is None else f"{name}_part"
        part = part_of(graph, start, stop, path)
        names = {value.name: tensor for value, tensor in state.items()}
        part.graph.state.update({value: names[value.name] for value in part.graph.state if value.name in names})
        whole = self if hasattr(self, "named_modules") else None
        devices = self._moved(method)[0] if whole is not None and method in self._runs else {}
        held = current_state(graph, state)
        module = module_of_graph(self._part_class(), path, part.graph, held, whole, devices)
        call = _call(self, graph, inputs, method)
        module.examples = None if call is None else recorded_inputs(self, part, *call, method)
        if script is not None:
            if module.examples is None:
                raise TracelabError("the trace has no inputs to run the part on: give them as inputs=")
            _write(module, Path(script), held, seeded)
        return module


def _call(traced: Any, graph: Any, inputs: Any, method: str) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    if inputs is not None:
        if isinstance(inputs, CallInputs):
            return tuple(inputs.args), dict(inputs.kwargs)
        return (inputs if isinstance(inputs, tuple) else (inputs,)), {}
    origin = traced._origin_of(method if method in getattr(traced, "_graphs", (method,)) else traced._method)
    examples = origin.examples if origin is not None else traced.examples
    tree = input_tree_of(graph)
    if examples is None or sum(part.size for part in tree.trees) != len(examples):
        return None
    items = rebuild_all(tree.trees, iter(examples))
    positional = len(items) - tree.keyword_only
    return tuple(items[:positional]), dict(zip(tree.names[positional:], items[positional:], strict=True))


def _write(module: Any, path: Path, state: dict[str, Any], seeded: bool) -> None:
    beside = "" if seeded else f"{path.stem}.safetensors"
    text, tensors = script_of(module.graph, module.examples, state, beside)
    path.write_text(text, encoding="utf-8", newline="\n")
    if beside:
        save_file(tensors_to_save(tensors), path.parent / beside)
