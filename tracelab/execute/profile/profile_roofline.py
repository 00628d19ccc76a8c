"""The roofline of a profile: what each node reaches, below what the device can do."""

from __future__ import annotations

from typing import Any

from tracelab.errors import TracelabError
from tracelab.execute.plots.canvas import FAINT, SERIES, canvas, text
from tracelab.execute.plots.log_axes import name_points, plain_ticks
from tracelab.execute.profile.profile_data import ProfileData, ProfiledNode

_NAMED = 5


def points(profile: ProfileData) -> list[tuple[ProfiledNode, float, float]]:
    """The nodes that calculate, each with its operations for each byte and for each second."""
    return [
        (row, row.flops / row.bytes, row.flops / row.seconds)
        for row in profile.nodes
        if row.flops and row.bytes and row.seconds > 0
    ]


def roofline(profile: ProfileData) -> Any:
    """The scatter, as large as the nodes' shares of the time; the five that took longest have their names.

    Raises:
        TracelabError: No node calculates by a formula that torch has.
    """
    found = points(profile)
    if not found:
        raise TracelabError("there is nothing for a roofline: no matrix product, convolution or attention ran")
    figure, (axes,) = canvas("a plot", height=4.4)
    peak = profile.peak
    ridge = peak.flops / peak.bandwidth
    intensities = [x for _, x, _ in found]
    left, right = min([ridge, *intensities]) / 4, max([ridge, *intensities]) * 4
    axes.plot(
        [left, ridge, right],
        [left * peak.bandwidth / 1e9, peak.flops / 1e9, peak.flops / 1e9],
        color=FAINT,
        linewidth=1.2,
    )
    for bound, colour in (("memory", SERIES[1]), ("compute", SERIES[0])):
        part = [(x, y / 1e9, row.share) for row, x, y in found if row.bound == bound]
        if part:
            axes.scatter(
                [x for x, _, _ in part],
                [y for _, y, _ in part],
                [18 + 400 * share for _, _, share in part],
                color=colour,
                alpha=0.65,
                linewidths=0,
                label=f"{bound} bound",
            )
    reached = [y / 1e9 for _, _, y in found]
    bottom, top = min([left * peak.bandwidth / 1e9, *reached]) / 2, max([peak.flops / 1e9, *reached]) * 2
    named = [(_name(row), x, y / 1e9) for row, x, y in sorted(found, key=lambda item: -item[0].seconds)[:_NAMED]]
    name_points(axes, named, (left, right), (bottom, top))
    axes.set(xscale="log", yscale="log", xlabel="FLOPs per byte", ylabel="GFLOP/s")
    axes.set(xlim=(left, right), ylim=(bottom, top))
    plain_ticks(axes.xaxis, left, right)
    plain_ticks(axes.yaxis, bottom, top)
    axes.set_title(text(f"{profile.name}: roofline on {profile.device}"))
    axes.legend(loc="lower right", fontsize=8)
    return figure


def _name(row: ProfiledNode) -> str:
    scope = row.node.scope.path if row.node.scope is not None else ""
    return scope or row.node.kind.rpartition("::")[2]
