"""Tensors that are handed on by DLPack: torch's own reader gives an alias, which follows; others are told."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy
import torch
from torch.utils import dlpack

from tracelab.capture.layers.properties import assume_content
from tracelab.capture.messages import conversion_message
from tracelab.capture.patches.attribute import Attribute
from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import Recorder, active, recording_paused
from tracelab.graph.assumptions import AssumptionKind


def _reading(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(ext_tensor, device=device, copy=copy)
        given = ext_tensor if isinstance(ext_tensor, torch.Tensor) else _taken(recorder, ext_tensor)
        if given is None or not recorder.is_dynamic(given):
            with recording_paused(recorder):
                return original(ext_tensor, device=device, copy=copy)
        with recording_paused(recorder):
            # For its errors, and for the capsule, which is used up.
            original(ext_tensor, device=device, copy=copy)
            asks = given.requires_grad
        value, frame = recorder.known(given), sys._getframe(1)
        recorder.assume(AssumptionKind.REQUIRES_GRAD, "requires_grad", value, asks, frame, subject="{}.requires_grad")
        made = given.detach()
        if device is not None:
            made = made.to(torch.device(device))
        return made.clone() if copy else made

    return from_dlpack


def _taken(recorder: Recorder, capsule: Any) -> Any:
    """The tensor that a capsule holds, where the traced code made it."""
    entry = recorder.capsules.pop(id(capsule), None)
    return None if entry is None else entry.tensor


def _writing(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def to_dlpack(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(tensor, *args, **kwargs)
        with recording_paused(recorder):
            capsule = original(tensor, *args, **kwargs)
            if recorder.is_dynamic(tensor):
                recorder.capsules[id(capsule)] = Capsule(recorder, capsule, tensor, sys._getframe(1))
        return capsule

    return to_dlpack


class Capsule:
    """A tensor that was handed on, until torch's own reader takes it."""

    def __init__(self, recorder: Recorder, capsule: Any, tensor: torch.Tensor, frame: FrameType) -> None:
        self.capsule, self.tensor = capsule, tensor
        self._value = recorder.value_of(tensor)
        self._source = recorder.source(frame)
        self._content: Any = None
        if tensor.layout is torch.strided and not tensor.is_meta:
            self._content = tensor.detach().cpu().resolve_conj().resolve_neg().clone()

    def note(self, recorder: Recorder) -> None:
        """What took it is not seen."""
        recorder.warn("numpy", conversion_message("numpy", ""), "", self._value, at=self._source)
        if self._content is None or self._source is None or self._content.dtype is torch.bfloat16:
            return
        assume_content(recorder, "numpy", self.tensor, self._content.numpy(), at=self._source)


def _array_of(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def from_dlpack(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused or not isinstance(x, torch.Tensor) or args or kwargs:
            return original(x, *args, **kwargs)
        return x.numpy()

    return from_dlpack


DLPACK = (
    Code(dlpack.from_dlpack, _reading),
    Code(torch.Tensor.__dlpack__, _writing),
    Attribute(dlpack, "to_dlpack", _writing, lent=True),
    Attribute(torch, "to_dlpack", _writing, lent=True),
    Attribute(numpy, "from_dlpack", _array_of, lent=True),
)
"""Follow what torch reads itself, and note what others read."""
