"""Tracebacks of the user's own code: without the frames of torch and of tracelab between them."""

from __future__ import annotations

from types import TracebackType

from tracelab.graph.source import is_inner


def user_frames(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without inner frames; as it is where all of its frames are inner."""
    kept = []
    following = trace
    while following is not None:
        if not is_inner(following.tb_frame.f_code):
            kept.append(following)
        following = following.tb_next
    chain = None
    for item in reversed(kept):
        chain = TracebackType(chain, item.tb_frame, item.tb_lasti, item.tb_lineno)
    return chain if chain is not None else trace
