"""A scene as PDF and PNG, by matplotlib, whose own font is part of the file."""

from __future__ import annotations

import io
import warnings
from typing import Any

from tracelab.libraries import needed_library
from tracelab.render.figure.scene import Arrowhead, Curve, Item, Rectangle, Scene

_POINTS = 72.0
_FONT = "DejaVu Sans"
"""Which comes with matplotlib."""
_NO_DATES = {
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": "tracelab", "Producer": None},
    "png": {"Software": None},
}


def matplotlib_bytes(scene: Scene, form: str, dpi: float) -> bytes:
    """The file, the same for the same scene: it has no dates.

    Raises:
        TracelabError: matplotlib is not installed.
    """
    matplotlib = needed_library("matplotlib", f"a figure as {form.upper()}", "'tracelab[figures]'")
    from matplotlib.figure import Figure

    with matplotlib.rc_context(), warnings.catch_warnings():
        # What the user set is for plots; and letters that the font has not are drawn as empty boxes.
        matplotlib.rcdefaults()
        matplotlib.rcParams["pdf.fonttype"] = 42
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure = Figure(figsize=(scene.width / _POINTS, scene.height / _POINTS), dpi=dpi)
        figure.patch.set_facecolor(scene.page or ("white" if form == "png" else "none"))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, scene.width)
        axes.set_ylim(scene.height, 0)
        for order, item in enumerate(scene.items):
            _draw(axes, item, order)
        written = io.BytesIO()
        figure.savefig(written, format=form, dpi=dpi, metadata=_NO_DATES[form])
    return written.getvalue()


def _draw(axes: Any, item: Item, order: int) -> None:
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
    from matplotlib.path import Path

    if isinstance(item, Rectangle):
        radius = min(item.radius, item.height / 2, item.width / 2)
        axes.add_patch(
            FancyBboxPatch(
                (item.x, item.y),
                item.width,
                item.height,
                boxstyle=f"round,pad=0,rounding_size={radius}",
                facecolor=item.fill,
                edgecolor=item.border,
                linewidth=item.line_width,
                linestyle=(0, (5.0, 3.1)) if item.dashed else "solid",
                zorder=order,
            )
        )
    elif isinstance(item, Curve):
        path = Path(item.points, [Path.MOVETO, *[Path.CURVE4] * (len(item.points) - 1)])
        axes.add_patch(
            PathPatch(path, facecolor="none", edgecolor=item.colour, linewidth=item.line_width, zorder=order)
        )
    elif isinstance(item, Arrowhead):
        axes.add_patch(Polygon(item.corners, closed=True, facecolor=item.colour, edgecolor="none", zorder=order))
    else:
        axes.text(
            item.x,
            item.y,
            item.text,
            color=item.colour,
            fontproperties=FontProperties(family=_FONT, size=item.size, weight="bold" if item.bold else "normal"),
            horizontalalignment="center" if item.anchor == "middle" else "left",
            verticalalignment="baseline",
            parse_math=False,
            zorder=order,
        )
