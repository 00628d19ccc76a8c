"""The view document of several recordings of one callable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tracelab.graph.case_labels import case_labels
from tracelab.graph.graph import Graph
from tracelab.protocol.view_document import TraceCase, ViewDocument
from tracelab.render.view_document.document import SizeNames, encodable, view_document


def cases_document(
    graph: Graph, graphs: Sequence[Graph], sizes_of: Callable[[Graph], SizeNames | None] = lambda graph: None
) -> ViewDocument:
    """The document of a graph, with those of the other recordings in it.

    Args:
        graph: What the document shows at first.
        graphs: Every recording in order, that graph among them; fewer than two are no cases.
        sizes_of: The names of the sizes of a graph, where they are known.
    """
    document = view_document(graph, sizes_of(graph))
    if len(graphs) > 1:
        document["cases"] = [
            _case(label, None if other is graph else view_document(other, sizes_of(other)))
            for label, other in zip(case_labels(graphs), graphs, strict=True)
        ]
    return document


def _case(label: str, document: ViewDocument | None) -> TraceCase:
    case: TraceCase = {"label": encodable(label)}
    if document is not None:
        case["document"] = document
    return case
