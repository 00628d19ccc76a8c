"""Methods of tensors that no torch-function mode is shown: iteration, pickling, and becoming another class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tracelab.capture.layers.torch_function import convert, iterate_tensor
from tracelab.capture.patches.registry import Registry
from tracelab.capture.recording.recorder import active
from tracelab.graph import intrinsics

_PLAIN = (torch.Tensor, nn.Parameter)


def patch_tensors(registry: Registry) -> None:
    """Record these methods, or note that the trace is specialized on them."""
    _patch_iteration(registry)
    _patch_pickling(registry)
    _patch_subclasses(registry)


def _patch_iteration(registry: Registry) -> None:
    original: Callable[[Any], Any] = torch.Tensor.__iter__

    def iterate(tensor: torch.Tensor) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(tensor)
        return iterate_tensor(recorder, tensor)

    registry.set(torch.Tensor, "__iter__", iterate)


def _patch_pickling(registry: Registry) -> None:
    original: Callable[..., Any] = torch.Tensor.__reduce_ex__

    def reduce_ex(tensor: torch.Tensor, protocol: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(tensor, protocol)
        return convert(recorder, "pickle", original, (tensor, protocol), {})

    registry.set(torch.Tensor, "__reduce_ex__", reduce_ex)


def _patch_subclasses(registry: Registry) -> None:
    """Tensors that become tensors of another class, parameters first."""
    as_subclass: Any = torch.Tensor.as_subclass
    new: Any = nn.Parameter.__new__

    def traced_as_subclass(tensor: torch.Tensor, cls: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return as_subclass(tensor, cls)
        return recorder.record_intrinsic(intrinsics.AS_SUBCLASS, (tensor, cls))

    def traced_new(cls: Any, data: Any = None, requires_grad: bool = True) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused or cls is not nn.Parameter or type(data) not in _PLAIN:
            return new(cls, data, requires_grad)
        if recorder.known(data) is None:
            return new(cls, data, requires_grad)
        return recorder.record_intrinsic(
            intrinsics.PARAMETER, (data, requires_grad), run=lambda: new(cls, data, requires_grad)
        )

    registry.set(torch.Tensor, "as_subclass", traced_as_subclass)
    registry.set(nn.Parameter, "__new__", staticmethod(traced_new))
