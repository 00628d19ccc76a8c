"""The names of sizes for an explorer: worked out after its picture is up, while the kernel has nothing else to do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from tracelab.execute.shapes.breaks import Ended
from tracelab.execute.shapes.known import known_shapes, told_shapes
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value
from tracelab.jupyter.widget.kernel_breaks import KERNEL
from tracelab.protocol.runs import KernelMessage, SizesTold
from tracelab.render.view_document.document import named_rows

_log = logging.getLogger(__name__)
_one_at_a_time = threading.Lock()
_MOST_NODES = 10_000
"""Larger graphs would keep an idle kernel at work for minutes: a person asks by `traced.shapes()`."""


class NamingSession:
    """Tells one explorer what the sizes of a trace are called."""

    def __init__(
        self,
        traced: Any,
        graph: Graph,
        rows: dict[Value, int],
        send: Callable[[KernelMessage, list[bytes]], None],
        case: int = 0,
    ) -> None:
        self.thread: threading.Thread | None = None
        self._traced = traced
        self._graph = graph
        self._rows = rows
        self._send = send
        self._case = case

    def hear(self, content: Any) -> None:
        """A message of the browser; those of others are not answered here."""
        asked = isinstance(content, dict) and content.get("type") == "sizes.ask"
        if asked and (len(self._graph.nodes) <= _MOST_NODES or told_shapes(self._traced) is not None):
            self.thread = threading.Thread(target=self._tell, name="tracelab sizes", daemon=True)
            self.thread.start()

    def _tell(self) -> None:
        try:
            with _one_at_a_time:
                KERNEL.wait()
                version = self._graph.nodes.version
                named = known_shapes(self._traced, told=False, breaks=KERNEL).by_name()
                if self._traced.graph is not self._graph or self._graph.nodes.version != version:
                    # The picture is of the graph as it was.
                    return
            told: SizesTold = {"type": "sizes.told", "case": self._case, "sizes": named_rows(self._rows, named)}
            self._send(told, [])
        except Ended:
            return
        except Exception:
            # The picture has its numbers: nobody is told of names that could not be found.
            _log.debug("no names of sizes", exc_info=True)
