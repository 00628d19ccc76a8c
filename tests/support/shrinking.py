"""Making what fails small."""

from __future__ import annotations

from collections.abc import Callable


def shrunk_lines(lines: list[str], fails: Callable[[list[str]], bool]) -> list[str]:
    """Fewer of the lines that still fail: halves are left out first, then ever smaller parts."""
    size = max(len(lines) // 2, 1)
    while size:
        place = 0
        while place < len(lines):
            tried = lines[:place] + lines[place + size :]
            if fails(tried):
                lines = tried
            else:
                place += size
        size //= 2
    return lines
