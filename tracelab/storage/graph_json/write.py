"""`Graph` to plain JSON: dicts, lists, text and numbers only.

A value is written once, where it is made, and is then known by its number: inputs first, and after them what
each node made, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from tracelab.compat import script
from tracelab.errors import TracelabFileError
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.callables.higher_order import Lifted
from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import CONSTRUCTS
from tracelab.graph.scope import Scope
from tracelab.graph.structure import InputTree
from tracelab.graph.tree import Tree
from tracelab.graph.types import TensorType, Type
from tracelab.storage.graph_json import regions
from tracelab.storage.graph_json.constants import Encoder, short_name
from tracelab.storage.graph_json.refusals import LOOK, refuse_argument, refuse_node
from tracelab.storage.graph_json.sources import SourceTable
from tracelab.storage.graph_json.targets import STORED_CLASS, Refusal, ScriptFiles, encode_target

KeepTensor = Callable[[Value, torch.Tensor], int | None]
"""Takes the tensor behind a value, gives its row among the archive's tensors; None if kept elsewhere."""


def graph_json(
    graph: Graph,
    *,
    keep: KeepTensor,
    scripts: ScriptFiles,
    moved: Mapping[torch.device, torch.device] | None = None,
    add: Callable[[torch.Tensor, str], int] | None = None,
    refuse: bool = False,
) -> dict[str, Any]:
    """The graph as JSON-able data; `add` files a tensor that an argument holds, under a name, and gives its row.

    With `refuse`, a node that could never run from a file is an error, too; without it, the node only shows.
    Raises `TracelabFileError` where the graph holds something that has no place in a file.

    >>> graph, _ = tracelab.trace_graph(torch.relu, torch.ones(2))
    >>> data = graph_json(graph, keep=lambda value, tensor: None, scripts=ScriptFiles())
    >>> data["nodes"][0]["run"]
    {'operator': 'aten::relu'}
    """
    return _Writer(graph, scripts, moved or {}, add, refuse).write(keep)


_PLAIN_DEFAULTS = (bool, int, float, str, type(None))
"""Classes of arguments that a call left out and that files hold."""


class _Writer:
    def __init__(
        self,
        graph: Graph,
        scripts: ScriptFiles,
        moved: Mapping[torch.device, torch.device],
        add: Callable[[torch.Tensor, str], int] | None,
        refuse: bool,
        depth: int = 0,
    ) -> None:
        if depth > regions.DEEPEST:
            raise TracelabFileError(f"cannot save: there are {regions.TOO_DEEP}")
        self.graph = graph
        self.scripts = scripts
        self.moved = moved
        self.add = add
        self.refuse = refuse
        self.depth = depth
        self.functions: list[dict[str, Any]] = []
        self._rows: dict[int, int] = {}
        guarded = [value for _, node in graph.guard_nodes for value in node.outputs]
        self.numbers = {value: number for number, value in enumerate((*graph.values(), *guarded))}
        self.nodes: dict[Any, int] = {node: number for number, node in enumerate(graph.nodes)}
        self.arguments = Encoder(self.numbers, moved, add)
        self.sources = SourceTable()
        self.types: dict[Type, int] = {}
        self.scopes = {id(scope): number for number, scope in enumerate(graph.scopes())}

    def write(self, keep: KeepTensor) -> dict[str, Any]:
        graph = self.graph
        inputs = [self.value(value) for value in graph.inputs]
        nodes = [self.node(node) for node in graph.nodes]
        # In the order of the values, not in that in which they were met: it is the same once the file was read.
        held = sorted((value for value in graph.state if value in self.numbers), key=self.numbers.__getitem__)
        kept = [(self.numbers[value], keep(value, graph.state[value])) for value in held]
        state = [[number, row] for number, row in kept if row is not None]
        warnings = [self.warning(warning) for warning in graph.warnings]
        guards = [[position, self.node(node)] for position, node in graph.guard_nodes]
        assumptions = [self.assumption(item) for item in graph.assumptions]
        return {
            "name": graph.name,
            "types": [type_json(type_) for type_ in self.types],
            "scopes": [self.scope(scope) for scope in graph.scopes()],
            "sources": self.sources.rows,
            "input_tree": self.input_tree(graph.input_tree),
            "inputs": inputs,
            "nodes": nodes,
            "outputs": [self.arguments.encode(value) for value in graph.outputs],
            "state": state,
            "warnings": warnings,
            "guards": guards,
            "assumptions": assumptions,
            "failed": self.nodes.get(graph.failed, -1),
            **({} if graph.function_scopes else {"function_scopes": False}),
            **({"functions": self.functions} if self.functions else {}),
        }

    def value(self, value: Value) -> list[Any]:
        type_ = self.types.setdefault(value.type, len(self.types))
        return [value.name, type_, int(value.role), value.path]

    def scope(self, scope: Scope) -> list[Any]:
        parent = -1 if scope.parent is None else self.scopes[id(scope.parent)]
        return [scope.name, scope.class_name, parent, scope.call]

    def node(self, node: Node) -> dict[str, Any]:
        encode = self.arguments.encode
        self.arguments.where = node.kind
        self.arguments.path = "" if node.scope is None else node.scope.path
        if self.refuse and node is not self.graph.failed:
            refuse_node(node)
        args = node.args
        region = regions.is_region(node)
        if region:
            args = args[1:]
        if region or (isinstance(node.target, Refusal) and "region" in node.target.stored):
            self.arguments.function = self.function
        self.arguments.lost = ""
        made: dict[str, Any] = {
            "kind": node.kind,
            "overload": node.overload,
            "run": regions.encode_region(node, encode) if region else encode_target(node, self.scripts),
            "args": [encode(item) for item in args],
            "outputs": [self.value(value) for value in node.outputs],
            "scope": -1 if node.scope is None else self.scopes.get(id(node.scope), -1),
            "source": self.sources.number(node.source),
        }
        if node.kwargs:
            made["kwargs"] = {name: encode(item) for name, item in node.kwargs.items()}
        self.arguments.function = None
        if self.arguments.lost and self.refuse and node.kind not in CONSTRUCTS and node is not self.graph.failed:
            refuse_argument(node, self.arguments.lost)
        attributes = {name: item for name, item in node.attributes.items() if name != STORED_CLASS}
        if attributes:
            made["attributes"] = {name: self.attribute(item) for name, item in attributes.items()}
        return made

    def function(self, item: Lifted) -> int:
        """The row of a function of a region."""

        def inner(graph: Graph) -> dict[str, Any]:
            writer = _Writer(graph, self.scripts, self.moved, self.add, self.refuse, self.depth + 1)
            return writer.write(lambda value, tensor: None)

        if id(item) not in self._rows:
            made = regions.encode_function(item, inner)
            self._rows[id(item)] = len(self.functions)
            self.functions.append(made)
        return self._rows[id(item)]

    def attribute(self, item: Any) -> Any:
        if script.is_graph(item):
            # The inner graph of a script function: its text is what people see of it.
            return str(item)
        return self.arguments.encode(item)

    def warning(self, warning: TraceDiagnostic) -> dict[str, Any]:
        # The node or value may have been taken out of the graph since: then the nearest before it says where it was.
        node = warning.node_among(self.nodes)
        verdict = {"verdict": warning.verdict} if warning.verdict else {}
        return {
            "kind": warning.kind,
            "message": warning.message,
            "source": self.sources.number(warning.source),
            "node": self.nodes.get(node, -1),
            "value": self.numbers.get(warning.value, -1) if warning.value is not None else -1,
            "constant": warning.constant,
            "position": warning.position,
            **verdict,
        }

    def assumption(self, item: Assumption) -> dict[str, Any]:
        """What lies outside the graph is kept to be read, and cannot be asked after loading."""
        constant, test = item.constant, item.test
        argument = item.kind is AssumptionKind.ARGUMENT
        if test == "array":
            constant, test = constant.tolist(), "list"
        return {
            "kind": str(item.kind),
            "subject": item.subject,
            "constant": (self.arguments.described if argument else self.arguments.encode)(constant),
            "source": self.sources.number(item.source),
            "value": self.numbers.get(item.value, -1) if item.value is not None else -1,
            "test": test,
            **({"paths": list(item.paths)} if item.paths else {}),
        }

    def input_tree(self, tree: InputTree | None) -> dict[str, Any] | None:
        if tree is None:
            return None
        plain = [(name, item) for name, item in tree.omitted.items() if type(item) in _PLAIN_DEFAULTS]
        return {
            "names": tree.names,
            "trees": [self.tree(child, name) for child, name in zip(tree.trees, tree.names, strict=True)],
            "keyword_only": tree.keyword_only,
            "defaults": [[name, self.arguments.described(item)] for name, item in tree.defaults.items()],
            **({"positional": list(tree.positional)} if tree.positional else {}),
            **({"omitted": [[name, self.arguments.described(item)] for name, item in plain]} if plain else {}),
        }

    def tree(self, tree: Tree, where: str, depth: int = 0) -> dict[str, Any]:
        if depth > DEEPEST_TREE:
            raise TracelabFileError(f"cannot save: the input `{where}` is nested more than {DEEPEST_TREE} levels deep")
        if tree.kind == "structure" and self.refuse:
            raise TracelabFileError(
                f"cannot save: the input `{where}` is a {tree.name}, which files do not take apart: give its tensors, "
                f"or {LOOK}"
            )
        made: dict[str, Any] = {"kind": tree.kind, **({"place": tree.place} if tree.place else {})}
        if isinstance(tree.value, torch.Generator):
            # As a part of a call it stands for the default one; as an argument it was not None.
            return {**made, "value": {"object": "Generator"}}
        if tree.kind == "array":
            if tree.name:
                made["name"] = tree.name
            return made if tree.value is None else {**made, "value": self.arguments.described(tree.value)}
        if tree.kind in ("value", "number", "same"):
            return {**made, "value": self.arguments.described(tree.value)}
        if tree.children or tree.kind not in ("tensor", "none"):
            made["children"] = [self.tree(child, where, depth + 1) for child in tree.children]
        if tree.name:
            made["name"] = tree.name
        if tree.kind in ("list", "tuple", "dict") and tree.value:
            made["attributes"] = [[name, self.arguments.encode(item)] for name, item in tree.value.items()]
        if tree.kind in ("dict", "namedtuple", "object"):
            made["keys"] = [self.key(key, where) for key in tree.keys]
            made["name"] = tree.name
        return made

    def key(self, key: Any, where: str) -> Any:
        made = self.arguments.encode(key)
        if isinstance(made, dict) and "object" in made:
            raise TracelabFileError(
                f"cannot save: the input `{where}` is a dict with keys of type {type(key).__name__}, "
                "which files do not hold: trace it with text or numbers as keys"
            )
        return made


DEEPEST_TREE = 100


def type_json(type_: Type) -> Any:
    """A type word as it is; a tensor type as `[dtype, shape, stride, device, requires_grad]`."""
    if not isinstance(type_, TensorType):
        return type_
    return [
        short_name(type_.dtype),
        list(type_.shape),
        None if type_.stride is None else list(type_.stride),
        str(type_.device),
        type_.requires_grad,
    ]


def kept_in_tree(value: Value) -> bool:
    """Whether the value is a parameter or buffer, rather than a constant of the graph."""
    return value.role in (Role.PARAMETER, Role.BUFFER)
