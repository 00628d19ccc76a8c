"""Methods of tensors that no torch-function mode is shown: iteration, pickling, and becoming another class."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch import nn

from tracelab.capture.layers.properties import assume_text
from tracelab.capture.layers.torch_function import convert, iterate_tensor
from tracelab.capture.patches.attribute import Attribute
from tracelab.capture.patches.code import Code
from tracelab.capture.recording.arrays.conversions import tensor_of_array
from tracelab.capture.recording.arrays.outer_arrays import assume_outer_array
from tracelab.capture.recording.recorder import active, recording_paused
from tracelab.capture.recording.wrappers import note_wrapper
from tracelab.capture.values import PLAIN_TENSORS, concrete
from tracelab.graph import intrinsics
from tracelab.graph.arrays import ArrayStandIn
from tracelab.graph.ir import Role


def _iteration(original: Callable[..., Any]) -> Callable[..., Any]:
    def iterate(tensor: torch.Tensor) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(tensor)
        return iterate_tensor(recorder, tensor)

    return iterate


def _hashing(original: Callable[..., Any]) -> Callable[..., Any]:
    def hashed(tensor: torch.Tensor) -> Any:
        recorder = active.recorder
        if recorder is not None and not recorder.paused and recorder.in_code:
            value = recorder.known(tensor)
            if value is not None and value.role is Role.INPUT and value not in recorder.hashed:
                recorder.hashed[value] = recorder.source(sys._getframe(1))
        return original(tensor)

    return hashed


def _pickling(original: Callable[..., Any]) -> Callable[..., Any]:
    def reduce_ex(tensor: torch.Tensor, protocol: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(tensor, protocol)
        if recorder.graph.cell and _goes_to_a_file(sys._getframe(1)):
            with recording_paused(recorder):
                return original(tensor, protocol)
        if recorder.is_dynamic(tensor):
            with recording_paused(recorder):
                assume_text(recorder, tensor, sys._getframe(1))
        return convert(recorder, "pickle", original, (tensor, protocol), {})

    return reduce_ex


def _goes_to_a_file(frame: FrameType | None) -> bool:
    """Whether `torch.save` asks: a cell that saves a tensor computes nothing from its bytes."""
    while frame is not None and frame.f_code is not _SAVE:
        frame = frame.f_back
    return frame is not None


_SAVE = torch.save.__code__


def _as_subclass(original: Callable[..., Any]) -> Callable[..., Any]:
    def as_subclass(tensor: torch.Tensor, cls: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(tensor, cls)
        return recorder.record_intrinsic(intrinsics.AS_SUBCLASS, (tensor, cls))

    return as_subclass


def _new_parameter(new: Callable[..., Any]) -> Callable[..., Any]:
    def traced_new(cls: Any, data: Any = None, requires_grad: bool = True) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused or cls is not nn.Parameter or type(data) not in PLAIN_TENSORS:
            return new(cls, data, requires_grad)
        if recorder.known(data) is None:
            return new(cls, data, requires_grad)
        return recorder.record_intrinsic(
            intrinsics.PARAMETER, (data, requires_grad), run=lambda: new(cls, data, requires_grad)
        )

    return traced_new


def _make_wrapper_subclass(original: Callable[..., Any]) -> Any:
    def make(cls: type, size: Any, *options: Any, **keywords: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(cls, size, *options, **keywords)
        with recording_paused(recorder):
            made = original(cls, concrete(size), *concrete(options), **concrete(keywords))
        note_wrapper(recorder, made, (cls, size, *options), keywords)
        return made

    return staticmethod(make)


def _from_array(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def from_numpy(array: Any) -> Any:
        recorder = active.recorder
        if recorder is None or not isinstance(array, ArrayStandIn):
            if recorder is not None and not recorder.paused:
                assume_outer_array(recorder, array, sys._getframe(1))
            return original(array)
        return tensor_of_array(original, (array,), {})

    return from_numpy


TENSORS = (
    Attribute(torch.Tensor, "_make_wrapper_subclass", _make_wrapper_subclass),
    Code(torch.Tensor.__iter__, _iteration),
    Code(torch.Tensor.__hash__, _hashing),
    Code(torch.Tensor.__reduce_ex__, _pickling),
    Attribute(torch.Tensor, "as_subclass", _as_subclass),
    Code(nn.Parameter.__new__, _new_parameter),
    Attribute(torch, "from_numpy", _from_array, lent=True),
)
"""Record these methods, or note that the trace is specialized on them."""
