"""Gradient-mode and autocast regions of generated code."""

from __future__ import annotations

from typing import Any

import torch

from tracelab.compat.modes import modes_now, set_grad_enabled


class Regions:
    """The regions that a running graph has entered; `close` leaves those that are still open.

    >>> regions = Regions()
    >>> regions.enter_grad_mode(False); regions.leave_grad_mode(); regions.close()
    """

    __slots__ = ("contexts", "modes", "outer", "restore")

    def __init__(self) -> None:
        self.restore = modes_now()
        self.outer = torch.is_grad_enabled()
        self.modes: list[bool] = []
        self.contexts: list[Any] = []

    def enter_grad_mode(self, enabled: bool) -> None:
        self.modes.append(torch.is_grad_enabled())
        set_grad_enabled(enabled)

    def leave_grad_mode(self) -> None:
        set_grad_enabled(self.modes.pop() if self.modes else self.outer)

    def enter(self, context: Any) -> None:
        context.__enter__()
        self.contexts.append(context)

    def leave(self) -> None:
        if self.contexts:
            self.contexts.pop().__exit__(None, None, None)

    def close(self) -> None:
        while self.contexts:
            self.leave()
        self.restore()
