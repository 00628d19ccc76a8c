"""An ONNX file as a `Graph`: functions are scopes, initializers parameters, inner graphs blocks of their node."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import Any

from tracelab.errors import TracelabError, TracelabFileError
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value, unique_names
from tracelab.graph.kinds import CONSTANT
from tracelab.graph.scope import Scope
from tracelab.interop.higher_order import Block
from tracelab.interop.nesting import structured
from tracelab.interop.onnx.inner_tensors import bring_in
from tracelab.interop.onnx.operator import OnnxOperator
from tracelab.interop.onnx.soundness import MOST_NODES, refuse_unsound
from tracelab.interop.onnx.tensors import needed, tensor_of, type_of, type_of_tensor
from tracelab.interop.stacks import Scopes, Sources
from tracelab.storage import validation
from tracelab.storage.container import PathOrFile

_DEEPEST = 40
_LARGEST_INFERRED = 64 * 2**20
"""Bytes of a model whose shapes are inferred; of a larger one those are known that the file says."""
_NAME = re.compile(r"[^\x20-\x7e\u00a0-\uffff]")


def read_onnx(file: PathOrFile) -> Graph:
    """The graph of an ONNX file. Nothing in it runs; external data is read from the file's own folder.

    Its nodes run through onnxruntime, one by one, where that is installed.

    Raises:
        TracelabFileError: It is damaged, or names data outside its folder.
        TracelabError: The package onnx is not installed.
        OSError: It cannot be opened.
    """
    onnx = needed("onnx")
    folder = None
    if isinstance(file, (str, os.PathLike)):
        folder = Path(file).absolute().parent
        data = Path(file).read_bytes()
    else:
        data = file.read()
    with validation.reading(".onnx"):
        try:
            model = onnx.ModelProto()
            model.ParseFromString(data)
            refuse_unsound(model)
            size = len(data) + bring_in(model, folder)
            return _Model(onnx, model, folder, size).read()
        except TracelabError:
            raise
        except (MemoryError, RecursionError) as error:
            raise TracelabFileError("not a sound .onnx file: it needs more memory than there is") from error
        except Exception as error:
            # protobuf, numpy and onnx each raise what they like for damaged content.
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise TracelabFileError(f"not a sound .onnx file: {reason}") from error


class _Model:
    def __init__(self, onnx: Any, model: Any, folder: Path | None, size: int) -> None:
        self.onnx = onnx
        self.model = model
        self.folder = folder
        self.functions = {(item.domain, item.name): item for item in model.functions}
        self.graph = Graph(_clean(model.graph.name) or "main")
        self.sources = Sources()
        self.scopes = Scopes(self.graph)
        self.types = self._types(size)
        self.calls: dict[tuple[Scope, str], Scope] = {}

    def _types(self, size: int) -> dict[str, Any]:
        graph = self.model.graph
        if size <= _LARGEST_INFERRED:
            try:
                graph = self.onnx.shape_inference.infer_shapes(self.model).graph
            except Exception:
                # What inference does not understand has no types; the graph shows all the same.
                graph = self.model.graph
        return {item.name: item.type for item in (*graph.value_info, *graph.output, *graph.input)}

    def read(self) -> Graph:
        graph, proto = self.graph, self.model.graph
        values: dict[str, Any] = {"": None}
        weights = {item.name for item in proto.initializer}
        for item in proto.input:
            if item.name not in weights:
                graph.inputs.append(self._input(values, item.name, type_of(item.type), Role.INPUT))
        for item in proto.initializer:
            value = self._input(values, item.name, type_of_tensor(item), Role.PARAMETER)
            tensor = tensor_of(item, self.folder, f"the tensor {item.name[:60]!r}")
            if tensor is not None:
                graph.state[value] = tensor
        for _ in proto.sparse_initializer:
            validation.bad("the graph", "has sparse tensors, which this tracelab does not know")
        self._nodes(proto.node, values, graph.root, {}, "", 0)
        outputs = [self._value(values, item.name) for item in proto.output]
        used = dict.fromkeys(value for node in graph.nodes for value in node.inputs)
        state = [value for value in (*used, *outputs) if value in graph.state or value.role is Role.PARAMETER]
        graph.inputs += list(dict.fromkeys(value for value in state if value.role is Role.PARAMETER))
        graph.outputs = [structured(graph, outputs[0] if len(outputs) == 1 else tuple(outputs))]
        present = set(graph.values())
        graph.state = {value: tensor for value, tensor in graph.state.items() if value in present}
        unique_names(graph.values())
        graph.lint()
        return graph

    def _input(self, values: dict[str, Any], name: str, type_: Any, role: Role) -> Value:
        if not name or name in values:
            validation.bad("the graph", f"has two inputs called {name[:60]!r}")
        clean = _clean(name)
        value = values[name] = Value(clean, type_, None, role, clean if role is Role.PARAMETER else "")
        return value

    def _value(self, values: dict[str, Any], name: str) -> Any:
        if name not in values:
            validation.bad(f"the value {name[:60]!r}", "is used before anything makes it")
        return values[name]

    def _nodes(
        self, nodes: Any, values: dict[str, Any], scope: Scope, given: dict[str, Any], prefix: str, depth: int
    ) -> None:
        """Add the nodes of the graph, or of a function called in `scope` with the attributes `given`."""
        if depth > _DEEPEST:
            validation.bad("a function", "calls others too deeply, or itself")
        for proto in nodes:
            if len(self.graph.nodes) >= MOST_NODES:
                validation.bad("the graph", f"has more than {MOST_NODES:,} nodes once functions are taken apart")
            node_scope = scope if depth else self._scope(proto)
            attributes = self._attributes(proto, given)
            function = self.functions.get((proto.domain, proto.op_type))
            if function is not None:
                self._call(function, proto, attributes, values, node_scope, prefix, depth)
            elif proto.op_type == "Constant" and proto.domain in ("", "ai.onnx") and "value" in attributes:
                self._constant(proto, attributes["value"], values, node_scope)
            else:
                self._operator(proto, attributes, values, node_scope, given)

    def _attributes(self, proto: Any, given: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for item in proto.attribute:
            if item.ref_attr_name:
                if item.ref_attr_name in given:
                    found[item.name] = given[item.ref_attr_name]
            else:
                found[item.name] = item
        return found

    def _call(
        self,
        function: Any,
        proto: Any,
        attributes: dict[str, Any],
        values: dict[str, Any],
        scope: Scope,
        prefix: str,
        depth: int,
    ) -> None:
        if len(proto.input) > len(function.input) or len(proto.output) > len(function.output):
            validation.bad(f"the function {function.name[:60]!r}", "is called with more than it takes or gives")
        name = _clean(proto.name or proto.op_type)
        path = f"{scope.path}.{name}" if scope.path else name
        inner = Scope(path, _clean(function.name), scope)
        mine: dict[str, Any] = {"": None, **dict.fromkeys(function.input)}
        mine.update({to: self._value(values, at) for to, at in zip(function.input, proto.input, strict=False)})
        defaults = {item.name: item for item in function.attribute_proto}
        self._nodes(function.node, mine, inner, {**defaults, **attributes}, f"{prefix}{name}/", depth + 1)
        for outer, made in zip(proto.output, function.output, strict=False):
            if outer:
                values[outer] = self._value(mine, made)

    def _constant(self, proto: Any, attribute: Any, values: dict[str, Any], scope: Scope) -> None:
        if len(proto.output) != 1:
            validation.bad("a constant", "has another number of outputs than one")
        node = Node(CONSTANT, None, (), None, (), scope)
        tensor = tensor_of(attribute.t, self.folder, "a constant")
        value = Value(_clean(proto.output[0]), type_of_tensor(attribute.t), node, Role.CONSTANT)
        node.outputs = (value,)
        if tensor is not None:
            self.graph.state[value] = tensor
        values[proto.output[0]] = value
        self.graph.nodes.append(node)

    def _operator(
        self, proto: Any, attributes: dict[str, Any], values: dict[str, Any], scope: Scope, given: dict[str, Any]
    ) -> None:
        outer = [name for item in attributes.values() if item.type == 5 for name in _free(item.g, 0)]
        names = [*proto.input, *(name for name in dict.fromkeys(outer) if name in values and name not in proto.input)]
        whole = self.onnx.NodeProto()
        whole.CopyFrom(proto)
        if given:
            del whole.attribute[:]
            for name, item in attributes.items():
                whole.attribute.add().CopyFrom(item)
                whole.attribute[-1].name = name
        target = OnnxOperator(
            whole, names, self.model.opset_import, self.model.functions, min(self.model.ir_version, 10)
        )
        shown = {name: self._shown(item, name) for name, item in attributes.items() if name.isidentifier()}
        domain = _clean(proto.domain) or "onnx"
        node = Node(f"{domain}::{_clean(proto.op_type)}", target, (), shown or None, (), scope)
        node.args = tuple(self._value(values, name) for name in names)
        node.outputs = tuple(
            Value(_clean(name) or "unused", type_of(self.types.get(name)), node) for name in proto.output
        )
        props = {item.key: item.value for item in proto.metadata_props}
        node.source = self.sources.of(_outermost_first(props.get("pkg.torch.onnx.stack_trace", "")))
        origin = props.get("namespace", "").rpartition("/")[2]
        name, colon, operator = origin.partition(": ")
        if colon and operator.startswith("aten."):
            node.set_attribute("origin", f"{_clean(name)}: aten::{_clean(operator.split('.')[1])}")
        for name, value in zip(proto.output, node.outputs, strict=True):
            if name:
                values[name] = value
        self.graph.nodes.append(node)

    def _shown(self, item: Any, name: str) -> Any:
        if item.type == 5:
            return Block(name, _block_text(item.g))
        if item.type == 4:
            return f"tensor of {list(item.t.dims)}"
        content = self.onnx.helper.get_attribute_value(item)
        if isinstance(content, bytes):
            return content[:200].decode("utf-8", "replace")
        if isinstance(content, (int, float, str)):
            return content
        if item.type in (6, 7):
            return list(content)
        return f"{len(content)} items" if item.type in (8, 9, 10) else "an attribute"

    def _scope(self, proto: Any) -> Scope:
        """The module that a node ran in: by the metadata of torch's exporter, else by its name."""
        props = {item.key: item.value for item in proto.metadata_props}
        names = _texts(props.get("pkg.torch.onnx.name_scopes", ""))
        if names:
            classes = _texts(props.get("pkg.torch.onnx.class_hierarchy", ""))
            paths = names[:-1]
            kinds = classes[: len(paths)] if len(classes) == len(names) else [""] * len(paths)
            return self.scopes.of([(path, _clean(path), _clean(kind)) for path, kind in zip(paths, kinds, strict=True)])
        parts = [part for part in _clean(proto.name).split("/")[:-1] if part]
        # `/layers/layers.0/fc/MatMul`: a part may say its whole path, or its own name.
        stack, path = [], ""
        for part in parts:
            path = part if not path or part.startswith(path + ".") else f"{path}.{part}"
            stack.append((path, path, ""))
        return self.scopes.of(stack)


def _texts(text: str) -> list[str]:
    """A list of texts that the exporter wrote as Python writes it."""
    try:
        found = ast.literal_eval(text) if text else []
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    return found if isinstance(found, list) and all(isinstance(item, str) for item in found) else []


def _outermost_first(text: str) -> str:
    return text if text.startswith("  File") or not text else "  " + text


def _free(graph: Any, depth: int) -> list[str]:
    """The names that an inner graph uses from outside."""
    if depth > _DEEPEST:
        validation.bad("a graph", "is nested too deeply")
    known = {item.name for item in (*graph.input, *graph.initializer)} | {""}
    found: list[str] = []
    for node in graph.node:
        found += [name for name in node.input if name not in known]
        for item in node.attribute:
            if item.type == 5:
                found += [name for name in _free(item.g, depth + 1) if name not in known]
        known.update(node.output)
    return [*found, *(item.name for item in graph.output if item.name not in known)]


def _block_text(graph: Any) -> str:
    lines = [f"graph({', '.join('%' + _clean(item.name) for item in graph.input)}):"]
    for node in graph.node[:1000]:
        made = ", ".join("%" + _clean(name) for name in node.output)
        used = ", ".join("%" + _clean(name) for name in node.input)
        lines.append(f"  {made} = {_clean(node.domain) or 'onnx'}::{_clean(node.op_type)}({used})")
    lines.append(f"  return ({', '.join('%' + _clean(item.name) for item in graph.output)})")
    return "\n".join(lines)


def _clean(name: str) -> str:
    return _NAME.sub("�", name[:500])
