"""A graph as a view document, whose types are in `tracelab.protocol.view_document`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from tracelab.graph.aliasing import declared_aliases
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import OPAQUE
from tracelab.graph.output_names import output_names
from tracelab.graph.scope import Scope
from tracelab.graph.text.arguments import arguments
from tracelab.graph.types import TensorType
from tracelab.protocol import view_document as view
from tracelab.protocol.view_document import (
    FORMAT,
    VERSION,
    NodeColumns,
    ScopeColumns,
    Summary,
    ValueColumns,
    ViewDocument,
)
from tracelab.quickfix.quick_fix import quick_fix
from tracelab.render.fold import Folded
from tracelab.render.view_document.asides import constant_nodes, identities, size_expressions, unused_nodes
from tracelab.render.view_document.function_scopes import FunctionScope, function_scopes
from tracelab.render.view_document.markers import markers
from tracelab.render.view_document.source_table import SourceTable
from tracelab.render.view_document.taint import taints
from tracelab.render.view_document.training import is_backward, training_phases

SizeNames = Mapping[Value, Sequence[str]]
"""A text for each size of a tensor: `batch`, `64`."""


def view_document(graph: Graph, sizes: SizeNames | None = None) -> ViewDocument:
    """The document of a graph, as plain dicts, lists, strings and ints; with sizes by name where these are known.

    >>> view_document(tracelab.trace(lambda x: x.relu() + 1, torch.ones(2)).graph)["summary"]
    {'ops': 2, 'parameters': 0, 'parameter_bytes': 0, 'warnings': 0}
    """
    return DocumentBuilder(graph, sizes).build()


def view_bytes(graph: Graph) -> bytes:
    """The document as compact UTF-8 JSON."""
    return document_bytes(view_document(graph))


def document_bytes(document: ViewDocument) -> bytes:
    """A document that is at hand already, as compact UTF-8 JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


class DocumentBuilder:
    """One document while it is put together; rows are numbered in order of appearance."""

    tells_story = True
    """Whether function calls are scopes, and what is not the story is marked: not where two graphs are one."""

    def __init__(self, graph: Graph, sizes: SizeNames | None = None) -> None:
        self.graph = graph
        self.sizes = sizes or {}
        self.folded = Folded(graph)
        self.bases: dict[Value, Value] = {}
        """For each value made by a view or an in-place operator, the value whose memory it shares."""
        self.places = SourceTable(graph)
        self.strings: dict[str, int] = {}
        self.shapes: dict[tuple[int, ...], int] = {}
        self.values: dict[Value, int] = {}

    def string(self, text: str) -> int:
        index = self.strings.get(text)
        if index is None:
            index = self.strings[text] = len(self.strings)
        return index

    def optional(self, text: str | None) -> int:
        return self.string(text) if text else -1

    def build(self) -> ViewDocument:
        graph, folded = self.graph, self.folded
        sizes = size_expressions(graph, folded) if self.tells_story else {}
        scopes, scope_index = self.scope_rows()
        marked = markers(graph, folded) if self.tells_story else []
        minor = frozenset((*sizes, *(place for place, _ in marked)))
        same = identities(graph, folded, minor) if self.tells_story else []
        node_scopes = self.function_rows(scopes, scope_index, minor) if self.tells_story else {}
        self.number_values()
        nodes = self.node_rows(scope_index)
        for place, row in node_scopes.items():
            nodes["scope"][place] = row
        if sizes:
            nodes["sizes"] = [(place, self.string(encodable(text))) for place, text in sizes.items()]
        unused = unused_nodes(graph, folded) if self.tells_story else []
        if unused:
            nodes["unused"] = unused
        aside = frozenset((*minor, *unused, *(place for place, _ in same)))
        backward = [place for place, node in enumerate(folded.nodes) if self.tells_story and is_backward(node)]
        # What a training loop keeps is no constant, and to find that out takes long.
        constants = constant_nodes(graph, folded, aside) if self.tells_story and not backward else []
        if constants:
            nodes["constants"] = constants
        if marked:
            nodes["markers"] = marked
        if same:
            nodes["identities"] = same
        if backward:
            nodes["backward"] = backward
        values = self.value_rows()
        named = self.named_sizes()
        if named:
            values["sizes"] = named
        outputs, paths = self.output_rows()
        warnings = self.warning_rows()
        sources = self.places.columns
        sources["function"] = [self.optional(name) for name in self.places.functions]
        document: ViewDocument = {
            "format": FORMAT,
            "version": VERSION,
            "name": encodable(graph.root.name or graph.name),
            "torch": ".".join(torch.__version__.split(".")[:2]),
            "strings": [encodable(text) for text in self.strings],
            "shapes": [list(shape) for shape in self.shapes],
            "scopes": scopes,
            "nodes": nodes,
            "values": values,
            "inputs": [self.values[value] for value in graph.inputs],
            "outputs": outputs,
            "sources": sources,
            "files": [
                {
                    "name": encodable(row["name"]),
                    "lines": {number: encodable(line) for number, line in row["lines"].items()},
                }
                for row in self.places.file_rows()
            ],
            "warnings": warnings,
            "summary": summary(graph, len(folded.nodes)),
        }
        if any(path >= 0 for path in paths):
            document["output_names"] = paths
        return document

    def output_rows(self) -> tuple[list[int], list[int]]:
        """What the graph returns, and the paths in its result."""
        outputs: list[int] = []
        names: list[int] = []
        for whole, name in output_names(self.graph):
            parts = self.folded.parts(whole)
            for place, value in enumerate(parts):
                if value in self.values:
                    outputs.append(self.values[value])
                    several = name and len(parts) > 1
                    names.append(self.optional(encodable(f"{name}.{place}" if several else name)))
        return outputs, names

    def scope_rows(self) -> tuple[ScopeColumns, dict[Scope, int]]:
        """The module tree, without modules in which nothing ran (an `nn.Identity`)."""
        used: set[Scope] = {self.graph.root}
        for node in self.folded.nodes:
            scope = node.scope
            while scope is not None and scope not in used:
                used.add(scope)
                scope = scope.parent
        index: dict[Scope, int] = {}
        rows: ScopeColumns = {"parent": [], "name": [], "class_name": [], "call": []}
        for scope in self.graph.scopes():
            if scope in used:
                index[scope] = len(index)
                rows["parent"].append(-1 if scope.parent is None else index[scope.parent])
                rows["name"].append(self.string(scope.last_name))
                rows["class_name"].append(self.string(scope.class_name))
                rows["call"].append(scope.call)
        return rows, index

    def function_rows(self, rows: ScopeColumns, index: dict[Scope, int], minor: frozenset[int]) -> dict[int, int]:
        """Add the calls of functions to the tree, of which each parent has to stand before its children.

        Returns:
            The row of the scope of each node that ran in such a call.
        """
        nodes = self.folded.nodes
        scope_of = [node.scope if node.scope in index else self.graph.root for node in nodes]
        phases = training_phases(nodes, self.places)
        found = function_scopes(nodes, scope_of, self.places, minor, phases, self.graph.function_scopes)
        if not found.scopes:
            return {}
        order = list(index)
        index.clear()
        functions: dict[FunctionScope, int] = {}
        calls: dict[tuple[int, str], int] = {}
        for column in ("parent", "name", "class_name", "call"):
            rows[column] = []

        def add(parent: int, name: str, class_name: str, call: int) -> int:
            rows["parent"].append(parent)
            rows["name"].append(self.string(name))
            rows["class_name"].append(self.string(class_name))
            rows["call"].append(call)
            return len(rows["parent"]) - 1

        def row_of(item: FunctionScope) -> int:
            if item not in functions:
                above = index[item.module] if item.parent is None else row_of(item.parent)
                number = calls.get((above, item.name), 0)
                calls[above, item.name] = number + 1
                functions[item] = add(above, encodable(item.name), encodable(item.class_name), number)
            return functions[item]

        # Modules in their order, each call of a function before the first module in it.
        for scope in order:
            around = found.of_module.get(scope)
            above = -1 if scope.parent is None else index[scope.parent] if around is None else row_of(around)
            index[scope] = add(above, scope.last_name, scope.class_name, scope.call)
        for item in found.scopes:
            row_of(item)
        rows["functions"] = sorted(functions.values())
        parts = sorted(row for item, row in functions.items() if item.is_phase)
        if parts:
            rows["phases"] = parts
        return {place: functions[item] for place, item in found.of_node.items()}

    def number_values(self) -> None:
        """Inputs first, then constants and what nodes made, as they came."""
        for value in (*self.graph.inputs, *self.folded.constants):
            self.values.setdefault(value, len(self.values))
        for outputs in self.folded.outputs:
            for value in outputs:
                self.values.setdefault(value, len(self.values))

    def node_rows(self, scope_index: dict[Scope, int]) -> NodeColumns:
        folded = self.folded
        rows: NodeColumns = {
            "kind": [],
            "scope": [],
            "schema": [],
            "source": [],
            "inputs": [],
            "outputs": [],
            "arguments": [],
        }
        schemas: dict[Any, int] = {}
        opaque = []
        for number, (node, outputs) in enumerate(zip(folded.nodes, folded.outputs, strict=True)):
            self.note_views(node)
            rows["kind"].append(self.string(node.kind))
            rows["scope"].append(scope_index.get(node.scope, 0) if node.scope is not None else 0)
            target = node.target if node.schema is not None else None
            if target is None:
                rows["schema"].append(-1)
            else:
                if target not in schemas:
                    schemas[target] = self.string(str(node.schema))
                rows["schema"].append(schemas[target])
            rows["source"].append(self.places.index(node.source))
            # A value of a graph edited by hand may have no maker; it is then no value of the document.
            inputs = [self.values[value] for value in folded.parts_of(node.inputs) if value in self.values]
            rows["inputs"].append(inputs)
            rows["outputs"].append([self.values[value] for value in outputs])
            rows["arguments"].append([(self.string(name), self.string(text)) for name, text in arguments(node)])
            if node.kind in OPAQUE:
                opaque.append(number)
        failed = self.graph.failed
        if failed is not None and failed in folded.index:
            rows["failed"] = folded.index[failed]
        if opaque:
            rows["opaque"] = opaque
        return rows

    def note_views(self, node: Node) -> None:
        """Note which outputs of the next node share memory by its schema."""
        for made, (base, *_) in declared_aliases(node):
            # A list of views (`chunk`) is shown as its members: all of them share the memory.
            for value in self.folded.parts(made):
                if value.is_tensor and base.is_tensor:
                    self.bases[value] = base

    def value_rows(self) -> ValueColumns:
        rows: ValueColumns = {
            "name": [],
            "type": [],
            "dtype": [],
            "shape": [],
            "device": [],
            "node": [],
            "role": [],
            "path": [],
            "alias": [],
        }
        strides = []
        maker = {value: number for number, outputs in enumerate(self.folded.outputs) for value in outputs}
        for value in self.values:
            type_ = value.type
            rows["name"].append(self.string(value.name))
            if isinstance(type_, TensorType):
                rows["type"].append(self.string("Tensor"))
                rows["dtype"].append(self.string(type_.dtype_name))
                rows["shape"].append(self.shapes.setdefault(type_.shape, len(self.shapes)))
                rows["device"].append(self.string(str(type_.device)))
                if type_.stride is None:
                    strides.append((self.values[value], -1))
                elif not is_dense(type_.shape, type_.stride):
                    strides.append((self.values[value], self.shapes.setdefault(type_.stride, len(self.shapes))))
            else:
                rows["type"].append(self.string(type_))
                for column in (rows["dtype"], rows["shape"], rows["device"]):
                    column.append(-1)
            rows["node"].append(maker.get(value, -1))
            rows["role"].append(int(value.role))
            rows["path"].append(self.optional(value.path))
            base = self.bases.get(value)
            rows["alias"].append(-1 if base is None else self.values.get(base, -1))
        if strides:
            rows["strides"] = strides
        return rows

    def named_sizes(self) -> list[tuple[int, list[int]]]:
        return [(row, list(map(self.string, texts))) for row, texts in named_rows(self.values, self.sizes)]

    def warning_rows(self) -> list[view.TraceDiagnostic]:
        outputs = self.folded.parts_of(self.graph.outputs)
        depending = taints(self.graph, outputs)
        rows = []
        for warning, tainted in zip(self.graph.warnings, depending, strict=True):
            found = warning.node_among(self.folded.index)
            node = -1 if found is None else self.folded.index[found]
            row: view.TraceDiagnostic = {
                "kind": warning.kind,
                "message": encodable(warning.message),
                "node": node,
                "source": self.places.index(warning.source),
                "constant": encodable(warning.constant),
                "affects": sorted(self.values[value] for value in tainted if value in self.values),
            }
            if warning.verdict:
                row["verdict"] = encodable(warning.verdict)
            fix = quick_fix(warning)
            if fix is not None:
                reason = f"{fix.reason[0].upper()}{fix.reason[1:]}."
                edit = fix.edit
                row["fix"] = {
                    "line": edit.line,
                    "column": edit.column,
                    "end_line": edit.end_line,
                    "end_column": edit.end_column,
                    "text": edit.text,
                    "reason": reason,
                }
                self.places.show(fix.file, fix.edit.line, fix.edit.end_line)
            rows.append(row)
        return rows


def named_rows(rows: Mapping[Value, int], names: SizeNames) -> list[tuple[int, list[str]]]:
    """Sizes by name, by the rows of the values in a document."""
    return sorted((rows[value], list(map(encodable, texts))) for value, texts in names.items() if value in rows)


def summary(graph: Graph, ops: int) -> Summary:
    """The numbers in one line; parameters count elements, each parameter once."""
    parameters = size = 0
    for value in graph.inputs:
        if value.role is Role.PARAMETER and isinstance(value.type, TensorType):
            count = 1
            for extent in value.type.shape:
                count *= max(extent, 0)
            parameters += count
            size += count * value.type.dtype.itemsize
    return {"ops": ops, "parameters": parameters, "parameter_bytes": size, "warnings": len(graph.warnings)}


def is_dense(shape: tuple[int, ...], stride: tuple[int, ...]) -> bool:
    """Whether elements lie one after the other, row after row; where there is one, or none, any stride is right."""
    step = 1
    for extent, given in zip(reversed(shape), reversed(stride), strict=True):
        if extent == 0:
            return True
        if extent != 1 and given != step:
            return False
        step *= extent
    return True


def encodable(text: str) -> str:
    """Text that UTF-8 can hold: half a surrogate pair, which Python strings allow, is written as its escape."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
