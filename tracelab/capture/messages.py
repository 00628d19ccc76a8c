"""Warnings while tracing: the words, and where Python shows them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from tracelab.graph.diagnostic import TraceDiagnostic, TracerWarning, warn_at
from tracelab.graph.source import is_inner

_WORDS = {
    "bool": "a Python boolean",
    "int": "a Python integer",
    "float": "a Python float",
    "complex": "a Python complex",
    "item": "a Python complex",
    "number": "a Python number",
    "index": "a Python index",
    "list": "a Python list",
    "numpy": "a NumPy array",
    "pickle": "bytes of pickle",
}
WITHOUT_VALUE = frozenset({"list", "numpy", "pickle"})
"""Conversions whose result is too long for a sentence."""


def conversion_message(kind: str, constant: object) -> str:
    """The sentence for a traced tensor or size that became a Python value."""
    shown = "" if kind in WITHOUT_VALUE else f" ({constant})"
    effect = (
        "the branch taken here is taken for every input" if kind == "bool" else "the trace is specialized on this value"
    )
    return (
        f"Converting a tensor to {_WORDS[kind]}{shown} might cause the trace to be incorrect: {effect}. "
        "Keep it a tensor, or trace again where it differs."
    )


def size_message(kind: str, constant: object) -> str:
    """The sentence for a traced size (or arithmetic on sizes) that Python needed as a number."""
    if kind == "bool":
        return (
            f"Converting a traced size to a Python boolean ({constant}) might cause the trace to be incorrect: "
            "the branch taken here is taken for inputs of every size."
        )
    return (
        f"Converting a traced size to {_WORDS[kind]} ({constant}) might cause the trace to be incorrect: "
        "the trace is specialized on this number, which will not follow the size of the input."
    )


ITERATION = (
    "Iterating over a tensor might cause the trace to be incorrect: the trace is specialized on the number of rounds "
    "({}), which will not follow the size of the input."
)
UNSEEN = (
    "A tensor that was made while tracing, but in a way that tracing does not see (by another thread, or inside a call "
    "that stays one node), might cause the trace to be incorrect: it is a constant of the trace."
)
COMES_BACK = (
    "A value that left the graph at {} becomes part of a tensor again here, which might cause the trace to be "
    "incorrect: the trace is specialized on this value. Keep it a tensor, or trace again where it differs."
)
BRANCH_BEHIND = (
    "A value that left the graph at {} decides what runs here, which might cause the trace to be incorrect: the branch "
    "taken here is taken for every input. Keep it a tensor, or trace again where it differs."
)
CHANGED = (
    "An attribute of a {} was set to another tensor after calls had taken it, which might cause the trace to be "
    "incorrect: later calls take it as it was. Make a new tensor instead."
)
STORAGE = (
    "Setting a tensor to a storage might cause the trace to be incorrect: the storage of this run is used in every "
    "run. Take a view of the tensor that owns it instead."
)
OF_A_STORAGE = "what a tensor that was set to a storage of the traced code holds"


_told: dict[Any, Any] = {}


def emit(warning: TraceDiagnostic, frame: FrameType | None) -> None:
    """Show it as a Python warning at the user's own line."""
    if warning.source is None:
        # All of the code is torch's own: the line is that which asked for the trace.
        caller: FrameType | None = sys._getframe(1)
        while caller is not None and is_inner(caller.f_code):
            caller = caller.f_back
        if caller is not None:
            warn_at(caller, warning.message, TracerWarning, caller.f_code.co_filename, caller.f_lineno)
        else:
            warnings.warn(warning.message, TracerWarning, stacklevel=2)
        return
    if frame is None:
        # The frame is left.
        source = warning.source
        warnings.warn_explicit(warning.message, TracerWarning, source.file, source.line, registry=_told)
        return
    warn_at(frame, warning.message, TracerWarning, warning.source.file, warning.source.line)


READ_BY_PYTHON = r"Converting a (tensor|traced size) to a (Python|NumPy)|Iterating over a tensor"
"""How the sentences begin of what each call checks: another recording is right where it does not hold."""


@contextmanager
def warnings_suppressed(beginning: str = "") -> Iterator[None]:
    """No Python warnings of tracing inside (whose messages begin so), only those on the graph.

    `warnings.catch_warnings` would also undo what the traced code itself sets, and have told warnings told again.
    """
    before = list(warnings.filters)
    warnings.filterwarnings("ignore", beginning, TracerWarning)
    mine = warnings.filters[0]
    try:
        yield
    finally:
        if mine not in before and mine in warnings.filters:
            warnings.filters.remove(mine)  # type: ignore[attr-defined]
