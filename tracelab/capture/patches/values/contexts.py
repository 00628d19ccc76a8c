"""Regions of code that the graph enters and leaves as the code did: autocast, and names given for the profiler."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.patches.registry import Registry
from tracelab.capture.recording.recorder import active, recording_paused
from tracelab.compat.modes import autocast_options
from tracelab.graph.intrinsics import AUTOCAST, RECORD_FUNCTION, Intrinsic
from tracelab.graph.ir import Node
from tracelab.graph.kinds import EXIT_CONTEXT


def patch_contexts(registry: Registry) -> None:
    """Make nodes of entering and leaving."""
    _patch(registry, torch.amp.autocast_mode.autocast, AUTOCAST, autocast_options)
    _patch(registry, torch.autograd.profiler.record_function, RECORD_FUNCTION, _names)


def _patch(registry: Registry, cls: Any, made_by: Intrinsic, options: Callable[[Any], tuple[Any, ...]]) -> None:
    enter, leave = cls.__enter__, cls.__exit__

    def entering(region: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return enter(region)
        node = Node(made_by.kind, made_by.function, options(region), None, (), recorder.scope)
        node.source = recorder.source(sys._getframe(1))
        recorder.nodes.append(node)
        with recording_paused(recorder):
            return enter(region)

    def leaving(region: Any, *error: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return leave(region, *error)
        recorder.nodes.append(Node(EXIT_CONTEXT, None, (), None, (), recorder.scope))
        with recording_paused(recorder):
            return leave(region, *error)

    registry.set(cls, "__enter__", entering)
    registry.set(cls, "__exit__", leaving)


def _names(region: Any) -> tuple[Any, ...]:
    return str(region.name), None if region.args is None else str(region.args)
