"""The `.tlab` archive: a record of a trace to a file and back.

The file is a zip of `meta.json` (format and versions), `graph.json` (graphs, module tree, table of tensors),
`weights.safetensors`, `script/<n>.pt` for the TorchScript functions that a graph calls, and where the caller gave
one, `view.json`: the view document, for readers without torch. Loading runs none of it, and reads no view.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import torch

from tracelab.errors import TracelabFileError
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value
from tracelab.graph.lint import GraphError, lint
from tracelab.storage import validation
from tracelab.storage.container import BEFORE_FUNCTIONS, VERSION, PathOrFile, open_archive, write_archive
from tracelab.storage.graph_json.read import check_tensor, read_graph
from tracelab.storage.graph_json.targets import ScriptFiles
from tracelab.storage.graph_json.write import KeepTensor, graph_json, kept_in_tree
from tracelab.storage.modules import module_json, read_module
from tracelab.storage.record import MethodRecord, TraceRecord
from tracelab.storage.tensors import TensorsAside, TensorTable, read_tensors
from tracelab.storage.weights import read_weights, write_weights
from tracelab.version import __version__


def write_record(
    record: TraceRecord,
    file: PathOrFile,
    *,
    view: bytes | None = None,
    aside: list[torch.Tensor] | None = None,
    refuse: bool = False,
) -> None:
    """Write a record to a path or a binary file object, with its view document.

    The same record gives the same bytes. An existing file is replaced only when the new one is complete.
    Without `view`, or with one of more than `container.LARGEST_VIEW` bytes, the file viewer needs a kernel. With
    `aside` the tensors go into that list, and the file, which holds none, is read with the same list. With `refuse`,
    what could never run from the file is an error; without it, it shows, and says so when it should run.
    Raises `TracelabFileError` for what files do not hold (tensors of classes of one's own, say),
    `OSError` where the file cannot be written.
    """
    tensors, scripts = TensorTable() if aside is None else TensorsAside(aside), ScriptFiles()
    content: dict[str, Any] = {}
    in_tree: frozenset[str] = frozenset()
    if record.module is None:
        content["kind"] = "function"
        content["name"] = record.name
        for _, method in record.recordings():
            for value in method.graph.parameters:
                if value not in method.graph.state and aside is None:
                    name = value.path or value.name
                    raise TracelabFileError(f"cannot save: the graph was read without its weights (`{name}`)")
    else:
        content["kind"] = "module"
        content["modules"] = module_json(record.module, tensors)
        in_tree = frozenset(path for path, _ in record.module.tensors())
    written = [
        [
            name,
            graph_json(
                method.graph,
                keep=_keeper(tensors, in_tree, method.constants),
                scripts=scripts,
                moved=method.devices,
                add=tensors.add,
                refuse=refuse,
            ),
        ]
        for name, method in record.recordings()
    ]
    # What tracelab recorded without functions inside is sound by its verifier, and costs no second look.
    doubtful = written if not refuse else [item for item in written if "functions" in item[1]]
    if doubtful and aside is None:
        _check_again(doubtful, tensors.held, scripts)
    content["graphs"] = written[: len(record.methods)]
    if record.more:
        content["cases"] = written[len(record.methods) :]
    if record.checked is not None:
        content["checked"] = list(record.checked)
    content["tensors"], stored = tensors.finish()
    version = VERSION if any("functions" in graph for _, graph in written) else BEFORE_FUNCTIONS
    meta = {"format": "tracelab", "version": version, "tracelab": __version__, "torch": torch.__version__}
    write_archive(
        file, {"meta.json": meta, "graph.json": content}, lambda out: write_weights(out, stored), scripts.held, view
    )


def _check_again(written: list[list[Any]], tensors: list[torch.Tensor], scripts: ScriptFiles) -> None:
    """Raise where a graph could not be read again; one that was edited, or comes from elsewhere, may hold anything."""
    for _, data in written:
        try:
            graph = read_graph(
                json.loads(json.dumps(data)),
                tensors=tensors,
                scripts=ScriptFiles(scripts.held),
                allow=frozenset(),
                place=lambda device: device,
            )
            lint(graph)
        except (TracelabFileError, GraphError) as error:
            reason = str(error).removeprefix("not a sound .tlab file: ")
            raise TracelabFileError(f"cannot save: the file could not be read again, as {reason}") from error


def read_record(
    file: PathOrFile,
    *,
    map_location: str | torch.device | None = None,
    allow: Collection[str] = frozenset(),
    aside: list[torch.Tensor] | None = None,
) -> TraceRecord:
    """Read a `.tlab` file from a path or a binary file object: see `tracelab.load`.

    Raises `TracelabFileError` for a file that is damaged, hostile, or made by a newer tracelab; `OSError` for
    one that cannot be opened.
    """
    names = frozenset([allow] if isinstance(allow, str) else allow)
    location = None if map_location is None else torch.device(map_location)
    with open_archive(file) as archive:
        content = validation.table(archive.read_json("graph.json"), "graph.json")
        with archive.open_weights() as (source, size):
            stored = read_weights(source, size)
        scripts = ScriptFiles(archive.read_scripts())
    rows = validation.field(content, "tensors", "graph.json")
    tensors = read_tensors(rows, dict(stored), location) if aside is None else aside

    def recorded(pair: Any) -> tuple[str, MethodRecord]:
        method, data = validation.rows(pair, "a graph", 2)
        graph = read_graph(
            data,
            tensors=tensors,
            scripts=scripts,
            allow=names,
            place=lambda device: location if location is not None and device.type != "meta" else device,
        )
        return validation.text(method, "a method's name"), MethodRecord(graph)

    methods: dict[str, MethodRecord] = {}
    for name, method in map(recorded, validation.rows(validation.field(content, "graphs", "graph.json"), "graphs")):
        if name in methods:
            validation.bad("graphs", f"hold {name[:60]!r} twice")
        methods[name] = method
    record = _record(content, methods, tensors)
    record.more = list(map(recorded, validation.rows(content.get("cases", []), "cases")))
    for name, _ in record.more:
        if name not in methods:
            validation.bad("cases", f"hold a recording of {name[:60]!r}, which is no method")
    held = {} if record.module is None else dict(record.module.tensors())
    for _, method in record.recordings():
        if aside is None:
            _check_state(method.graph, held)
        try:
            lint(method.graph)
        except GraphError as error:
            raise TracelabFileError(f"not a sound .tlab file: {error}") from error
    return record


def _record(content: dict[str, Any], methods: dict[str, MethodRecord], tensors: list[torch.Tensor]) -> TraceRecord:
    kind = validation.field(content, "kind", "graph.json")
    if kind == "function":
        if list(methods) != [""]:
            validation.bad("graph.json", "should hold one graph for a function")
        name = validation.text(validation.field(content, "name", "graph.json"), "the function's name")
        record = TraceRecord(name, methods)
    elif kind == "module":
        if not methods:
            validation.bad("graph.json", "holds a module without a traced method")
        for method in methods:
            validation.identifier(method, "a method's name")
        module = read_module(validation.field(content, "modules", "graph.json"), tensors)
        record = TraceRecord(module.class_name, methods, module)
    else:
        validation.bad("graph.json", "holds neither a function nor a module")
    if "checked" in content:
        ok, words = validation.rows(content["checked"], "the last check", 2)
        record.checked = validation.boolean(ok, "the last check"), validation.text(words, "the last check")
    return record


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


def _keeper(
    tensors: TensorTable, in_tree: Collection[str] = (), current: Mapping[Value, torch.Tensor] | None = None
) -> KeepTensor:
    def keep(value: Value, tensor: torch.Tensor) -> int | None:
        if kept_in_tree(value) and value.path in in_tree:
            return None
        return tensors.add((current or {}).get(value, tensor), value.path or value.name)

    return keep
