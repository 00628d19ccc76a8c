"""Regions that the graph enters and leaves as the code did: autocast, inference mode, names given for the profiler."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import active, recording_paused
from tracelab.compat.modes import autocast_options
from tracelab.graph.intrinsics import AUTOCAST, INFERENCE_MODE, RECORD_FUNCTION, Intrinsic
from tracelab.graph.ir import Node
from tracelab.graph.kinds import EXIT_CONTEXT


def _entering(made_by: Intrinsic, options: Callable[[Any], tuple[Any, ...]]) -> Callable[..., Any]:
    def make(enter: Callable[..., Any]) -> Callable[..., Any]:
        def entering(region: Any) -> Any:
            recorder = active.recorder
            if recorder is None or recorder.paused:
                return enter(region)
            node = Node(made_by.kind, made_by.function, options(region), None, (), recorder.scope)
            node.source = recorder.source(sys._getframe(1))
            recorder.nodes.append(node)
            with recording_paused(recorder):
                return enter(region)

        return entering

    return make


def _leaving(leave: Callable[..., Any]) -> Callable[..., Any]:
    def leaving(region: Any, *error: Any, **named: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return leave(region, *error, **named)
        recorder.nodes.append(Node(EXIT_CONTEXT, None, (), None, (), recorder.scope))
        with recording_paused(recorder):
            return leave(region, *error, **named)

    return leaving


def _names(region: Any) -> tuple[Any, ...]:
    return str(region.name), None if region.args is None else str(region.args)


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
)
"""Make nodes of entering and leaving."""
