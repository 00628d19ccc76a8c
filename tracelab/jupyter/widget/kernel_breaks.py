"""When a notebook's kernel is busy: work in the background rests while a cell runs."""

from __future__ import annotations

import atexit
import sys
import threading
from typing import Any

from tracelab.execute.shapes.breaks import Breaks

KERNEL = Breaks()
"""What rests while a cell of the notebook runs, or a graph in an explorer."""

_followed: list[Any] = []


def follow_kernel() -> None:
    """Follow the cells of the shell from now on; one that runs already counts."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None or shell in _followed:
        return
    _followed[:] = [shell]
    cell = _Cell()
    if _runs_cell(shell):
        cell.begin()
    shell.events.register("pre_execute", cell.begin)
    shell.events.register("post_execute", cell.end)


def _runs_cell(shell: Any) -> bool:
    code = type(shell).run_ast_nodes.__code__
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame is not None


class _Cell:
    """Whether a cell runs."""

    def __init__(self) -> None:
        self.running = False

    def begin(self) -> None:
        if not self.running:
            self.running = True
            KERNEL.begin()

    def end(self) -> None:
        if self.running:
            self.running = False
            KERNEL.end()


atexit.register(KERNEL.finish)
