"""The JSON of a torch.export program as a `Graph`: every item is checked before it is used, and nothing runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value, unique_names
from tracelab.graph.kinds import ENTER_GRAD_MODE, EXIT_GRAD_MODE, LIST_UNPACK, PYTHON_CALL
from tracelab.graph.structure import InputTree
from tracelab.graph.tree import LEAVES, Tree
from tracelab.interop.export import types
from tracelab.interop.export.fields import SIMPLE, argument_name, input_names, optional_text, table_of, type_of, union
from tracelab.interop.export.symbolic import ARITHMETIC
from tracelab.interop.higher_order import Block, HigherOrder
from tracelab.interop.nesting import construct, read_spec, returned
from tracelab.interop.stacks import Scopes, Sources, module_stack
from tracelab.storage import validation
from tracelab.storage.graph_json.read import check_call
from tracelab.storage.graph_json.targets import Refusal, ScriptFiles, TargetReader

NEWEST_SCHEMA = 8
"""The major version of torch's schema that this reader knows; a new minor version only adds fields."""
_DEEPEST = 40
_GRAD_MODE = "torch.ops.higher_order.wrap_with_set_grad_enabled"

FindModule = Callable[[str], Any]
"""Gives the graph module of a block by its dotted name."""


def read_program(content: Any, name: str, modules: FindModule | None = None) -> Graph:
    """The graph of a serialized `ExportedProgram`; `modules` finds what runs the blocks of higher-order operators.

    Raises `TracelabFileError` for content that is not sound, or of a newer schema.
    """
    program = validation.table(content, "the program")
    version = validation.table(validation.field(program, "schema_version", "the program"), "the schema version")
    major = validation.integer(validation.field(version, "major", "the schema version"), "the schema version")
    if major > NEWEST_SCHEMA:
        by = validation.text(program.get("torch_version", "a newer torch"), "the torch version")[:40]
        validation.bad(
            "the program", f"has the schema version {major}, made by torch {by}: upgrade tracelab to read it"
        )
    module = validation.table(validation.field(program, "graph_module", "the program"), "the graph module")
    return _Program(module, name, modules).read()


class _Program:
    def __init__(self, module: dict[str, Any], name: str, modules: FindModule | None) -> None:
        self.graph = Graph(name)
        self.root = table_of(module, "graph", "the graph module")
        self.signature = table_of(module, "signature", "the graph module")
        self.module = module
        self.modules = modules

    def read(self) -> Graph:
        graph = self.graph
        inputs, nested = self.inputs()
        reader = _Nodes(
            graph, self.root, Sources(), Scopes(graph), TargetReader(ScriptFiles(), frozenset()), self.modules
        )
        reader.values.update(inputs)
        reader.run()
        self.outputs(reader)
        used = {value: None for node in graph.nodes for value in node.inputs}
        parameters = [value for value in used if value.role not in (Role.COMPUTED, Role.INPUT)]
        parameters += [
            value for value in graph.outputs if value.role not in (Role.COMPUTED, Role.INPUT) and value not in used
        ]
        # As in a trace: what the caller gives, then each parameter that is used, in order of its use.
        graph.inputs = [value for value in inputs.values() if isinstance(value, Value) and value.role is Role.INPUT]
        graph.inputs += parameters
        graph.input_tree = nested
        graph.name = graph.root.name
        unique_names(graph.values())
        return graph

    def inputs(self) -> tuple[dict[str, Any], InputTree | None]:
        """What the graph takes by name, and how the caller's part of it nests."""
        found: dict[str, Any] = {}
        leaves: list[Any] = []
        for item in validation.rows(
            validation.field(self.signature, "input_specs", "the signature"), "the input specs"
        ):
            kind, spec = union(item, "an input")
            if kind == "user_input":
                arg_kind, arg = union(validation.field(validation.table(spec, kind), "arg", kind), "an input")
                if arg_kind in ("as_tensor", "as_sym_int", "as_sym_float", "as_sym_bool", "as_custom_obj"):
                    name = argument_name(arg, "an input")
                    leaves.append(self.input(found, name, Role.INPUT, ""))
                else:
                    leaves.append(None if arg_kind == "as_none" else Ellipsis)
            elif kind == "constant_input":
                value = union(validation.field(validation.table(spec, kind), "value", kind), "a constant input")
                leaves.append(None if value[0] == "as_none" else Ellipsis)
            elif kind in _STATE:
                role, field = _STATE[kind]
                entry = validation.table(spec, kind)
                path = validation.text(validation.field(entry, field, kind), kind)
                self.input(found, argument_name(validation.field(entry, "arg", kind), kind), role, path)
            elif kind == "token":
                self.input(
                    found,
                    argument_name(validation.field(validation.table(spec, kind), "arg", kind), kind),
                    Role.INPUT,
                    "",
                )
            else:
                validation.bad("an input", f"is of the kind {kind[:40]!r}, which this tracelab does not know")
        return found, self.nesting(leaves)

    def input(self, found: dict[str, Any], name: str, role: Role, path: str) -> Value:
        value = found[name] = Value(path or name, type_of(self.root, name), None, role, path)
        return value

    def specs(self) -> tuple[Tree | None, Tree | None, list[str]]:
        fields: dict[str, list[str]] = {}
        where = "a named tuple"
        for name, item in validation.table(self.module.get("treespec_namedtuple_fields") or {}, where).items():
            fields[name] = validation.fields(
                validation.field(validation.table(item, where), "field_names", where), where
            )
        for item in validation.rows(self.module.get("module_call_graph") or [], "the module calls"):
            entry = validation.table(item, "a module call")
            if entry.get("fqn") == "" and entry.get("signature"):
                signature = validation.table(entry["signature"], "the call signature")
                names = validation.rows(signature.get("forward_arg_names") or [], "the argument names")
                return (
                    read_spec(signature.get("in_spec"), "the nesting of the inputs", fields),
                    read_spec(signature.get("out_spec"), "the nesting of the outputs", fields),
                    [validation.text(name, "an argument's name") for name in names],
                )
        return None, None, []

    def nesting(self, leaves: list[Any]) -> InputTree | None:
        """How the caller's arguments nest; None where that is not said, or where numbers are among them."""
        tree, _, names = self.specs()
        plain = all(leaf is None or (isinstance(leaf, Value) and leaf.is_tensor) for leaf in leaves)
        if tree is None or len(tree.children) != 2 or tree.size != len(leaves) or not plain:
            return None
        positional, by_keyword = tree.children
        rest = iter(leaves)
        for leaf in _leaves(tree):
            leaf.kind = "none" if next(rest) is None else "tensor"
        known = names[: len(positional.children)]
        for index in range(len(known), len(positional.children)):
            known.append(f"arg{index}")
        keys = [str(key) for key in by_keyword.keys]
        if len(set(known + keys)) != len(known) + len(keys):
            return None
        return InputTree(known + keys, positional.children + by_keyword.children, len(keys))

    def outputs(self, reader: _Nodes) -> None:
        graph = self.graph
        user: list[Any] = []
        for item in validation.rows(
            validation.field(self.signature, "output_specs", "the signature"), "the output specs"
        ):
            kind, spec = union(item, "an output")
            entry = validation.table(spec, kind)
            arg = validation.field(entry, "arg", kind)
            if kind == "user_output":
                user.append(reader.argument(arg))
            elif kind == "loss_output":
                user.append(reader.value(argument_name(arg, kind)))
            elif kind in _MUTATIONS:
                # As `ExportedProgram.module()` does: what was computed is written into what it is the new state of.
                target = validation.text(validation.field(entry, _MUTATIONS[kind], kind), kind)
                self.write(reader, target, reader.value(argument_name(arg, kind)))
            elif kind not in ("token", "gradient_to_parameter", "gradient_to_user_input"):
                validation.bad("an output", f"is of the kind {kind[:40]!r}, which this tracelab does not know")
            elif kind != "token":
                user.append(reader.value(argument_name(arg, kind)))
        _, tree, _ = self.specs()
        if tree is None or tree.size != len(user):
            tree = Tree("tensor") if len(user) == 1 else Tree("tuple", [Tree("tensor") for _ in user])
        rest: Iterator[Any] = iter(user)
        graph.outputs = [returned(graph, construct(graph, tree, lambda: next(rest)))]

    def write(self, reader: _Nodes, name: str, new: Any) -> None:
        for value in reader.values.values():
            if isinstance(value, Value) and value.role is not Role.COMPUTED and name in (value.path, value.name):
                node = Node("aten::copy_", torch.ops.aten.copy_.default, (value, new), None, (), self.graph.root)
                node.outputs = (Value("copy_", value.type, node),)
                self.graph.nodes.append(node)
                return
        validation.bad("an output", f"writes into {name[:60]!r}, which is not an input")


_STATE = {
    "parameter": (Role.PARAMETER, "parameter_name"),
    "buffer": (Role.BUFFER, "buffer_name"),
    "tensor_constant": (Role.CONSTANT, "tensor_constant_name"),
    "custom_obj": (Role.CONSTANT, "custom_obj_name"),
}
_MUTATIONS = {
    "buffer_mutation": "buffer_name",
    "parameter_mutation": "parameter_name",
    "user_input_mutation": "user_input_name",
}


class _Nodes:
    """Reads the nodes of one serialized graph into `graph`; blocks of higher-order operators have their own."""

    def __init__(
        self,
        graph: Graph,
        data: dict[str, Any],
        sources: Sources,
        scopes: Scopes,
        targets: TargetReader,
        modules: FindModule | None,
        prefix: str = "",
        depth: int = 0,
    ) -> None:
        if depth > _DEEPEST:
            validation.bad("a block", "is nested too deeply")
        self.graph = graph
        self.data = data
        self.sources = sources
        self.scopes = scopes
        self.targets = targets
        self.modules = modules
        self.prefix = prefix
        self.depth = depth
        self.values: dict[str, Any] = {}

    def run(self) -> None:
        for item in validation.rows(validation.field(self.data, "nodes", "the graph"), "the nodes"):
            self.node(validation.table(item, "a node"))

    def value(self, name: Any) -> Any:
        text = validation.text(name, "a value's name")
        if text not in self.values:
            validation.bad(f"the value {text[:60]!r}", "is used before anything makes it")
        return self.values[text]

    def node(self, item: dict[str, Any]) -> None:
        target = validation.text(validation.field(item, "target", "a node"), "a node's target")
        inputs = validation.rows(validation.field(item, "inputs", target[:60]), target[:60])
        if target == _GRAD_MODE and self.grad_mode(item, inputs):
            return
        node = Node("", None)
        positional: list[Any] = []
        by_keyword: dict[str, Any] = {}
        for entry in inputs:
            given = validation.table(entry, f"an argument of {target[:60]}")
            content = self.argument(validation.field(given, "arg", target[:60]))
            if given.get("kind") == 2:
                by_keyword[validation.identifier(given.get("name"), f"an argument of {target[:60]}")] = content
            else:
                positional.append(content)
        metadata = validation.table(item.get("metadata") or {}, f"the metadata of {target[:60]}")
        node.args, node.kwargs = tuple(positional), by_keyword or None
        node.source = self.sources.of(optional_text(metadata.get("stack_trace")))
        node.scope = self.scopes.of(module_stack(optional_text(metadata.get("nn_module_stack")) or ""))
        unpack = self.made(node, item, target)
        self.identify(node, target)
        self.graph.nodes.append(node)
        if unpack is not None:
            self.graph.nodes.append(unpack)

    def identify(self, node: Node, target: str) -> None:
        """Kind, overload, and what runs the node."""
        known = ARITHMETIC.get(target)
        if known is not None:
            node.kind, node.target = known.kind, known.function
            if any(not isinstance(arg, (Value, int, float, bool)) for arg in node.args) or node.kwargs or not node.args:
                validation.bad(target[:60], "is given what is not a number")
            if node.kind in ("aten::size", "aten::numel") and not isinstance(node.args[0], Value):
                validation.bad(target[:60], "lacks its tensor")
            return
        if target.startswith("torch.ops.higher_order."):
            name = target.removeprefix("torch.ops.higher_order.")
            node.kind = PYTHON_CALL
            node.set_attribute("name", name[:120])
            blocks = [item for item in (*node.args, *(node.kwargs or {}).values()) if isinstance(item, Block)]
            if blocks:
                node.set_attribute("blocks", {block.__name__: block.text for block in blocks})
            operator = getattr(torch.ops.higher_order, name, None) if self.modules is not None else None
            if operator is None:
                reason = f"the higher-order operator {name[:60]} was read from a file, which holds nothing that runs it"
                node.target = Refusal(name[:60], reason, {"python": f"torch.ops.higher_order:{name}"})
            else:
                node.target = HigherOrder(operator, name, len(node.outputs))
            return
        parts = target.removeprefix("torch.ops.").split(".")
        if target.startswith("torch.ops.") and len(parts) == 3:
            namespace, short, overload = parts
            node.kind = f"{namespace}::{short}"
            node.overload = "" if overload == "default" else overload
            full = node.kind if not node.overload else f"{node.kind}.{node.overload}"
            node.target = self.targets.read({"operator": full}, node.kind)
            check_call(node)
            return
        node.kind = f"python::{target.rpartition('.')[2]}"[:120]
        reason = f"{target[:80]} is Python code, which files do not hold"
        module, _, name = target.rpartition(".")
        sound = all(part.isidentifier() for part in module.split("."))
        node.target = Refusal(node.name, reason, {"python": f"{module if sound else 'unknown'}:{name}"})

    def made(self, node: Node, item: dict[str, Any], target: str) -> Node | None:
        """Give the node its outputs; the node that takes a list apart, where it makes one."""
        name = optional_text(item.get("name")) or target.rpartition(".")[2]
        base = target.split(".")[-2] if target.count(".") > 3 else target.rpartition(".")[2]
        outputs: list[Value] = []
        unpack: Node | None = None
        rows = validation.rows(validation.field(item, "outputs", target[:60]), f"the outputs of {target[:60]}")
        for entry in rows:
            kind, content = union(entry, f"an output of {target[:60]}")
            if kind in ("as_tensors", "as_optional_tensors"):
                whole = Value(name, "Tensor[]", node)
                outputs.append(whole)
                unpack = Node(LIST_UNPACK, None, (whole,), None, (), node.scope, node.source)
                parts = []
                for part in validation.rows(content, f"an output of {target[:60]}"):
                    if kind == "as_optional_tensors":
                        part_kind, part = union(part, "an output")
                        if part_kind == "as_none":
                            parts.append(Value(base, "NoneType", unpack))
                            continue
                    parts.append(self.output(argument_name(part, "an output"), unpack))
                unpack.outputs = tuple(parts)
            elif kind == "as_none":
                outputs.append(Value(base, "NoneType", node))
            elif kind in ("as_tensor", "as_sym_int", "as_sym_float", "as_sym_bool", "as_custom_obj"):
                outputs.append(self.output(argument_name(content, "an output"), node))
            else:
                validation.bad(f"an output of {target[:60]}", f"is of the kind {kind[:40]!r}")
        if unpack is not None and len(rows) > 1:
            validation.bad(target[:60], "makes a list beside other results, which this tracelab does not know")
        node.outputs = tuple(outputs)
        return unpack

    def output(self, name: str, node: Node) -> Value:
        if name in self.values:
            validation.bad(f"the value {name[:60]!r}", "is made twice")
        value = self.values[name] = Value(name, type_of(self.data, name), node)
        return value

    def grad_mode(self, item: dict[str, Any], inputs: list[Any]) -> bool:
        """Write `with torch.no_grad():` as a trace does: its nodes between two that set and restore the mode."""
        if len(inputs) < 2:
            return False
        given = [validation.field(validation.table(entry, "an argument"), "arg", "an argument") for entry in inputs]
        kind, enabled = union(given[0], "the gradient mode")
        block_kind, block = union(given[1], "a block")
        if kind != "as_bool" or block_kind != "as_graph":
            return False
        block_name, data = self.block(block)
        scope = self.graph.root
        self.graph.nodes.append(Node(ENTER_GRAD_MODE, None, (validation.boolean(enabled, "a mode"),), None, (), scope))
        first = len(self.graph.nodes)
        inner = self.inner(self.graph, data, block_name)
        for entry, outer in zip(input_names(data), given[2:], strict=False):
            inner.values[entry] = self.argument(outer)
        inner.run()
        results = [
            inner.argument(entry) for entry in validation.rows(validation.field(data, "outputs", "a block"), "a block")
        ]
        self.graph.nodes.append(Node(EXIT_GRAD_MODE, None, (), None, (), scope))
        if first < len(self.graph.nodes) - 1:
            inside = self.graph.nodes[first]
            for marker in (self.graph.nodes[first - 1], self.graph.nodes[-1]):
                marker.scope, marker.source = inside.scope, inside.source
        names: list[str] = []
        for entry in validation.rows(validation.field(item, "outputs", "a block"), "a block"):
            kind, content = union(entry, "an output")
            parts = validation.rows(content, "an output") if kind == "as_tensors" else [content]
            names += [argument_name(part, "an output") for part in parts]
        if len(names) != len(results):
            validation.bad("a block", f"gives {len(results)} results, where {len(names)} are named")
        self.values.update(zip(names, results, strict=True))
        return True

    def block(self, content: Any) -> tuple[str, dict[str, Any]]:
        entry = validation.table(content, "a block")
        name = validation.text(validation.field(entry, "name", "a block"), "a block's name")
        return name, validation.table(validation.field(entry, "graph", "a block"), "a block")

    def inner(self, graph: Graph, data: dict[str, Any], name: str) -> _Nodes:
        scopes = self.scopes if graph is self.graph else Scopes(graph)
        prefix = f"{self.prefix}{name}."
        return _Nodes(graph, data, self.sources, scopes, self.targets, self.modules, prefix, self.depth + 1)

    def as_block(self, content: Any) -> Block:
        """A block that an operator calls, with its own graph as text."""
        name, data = self.block(content)
        graph = Graph(name[:120])
        inner = self.inner(graph, data, name)
        for entry in input_names(data):
            value = inner.values[entry] = Value(entry, type_of(data, entry), None, Role.INPUT)
            graph.inputs.append(value)
        inner.run()
        for entry in validation.rows(validation.field(data, "outputs", "a block"), "a block"):
            result = inner.argument(entry)
            if isinstance(result, Value):
                graph.outputs.append(result)
        unique_names(graph.values())
        return Block(name[:120], str(graph), None if self.modules is None else self.modules(self.prefix + name))

    def argument(self, item: Any) -> Any:
        """One argument, of any of the kinds of the schema."""
        kind, content = union(item, "an argument")
        reader = SIMPLE.get(kind)
        if reader is not None:
            return reader(content, "an argument")
        if kind in ("as_tensor", "as_custom_obj"):
            return self.value(argument_name(content, "an argument"))
        if kind in ("as_sym_int", "as_sym_float", "as_sym_bool"):
            return self.symbol(content)
        if kind in ("as_sym_ints", "as_sym_floats", "as_sym_bools"):
            return [self.symbol(part) for part in validation.rows(content, "an argument")]
        if kind == "as_tensors":
            return [self.value(argument_name(part, "an argument")) for part in validation.rows(content, "an argument")]
        if kind == "as_nested_tensors":
            return [self.argument({"as_tensors": part}) for part in validation.rows(content, "an argument")]
        if kind == "as_optional_tensor":
            return self.argument(content)
        if kind == "as_optional_tensors":
            return [self.argument(part) for part in validation.rows(content, "an argument")]
        if kind == "as_string_to_argument":
            return {name: self.argument(part) for name, part in validation.table(content, "an argument").items()}
        if kind == "as_graph":
            return self.as_block(content)
        validation.bad("an argument", f"is of the kind {kind[:40]!r}, which this tracelab does not know")

    def symbol(self, item: Any) -> Any:
        kind, content = union(item, "a size")
        if kind == "as_name":
            return self.value(content)
        if kind == "as_int":
            return validation.integer(content, "a size", -(2**63))
        if kind == "as_bool":
            return validation.boolean(content, "a size")
        return types.float_of(content, "a size")


def _leaves(tree: Tree) -> Iterator[Tree]:
    if tree.kind in LEAVES:
        yield tree
    # A kind may be changed by who reads on: the children of a leaf are none anyway.
    for child in tree.children:
        yield from _leaves(child)
