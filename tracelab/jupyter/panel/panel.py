"""What JupyterLab's panel asks of the kernel, and what it is told: data, an explorer, a file.

The panel evaluates `answer(...)` beside the user's code, as a user expression of a silent request: no name, no
history and no execution count of the notebook changes.
"""

from __future__ import annotations

import json
import os
import uuid
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from tracelab.errors import TracelabError
from tracelab.jupyter.trace_registry import summary, title_of, traced_of
from tracelab.protocol.panel import ANSWER_TYPE, CompareAnswer, OpenAnswer, WrittenAnswer
from tracelab.protocol.view_document import MIME_TYPE

if TYPE_CHECKING:
    from tracelab.jupyter.widget.explorer import GraphExplorer

_MOST_OPEN = 32
"""Explorers in tabs; a page that was closed does not say so, and its explorers end when others come."""
_FORMATS = {"html": "to_html", "svg": "to_svg", "dot": "to_dot", "json": "to_json"}

_open: OrderedDict[str, weakref.ref[GraphExplorer]] = OrderedDict()
"""By the widget's id, the latest last. The widget itself lives until it is closed."""


class Answer:
    """Plain data on its way to the panel."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    def __repr__(self) -> str:
        return "tracelab answer"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {ANSWER_TYPE: self.content}


def answer(what: str, **given: Any) -> Answer:
    """Do one thing that the panel asks for; what cannot be done is said in `error`, one sentence.

    >>> answer("open", key="gone").content
    {'error': 'the kernel was restarted since: run the cell again to trace it again'}
    """
    try:
        return Answer(_DOES[what](**given))
    except TracelabError as error:
        return Answer({"error": str(error)})
    except OSError as error:
        about = f": {error.filename}" if error.filename else ""
        return Answer({"error": f"{error.strerror or type(error).__name__}{about}"})


def _opened(key: str) -> OpenAnswer:
    bundle, explorer = _shown(traced_of(key))
    return {"bundle": bundle, "explorer": explorer, "title": title_of(key)}


def _compared(first: str, second: str) -> CompareAnswer:
    from tracelab.comparison.diff import diff
    from tracelab.jupyter.widget.explorer import graph_of

    title = f"{title_of(first)} → {title_of(second)}"
    found = diff(graph_of(traced_of(first)), graph_of(traced_of(second)))
    if not found:
        return {"same": str(found), "title": title}
    bundle, explorer = _shown(found)
    return {"bundle": bundle, "explorer": explorer, "title": title}


def _shown(traced: Any) -> tuple[dict[str, Any], str]:
    """An explorer: its MIME bundle and its id."""
    from tracelab.jupyter.widget.explorer import SAVED_BYTES, GraphExplorer, document_of

    # By chance: in what notebooks save, the ids of widgets count how often a trace was shown.
    explorer = GraphExplorer(traced, model_id=uuid.uuid4().hex)
    _open[explorer.model_id] = weakref.ref(explorer)
    while len(_open) > _MOST_OPEN:
        _close(_open.popitem(last=False)[1])
    view = {"version_major": 2, "version_minor": 0, "model_id": explorer.model_id}
    bundle: dict[str, Any] = {"application/vnd.jupyter.widget-view+json": view}
    document = document_of(explorer)
    if len(document) <= SAVED_BYTES:
        bundle[MIME_TYPE] = json.loads(document)
    return bundle, explorer.model_id


def _released(explorer: str) -> dict[str, Any]:
    """A tab was closed: nothing of it stays."""
    found = _open.pop(explorer, None)
    if found is not None:
        _close(found)
    return {}


def _close(explorer: weakref.ref[GraphExplorer]) -> None:
    found = explorer()
    if found is not None:
        found.close()


def _saved(key: str, path: str, overwrite: bool = False) -> WrittenAnswer:
    from tracelab.api.saving import save

    traced = traced_of(key)
    place = _place(path, ".tlab")
    if os.path.exists(place) and not overwrite:
        return {"exists": place}
    save(traced, place)
    return {"path": place}


def _exported(key: str, format: str, path: str, overwrite: bool = False) -> WrittenAnswer:
    from tracelab.jupyter.widget.explorer import graph_of
    from tracelab.render import export as out

    graph = graph_of(traced_of(key))
    place = _place(path, f".{format}")
    if os.path.exists(place) and not overwrite:
        return {"exists": place}
    getattr(out, _FORMATS[format])(graph, place)
    return {"path": place}


def _place(path: str, ending: str) -> str:
    """An absolute path with the format's ending; `TracelabError` for a path that names no file."""
    given = os.path.expanduser(path.strip())
    if not os.path.basename(given):
        raise TracelabError(f"{path!r} names no file")
    place = os.path.abspath(given)
    return place if place.endswith(ending) else place + ending


_DOES: dict[str, Any] = {
    "summary": summary,
    "open": _opened,
    "compare": _compared,
    "release": _released,
    "save": _saved,
    "export": _exported,
}
