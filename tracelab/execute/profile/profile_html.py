"""A profile for a notebook: the sums, the modules as a tree that opens, and the heaviest nodes."""

from __future__ import annotations

from collections.abc import Iterator

from tracelab.execute.profile.profile_data import ProfileData, ProfiledNode
from tracelab.execute.run.run_html import time_by_module
from tracelab.graph.text.html import Cell, block, heading, line, module_cell, table, value_cell
from tracelab.graph.types import bytes_text, counted, time_text

_MOST_NODES = 24


def profile_html(profile: ProfileData) -> str:
    """The HTML of a profile."""
    return block(_parts(profile))


def _parts(profile: ProfileData) -> Iterator[str]:
    yield heading(
        f"{profile.name} on {profile.device}",
        f"{time_text(profile.seconds)} over {counted(len(profile.nodes), 'node')}, "
        f"{time_text(profile.whole)} as a whole; median of {profile.repeat}",
    )
    yield line(
        f"{profile.flops / 1e9:.3g} GFLOP, {bytes_text(profile.peak_memory)} at most; the device reaches "
        f"{profile.peak.flops / 1e9:,.0f} GFLOP/s and {profile.peak.bandwidth / 1e9:,.1f} GB/s"
    )
    yield time_by_module([(row.node.scope, row.seconds) for row in profile.nodes])
    heavy = sorted(profile.nodes, key=lambda row: -row.seconds)[:_MOST_NODES]
    longest = heavy[0].seconds if heavy else 0.0
    caption = f"the {counted(len(heavy), 'node')} that took longest"
    # What a profile is read for comes before what a narrow output cuts off.
    head = ["value", "operator", "module", "bound", "time", "share", "of peak", "GFLOP/s", "GB/s"]
    yield table(caption, head, [_row(row, longest) for row in heavy], numbers=5)


def _row(row: ProfiledNode, longest: float) -> list[Cell | str]:
    scope = row.node.scope
    seconds = row.seconds or float("inf")
    return [
        value_cell(row.node.outputs[0].name) if row.node.outputs else "",
        Cell(row.node.kind, code=True),
        module_cell(scope.path if scope is not None else ""),
        row.bound,
        Cell(time_text(row.seconds), share=row.seconds / longest if longest else 0.0),
        f"{100 * row.share:.1f}%",
        Cell("" if row.roof is None else f"{100 * row.roof:.0f}%", share=row.roof),
        f"{row.flops / seconds / 1e9:.1f}" if row.flops else "",
        f"{row.bytes / seconds / 1e9:.1f}" if row.bytes else "",
    ]
