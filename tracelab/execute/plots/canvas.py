"""The figure that a plot is drawn on: one of matplotlib's, of which `pyplot` knows nothing."""

from __future__ import annotations

import io
from typing import Any

from tracelab.libraries import needed_library

WEIGHTS, ACTIVATIONS, TRANSIENT = "#8fa6c8", "#e0a458", "#c4453c"
INK, FAINT = "#1f2933", "#7b8794"
SERIES = ("#4a73b8", "#b9792a", "#4c8a56", "#7d5fb2")


def canvas(feature: str, rows: int = 1, height: float = 3.6) -> tuple[Any, list[Any]]:
    """A figure, and its axes below each other.

    Raises:
        TracelabError: matplotlib is not installed.
    """
    needed_library("matplotlib", feature, "'tracelab[plots]'")
    from matplotlib.figure import Figure

    class Plot(Figure):
        """A figure that a notebook shows, also where `pyplot` was never imported."""

        def _repr_png_(self) -> bytes:
            written = io.BytesIO()
            self.savefig(written, format="png", dpi=110, metadata={"Software": None})
            return written.getvalue()

    figure = Plot(figsize=(8, height), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0].tolist()
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes


def whole_numbers(axes: Any) -> None:
    """Ticks of nodes: there is no node 0.5."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def few_ticks(axes: Any) -> None:
    """As many ticks upwards whatever the height: the layout leaves room for those that it saw first."""
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(4))


def bytes_unit(most: int) -> tuple[int, str]:
    """The unit in which so many bytes are a number to read: its size and its name.

    >>> bytes_unit(3000), bytes_unit(5 << 20)
    ((1024, 'KiB'), (1048576, 'MiB'))
    """
    size, names = 1, ["B", "KiB", "MiB", "GiB"]
    while most >= 1024 * size and len(names) > 1:
        size *= 1024
        names.pop(0)
    return size, names[0]


def text(words: str) -> str:
    """Names as they are: a dollar sign begins no formula."""
    return words.replace("$", r"\$")
