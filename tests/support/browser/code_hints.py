"""The shapes at the ends of traced lines, and the cursor in them."""

from __future__ import annotations

from playwright.sync_api import Locator, expect


def hints(cell: Locator) -> Locator:
    return cell.locator(".tracelab-hint")


def put_cursor(cell: Locator, line: int) -> None:
    cell.locator(".cm-line").nth(line).click(position={"x": 60, "y": 8})
    expect(cell.locator(".cm-focused")).to_have_count(1)
