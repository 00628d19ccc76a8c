"""Regions that the graph enters and leaves as the code did: autocast, inference mode, names given for the profiler."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import torch
import torch.utils.checkpoint

from tracelab.capture.layers.lifting import Lifting
from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import active, recording_paused
from tracelab.compat.modes import autocast_options
from tracelab.errors import TracelabError
from tracelab.graph.intrinsics import (
    AUTOCAST,
    DUAL_LEVEL,
    INFERENCE_MODE,
    RECORD_FUNCTION,
    SAVED_TENSORS_HOOKS,
    Intrinsic,
)
from tracelab.graph.ir import Node
from tracelab.graph.kinds import EXIT_CONTEXT


def _entering(
    made_by: Intrinsic,
    options: Callable[[Any], tuple[Any, ...]],
    noted: Callable[[Any], bool] = lambda region: True,
) -> Callable[..., Any]:
    def make(enter: Callable[..., Any]) -> Callable[..., Any]:
        def entering(region: Any) -> Any:
            recorder = active.recorder
            if recorder is None or recorder.paused or not noted(region):
                return enter(region)
            node = Node(made_by.kind, made_by.function, options(region), None, (), recorder.scope)
            node.source = recorder.source(sys._getframe(1))
            recorder.nodes.append(node)
            recorder.contexts.append(made_by)
            with recording_paused(recorder):
                return enter(region)

        return entering

    return make


def _leaving(leave: Callable[..., Any], noted: Callable[[Any], bool] = lambda region: True) -> Callable[..., Any]:
    def leaving(region: Any, *error: Any, **named: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused or not noted(region):
            return leave(region, *error, **named)
        if recorder.contexts:
            recorder.contexts.pop()
        recorder.nodes.append(Node(EXIT_CONTEXT, None, (), None, (), recorder.scope))
        with recording_paused(recorder):
            return leave(region, *error, **named)

    return leaving


def _names(region: Any) -> tuple[Any, ...]:
    return str(region.name), None if region.args is None else str(region.args)


def _is_not_of_a_checkpoint(region: Any) -> bool:
    """Whether these hooks are those of a run: a checkpoint's belong to one, whose results are the same without."""
    return type(region).__module__ != torch.utils.checkpoint.__name__


def _hooks(region: Any) -> tuple[Any, ...]:
    recorder = active.recorder
    hooks = region.pack_hook, region.unpack_hook
    if recorder is not None:
        lifting = Lifting(recorder)
        if any(lifting.lift(hook) is not hook for hook in hooks):
            raise TracelabError(_CLOSURE)
    return hooks


_CLOSURE = (
    "a function given to saved_tensors_hooks uses a traced tensor from outside its arguments, which a graph cannot "
    "follow: let it use its argument alone"
)
_SAVED: Any = torch.autograd.graph.saved_tensors_hooks
_DUAL: Any = torch.autograd.forward_ad.dual_level
_AUTOCAST: Any = torch.amp.autocast_mode.autocast
_INFERENCE: Any = torch.inference_mode
_PROFILED: Any = torch.autograd.profiler.record_function

CONTEXTS = (
    Code(_AUTOCAST.__enter__, _entering(AUTOCAST, autocast_options)),
    Code(_AUTOCAST.__exit__, _leaving),
    Code(_INFERENCE.__enter__, _entering(INFERENCE_MODE, lambda region: (bool(region.mode),))),
    Code(_INFERENCE.__exit__, _leaving),
    Code(_PROFILED.__enter__, _entering(RECORD_FUNCTION, _names)),
    Code(_PROFILED.__exit__, _leaving),
    Code(_SAVED.__enter__, _entering(SAVED_TENSORS_HOOKS, _hooks, _is_not_of_a_checkpoint)),
    Code(_SAVED.__exit__, functools.partial(_leaving, noted=_is_not_of_a_checkpoint)),
    Code(_DUAL.__enter__, _entering(DUAL_LEVEL, lambda region: ())),
    Code(_DUAL.__exit__, _leaving),
)
"""Make nodes of entering and leaving."""
