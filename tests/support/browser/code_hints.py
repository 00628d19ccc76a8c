"""The shapes at the ends of traced lines, and the cursor in them."""

from __future__ import annotations

from playwright.sync_api import Locator, TimeoutError, expect

HOVERS = 10
""" How often the pointer comes back to a place where nothing opened: the editor may have been laying out. """


def hints(cell: Locator) -> Locator:
    return cell.locator(".tracelab-hint")


def put_cursor(cell: Locator, line: int) -> None:
    cell.locator(".cm-line").nth(line).click(position={"x": 60, "y": 8})
    expect(cell.locator(".cm-focused")).to_have_count(1)


def hovered(target: Locator, tip: str) -> Locator:
    """What opens when the pointer rests on a part of a cell.

    The editor forgets a pointer that came while it measured its lines, and asks again only when the pointer moves. A
    person moves it; so does this.
    """
    opened = target.page.locator(tip)
    for _ in range(HOVERS):
        target.page.mouse.move(0, 0)
        expect(target.page.locator(".cm-tooltip")).to_have_count(0)
        target.hover()
        try:
            opened.first.wait_for(timeout=3_000)
        except TimeoutError:
            continue
        break
    expect(opened).to_be_visible()
    return opened
