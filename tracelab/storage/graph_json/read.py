"""Plain JSON back to a `Graph`: every item is checked before it is used."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tracelab.compat.operators import OpOverload
from tracelab.execute.codegen.names import native
from tracelab.graph.assumptions import TESTS, Assumption, AssumptionKind
from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import ARGUMENT, CONSTRUCTS
from tracelab.graph.lint import form_problem
from tracelab.graph.scope import Scope
from tracelab.graph.structure import InputTree
from tracelab.graph.tree import Tree
from tracelab.graph.types import TensorType, Type
from tracelab.storage import validation
from tracelab.storage.graph_json import regions
from tracelab.storage.graph_json.constants import Decoder, default_generator, device_of, dtype_of
from tracelab.storage.graph_json.sources import read_sources
from tracelab.storage.graph_json.targets import STORED_CLASS, Refusal, ScriptFiles, TargetReader
from tracelab.storage.graph_json.write import DEEPEST_TREE

_TREE_KINDS = "tensor array none value number same tuple namedtuple list dict object structure".split()


def read_graph(
    data: Any,
    *,
    tensors: Sequence[torch.Tensor],
    scripts: ScriptFiles,
    allow: frozenset[str],
    place: Callable[[torch.device], torch.device],
) -> Graph:
    """The graph that `graph_json` wrote; `tensors` are the archive's, by row.

    `place` says where devices that the trace wrote down should be here. Raises `TracelabFileError` for data
    that is not sound.
    """
    return _Reader(validation.table(data, "a graph"), tensors, scripts, allow, place).read()


class _Reader:
    def __init__(
        self,
        data: dict[str, Any],
        tensors: Sequence[torch.Tensor],
        scripts: ScriptFiles,
        allow: frozenset[str],
        place: Callable[[torch.device], torch.device],
        depth: int = 0,
    ) -> None:
        if depth > regions.DEEPEST:
            validation.bad("a graph", f"has {regions.TOO_DEEP}")
        self.data = data
        self.tensors = tensors
        self.targets = TargetReader(scripts, allow)
        self.values: list[Value] = []
        self.arguments = Decoder(self.values, place, tensors)
        self.types = [read_type(item) for item in validation.rows(self.field("types"), "types")]
        self.sources = read_sources(self.field("sources"))
        self.graph = Graph(validation.text(self.field("name"), "a graph's name"))
        self.scopes = self.read_scopes()

        def inner(item: Any) -> Graph:
            return _Reader(validation.table(item, "a graph"), tensors, scripts, allow, place, depth + 1).read()

        rows = validation.rows(data.get("functions", []), "the functions of regions")
        self.functions = [regions.read_function(item, inner) for item in rows]

    def field(self, name: str) -> Any:
        return validation.field(self.data, name, "a graph")

    def read(self) -> Graph:
        graph = self.graph
        for item in validation.rows(self.field("inputs"), "inputs"):
            value = self.value(item, None)
            if value.role is Role.COMPUTED:
                validation.bad(f"input %{value.name[:40]}", "has no role of an input")
            graph.inputs.append(value)
        graph.input_tree = self.input_tree(self.field("input_tree"))
        for item in validation.rows(self.field("nodes"), "nodes"):
            graph.nodes.append(self.node(validation.table(item, "a node")))
        for pair in validation.rows(self.data.get("guards", []), "the guards"):
            position, item = validation.rows(pair, "a guard", 2)
            validation.integer(position, "the position of a guard", 0, len(graph.nodes))
            graph.guard_nodes.append((position, self.node(validation.table(item, "a guard"))))
        self.note_places()
        assumptions = validation.rows(self.data.get("assumptions", []), "the assumptions")
        graph.assumptions = [self.assumption(item) for item in assumptions]
        graph.outputs = [self.output(item) for item in validation.rows(self.field("outputs"), "outputs")]
        for pair in validation.rows(self.field("state"), "the state"):
            number, row = validation.rows(pair, "a row of the state", 2)
            value = self.values[validation.index(number, "a row of the state", len(self.values))]
            tensor = self.tensors[validation.index(row, "a row of the state", len(self.tensors))]
            check_tensor(value, tensor)
            graph.state[value] = tensor
        graph.warnings = [self.warning(item) for item in validation.rows(self.field("warnings"), "warnings")]
        graph.failed = self.pick(graph.nodes, self.field("failed"), "the failed node")
        graph.function_scopes = validation.boolean(self.data.get("function_scopes", True), "function_scopes")
        return graph

    def pick(self, items: Sequence[Any], number: Any, where: str) -> Any:
        """The item of that number; None for -1."""
        return None if number == -1 else items[validation.index(number, where, len(items))]

    def value(self, item: Any, node: Node | None) -> Value:
        name, type_, role, path = validation.rows(item, "a value", 4)
        validation.text(name, "a value's name")
        known = self.types[validation.index(type_, f"the type of %{name[:40]}", len(self.types))]
        number = validation.integer(role, f"the role of %{name[:40]}", 0, len(Role) - 1)
        value = Value(name, known, node, Role(number), validation.text(path, f"the path of %{name[:40]}"))
        self.values.append(value)
        return value

    def output(self, item: Any) -> Value:
        value = self.arguments.decode(item, "an output")
        if type(value) is not Value:
            validation.bad("an output", "is not a value of the graph")
        return value

    def read_scopes(self) -> list[Scope]:
        items = validation.rows(self.field("scopes"), "scopes")
        if not items:
            validation.bad("scopes", "lack the root")
        made: list[Scope] = []
        for item in items:
            name, class_name, parent, call = validation.rows(item, "a scope", 4)
            validation.text(name, "a scope's name")
            validation.text(class_name, "a scope's class")
            validation.integer(call, "a scope's call")
            if not made:
                if parent != -1:
                    validation.bad("the first scope", "should be the root")
                root = self.graph.root
                root.name, root.class_name, root.call = name, class_name, call
                made.append(root)
            else:
                above = made[validation.index(parent, "a scope's parent", len(made))]
                made.append(Scope(name, class_name, above, call))
        return made

    def node(self, item: dict[str, Any]) -> Node:
        kind = validation.text(validation.field(item, "kind", "a node"), "a node's kind")
        where = kind[:60]
        node = Node(kind, None)
        node.overload = validation.text(validation.field(item, "overload", where), f"the overload of {where}")
        node.scope = self.pick(self.scopes, validation.field(item, "scope", where), f"the scope of {where}")
        node.source = self.pick(self.sources, validation.field(item, "source", where), f"the source of {where}")
        run = validation.field(item, "run", where)
        region = isinstance(run, dict) and "region" in run
        if not region:
            node.target = self.targets.read(run, kind)
        self.arguments.functions = self.functions if region else ()
        decode, place = self.arguments.decode, f"an argument of {where}"
        self.arguments.lost = ""
        rows = validation.rows(validation.field(item, "args", where), place)
        node.args = tuple([decode(arg, place) for arg in rows])
        if rows and isinstance(rows[0], dict) and "generator" in rows[0]:
            # Operators draw from the default one where none is given; what sets a generator's state is asked of it.
            device = self.arguments.place(device_of(rows[0]["generator"], place))
            node.args = (default_generator(device), *node.args[1:])
        if "kwargs" in item:
            # Their names become part of generated code.
            node.kwargs = {
                validation.identifier(name, place): decode(arg, place)
                for name, arg in validation.table(item["kwargs"], place).items()
            }
        if region:
            why = regions.read_region(node, run, decode) or regions.why_not_kept(node)
            if why:
                reason = f"{why}: run the trace where it was made, or trace the code again"
                node.target, node.args = Refusal(node.name, reason, run), node.args[-2:]
            self.arguments.functions = ()
        if self.arguments.lost and kind not in CONSTRUCTS and not isinstance(node.target, Refusal):
            lost = self.arguments.lost[:60]
            reason = f"{where} was called with a {lost}, which files do not hold: trace again to run it"
            node.target = Refusal(node.name, reason, item["run"])
        outputs = validation.rows(validation.field(item, "outputs", where), f"the outputs of {where}")
        node.outputs = tuple([self.value(output, node) for output in outputs])
        for name, attribute in validation.table(item.get("attributes", {}), f"the attributes of {where}").items():
            node.set_attribute(name, decode(attribute, f"`{name[:40]}` of {where}"))
        if node.target is None and item["run"] is not None:
            node.set_attribute(STORED_CLASS, item["run"]["python"])
        check_structure(node)
        check_call(node)
        return node

    def warning(self, item: Any) -> TraceDiagnostic:
        where = "a warning"
        entry = validation.table(item, where)
        # Before format 3 the constant was called `frozen`, and no verdict was kept.
        constant = "constant" if "constant" in entry else "frozen"
        words = [validation.text(validation.field(entry, name, where), where) for name in ("kind", "message", constant)]
        return TraceDiagnostic(
            words[0],
            words[1],
            self.pick(self.sources, validation.field(entry, "source", where), where),
            self.pick(self.graph.nodes, validation.field(entry, "node", where), where),
            self.pick(self.values, validation.field(entry, "value", where), where),
            words[2],
            validation.integer(validation.field(entry, "position", where), where),
            validation.text(entry.get("verdict", ""), where),
        )

    def assumption(self, item: Any) -> Assumption:
        where = "an assumption"
        entry = validation.table(item, where)
        kind = validation.text(validation.field(entry, "kind", where), where)
        test = validation.text(validation.field(entry, "test", where), where)
        if kind not in set(AssumptionKind) or test not in TESTS:
            validation.bad(where, f"is of the kind {kind[:40]!r} with the test {test[:40]!r}")
        constant = self.arguments.decode(validation.field(entry, "constant", where), where)
        value = self.pick(self.values, validation.field(entry, "value", where), where)
        return Assumption(
            AssumptionKind(kind),
            validation.text(validation.field(entry, "subject", where), where),
            constant,
            self.pick(self.sources, validation.field(entry, "source", where), where),
            value,
            test if value is not None and not isinstance(constant, Value) else "",
            paths=tuple(validation.text(path, where) for path in validation.rows(entry.get("paths", []), where)),
        )

    def input_tree(self, item: Any) -> InputTree | None:
        if item is None:
            return None
        where = "the input tree"
        entry = validation.table(item, where)
        names = [
            validation.text(name, where) for name in validation.rows(validation.field(entry, "names", where), where)
        ]
        trees = validation.rows(validation.field(entry, "trees", where), where, len(names))
        keyword_only = validation.integer(validation.field(entry, "keyword_only", where), where, 0, len(names))
        defaults: OrderedDict[str, Any] = OrderedDict()
        for pair in validation.rows(validation.field(entry, "defaults", where), where):
            name, default = validation.rows(pair, where, 2)
            defaults[validation.text(name, where)] = self.arguments.decode(default, where)
        positional = tuple(validation.text(name, where) for name in validation.rows(entry.get("positional", []), where))
        omitted: dict[str, Any] = {}
        for pair in validation.rows(entry.get("omitted", []), where):
            name, default = validation.rows(pair, where, 2)
            omitted[validation.text(name, where)] = self.arguments.decode(default, where)
        children = [self.tree(child, where) for child in trees]
        tree = InputTree(names, children, keyword_only, defaults, positional, omitted)
        wanted, given = sum(child.size for child in tree.trees), len(self.graph.user_inputs)
        if wanted != given:
            validation.bad(where, f"takes {wanted} tensors, but the graph has {given} inputs")
        return tree

    def tree(self, item: Any, where: str, depth: int = 0) -> Tree:
        entry = validation.table(item, where)
        kind = validation.text(validation.field(entry, "kind", where), where)
        if kind not in _TREE_KINDS or depth > DEEPEST_TREE:
            validation.bad(where, f"holds {kind[:40]!r}, or is nested too deeply")
        place = validation.text(entry.get("place", ""), where)
        if kind in ("tensor", "none"):
            return Tree(kind, place=place)
        if kind == "array":
            name = validation.text(entry.get("name", ""), where)
            content = self.arguments.decode(entry["value"], where) if "value" in entry else None
            return Tree(kind, name=name, place=place, value=content)
        if kind in ("value", "number", "same"):
            value = self.arguments.decode(validation.field(entry, "value", where), where)
            if (kind == "number" and type(value) not in (int, float)) or (kind == "same" and type(value) is not str):
                validation.bad(where, f"has no {kind}")
            return Tree(kind, value=value, place=place)
        below = validation.rows(validation.field(entry, "children", where), where)
        children = [self.tree(child, where, depth + 1) for child in below]
        name = validation.text(entry.get("name", ""), where)
        attributes = self.attributes(entry, where) if kind in ("list", "tuple", "dict") else None
        if kind not in ("dict", "namedtuple", "object"):
            return Tree(kind, children, name=name, value=attributes, place=place)
        keys = validation.rows(validation.field(entry, "keys", where), where, len(children))
        if kind == "namedtuple":
            fields = list(validation.fields(keys, where))
            return Tree(kind, children, fields, validation.identifier(name, where), place=place)
        decoded = [self.arguments.decode(key, where) for key in keys]
        try:
            distinct = len(set(decoded))
        except TypeError:
            validation.bad(where, "has an unhashable dict key")
        if distinct != len(decoded):
            validation.bad(where, "has the same dict key twice")
        return Tree(kind, children, decoded, name, value=attributes, place=place)

    def attributes(self, entry: Any, where: str) -> dict[str, Any] | None:
        """What stands in a container of an own class beside its elements."""
        found: dict[str, Any] = {}
        for pair in validation.rows(entry.get("attributes", []), where):
            name, item = validation.rows(pair, where, 2)
            found[validation.text(name, where)] = self.arguments.decode(item, where)
        return found or None

    def note_places(self) -> None:
        """Calls keep what the graph asks for by its place among the arguments."""
        nodes = [*self.graph.nodes, *(node for _, node in self.graph.guard_nodes)]
        wanted = {node.args[0] for node in nodes if node.kind == ARGUMENT}
        tree = self.graph.input_tree
        known = {part.place for item in tree.trees for part in item.walk()} if tree is not None else set()
        if not wanted <= known:
            validation.bad("a node", f"asks for the argument {next(iter(wanted - known))[:40]!r}, which there is not")
        if tree is not None:
            tree.note_places(nodes)


def check_tensor(value: Value, tensor: torch.Tensor) -> None:
    """Refuse a parameter of another shape than its value; buffers and constants may grow while they are used."""
    if value.role is not Role.PARAMETER or value.shape is None or value.shape == tuple(tensor.shape):
        return
    validation.bad(
        f"the weight {(value.path or value.name)[:60]!r}",
        f"is {list(tensor.shape)}, but the graph was traced with {list(value.shape)}: "
        "the weights do not match the graph",
    )


def check_structure(node: Node) -> None:
    """Refuse a piece of structure that is not of the form that code is generated for."""
    kind, args, attributes = node.kind, node.args, node.attributes
    problem = form_problem(node)
    if problem:
        validation.bad(kind[:60], f"is not of the form that such a node has: {problem}")
    for name in ("name", "class"):
        if name in attributes:
            validation.text(attributes[name], f"`{name}` of {kind[:60]}")
    if "fields" in attributes:
        validation.identifier(attributes.get("class"), f"the class of {kind[:60]}")
        names = validation.fields(attributes["fields"], f"the fields of {kind[:60]}")
        if len(names) != len(args):
            validation.bad(kind[:60], "has not one item for each field")


@dataclass(frozen=True, slots=True)
class _Signature:
    """What matters of an operator's schema here."""

    names: tuple[str, ...]
    required: frozenset[str]
    method: bool
    """Whether its first argument is the tensor that code may call a method on."""


@functools.lru_cache(maxsize=4096)
def _signature(target: OpOverload) -> _Signature:
    arguments = target._schema.arguments
    required = frozenset(argument.name for argument in arguments if not argument.has_default_value())
    method = bool(arguments) and arguments[0].name == "self" and str(arguments[0].type) == "Tensor"
    return _Signature(tuple(argument.name for argument in arguments), required, method)


def _check_owner(node: Node, owner: type) -> None:
    first = node.args[0] if node.args else None
    if issubclass(torch.Generator, owner):
        if not isinstance(first, (Value, torch.Generator)):
            validation.bad(node.kind[:60], "lacks its generator")
    elif type(first) is not Value:
        validation.bad(node.kind[:60], "lacks its tensor")


def check_call(node: Node) -> None:
    """Let a node refuse whose operator takes other arguments here than where the file was made."""
    target, args = node.target, node.args
    if not isinstance(target, OpOverload):
        if type(target).__name__ == "method_descriptor":
            _check_owner(node, getattr(target, "__objclass__", torch.Tensor))
        return
    signature = _signature(target)
    fits = len(args) <= len(signature.names)
    if node.kwargs:
        given = set(signature.names[: len(args)])
        fits = fits and given.isdisjoint(node.kwargs) and given.union(node.kwargs).issuperset(signature.required)
        fits = fits and set(signature.names).issuperset(node.kwargs)
    elif len(signature.required) > len(args):
        fits = False
    else:
        fits = fits and signature.required.issubset(signature.names[: len(args)])
    if signature.method and args:
        # `torch.add(2, x)`: a number stands where code calls a function, not where it calls a method.
        number = type(args[0]) in (int, float, bool, complex) and (native(target) or ("",))[0] == "function"
        fits = fits and (number or type(args[0]) is Value)
    if not fits:
        schema = target._schema
        stored = f"{schema.name}.{schema.overload_name}".rstrip(".")
        reason = f"{stored} was recorded with other arguments than torch {torch.__version__} takes: {schema}"
        node.target = Refusal(node.name, reason, {"operator": stored})


def read_type(item: Any) -> Type:
    """What `type_json` wrote."""
    if isinstance(item, str):
        return item
    dtype, shape, stride, device, requires_grad = validation.rows(item, "a type", 5)
    return TensorType(
        dtype_of(dtype, "a type's dtype"),
        # -1 stands for the ragged dimension of a nested tensor.
        tuple([validation.integer(size, "a type's shape", -1) for size in validation.rows(shape, "a type's shape")]),
        None
        if stride is None
        else tuple(
            [validation.integer(step, "a type's stride") for step in validation.rows(stride, "a type's stride")]
        ),
        device_of(device, "a type's device"),
        validation.boolean(requires_grad, "a type"),
    )
