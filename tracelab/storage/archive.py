"""`save` and `load`: a traced function or module to a `.tlab` file and back.

The file is a zip of `meta.json` (format and versions), `graph.json` (graphs, module tree, table of tensors),
`weights.safetensors`, `script/<n>.pt` for the TorchScript functions that a graph calls, and where the caller gave
one, `view.json`: the view document, for readers without torch. Loading runs none of it, and reads no view.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch

from tracelab import __version__
from tracelab.execute.function import TracedFunction
from tracelab.execute.module import TracedModule
from tracelab.graph.ir import Graph, Value
from tracelab.storage import validation
from tracelab.storage.container import VERSION, PathOrFile, open_archive, write_archive
from tracelab.storage.errors import TracelabFileError
from tracelab.storage.graph_read import check_tensor, read_graph
from tracelab.storage.graph_write import KeepTensor, graph_json, kept_in_tree
from tracelab.storage.modules import module_json, read_module
from tracelab.storage.targets import ScriptFiles
from tracelab.storage.tensors import TensorTable, read_tensors
from tracelab.storage.weights import read_weights, write_weights


def save(traced: TracedFunction | TracedModule | Graph, file: PathOrFile, *, view: bytes | None = None) -> None:
    """Write a traced function, traced module or graph to a path or a binary file object, with its view document.

    The same trace gives the same bytes. An existing file is replaced only when the new one is complete.
    Without `view`, or with one of more than `container.LARGEST_VIEW` bytes, the file viewer needs a kernel.
    Raises `TracelabFileError` for what files do not hold (sparse and quantized tensors, tensor subclasses),
    `OSError` where the file cannot be written.

    >>> save(traced, "relu.tlab", view=view_bytes(traced.graph))
    """
    tensors, scripts = TensorTable(), ScriptFiles()
    content: dict[str, Any] = {}
    if isinstance(traced, TracedModule):
        content["kind"] = "module"
        content["modules"] = module_json(traced, tensors)
        content["graphs"] = [
            [method, _method_json(traced, method, graph, tensors, scripts)] for method, graph in traced._graphs.items()
        ]
    elif isinstance(traced, (TracedFunction, Graph)):
        graph = traced if isinstance(traced, Graph) else traced.graph
        for value in graph.parameters:
            if value not in graph.state:
                name = value.path or value.name
                raise TracelabFileError(f"cannot save: the graph was read without its weights (`{name}`)")
        content["kind"] = "function"
        content["name"] = graph.name if isinstance(traced, Graph) else traced.__name__
        content["graphs"] = [["", graph_json(graph, keep=_keeper(tensors), scripts=scripts)]]
    else:
        raise TypeError(f"save needs a traced function or module, but got {type(traced).__name__}: trace it first")
    content["tensors"], stored = tensors.finish()
    meta = {"format": "tracelab", "version": VERSION, "tracelab": __version__, "torch": torch.__version__}
    write_archive(
        file, {"meta.json": meta, "graph.json": content}, lambda out: write_weights(out, stored), scripts.held, view
    )


def load(
    file: PathOrFile,
    *,
    map_location: str | torch.device | None = None,
    allow: Collection[str] = frozenset(),
) -> TracedFunction | TracedModule:
    """Read a `.tlab` file from a path or a binary file object.

    Tensors come back on the devices that they were saved from, or all on `map_location`, and the devices that
    the trace wrote down go with them. Nothing in the file runs while it loads. A node that needs Python or
    TorchScript code shows, and raises `TracelabError` when it should run, unless `allow` names it
    (`"module:qualname"`; for TorchScript its qualified name, or `"torchscript"` for all).

    Raises `TracelabFileError` for a file that is damaged, hostile, or made by a newer tracelab; `OSError` for
    one that cannot be opened.

    >>> relu = tracelab.load("relu.tlab")
    >>> relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    names = frozenset([allow] if isinstance(allow, str) else allow)
    location = None if map_location is None else torch.device(map_location)
    with open_archive(file) as archive:
        content = validation.table(archive.read_json("graph.json"), "graph.json")
        with archive.open_weights() as (source, size):
            stored = read_weights(source, size)
        scripts = ScriptFiles(archive.read_scripts())
    tensors = read_tensors(validation.field(content, "tensors", "graph.json"), dict(stored), location)
    graphs: dict[str, Graph] = {}
    for pair in validation.rows(validation.field(content, "graphs", "graph.json"), "graphs"):
        method, data = validation.rows(pair, "a graph", 2)
        if validation.text(method, "a method's name") in graphs:
            validation.bad("graphs", f"hold {method[:60]!r} twice")
        graphs[method] = read_graph(
            data,
            tensors=tensors,
            scripts=scripts,
            allow=names,
            place=lambda device: location if location is not None and device.type != "meta" else device,
        )
    kind = validation.field(content, "kind", "graph.json")
    if kind == "function":
        return _function(content, graphs)
    if kind == "module":
        return _module(content, graphs, tensors)
    validation.bad("graph.json", "holds neither a function nor a module")


def _function(content: dict[str, Any], graphs: dict[str, Graph]) -> TracedFunction:
    if list(graphs) != [""]:
        validation.bad("graph.json", "should hold one graph for a function")
    graph = graphs[""]
    _check_state(graph, {})
    return TracedFunction(
        graph, validation.text(validation.field(content, "name", "graph.json"), "the function's name")
    )


def _module(content: dict[str, Any], graphs: dict[str, Graph], tensors: list[torch.Tensor]) -> TracedModule:
    if not graphs:
        validation.bad("graph.json", "holds a module without a traced method")
    for method in graphs:
        validation.identifier(method, "a method's name")
    module = read_module(validation.field(content, "modules", "graph.json"), graphs, tensors)
    held: dict[str, torch.Tensor] = {
        **dict(module.named_buffers(remove_duplicate=False)),
        **dict(module.named_parameters(remove_duplicate=False)),
    }
    for graph in graphs.values():
        _check_state(graph, held)
    return module


def _check_state(graph: Graph, held: Mapping[str, torch.Tensor]) -> None:
    """Give every parameter its tensor; refuse a graph that lacks one, or has one of another shape."""
    for value in graph.parameters:
        tensor = held.get(value.path) if kept_in_tree(value) else None
        if tensor is not None:
            # The tree's own tensor, so that graph and module stay tied.
            graph.state[value] = tensor
        tensor = graph.state.get(value)
        if tensor is None:
            name = (value.path or value.name)[:60]
            validation.bad("weights.safetensors", f"lacks {name!r}: the weights do not match the graph")
        check_tensor(value, tensor)


def _method_json(
    module: TracedModule, method: str, graph: Graph, tensors: TensorTable, scripts: ScriptFiles
) -> dict[str, Any]:
    """One method's graph, with constants and devices where the module has moved them since the trace."""
    in_tree = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    in_tree.update(name for name, _ in module.named_buffers(remove_duplicate=False))
    moved: dict[torch.device, torch.device] = {}
    current: dict[Value, torch.Tensor] = {}
    run = module._runs.get(method)
    if run is not None:
        namespace = run.replay.namespace
        moved = {device: namespace[name] for name, device in run.replay.code.devices.items()}
        current = {value: namespace[name] for name, value in run.replay.code.constants.items()}
    keep = _keeper(tensors, in_tree, current)
    return graph_json(graph, keep=keep, scripts=scripts, moved=moved)


def _keeper(
    tensors: TensorTable, in_tree: Collection[str] = (), current: Mapping[Value, torch.Tensor] | None = None
) -> KeepTensor:
    def keep(value: Value, tensor: torch.Tensor) -> int | None:
        if kept_in_tree(value) and value.path in in_tree:
            return None
        return tensors.add((current or {}).get(value, tensor), value.path or value.name)

    return keep
