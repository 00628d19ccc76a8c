"""`GraphExplorer`: the interactive picture of a graph, and what a notebook saves of it."""

from __future__ import annotations

import gzip
import hashlib
import json
import pathlib
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anywidget
import traitlets

from tracelab.api.running import Running
from tracelab.comparison.diff import GraphDiff
from tracelab.comparison.values import Comparison
from tracelab.errors import TracelabError
from tracelab.execute.profile.profiling import Profile
from tracelab.execute.run.lookup import Key
from tracelab.execute.run.run import Run
from tracelab.execute.shapes.known import told_names
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node
from tracelab.graph.types import bytes_text
from tracelab.interop.overlays.overlay import Overlay
from tracelab.jupyter.trace_registry import note
from tracelab.jupyter.widget.kernel_breaks import follow_kernel
from tracelab.jupyter.widget.run_columns import Rows
from tracelab.jupyter.widget.run_session import RunSession, nodes_by_key
from tracelab.jupyter.widget.size_names import NamingSession
from tracelab.jupyter.widget.view_figure import answer_figure
from tracelab.protocol.runs import KernelMessage
from tracelab.protocol.view_document import MIME_TYPE, ViewDocument
from tracelab.render.fold import Folded
from tracelab.render.picture.dot import document_svg
from tracelab.render.text import document_text
from tracelab.render.view_document.cases_document import cases_document
from tracelab.render.view_document.diff_document import MergedView
from tracelab.render.view_document.document import document_bytes, view_document

_BUNDLE = pathlib.Path(__file__).parents[1] / "static" / "widget.js"


_LARGE = 1_000_000
"""Bytes from which a document is compressed on its way to the browser."""


def packed(document: bytes) -> bytes:
    """A document as it travels to the browser: a large one compressed, the same bytes each time."""
    return document if len(document) < _LARGE else gzip.compress(document, compresslevel=4, mtime=0)


_shown_before: dict[str, int] = {}


def _next_id(document: bytes) -> str:
    """The widget's id, which a notebook saves: by what is shown and the how-manieth of it this is, not by chance."""
    digest = hashlib.sha256(document).hexdigest()
    number = _shown_before[digest] = _shown_before.get(digest, 0) + 1
    return hashlib.sha256(f"tracelab {digest} {number}".encode()).hexdigest()[:32]


class GraphExplorer(anywidget.AnyWidget):
    """A graph to explore in a notebook: open modules, search, select a node to see where it comes from.

    `selected` is the index of the selected node in the view document (-1 for none), `selected_module` the path of the
    selected module ('' for none), `opened` the scopes whose groups are open; all follow the picture and can be set.
    `case` is the recording that is shown, where there are several; `height` is in pixels.

    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    >>> explorer = tracelab.GraphExplorer(tracelab.trace(net, torch.ones(2, 4)))
    >>> explorer.select("0")
    >>> explorer.selected_node.kind
    'aten::linear'
    """

    # Its text: a path would be watched, and the watcher of anywidget keeps every explorer, and its model, for ever.
    _esm = _BUNDLE.read_text(encoding="utf-8") if _BUNDLE.exists() else ""
    _document = traitlets.Bytes().tag(sync=True)
    case = traitlets.Int(0, min=0).tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)
    selected_module = traitlets.Unicode("").tag(sync=True)
    opened = traitlets.List(traitlets.Int()).tag(sync=True)
    opened_default = traitlets.Bool(True).tag(sync=True)
    height = traitlets.Int(480, min=120).tag(sync=True)
    _restored = traitlets.Unicode().tag(sync=True)

    def __init__(self, traced: Any, **options: Any) -> None:
        shown = shown_of(traced)
        document = document_bytes(shown.document)
        if "model_id" not in options:
            options["model_id"] = _next_id(document)
        self._cases = list(getattr(traced, "cases", ())) or [traced]
        self._whole = self._shown = shown
        self._session: RunSession | None = None
        self._naming: NamingSession | None = None
        options.setdefault("case", next((at for at, case in enumerate(self._cases) if case is traced), 0))
        follow_kernel()
        super().__init__(_document=packed(document), **options)
        note(traced, self)
        self._show_case(self.case)
        self.on_msg(self._hear)

    @property
    def graph(self) -> Graph:
        """The graph that is shown; of a difference, the second one."""
        return self._shown.graph

    @property
    def selected_node(self) -> Node | None:
        """The selected node of the graph; of a difference, of either graph."""
        return self._shown.nodes[self.selected] if self.selected >= 0 else None

    def select(self, what: str | Node | None) -> None:
        """Select a node, by itself or by the name of a value that it makes, or a module, by its path.

        Args:
            what: A node, the name of a value, or a module's path; a module of one operator is that operator, as in the
                picture. None selects nothing.

        Raises:
            TracelabError: Nothing fits.
        """
        self.selected, self.selected_module = (-1, "") if what is None else find_element(self._shown, what)

    def _show_case(self, number: int) -> None:
        """Nodes and runs are from now on those of another recording."""
        traced = self._cases[number]
        if len(self._cases) > 1:
            graph = traced.graph
            self._shown = Shown(graph, Folded(graph).nodes, view_document(graph), self._whole.text)
        if isinstance(traced, Running):
            shown = self._shown
            rows = Rows(shown.graph, shown.document)
            self._session = RunSession(traced, shown.graph, rows, shown.nodes, self._send_columns)
            self._naming = NamingSession(traced, shown.graph, rows.value, self._send_columns, number)

    @traitlets.validate("case")
    def _is_case(self, proposal: Any) -> int:
        if not 0 <= proposal["value"] < len(self._cases):
            raise traitlets.TraitError(f"case={proposal['value']} is none of {len(self._cases)} recordings")
        return int(proposal["value"])

    @traitlets.observe("case")
    def _case_chosen(self, change: Any) -> None:
        if change["old"] is traitlets.Undefined or change["old"] == change["new"]:
            return
        if self._session is not None:
            self._session.cancel()
        self.selected, self.selected_module = -1, ""
        self._show_case(change["new"])

    @traitlets.observe("selected")
    def _node_selected(self, change: Any) -> None:
        if change["new"] >= 0:
            self.selected_module = ""

    @traitlets.observe("selected_module")
    def _module_selected(self, change: Any) -> None:
        if change["new"]:
            self.selected = -1

    def run(self, *inputs: Any, **options: Any) -> Run:
        """Run what is shown, node by node, and show time, memory and values on the picture as they come.

        Ctrl-C and the Stop button end it within one node, and what there is stays.

        Args:
            *inputs: The arguments of the call; without any, those of the trace, or random ones of their shapes.
            **options: What `traced.run` takes: `until`, `start`, `device`, `replace`, `record`; `statistics` is on
                unless it is False.

        Returns:
            The run.

        Raises:
            TracelabError: The explorer shows a graph or a difference: give it what `tracelab.trace` returned.
            RunError: A node raised.

        >>> explorer = tracelab.GraphExplorer(tracelab.trace(torch.relu, torch.ones(2)))
        >>> explorer.run(torch.tensor([-1.0, 2.0])).outputs
        tensor([0., 2.])
        """
        session = self._needs_session("run")
        known = Running.run.__kwdefaults__ or {}
        arguments = {name: item for name, item in options.items() if name not in known}
        asked = {name: item for name, item in options.items() if name in known}
        return session.run(inputs, arguments, {"statistics": True, **asked})

    @property
    def last_run(self) -> Run | None:
        """The last run, whether Python or the run bar asked for it; None before the first."""
        return None if self._session is None else self._session.last

    def overlay(self, name: str, numbers: Mapping[Key, float | None] | Comparison | Profile | Overlay) -> None:
        """Lay numbers over the picture: by node, by the name of a value, by module path; or those of a result.

        Args:
            name: What the legend calls them.
            numbers: By node, by the name of a value or by module path; of a `tracelab.compare` of what is shown it is
                the largest absolute error of each node, of a `traced.profile` the median seconds, of a
                `tracelab.read_overlay` the numbers of the file.

        Raises:
            TracelabError: The graph does not have a name.

        >>> explorer = tracelab.GraphExplorer(tracelab.trace(torch.relu, torch.ones(2)))
        >>> explorer.overlay("my score", {"relu": 0.7})
        """
        session = self._needs_session("overlay")
        if isinstance(numbers, Profile):
            session.overlay(name, {numbers.graph.nodes[row.index]: row.seconds for row in numbers.nodes}, "s")
        elif isinstance(numbers, Overlay):
            if numbers.graph is not self.graph:
                raise TracelabError("the numbers lie on another graph than the one that is shown")
            session.overlay(name, numbers.values, numbers.unit)
        elif isinstance(numbers, Comparison):
            session.overlay(name, {row.node: row.distance.max_abs for row in numbers.rows if row.distance is not None})
        else:
            session.overlay(name, nodes_by_key(self.graph, numbers))

    def _needs_session(self, what: str) -> RunSession:
        if self._session is None:
            raise TracelabError(
                f"there is nothing to {what} here: the explorer shows a graph or a difference; make one of what "
                "tracelab.trace returned"
            )
        return self._session

    def _send_columns(self, content: KernelMessage, buffers: list[bytes]) -> None:
        self.send(content, buffers)

    def _hear(self, widget: Any, content: Any, buffers: Any) -> None:
        if self._session is not None:
            self._session.hear(content, _user_names())
        if self._naming is not None:
            self._naming.hear(content)
        made = answer_figure(self._cases[self.case], self.graph, content)
        if made is not None:
            self._send_columns(*made)

    def restore(self, link: str) -> None:
        """Show a view again, from the text that the explorer's "Copy a link to this view" gives.

        Args:
            link: Such as `open=layer1,layer1.0&select=layer1.0.conv1&find=op:relu`.

        Raises:
            TracelabError: It is not such a text.

        >>> explorer = tracelab.GraphExplorer(tracelab.trace(torch.relu, torch.ones(2)))
        >>> explorer.restore("select=relu")
        """
        try:
            parts = urllib.parse.parse_qsl(link.removeprefix("#"), keep_blank_values=True, strict_parsing=bool(link))
        except ValueError:
            parts = [("", "")]
        unknown = [name for name, _ in parts if name not in ("case", "open", "fold", "select", "find")]
        if unknown:
            raise TracelabError(
                f"{link!r} is not a link to a view: it is made of case=…, open=…, fold=…, select=… and find=…, "
                "joined by &"
            )
        # The same link twice is a change twice.
        self._restored = ""
        self._restored = link

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, **saved_bundle(self._whole)}, metadata


@dataclass(slots=True)
class Shown:
    """What an explorer shows: a view document, the node behind each of its rows, and a text in its place."""

    graph: Graph
    nodes: list[Node]
    document: ViewDocument
    text: str


def shown_of(traced: Any) -> Shown:
    """What to show of a graph, of a traced object, or of a difference."""
    if isinstance(traced, GraphDiff):
        merged = MergedView(traced)
        return Shown(traced.b, merged.nodes, merged.document, str(traced))
    graph = graph_of(traced)
    cases = list(getattr(traced, "cases", ()))
    named = told_names([traced, *cases]) if isinstance(traced, Running) else lambda graph: None
    document = cases_document(graph, [case.graph for case in cases], named)
    return Shown(graph, Folded(graph).nodes, document, document_text(document))


def graph_of(traced: Any) -> Graph:
    """The graph of a traced object, or the graph itself."""
    graph = traced if isinstance(traced, Graph) else getattr(traced, "graph", None)
    if not isinstance(graph, Graph):
        raise TracelabError(
            f"nothing to explore in {type(traced).__name__}: give a graph or what tracelab.trace returned"
        )
    return graph


def document_of(explorer: GraphExplorer) -> bytes:
    """The view document that an explorer shows, as JSON."""
    return document_bytes(explorer._whole.document)


def find_element(shown: Shown, what: str | Node) -> tuple[int, str]:
    """What a person named: the row in the view document of a node, or -1 and the path of a module."""
    for index, node in enumerate(shown.nodes):
        if node is what or (isinstance(what, str) and any(value.name == what for value in node.outputs)):
            return index, ""
    paths = module_paths(shown.document)
    scopes = {scope for scope, path in enumerate(paths) if path == what or path.startswith(f"{what}.")}
    inside = [index for index, scope in enumerate(shown.document["nodes"]["scope"]) if scope in scopes]
    if not what or not inside:
        raise TracelabError(f"no node, value or module of the graph is called {what!r}")
    return (inside[0], "") if len(inside) == 1 else (-1, str(what))


def module_paths(document: ViewDocument) -> list[str]:
    """The path of each scope of a view document: `layer1.0`, and `layer1.0#2` for a second call of it.

    A module is called as the module around it calls it, whatever function does that.
    """
    scopes, strings = document["scopes"], document["strings"]
    functions = set(scopes.get("functions", ()))
    paths = [""]
    for scope, (parent, name, call) in enumerate(
        list(zip(scopes["parent"], scopes["name"], scopes["call"], strict=True))[1:], 1
    ):
        while scope not in functions and parent in functions:
            parent = scopes["parent"][parent]
        above = f"{paths[parent]}." if parent > 0 else ""
        paths.append(f"{above}{strings[name] if name >= 0 else ''}{f'#{call + 1}' if call > 0 else ''}")
    return paths


SAVED_BYTES = 8 << 20
"""A view document of more bytes than this, about 50,000 operators, is not written into a notebook."""


def saved_bundle(traced: Any) -> dict[str, Any]:
    """What stays in a saved notebook: the view document, a picture and a text; the same bytes at each run."""
    shown = traced if isinstance(traced, Shown) else shown_of(traced)
    document = document_bytes(shown.document)
    picture = {"image/svg+xml": document_svg(shown.document)}
    if len(document) > SAVED_BYTES:
        much = f"{bytes_text(len(document))} of graph stay out of the notebook"
        return {
            **picture,
            "text/plain": f"{shown.text}\n\n{much}: run the cell to explore it, or keep it by to_html().",
        }
    # Through JSON, so that nothing but plain data reaches the notebook file.
    return {MIME_TYPE: json.loads(document), **picture, "text/plain": shown.text}


def _user_names() -> Mapping[str, Any]:
    """The variables of the notebook."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell.user_ns if shell is not None else {}


def in_kernel() -> bool:
    """Whether a notebook's kernel is running this, so that a widget can be shown."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")


def display_bundle(traced: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """How a traced object shows itself: the explorer in a notebook, text and picture elsewhere."""
    if in_kernel() and _BUNDLE.exists():
        bundle: tuple[dict[str, Any], dict[str, Any]] = GraphExplorer(traced)._repr_mimebundle_()
        return bundle
    return saved_bundle(traced), {}
