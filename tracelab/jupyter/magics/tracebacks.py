"""Errors of a traced cell, shown as if the cell had run by itself."""

from __future__ import annotations

import re
import sys
from typing import Any

from tracelab.graph.user_frames import user_frames


class ShownSyntaxError(Exception):
    """A syntax error in a traced cell: shown as IPython shows one, and the cell counts as failed.

    IPython would list the frames of the magic below a real `SyntaxError`.
    """

    def __init__(self, shell: Any, error: BaseException) -> None:
        super().__init__(str(error))
        self._shown = shell.SyntaxTB.structured_traceback(type(error), error, [])

    def _render_traceback_(self) -> Any:
        return self._shown


# What a notebook saves of an error is the name of its class.
ShownSyntaxError.__name__ = "SyntaxError"


def ordinary_traceback(shell: Any, error: BaseException, filename: str) -> BaseException:
    """The user's own exception, which IPython will show from the cell's first frame on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != filename:
        trace = trace.tb_next
    if trace is None:
        return error
    rendered = shell.InteractiveTB.structured_traceback(type(error), error, user_frames(trace), tb_offset=0)
    # IPython asks an exception for its own rendering first; the frames of the magic are left out of it.
    error._render_traceback_ = lambda: rendered  # type: ignore[attr-defined]
    return error


def cell_number(shell: Any) -> int:
    """The number of the cell that runs: the shell's own count may be ahead of it."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        shown = shell.compile.format_code_name(frame.f_code.co_filename)
        number = re.search(r"\d+", shown[1]) if shown is not None else None
        if number is not None:
            return int(number[0])
        frame = frame.f_back
    return int(shell.execution_count)
