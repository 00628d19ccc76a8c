"""A difference as one view document: the nodes of both graphs, each marked added, removed, changed or the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from tracelab.comparison.changes import Change, ChangedNode
from tracelab.comparison.diff import GraphDiff
from tracelab.comparison.diff_text import following, headline
from tracelab.comparison.merge import Merged, merged_order
from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value, map_values
from tracelab.graph.scope import Scope
from tracelab.protocol.view_document import ChangeRow, DiffScopes, DiffSection, Status, ViewDocument
from tracelab.render.view_document.document import DocumentBuilder, encodable
from tracelab.render.view_document.overlay_rows import overlay_rows

SAME, ADDED, REMOVED, CHANGED = map(int, Status)
"""The numbers of the `status` columns."""


def diff_document(found: GraphDiff) -> ViewDocument:
    """The document of a difference: that of one merged graph, with a section `diff` that says what became of each node.

    The difference's `overlays` go along, one number for each node.

    >>> before, _ = tracelab.trace_graph(lambda x: x.sin().exp(), torch.ones(2))
    >>> after, _ = tracelab.trace_graph(lambda x: x.sin().tanh().exp(), torch.ones(2))
    >>> diff_document(tracelab.diff(before, after))["diff"]["nodes"]["status"]
    [0, 1, 0]
    """
    return MergedView(found).document


class MergedView:
    """The document of a difference, and the node behind each of its rows: as it is now, or as it was."""

    def __init__(self, found: GraphDiff) -> None:
        merging = _Merging(found)
        self.document = _document_of(merging)
        originals = {copy: node for table in (merging.node_a, merging.node_b) for node, copy in table.items()}
        self.nodes = [originals[copy] for copy in merging.shown]


def _document_of(merging: _Merging) -> ViewDocument:
    document = _MergedDocument(merging).build()
    overlays = merging.found.overlays
    if overlays:
        document["overlays"] = [
            {"name": encodable(name), "values": merging.overlay(numbers)} for name, numbers in overlays.items()
        ]
    return document


class _Merging:
    """The merged graph of a difference, and which of its nodes and values come from where."""

    def __init__(self, found: GraphDiff) -> None:
        self.found = found
        self.graph = Graph(found.b.name)
        self.graph.input_tree = found.b.input_tree
        self.graph.cell = found.b.cell
        self.graph.function_scopes = found.b.function_scopes
        self.order: list[Merged] = merged_order(found.alignment)
        self.new_a: dict[Value, Value] = {}
        self.new_b: dict[Value, Value] = {}
        self.node_a: dict[Node, Node] = {}
        self.node_b: dict[Node, Node] = {}
        self.scopes = _Scopes(found, self.graph)
        self.inputs()
        self.nodes()
        self.graph.outputs = [self.new_b[value] for value in found.b.outputs if value in self.new_b]
        self.graph.failed = self.node_b.get(found.b.failed) if found.b.failed is not None else None
        self.graph.warnings = [self.warning(warning) for warning in found.b.warnings]
        self.names()

    def inputs(self) -> None:
        """The second graph's inputs, then those that only the first one has and a removed node uses."""
        partner = {theirs: mine for mine, theirs in self.found.alignment.values.items()}
        for value in self.found.b.inputs:
            copy = self.new_b[value] = Value(value.name, value.type, None, value.role, value.path)
            self.graph.inputs.append(copy)
            if value in partner:
                self.new_a[partner[value]] = copy
        used = {value for node in self.found.removed for value in node.inputs}
        for value in self.found.a.inputs:
            if value not in self.new_a and (value in used or value.role is Role.INPUT):
                self.new_a[value] = Value(value.name, value.type, None, value.role, value.path)
                self.graph.inputs.append(self.new_a[value])

    def nodes(self) -> None:
        for before, after in self.order:
            node = after if after is not None else before
            assert node is not None
            table = self.new_b if after is not None else self.new_a
            scope = self.scopes.of(node.scope, after is not None)

            def mapped(value: Value, table: dict[Value, Value] = table) -> Value:
                return table.get(value, value)

            copy = Node(
                node.kind,
                node.target,
                map_values(node.args, mapped),
                map_values(node.kwargs, mapped) if node.kwargs else None,
                (),
                scope,
                node.source,
                dict(node.attributes) or None,
                node.overload,
            )
            copy.outputs = tuple(Value(value.name, value.type, copy, value.role, value.path) for value in node.outputs)
            self.graph.nodes.append(copy)
            table.update(zip(node.outputs, copy.outputs, strict=True))
            if after is not None:
                self.node_b[after] = copy
            if before is not None:
                self.node_a[before] = copy
                if after is not None:
                    self.new_a.update(zip(before.outputs, copy.outputs, strict=False))

    def names(self) -> None:
        """Values of the second graph keep their names; where those of the first clash with them, they get a mark."""
        kept = set(self.new_b.values())
        taken = {value.name for value in kept}
        for value in self.graph.values():
            if value not in kept:
                name, number = value.name, 0
                while name in taken:
                    number += 1
                    name = f"{value.name}.before{number if number > 1 else ''}"
                value.name = name
                taken.add(name)

    def warning(self, warning: TraceDiagnostic) -> TraceDiagnostic:
        node = self.node_b.get(warning.node) if warning.node is not None else None
        value = self.new_b.get(warning.value) if warning.value is not None else None
        nodes = self.found.b.nodes
        place = len(self.graph.nodes)
        if warning.position < len(nodes):
            place = self.places[self.node_b[nodes[warning.position]]]
        return TraceDiagnostic(warning.kind, warning.message, warning.source, node, value, warning.constant, place)

    @cached_property
    def places(self) -> dict[Node, int]:
        return {node: place for place, node in enumerate(self.graph.nodes)}

    def overlay(self, numbers: Mapping[Node, float]) -> list[float | str | None]:
        """One number for each row; text for what JSON has no number for."""
        by_node: dict[Node, float] = {}
        for node, number in numbers.items():
            copy = self.node_b.get(node) or self.node_a.get(node)
            if copy is not None:
                by_node[copy] = float(number)
        return overlay_rows(self.shown, by_node)

    shown: list[Node]
    """The nodes that are rows of the document; filled in when it is made."""


class _Scopes:
    """The merged tree of modules: that of the second graph, and in it what only the first one had."""

    def __init__(self, found: GraphDiff, graph: Graph) -> None:
        self.root = graph.root
        self.root.name, self.root.class_name = found.b.root.name, found.b.root.class_name
        self.after: dict[Scope, Scope] = {found.b.root: self.root}
        self.before: dict[Scope, Scope] = {found.a.root: self.root}
        self.partners = found.alignment.partner_scope

    def of(self, scope: Scope | None, is_after: bool) -> Scope:
        if scope is None:
            return self.root
        table = self.after if is_after else self.before
        made = table.get(scope)
        if made is None:
            partner = None if is_after else self.partners.get(scope)
            if partner is not None:
                made = self.of(partner, True)
            else:
                made = Scope(scope.name, scope.class_name, self.of(scope.parent, is_after), scope.call)
            table[scope] = made
        return made


class _MergedDocument(DocumentBuilder):
    tells_story = False

    def __init__(self, merging: _Merging) -> None:
        super().__init__(merging.graph)
        self.merging = merging
        self.found = merging.found

    def build(self) -> ViewDocument:
        self.merging.shown = self.folded.nodes
        _, index = self.scope_rows()
        document = super().build()
        self.draw_former_edges(document)
        document["diff"] = self.diff_section(document, index)
        document["strings"] = [encodable(text) for text in self.strings]
        return document

    def diff_section(self, document: ViewDocument, scope_index: dict[Scope, int]) -> DiffSection:
        status, changes, follows = self.node_marks()
        counts = [0] * len(document["scopes"]["parent"])
        for row, scope in enumerate(document["nodes"]["scope"]):
            if status[row] and row not in follows:
                while scope >= 0:
                    counts[scope] += 1
                    scope = document["scopes"]["parent"][scope]
        order, inputs = self.former_nodes()
        return {
            "before": encodable(self.found.a.root.name or self.found.a.name),
            "after": encodable(self.found.b.root.name or self.found.b.name),
            "headline": ", ".join(headline(self.found)) or "no difference",
            "nodes": {
                "status": status,
                "changes": changes,
                "follows": sorted(follows),
                "order": order,
                "inputs": inputs,
            },
            "scopes": self.scope_marks(scope_index, counts),
            "values": {"status": self.input_marks(), "changes": self.input_changes()},
            "outputs": self.rows_of(self.found.a.outputs),
        }

    def words(self, changes: Iterable[Change]) -> list[ChangeRow]:
        """Triples of what changed, before and after, as rows of `strings`."""
        rows = []
        for change in changes:
            before, after = change.descriptions
            rows.append((self.string(change.label), self.string(before), self.string(after)))
        return rows

    def node_marks(self) -> tuple[list[int], list[tuple[int, list[ChangeRow]]], set[int]]:
        """For every row what became of it; what changed, for those that changed; and which changed only in its wake."""
        merging, index = self.merging, self.folded.index
        status = [SAME] * len(self.folded.nodes)
        counts = [0] * len(status)
        ones = [0] * len(status)
        for before, after in merging.order:
            side = ADDED if before is None else REMOVED if after is None else SAME
            copy = merging.node_b[after] if after is not None else merging.node_a[before]  # type: ignore[index]
            row = index.get(copy)
            if row is None:
                continue
            counts[row] += 1
            if side:
                ones[row] += 1
                status[row] = side if ones[row] == counts[row] else CHANGED
            elif ones[row]:
                status[row] = CHANGED
        told: dict[int, list[ChangeRow]] = {}
        rows_of: dict[int, list[ChangedNode]] = {}
        for changed in self.found.changed:
            row = index.get(merging.node_b[changed.after])
            if row is not None:
                status[row] = CHANGED
                rows_of.setdefault(row, []).append(changed)
                told.setdefault(row, []).extend(self.words(changed.changes))
        # What was read from an added or removed node is said too, of a node that is the same otherwise.
        for changed in self.found.rewired:
            row = index.get(merging.node_b[changed.after])
            if row is not None and row not in told:
                told[row] = self.words(changed.changes)
        followers = set(following(self.found.changed))
        follows = {row for row, group in rows_of.items() if all(changed.before in followers for changed in group)}
        return status, [(row, told[row]) for row in sorted(told)], follows

    def scope_marks(self, index: dict[Scope, int], differences: list[int]) -> DiffScopes:
        """What became of every module, and its path and class before where they were others."""
        merging = self.merging
        status, was = [SAME] * len(differences), [-1] * len(differences)
        former: list[tuple[int, int, int]] = []
        after = {copy: scope for scope, copy in merging.scopes.after.items()}
        before = {copy: scope for scope, copy in merging.scopes.before.items()}
        partners = {theirs: mine for mine, theirs in self.found.alignment.scopes}
        renamed = {theirs: mine for mine, theirs in self.found.renamed}
        moved = {theirs for _, theirs in self.found.moved}
        for copy, row in index.items():
            if copy.parent is None:
                continue
            scope = after.get(copy)
            if scope is None:
                status[row] = REMOVED if copy in before else SAME
            elif scope not in partners:
                status[row] = ADDED
            elif scope in renamed or scope in moved:
                status[row] = CHANGED
                mine = partners[scope]
                above = None if scope.parent is None else partners.get(scope.parent)
                stays = above is mine.parent and mine.last_name == scope.last_name
                former.append((row, self.string(mine.last_name), self.string(mine.class_name)))
                words = [] if stays else [mine.path]
                if mine.class_name != scope.class_name:
                    words.append(mine.class_name)
                if scope in moved:
                    words.append("at another place")
                was[row] = self.string(", ".join(words))
        return {"status": status, "was": was, "former": former, "differences": differences}

    def input_marks(self) -> list[tuple[int, int]]:
        """Inputs that only one of the graphs has, with the number of what became of them."""
        rows = []
        for before, after, _ in self.found.inputs:
            if before is None and after is not None:
                rows.append((self.values[self.merging.new_b[after]], ADDED))
            elif after is None and before is not None:
                rows.append((self.values[self.merging.new_a[before]], REMOVED))
        values = self.found.alignment.values
        paired = set(values.values())
        sides = ((self.merging.new_a, values, REMOVED), (self.merging.new_b, paired, ADDED))
        for table, known, side in sides:
            for value, copy in table.items():
                if value.node is None and value.role is not Role.INPUT and value not in known:
                    rows.append((self.values[copy], side))
        return sorted(rows)

    def input_changes(self) -> list[tuple[int, list[ChangeRow]]]:
        return sorted(
            (self.values[self.merging.new_b[after]], self.words(changes))
            for before, after, changes in self.found.inputs
            if before is not None and after is not None
        )

    def former_nodes(self) -> tuple[list[int], list[tuple[int, list[int]]]]:
        """What a picture of the first graph needs beyond that of the second: the order, and what was read before."""
        order = [-1] * len(self.folded.nodes)
        place = 0
        for node in self.found.a.nodes:
            row = self.folded.index.get(self.merging.node_a[node])
            if row is not None and order[row] < 0:
                order[row] = place
                place += 1
        inputs = {}
        for before, after, _ in (*self.found.changed, *self.found.rewired):
            row = self.folded.index.get(self.merging.node_b[after])
            if row is not None:
                inputs[row] = self.rows_of(before.inputs)
        return order, [(row, inputs[row]) for row in sorted(inputs)]

    def rows_of(self, values: Iterable[Value]) -> list[int]:
        """The rows of values of the first graph."""
        parts = self.folded.parts_of([self.merging.new_a[value] for value in values if value in self.merging.new_a])
        return [self.values[part] for part in parts if part in self.values]

    def draw_former_edges(self, document: ViewDocument) -> None:
        """What read from a node that was taken out still shows that it did."""
        makers, inputs = document["values"]["node"], document["nodes"]["inputs"]
        rewired: dict[Node, ChangedNode] = {row.before: row for row in (*self.found.changed, *self.found.rewired)}
        removed = set(self.found.removed)
        for before, changed in rewired.items():
            row = self.folded.index.get(self.merging.node_b[changed.after])
            if row is None:
                continue
            for value in before.inputs:
                if value.node not in removed:
                    continue
                for part in self.folded.parts(self.merging.new_a[value]):
                    number = self.values.get(part, -1)
                    # Lines never run against the order of the rows, or a module that moved would make a ring.
                    if number >= 0 and makers[number] < row and number not in inputs[row]:
                        inputs[row].append(number)
