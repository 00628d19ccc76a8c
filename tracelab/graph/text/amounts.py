"""Amounts as people read them."""

from __future__ import annotations


def bytes_text(count: int) -> str:
    """`44.6 MiB`."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
