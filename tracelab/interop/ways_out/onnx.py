"""An exported program as ONNX, by torch's exporter; the result is compared by onnxruntime."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx
from torch.export import ExportedProgram
from torch.utils import _pytree as pytree

from tracelab.compat.recurrent import any_length
from tracelab.errors import TracelabError
from tracelab.graph.aliasing import Aliasing, written_values
from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.kinds import SET_ATTRIBUTE
from tracelab.graph.output_names import output_names
from tracelab.interop.ways_out.arguments import arguments_of
from tracelab.interop.ways_out.dims import Dims
from tracelab.interop.ways_out.fixed import input_values
from tracelab.interop.ways_out.onnx_pools import forms_of_pools
from tracelab.interop.ways_out.refusals import ExportError, named, reason_of, refused
from tracelab.interop.ways_out.running import quietly

_NEEDED = ("onnx", "onnxscript", "onnxruntime")
_NOT_IN_NUMPY = (torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2)
_WITH_FORM = ("lstm", "gru")
"""Recurrent operators that ONNX has: they stay whole."""


def check_installed() -> None:
    """Raises `TracelabError` where a package that ONNX needs is missing."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise TracelabError(f"to_onnx needs {', '.join(missing)}: pip install 'tracelab[onnx]'")


def refuse_writes(graph: Graph) -> None:
    """Raises `ExportError` where the graph writes to what outlives a call: ONNX has values only."""
    memory = Aliasing(graph)
    for node in graph.nodes:
        names = [node.attributes["name"]] if node.kind == SET_ATTRIBUTE else []
        names += [
            value.path or value.name
            for given in written_values(node)
            for value in graph.inputs
            if memory.may_share(given, value)
        ]
        if names:
            raise refused(
                f"{named(node)} writes to `{names[0]}`",
                node,
                "an ONNX program changes nothing outside of it: trace in evaluation mode, or take the tensor as an "
                "argument and return the new one",
            )


def write_onnx(
    program: ExportedProgram,
    graph: Graph,
    path: str | os.PathLike[str],
    dims: Dims | None = None,
    module: fx.GraphModule | None = None,
) -> None:
    """Write the program as ONNX, with the graph's names of inputs and outputs.

    Args:
        program: The program.
        graph: The graph that it was made of.
        path: The file.
        dims: Names of sizes by argument.
        module: The graph as a graph module, which tells in which order the results come.

    Raises:
        ExportError: An operator has no form in ONNX; the message names it.
    """
    inputs = [_name(given.name) for given in arguments_of(graph).leaves if given.value is not None]
    outputs = _result_names(graph, module)
    # A result that is an argument, too, gets a name of its own.
    unique = _unique([*inputs, *outputs])
    kept = unique[: len(inputs)], unique[len(inputs) :]
    _refuse_numbers(program)
    _refuse_complex(program)
    _give_flat(program)
    _reshape_freely(program)
    names = {
        "input_names": kept[0] if len(kept[0]) == len(program.graph_signature.user_inputs) else None,
        "output_names": kept[1] if len(kept[1]) == len(program.graph_signature.user_outputs) else None,
    }
    try:
        made = _by_torch(program, names)
    except Exception as error:
        raise _explained(error, program) from error
    if made is None:
        raise ExportError("torch.onnx.export gave nothing")
    _name_once(made.model.graph)
    _fix_sizes([*made.model.graph.inputs, *made.model.graph.outputs])
    made.save(os.fspath(path))
    if dims:
        _rename_sizes(os.fspath(path), program, graph, dims)


def _result_names(graph: Graph, module: fx.GraphModule | None) -> list[str]:
    """The names of the results in the order of the program: torch may take a class apart in an order of its own."""
    pairs = output_names(graph)
    names = [_name(name or value.name) for value, name in pairs]
    if module is None:
        return names
    results = next(node for node in module.graph.nodes if node.op == "output").args
    by_value = {value.name: name for (value, _), name in zip(pairs, names, strict=True)}
    leaves = [leaf for leaf in pytree.tree_leaves(results) if isinstance(leaf, fx.Node)]
    ordered = [by_value.get(leaf.meta.get("tracelab_value", ""), "") for leaf in leaves]
    return ordered if sorted(ordered) == sorted(names) else names


def _by_torch(program: ExportedProgram, names: dict[str, Any]) -> Any:
    forms = forms_of_pools(program)
    if forms:
        names = {**names, "custom_translation_table": forms}
    try:
        with quietly(), any_length(_WITH_FORM):
            return torch.onnx.export(program, dynamo=True, verbose=False, **names)
    except Exception as error:
        if type(error).__name__ != "PassError":
            raise
        # The exporter's optimizer does not take what the exporter wrote; onnxruntime has one of its own.
        with quietly(), any_length(_WITH_FORM):
            return torch.onnx.export(program, dynamo=True, verbose=False, optimize=False, **names)


def _refuse_numbers(program: ExportedProgram) -> None:
    results = next(node for node in program.graph.nodes if node.op == "output").args[0]
    for place, item in enumerate(results):
        if isinstance(item, (bool, int, float, str)):
            raise ExportError(f"the result {place} is {item!r}, and ONNX gives tensors only: return what is computed")


def _refuse_complex(program: ExportedProgram) -> None:
    results = next(node for node in program.graph.nodes if node.op == "output").args[0]
    for what, items in (("argument", input_values(program)), ("result", [node.meta.get("val") for node in results])):
        for place, item in enumerate(items):
            if isinstance(item, Tensor) and item.is_complex():
                raise ExportError(
                    f"the {what} {place} is complex, and ONNX has no complex tensors: give and take the two parts "
                    "(torch.view_as_real, torch.view_as_complex)"
                )


def _give_flat(program: ExportedProgram) -> None:
    """Let the program give its results in a list: to rebuild a cache of a language model makes tensors of its own."""
    signature = program.module_call_graph[0].signature
    if signature is not None:
        signature.out_spec = pytree.tree_flatten([0] * len(program.graph_signature.user_outputs))[1]


def _name_once(graph: Any) -> None:
    """Give other names to values inside that are called as an input or a result is."""
    kept = [*graph.inputs, *graph.outputs, *graph.initializers.values()]
    own = {id(value) for value in kept}
    taken = {value.name for value in kept}
    for node in graph:
        for value in node.outputs:
            if id(value) in own or not value.name:
                continue
            name, number = value.name, 0
            while name in taken:
                number += 1
                name = f"{value.name}_{number}"
            taken.add(name)
            value.name = name


def _fix_sizes(values: Iterable[Any]) -> None:
    """Make numbers of the sizes that torch found to be fixed: its exporter writes a symbol with the name "3"."""
    for value in values:
        for place, size in enumerate(value.shape or ()):
            text = getattr(size, "value", None)
            if isinstance(text, str) and text.isdigit():
                value.shape[place] = int(text)


def runtime_results(path: str | os.PathLike[str], args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """What onnxruntime gives for a call."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(os.fspath(Path(path)), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        missing = re.search(r"Could not find an implementation for (\w+)\(\d+\)", str(error))
        if missing is None:
            raise
        raise ExportError(
            f"onnxruntime has no kernel for {missing[1]} of these dtypes, so that the ONNX program cannot be compared: "
            "trace the model in float32 (model.float()), or write it with check=False"
        ) from error
    leaves = [leaf for leaf in pytree.arg_tree_leaves(*args, **kwargs) if isinstance(leaf, (Tensor, int, float))]
    odd = next((leaf.dtype for leaf in leaves if isinstance(leaf, Tensor) and leaf.dtype in _NOT_IN_NUMPY), None)
    if odd is not None:
        raise ExportError(
            f"the ONNX program takes {odd}, which numpy does not have, so that it cannot be compared: write it with "
            "check=False, or trace the model in float32"
        )
    arrays = [torch.as_tensor(leaf).detach().cpu().numpy() for leaf in leaves]
    wanted = [item.name for item in session.get_inputs()]
    # ONNX leaves out inputs that nothing reads only where they are no tensors.
    found = session.run(None, dict(zip(wanted, arrays, strict=False)))
    return [torch.as_tensor(item) for item in found]


def _reshape_freely(program: ExportedProgram) -> None:
    """Let views be reshapes: torch's decompositions give other strides than its kernels, and ONNX has no strides."""
    nodes = [node for node in program.graph.nodes if node.op == "call_function"]
    written = {_base(node.all_input_nodes[0]) for node in nodes if _writes(node) and node.all_input_nodes}
    for node in nodes:
        # A write through a view reaches what it is a view of.
        if node.target is torch.ops.aten.view.default and _base(node) not in written:
            node.target = torch.ops.aten.reshape.default
    program.graph_module.recompile()


def _writes(node: fx.Node) -> bool:
    return bool(getattr(getattr(node.target, "_schema", None), "is_mutable", False))


def _base(node: fx.Node) -> fx.Node:
    """The node whose memory this one may be a view of."""
    while node.op == "call_function" and node.all_input_nodes:
        schema = getattr(node.target, "_schema", None)
        views = schema is None or any(item.alias_info is not None for item in schema.returns)
        if not views and "dropout" not in str(node.target):
            break
        node = node.all_input_nodes[0]
    return node


def _rename_sizes(path: str, program: ExportedProgram, graph: Graph, dims: Dims) -> None:
    """Call sizes by the names that the user gave, where torch has made up others."""
    import onnx

    names = set(program.graph_signature.user_inputs)
    nodes = [node for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    tree = input_tree_of(graph)
    wanted: dict[str, str] = {}
    for given, node in zip(arguments_of(graph).leaves, nodes, strict=True):
        sizes = dims.get(given.name, dims.get(tree.names[given.argument]))
        if sizes is None or not isinstance(node.meta.get("val"), Tensor):
            continue
        pairs = (
            sizes.items() if isinstance(sizes, Mapping) else enumerate((sizes,) if isinstance(sizes, str) else sizes)
        )
        for at, name in pairs:
            size = node.meta["val"].shape[at]
            if name is not None and isinstance(size, torch.SymInt):
                wanted.setdefault(str(size.node.expr), name)
    model = onnx.load(path, load_external_data=False)
    for item in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for size in item.type.tensor_type.shape.dim:
            for symbol, name in wanted.items():
                if size.dim_param:
                    size.dim_param = re.sub(rf"\b{re.escape(symbol)}\b", name, size.dim_param)
    onnx.save(model, path)


def _name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "_." else "_" for letter in name).strip("_") or "value"


def _unique(names: Iterable[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        base, number = name, 1
        while name in found:
            number += 1
            name = f"{base}_{number}"
        found.append(name)
    return found


def _names(text: str, target: Any) -> bool:
    """Whether torch's message is about an operator: `<OpOverload(op='aten.linalg_eig', overload='default')>`."""
    name, _, overload = str(target).rpartition(".")
    return f"op='{name}', overload='{overload}'" in text


def _explained(error: BaseException, program: ExportedProgram) -> ExportError:
    """The error with the operator that ONNX does not have, and its line."""
    texts: list[str] = []
    cause: BaseException | None = error
    innermost = error
    while cause is not None:
        texts.append(str(cause))
        innermost = cause
        cause = cause.__cause__
    missing = any("No ONNX function found" in text or "No decompositions registered" in text for text in texts)
    for node in program.graph.nodes if missing else ():
        if node.op == "call_function" and any(_names(text, node.target) for text in texts):
            line = next((t for t in reversed((node.stack_trace or "").splitlines()) if "File " in t), "")
            parts = [part.strip() for part in line.split(",")]
            file = parts[0].removeprefix('File "').rstrip('"').rpartition("/")[2] if line else ""
            place = f" at {file}:{parts[1].removeprefix('line ')}" if line else ""
            return ExportError(
                f"ONNX has no form of {node.target} (%{node.name}){place}: replace that operator in the code and trace "
                "again, or use to_package"
            )
    unknown = re.search(r"No ONNX function found for <OpOverload\(op='([\w.]+)', overload='(\w+)'", "\n".join(texts))
    if unknown is not None:
        return ExportError(
            f"ONNX has no form of {unknown[1]}.{unknown[2]}: replace what calls it in the code and trace again, or use "
            "to_package"
        )
    return ExportError(f"torch.onnx cannot write this program: {reason_of(innermost)}; to_package may")
