"""Optimizers that make their state at their first step: a trace of that step makes it in every run."""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from tracelab.capture.recording.recorder import Recorder, active
from tracelab.capture.recording.replacement import Replacement
from tracelab.capture.scopes import enter_block
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.ir import Role
from tracelab.graph.scope import Scope

_MESSAGE = (
    "The {kind} made its state while tracing, which might cause the trace to be incorrect: every replay makes it anew, "
    "as in a first step. Take one step before you trace."
)


_EMPTY = "empty"


class Steps(Replacement):
    """The two hooks that torch runs around each `step()`, while recordings run."""

    label = "the hooks of each optimizer's step"

    def __init__(self) -> None:
        self.fresh: dict[int, bool] = {}
        self.scopes: dict[int, Scope] = {}
        """The scopes around the steps that go on."""
        self._places = [
            _place(register_optimizer_step_pre_hook, self.before),
            _place(register_optimizer_step_post_hook, self.after),
        ]

    def install(self) -> None:
        for hooks, number, hook in self._places:
            hooks[number] = hook

    def remove(self) -> None:
        for hooks, number, _ in self._places:
            hooks.pop(number, None)

    def is_in(self) -> bool:
        return any(number in hooks for hooks, number, _ in self._places)

    def before(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        recorder = active.recorder
        if recorder is not None:
            # Asked before the step: what a step writes to is a result of the trace from then on.
            outside = _is_from_outside(recorder, optimizer)
            self.fresh[id(optimizer)] = outside and not _has_state(optimizer)
            if outside:
                _assume_numbers(recorder, optimizer, sys._getframe(1))
            if recorder.rounds is not None:
                kind = type(optimizer).__name__
                self.scopes[id(optimizer)] = enter_block(recorder, optimizer, kind, sys._getframe(1))

    def after(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        recorder = active.recorder
        outer = self.scopes.pop(id(optimizer), None)
        if recorder is not None and outer is not None:
            recorder.scope = outer
        if recorder is not None and self.fresh.pop(id(optimizer), False) and _has_state(optimizer):
            kind = type(optimizer).__name__
            if not recorder.graph.cell:
                # A cell that trains begins so more often than not; a call of its trace is told of what it assumes.
                recorder.warn("state", _MESSAGE.format(kind=kind), kind, None, sys._getframe(1))
            probe = functools.partial(_state_now, weakref.ref(optimizer))
            subject = f"the state of {kind}"
            recorder.assume_outside(AssumptionKind.STATE, subject, _EMPTY, probe, sys._getframe(1), optimizer)


def _place(register: Callable[[Any], Any], hook: Any) -> tuple[dict[int, Any], int, Any]:
    """Where torch keeps a hook, and under which number."""
    handle = register(hook)
    handle.remove()
    return handle.hooks_dict_ref(), handle.id, hook


def _state_now(owner: weakref.ref[torch.optim.Optimizer]) -> str:
    optimizer = owner()
    return _EMPTY if optimizer is None or not _has_state(optimizer) else "there from a step before"


def _assume_numbers(recorder: Recorder, optimizer: torch.optim.Optimizer, frame: FrameType) -> None:
    """A step computes with the numbers that stand in the optimizer: a replay, with those of the trace."""
    for path, number in _numbers(optimizer).items():
        subject = f"{type(optimizer).__name__}{path}"
        probe = functools.partial(_number_now, weakref.ref(optimizer), path, number)
        recorder.assume_outside(AssumptionKind.STATE, subject, number, probe, frame, optimizer)


def _number_now(owner: weakref.ref[torch.optim.Optimizer], path: str, gone: Any) -> Any:
    optimizer = owner()
    return gone if optimizer is None else _numbers(optimizer).get(path, gone)


def _numbers(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """The settings of its groups, and the counters of the first parameter that has some."""
    found = {
        f".param_groups[{index}][{name!r}]": item
        for index, group in enumerate(optimizer.param_groups)
        for name, item in group.items()
        if _is_number(item)
    }
    for state in optimizer.state.values():
        counters = {f".state[...][{name!r}]": item for name, item in state.items() if _is_number(item)}
        if counters:
            return {**found, **counters}
    return found


def _is_number(item: Any) -> bool:
    return type(item) in (int, float, bool) or (type(item) is tuple and all(map(_is_number, item)))


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
