"""A profile as text that fits a screen: the heaviest modules, and the heaviest nodes."""

from __future__ import annotations

from collections.abc import Iterator

from tracelab.execute.profile.profile_data import ProfileData, ProfiledNode
from tracelab.graph.types import bytes_text, counted, time_text

_MOST_MODULES = 12
_MOST_NODES = 16


def profile_text(profile: ProfileData) -> str:
    """The table that `print(profile)` shows."""
    return "\n".join(_lines(profile))


def _lines(profile: ProfileData) -> Iterator[str]:
    yield (
        f"{profile.name} on {profile.device}: {time_text(profile.seconds)} over {counted(len(profile.nodes), 'node')}, "
        f"{time_text(profile.whole)} as a whole; median of {profile.repeat}"
    )
    yield (
        f"{profile.flops / 1e9:.3g} GFLOP, {bytes_text(profile.peak_memory)} at most; the device reaches "
        f"{profile.peak.flops / 1e9:,.0f} GFLOP/s and {profile.peak.bandwidth / 1e9:,.1f} GB/s"
    )
    modules = [module for module in profile.modules if module.scope.parent is not None]
    if modules:
        heavy = sorted(modules, key=lambda module: -module.seconds)[:_MOST_MODULES]
        rows = [["module", "class", "time", "share", "GFLOP"]]
        rows += [
            [
                module.scope.path,
                module.scope.class_name,
                time_text(module.seconds),
                f"{100 * module.share:.1f}%",
                f"{module.flops / 1e9:.3g}",
            ]
            for module in heavy
        ]
        yield from _table(rows, 2, len(modules))
    heavy_nodes = sorted(profile.nodes, key=lambda row: -row.seconds)[:_MOST_NODES]
    rows = [["node", "operator", "module", "time", "share", "GFLOP/s", "GB/s", "of peak", "bound"]]
    rows += [_node(row) for row in heavy_nodes]
    yield from _table(rows, 3, len(profile.nodes))


def _node(row: ProfiledNode) -> list[str]:
    scope = row.node.scope
    seconds = row.seconds or float("inf")
    return [
        f"%{row.node.outputs[0].name}" if row.node.outputs else "",
        row.node.kind,
        scope.path if scope is not None else "",
        time_text(row.seconds),
        f"{100 * row.share:.1f}%",
        f"{row.flops / seconds / 1e9:.1f}" if row.flops else "",
        f"{row.bytes / seconds / 1e9:.1f}" if row.bytes else "",
        "" if row.roof is None else f"{100 * row.roof:.0f}%",
        row.bound,
    ]


def _table(rows: list[list[str]], words: int, total: int) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            f"{cell:<{width}}" if column < words else f"{cell:>{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield ("  " + "  ".join(cells)).rstrip()
    if total > len(rows) - 1:
        yield f"  … {total - len(rows) + 1} more"
