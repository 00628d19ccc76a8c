"""Errors of a traced cell, shown as if the cell had run by itself."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from tracelab.compat.table import DISPATCH_FRAMES

"""How torch reaches the recording: not there when the cell runs by itself."""


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
    rendered = shell.InteractiveTB.structured_traceback(type(error), error, _user_frames(trace), tb_offset=0)
    # IPython asks an exception for its own rendering first; the frames of the magic are left out of it.
    error._render_traceback_ = lambda: rendered  # type: ignore[attr-defined]
    return error


def _user_frames(trace: TracebackType) -> TracebackType:
    """The same traceback without the frames of tracing itself."""
    kept = [trace]
    following = trace.tb_next
    while following is not None:
        module = following.tb_frame.f_globals.get("__name__", "")
        own = module.startswith("tracelab.") and not module.startswith("tracelab.demo")
        if not own and module not in DISPATCH_FRAMES:
            kept.append(following)
        following = following.tb_next
    chain: TracebackType | None = None
    for item in reversed(kept):
        chain = TracebackType(chain, item.tb_frame, item.tb_lasti, item.tb_lineno)
    assert chain is not None
    return chain
