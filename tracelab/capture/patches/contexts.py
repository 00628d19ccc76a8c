"""Regions of code that the graph enters and leaves as the code did: autocast, and names given for the profiler."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.recorder import active
from tracelab.capture.recording_paused import Unseen
from tracelab.graph.ir import Node

Set = Callable[[Any, str, Any], None]


def patch_contexts(set_: Set) -> None:
    """Make nodes of entering and leaving; `set_` remembers how to put torch's classes back."""
    _patch(set_, torch.amp.autocast_mode.autocast, make_autocast, _autocast_options)
    _patch(set_, torch.autograd.profiler.record_function, make_record_function, _names)


def _patch(set_: Set, cls: Any, make: Callable[..., Any], options: Callable[[Any], tuple[Any, ...]]) -> None:
    enter, leave = cls.__enter__, cls.__exit__

    def entering(region: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside:
            return enter(region)
        node = Node("prim::EnterContext", make, options(region), None, (), recorder.scope)
        node.source = recorder.source(sys._getframe(1))
        recorder.nodes.append(node)
        with Unseen(recorder):
            return enter(region)

    def leaving(region: Any, *error: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside:
            return leave(region, *error)
        recorder.nodes.append(Node("prim::ExitContext", None, (), None, (), recorder.scope))
        with Unseen(recorder):
            return leave(region, *error)

    set_(cls, "__enter__", entering)
    set_(cls, "__exit__", leaving)


def _autocast_options(region: Any) -> tuple[Any, ...]:
    return region.device, region.fast_dtype, region._enabled, region._cache_enabled


def make_autocast(device: str, dtype: torch.dtype, enabled: bool, cache: bool) -> Any:
    """The autocast region that the traced code entered."""
    return torch.autocast(device, dtype=dtype, enabled=enabled, cache_enabled=cache)


def _names(region: Any) -> tuple[Any, ...]:
    return str(region.name), None if region.args is None else str(region.args)


def make_record_function(name: str, args: str | None) -> Any:
    """The region that the traced code named for the profiler."""
    return torch.autograd.profiler.record_function(name, args)
