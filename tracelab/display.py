"""How things that were traced are shown in a notebook, without knowing who shows them.

What shows them stands on a higher floor, and is found by the entry point group `tracelab.display`: a function that
gives the MIME bundle of an object, with its metadata.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

MimeBundle = tuple[dict[str, Any], dict[str, Any]]
"""Data by MIME type, and metadata by MIME type."""

GROUP = "tracelab.display"


def display_bundle(item: Any) -> MimeBundle:
    """What a notebook shows of an object: the explorer, or its text where nothing that shows it is installed."""
    show = _provider()
    return ({"text/plain": str(item)}, {}) if show is None else show(item)


@functools.cache
def _provider() -> Callable[[Any], MimeBundle] | None:
    for entry in entry_points(group=GROUP):
        found: Callable[[Any], MimeBundle] = entry.load()
        return found
    return None


_PartOf = Callable[[BaseException], Any]

_drawn_after: list[_PartOf] = []
"""What finds, in the error of the cell that runs, what to draw; empty where nothing waits for the end of the cell."""


def draw_under_traceback(part_of: _PartOf) -> None:
    """If this cell of a notebook ends with an error, draw under its traceback what the error brings along.

    Nothing is changed for other cells: what is registered with IPython is taken away when this one ends. Outside of a
    notebook nothing happens.

    Args:
        part_of: Gives what to draw of an error, or None.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel") or _drawn_after:
        return
    _drawn_after.append(part_of)

    def after_cell(result: Any) -> None:
        _drawn_after.clear()
        shell.events.unregister("post_run_cell", after_cell)
        error = result.error_in_exec
        while error is not None:
            found = part_of(error)
            if found is not None:
                _draw(found)
                return
            # As Python and IPython show it: what an error was raised from, or while handling which.
            before = None if error.__suppress_context__ else error.__context__
            error = error.__cause__ if error.__cause__ is not None else before

    shell.events.register("post_run_cell", after_cell)


def _draw(item: Any) -> None:
    from IPython.display import publish_display_data

    data, metadata = display_bundle(item)
    publish_display_data(data, metadata)  # type: ignore[no-untyped-call]
