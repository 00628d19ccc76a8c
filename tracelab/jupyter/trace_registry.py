"""The traces that live in this kernel, for JupyterLab's panel: what they are called, and which cell made them.

Nothing is kept alive by the list: a trace is in it as long as a variable of the notebook, or an explorer that is
shown, holds it.
"""

from __future__ import annotations

import ast
import os
import re
import secrets
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracelab.api.running import Running
from tracelab.errors import TracelabError
from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.graph import Graph
from tracelab.graph.source import is_cell
from tracelab.jupyter.shown_again import close_shown_before
from tracelab.protocol.panel import SummaryAnswer, TraceRow, WarningRow
from tracelab.render.fold import Folded
from tracelab.render.view_document.document import summary as counts_of

MOST_TRACES = 200
"""So many traces are listed, the latest."""
MOST_WARNINGS = 200
"""So many places outside of the notebook are listed."""
_MOST_ITEMS = 64
"""Containers of more items than this are not looked into."""
_HISTORY = re.compile(r"_+\d*$|_(i+|ii?\d+|[io]h|dh)$|In$|Out$")
"""Names under which IPython keeps what cells gave."""
_Place = tuple[str, int, int, str]
"""File, line, column and message of a warning."""
_SESSION = secrets.token_hex(4)
"""In each key, so that no key of another kernel, or of this one before its restart, means a trace of this one."""


@dataclass(slots=True)
class Entry:
    """What is known of one trace beside the graph itself."""

    key: str
    number: int
    count: int | None = None
    """Execution count of the cell that made or first showed it."""
    cell_id: str = ""
    owner: weakref.ref[Any] | None = None
    """The traced function or module, where one was seen."""
    explorers: list[weakref.ref[Any]] = field(default_factory=list)
    """The widgets that show it."""
    ops: tuple[int, int] = (-1, 0)
    """Nodes of the graph when it was counted, and the operators that a picture of it shows."""


_entries: weakref.WeakKeyDictionary[Graph, Entry] = weakref.WeakKeyDictionary()
_made = 0


def note(traced: Any, explorer: Any = None) -> None:
    """Remember that the cell which runs now made a trace, or shows it; outside of a notebook nothing happens."""
    graph = _graph_of(traced)
    shell = _shell()
    if graph is None or shell is None or not hasattr(shell, "kernel"):
        return
    entry = _entry(graph, traced)
    parent = _parent(shell)
    if explorer is not None:
        entry.explorers.append(weakref.ref(explorer))
        if not parent.get("content", {}).get("silent"):
            close_shown_before(explorer, _cell_id(parent), len(_history(shell)) - 1, shell.user_ns)
    if entry.count is not None or parent.get("content", {}).get("silent"):
        return
    # The shell's own counter stands before or behind the cell that runs, as the version of IPython has it.
    entry.count = len(_history(shell)) - 1
    entry.cell_id = _cell_id(parent)
    _forget_earlier_runs(entry)


def summary(root: str = "") -> SummaryAnswer:
    """All traces and their warnings in files, as plain data.

    `root` is the folder that the Jupyter server shows: places below it get their path in it.
    """
    named = _named()
    rows = []
    elsewhere: dict[_Place, WarningRow] = {}
    for graph, entry in _listed(named):
        names = named.get(graph, [])
        rows.append(_row(graph, entry, names))
        for warning in graph.warnings:
            _add_place(elsewhere, warning, entry.key, root)
    return {
        "traces": rows,
        "warnings": list(elsewhere.values())[:MOST_WARNINGS],
        "more_warnings": max(0, len(elsewhere) - MOST_WARNINGS),
        "folder": os.getcwd(),
    }


def traced_of(key: str) -> Any:
    """The traced object behind a key of the list: as the user has it, or one that is made from the graph again.

    Raises `TracelabError` where it is gone.
    """
    from tracelab.api.traced_function import TracedFunction

    _named()
    for graph, entry in list(_entries.items()):
        if entry.key == key:
            owner = None if entry.owner is None else entry.owner()
            # Of a graph whose function has gone, the graph is enough to run it.
            return owner if owner is not None else TracedFunction(graph, graph.name)
    if not key.startswith(_SESSION):
        raise TracelabError("the kernel was restarted since: run the cell again to trace it again")
    raise TracelabError("nothing holds this trace any more: run its cell again, or give it a name with -o NAME")


def title_of(key: str) -> str:
    """What the list calls a trace."""
    named = _named()
    for graph, entry in list(_entries.items()):
        if entry.key == key:
            return _title(graph, named.get(graph, []))
    return "trace"


# Rows -------------------------------------------------------------------------------------------------------


def _listed(named: Mapping[Graph, list[str]]) -> list[tuple[Graph, Entry]]:
    """The latest traces, in the order in which they were made."""
    # A snapshot first: what is collected meanwhile changes the dictionary. What only waits to be collected is left out.
    held = [row for row in list(_entries.items()) if row[0] in named or _is_shown(row[1])]
    return sorted(held, key=lambda row: row[1].number)[-MOST_TRACES:]


def _is_shown(entry: Entry) -> bool:
    found = [explorer for reference in entry.explorers if (explorer := reference()) is not None]
    # Of one that was closed the comm is None.
    return any(explorer.comm is not None for explorer in found)


def _row(graph: Graph, entry: Entry, names: list[str]) -> TraceRow:
    owner = None if entry.owner is None else entry.owner()
    count, cell_id = entry.count, entry.cell_id
    if count is None:
        count = next((found for name in names if (found := _bound_in(name)) is not None), None)
    counts = counts_of(graph, _ops(graph, entry))
    row: TraceRow = {
        "key": entry.key,
        "title": _title(graph, names),
        "names": names,
        "traced": graph.root.class_name or graph.root.name or graph.name,
        "ops": counts["ops"],
        "parameters": counts["parameters"],
        "warnings": counts["warnings"],
        "cell": count,
        "cell_id": cell_id,
    }
    failed = graph.failed
    if failed is not None:
        row["failed"] = failed.kind
    checked = getattr(owner, "checked", None)
    if checked is not None:
        row["check"] = {"ok": checked[0], "text": checked[1]}
    return row


def _title(graph: Graph, names: list[str]) -> str:
    return ", ".join(names) or graph.root.class_name or graph.root.name or graph.name


def _ops(graph: Graph, entry: Entry) -> int:
    if entry.ops[0] != len(graph.nodes):
        entry.ops = (len(graph.nodes), len(Folded(graph).nodes))
    return entry.ops[1]


def _add_place(places: dict[_Place, WarningRow], warning: TraceDiagnostic, key: str, root: str) -> None:
    """A warning whose innermost frame is in a file; those in cells stand in the cells."""
    source = warning.source
    if source is None or is_cell(source.file):
        return
    place = (source.file, source.line, source.column, warning.message)
    row = places.get(place)
    if row is None:
        row = places[place] = {
            "file": source.file,
            "name": source.short_file,
            "path": _path_under(root, source.file),
            "line": source.line,
            "column": source.column,
            "kind": warning.kind,
            "message": warning.message,
            "constant": warning.constant,
            "verdict": warning.verdict,
            "traces": [],
            "count": 0,
        }
    row["count"] += 1
    row["verdict"] = row["verdict"] or warning.verdict
    if key not in row["traces"]:
        row["traces"].append(key)


def _path_under(root: str, file: str) -> str | None:
    """A file's path as the server names it; None where it is not below the server's folder."""
    if not root or file.startswith("<"):
        return None
    base = os.path.realpath(os.path.expanduser(root))
    found = os.path.realpath(file)
    if not os.path.normcase(found).startswith(os.path.normcase(os.path.join(base, ""))) or not os.path.isfile(found):
        return None
    return os.path.relpath(found, base).replace(os.sep, "/")


# Where traces are -------------------------------------------------------------------------------------------


def _named() -> dict[Graph, list[str]]:
    """The names that variables give to traces: `net`, `nets[0]`, `by_size["small"]`."""
    found: dict[Graph, list[str]] = {}
    shell = _shell()
    for name, item in list(shell.user_ns.items()) if shell is not None else []:
        if not isinstance(name, str) or _HISTORY.match(name):
            continue
        for path, traced in _traces_in(name, item):
            graph = _graph_of(traced)
            if graph is not None:
                _entry(graph, traced)
                found.setdefault(graph, []).append(path)
    return found


def _traces_in(name: str, item: Any) -> Iterator[tuple[str, Any]]:
    # By `type`, since `isinstance` asks the object, and what loads lazily would load.
    kind = type(item)
    if issubclass(kind, (Running, Graph)):
        yield name, item
    elif kind in (list, tuple) and len(item) <= _MOST_ITEMS:
        for index, part in enumerate(item):
            if issubclass(type(part), (Running, Graph)):
                yield f"{name}[{index}]", part
    elif kind is dict and len(item) <= _MOST_ITEMS:
        for key, part in list(item.items()):
            if issubclass(type(part), (Running, Graph)) and type(key) in (str, int):
                yield f"{name}[{key!r}]", part


def _graph_of(traced: Any) -> Graph | None:
    kind = type(traced)
    if issubclass(kind, Graph):
        return traced  # type: ignore[no-any-return]
    graph = traced.graph if issubclass(kind, Running) else None
    return graph if isinstance(graph, Graph) else None


def _entry(graph: Graph, traced: Any) -> Entry:
    global _made
    entry = _entries.get(graph)
    if entry is None:
        _made += 1
        entry = _entries[graph] = Entry(f"{_SESSION}-{_made}", _made)
    if traced is not graph and (entry.owner is None or entry.owner() is None):
        entry.owner = weakref.ref(traced)
    return entry


def _forget_earlier_runs(latest: Entry) -> None:
    """A cell that ran again has new traces in place of its old ones, unless a variable still names those."""
    if not latest.cell_id:
        return
    named = _named()
    for graph, entry in list(_entries.items()):
        again = entry.cell_id == latest.cell_id and entry.count != latest.count
        if again and graph not in named:
            del _entries[graph]


_BOUND: dict[tuple[int, str], frozenset[str]] = {}


def _bound_in(path: str) -> int | None:
    """The execution count of the last cell that bound a variable."""
    shell = _shell()
    name = re.match(r"\w+", path)
    history = _history(shell)
    if name is None:
        return None
    for count in range(len(history) - 1, 0, -1):
        text = history[count]
        if name[0] in text and name[0] in _bindings(count, text):
            return count
    return None


def _bindings(count: int, text: str) -> frozenset[str]:
    known = _BOUND.get((count, text))
    if known is None:
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            return frozenset()
        known = frozenset(
            node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        )
        if len(_BOUND) > 1000:
            _BOUND.clear()
        _BOUND[count, text] = known
    return known


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()


def _history(shell: Any) -> list[str]:
    """The text of each cell that ran, by execution count."""
    manager = getattr(shell, "history_manager", None)
    return [] if manager is None else manager.input_hist_parsed


def _cell_id(parent: Mapping[str, Any]) -> str:
    return str((parent.get("metadata") or {}).get("cellId") or "")


def _parent(shell: Any) -> Mapping[str, Any]:
    """The message that asked for the cell which runs now."""
    get_parent = getattr(shell, "get_parent", None)
    parent = get_parent() if get_parent is not None else None
    return parent if isinstance(parent, Mapping) else {}
