"""What the explorer shows first: top-level groups closed, and as long as these are few, the largest of them open."""

from __future__ import annotations

from tracelab.graph.graph import Graph
from tracelab.render.view_document.document import view_document

_SMALL = 25
_FEW = 3


def boxes_shown_first(graph: Graph) -> int:
    """An estimate: the explorer also looks at how much of the picture one screen holds."""
    document = view_document(graph)
    scope_of, parents = document["nodes"]["scope"], document["scopes"]["parent"]
    if len(scope_of) <= _SMALL:
        return len(scope_of)
    sizes = [0] * len(parents)
    for scope in scope_of:
        sizes[scope] += 1
    for scope in range(len(parents) - 1, 0, -1):
        sizes[parents[scope]] += sizes[scope]
    shown, scope = 0, 0
    while True:
        groups = [child for child, parent in enumerate(parents) if parent == scope and child > 0]
        bare = sum(at == scope for at in scope_of)
        shown += len(groups) + bare
        if len(groups) + bare >= _FEW or not groups:
            return shown
        scope = max(groups, key=lambda group: sizes[group])
