"""Waiting for what has no locator to wait for."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page

PATIENCE = 60.0
"""Seconds. A busy machine takes its time; what is right comes in the end."""


def eventually(page: Page, holds: Callable[[], bool], what: str) -> None:
    """Ask until it holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"not within {PATIENCE:.0f} s: {what}"
        page.wait_for_timeout(50)
