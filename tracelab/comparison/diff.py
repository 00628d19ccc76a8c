"""`diff`: what is different between two graphs, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracelab.comparison.align.alignment import Alignment, align
from tracelab.comparison.changes import input_changes, node_changes, output_changes
from tracelab.comparison.diff_data import DiffData
from tracelab.comparison.diff_text import diff_text
from tracelab.display import MimeBundle, display_bundle
from tracelab.errors import TracelabError
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node
from tracelab.graph.scope import Scope


class GraphDiff(DiffData):
    """What is different between two graphs; false where nothing is.

    `added` and `removed` hold nodes; `changed` pairs of nodes with what changed; `moved` nodes and module calls that
    stand in another order; `renamed` module calls under another name, outermost first; `inputs` inputs and
    parameters that changed; `outputs` outputs that are another value now. `rewired` are nodes that only read from
    an added, removed or moved node where they read from another before: a consequence, and no difference by itself.

    >>> before, _ = tracelab.trace_graph(lambda x: x.sin().exp(), torch.ones(2))
    >>> after, _ = tracelab.trace_graph(lambda x: x.sin().tanh().exp(), torch.ones(2))
    >>> difference = tracelab.diff(before, after)
    >>> [node.kind for node in difference.added]
    ['aten::tanh']
    """

    __slots__ = ()

    def __reduce__(self) -> Any:
        return _diff_again, (self.a, self.b, self.overlays)

    def __str__(self) -> str:
        return diff_text(self)

    def __repr__(self) -> str:
        counts = (len(self.added), len(self.removed), len(self.changed))
        return f"GraphDiff({self.a.name}, {self.b.name}: {counts[0]} added, {counts[1]} removed, {counts[2]} changed)"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> MimeBundle:
        return display_bundle(self)


class MethodDiffs(Mapping[str, GraphDiff]):
    """The differences of modules that were traced by several methods: a `GraphDiff` for each; false where all are."""

    def __init__(self, methods: dict[str, GraphDiff]) -> None:
        self._methods = methods

    def __getitem__(self, method: str) -> GraphDiff:
        return self._methods[method]

    def __iter__(self) -> Any:
        return iter(self._methods)

    def __len__(self) -> int:
        return len(self._methods)

    def __bool__(self) -> bool:
        return any(self._methods.values())

    def __str__(self) -> str:
        return "\n".join(f"{name}\n{found}" for name, found in self._methods.items())


def diff(a: Any, b: Any) -> GraphDiff | MethodDiffs:
    """What is different between two graphs, or two things that were traced.

    Names of values, numbers of lines, and places in memory are not differences.

    Args:
        a: A graph, or what was traced.
        b: The other one.

    Returns:
        The difference; for modules of which several methods were traced, one for each method.

    Raises:
        TracelabError: One of them holds no graph, or the modules have other methods.

    >>> dropout, x = torch.nn.Dropout(), torch.ones(2)
    >>> training = tracelab.trace(dropout, x, check_trace=False)
    >>> difference = tracelab.diff(training, tracelab.trace(dropout.eval(), x))
    >>> [change.label for before, after, changes in difference.changed for change in changes]
    ['argument train']
    """
    mine, theirs = graphs_of(a), graphs_of(b)
    if len(mine) == 1 and len(theirs) == 1:
        return graph_diff(next(iter(mine.values())), next(iter(theirs.values())))
    if set(mine) != set(theirs):
        raise TracelabError(
            f"cannot compare modules with other methods: {', '.join(mine)} and {', '.join(theirs)} were traced; "
            "give the graphs of two methods, as `traced.graph_of(method)`"
        )
    return MethodDiffs({name: graph_diff(mine[name], theirs[name]) for name in mine})


def _diff_again(a: Graph, b: Graph, overlays: dict[str, dict[Node, float]]) -> GraphDiff:
    difference = graph_diff(a, b)
    difference.overlays = overlays
    return difference


def graph_diff(a: Graph, b: Graph) -> GraphDiff:
    """The same for two graphs."""
    return diff_of(align(a, b))


def diff_of(alignment: Alignment) -> GraphDiff:
    """The differences of two graphs that were aligned already."""
    moved = frozenset(thing for pair in alignment.moved for thing in pair)
    found = GraphDiff(alignment, alignment.added, alignment.removed)
    for changed in node_changes(alignment, moved):
        only_inputs = all(change.what == "input" for change in changed.changes)
        (found.rewired if only_inputs else found.changed).append(changed)
    found.moved = list(alignment.moved)
    found.renamed = [pair for pair in alignment.scopes if _is_renamed(alignment, *pair)]
    found.inputs = list(input_changes(alignment))
    found.outputs = output_changes(alignment, moved)
    return found


def _is_renamed(alignment: Alignment, mine: Scope, theirs: Scope) -> bool:
    """Whether a module call itself has another name or stands in another module; what is in it then follows."""
    if mine.parent is None or theirs.parent is None:
        return mine.parent is not theirs.parent
    if alignment.partner_scope.get(mine.parent) is not theirs.parent:
        return True
    return mine.last_name != theirs.last_name or mine.class_name != theirs.class_name


def graphs_of(traced: Any) -> dict[str, Graph]:
    """The graphs of a traced object by method, or the graph itself as `forward`."""
    if isinstance(traced, Graph):
        return {"forward": traced}
    methods = getattr(traced, "_graphs", None)
    if isinstance(methods, dict) and methods and all(isinstance(graph, Graph) for graph in methods.values()):
        return methods
    graph = getattr(traced, "graph", None)
    if isinstance(graph, Graph):
        return {"forward": graph}
    raise TracelabError(
        f"nothing to compare in {type(traced).__name__}: give two graphs, or what tracelab.trace returned"
    )
