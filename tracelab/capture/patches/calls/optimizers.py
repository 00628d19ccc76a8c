"""Optimizers that make their state at their first step: a trace of that step makes it in every run."""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from tracelab.capture.recording.recorder import Recorder, active
from tracelab.capture.recording.replacement import Replacement
from tracelab.graph.ir import Role

_MESSAGE = (
    "The {kind} made its state while tracing, which might cause the trace to be incorrect: every replay makes it anew, "
    "as in a first step. Take one step before you trace."
)


class Steps(Replacement):
    """The two hooks that torch runs around each `step()`, while recordings run."""

    label = "the hooks of each optimizer's step"

    def __init__(self) -> None:
        self.fresh: dict[int, bool] = {}
        self.handles: list[Any] = []

    def install(self) -> None:
        if not self.handles:
            self.handles.append(register_optimizer_step_pre_hook(self.before))
            self.handles.append(register_optimizer_step_post_hook(self.after))

    def remove(self) -> None:
        while self.handles:
            self.handles[-1].remove()
            self.handles.pop()

    def is_in(self) -> bool:
        return bool(self.handles)

    def before(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        recorder = active.recorder
        if recorder is not None:
            # Asked before the step: what a step writes to is a result of the trace from then on.
            self.fresh[id(optimizer)] = not _has_state(optimizer) and _is_from_outside(recorder, optimizer)

    def after(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        recorder = active.recorder
        if recorder is not None and self.fresh.pop(id(optimizer), False) and _has_state(optimizer):
            kind = type(optimizer).__name__
            recorder.warn("state", _MESSAGE.format(kind=kind), kind, None, sys._getframe(1))


def _has_state(optimizer: torch.optim.Optimizer) -> bool:
    return any(isinstance(item, torch.Tensor) for state in optimizer.state.values() for item in state.values())


def _is_from_outside(recorder: Recorder, optimizer: torch.optim.Optimizer) -> bool:
    """Whether it trains what the traced code did not make itself."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            value = recorder.known(parameter)
            if value is None or value.role is not Role.COMPUTED:
                return True
    return False


OPTIMIZERS = (Steps(),)
"""Note steps that make an optimizer's state."""
