"""Tensors that become tensors of another class, parameters first: no torch-function mode is shown how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tracelab.capture.recorder import active

_PLAIN = (torch.Tensor, nn.Parameter)


def patch_subclasses(set_: Callable[[Any, str, Any], None]) -> None:
    """Make nodes of `as_subclass` and of `nn.Parameter(data)`."""
    as_subclass: Any = torch.Tensor.as_subclass
    new: Any = nn.Parameter.__new__

    def traced_as_subclass(tensor: torch.Tensor, cls: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside:
            return as_subclass(tensor, cls)
        return recorder.record_call(
            "prim::as_subclass", as_subclass, (tensor, cls), run=lambda: as_subclass(tensor, cls)
        )

    def traced_new(cls: Any, data: Any = None, requires_grad: bool = True) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside or cls is not nn.Parameter or type(data) not in _PLAIN:
            return new(cls, data, requires_grad)
        if recorder.known(data) is None:
            return new(cls, data, requires_grad)
        return recorder.record_call(
            "prim::Parameter",
            make_parameter,
            (data, requires_grad),
            run=lambda: new(cls, data, requires_grad),
        )

    set_(torch.Tensor, "as_subclass", traced_as_subclass)
    set_(nn.Parameter, "__new__", staticmethod(traced_new))


def make_parameter(data: torch.Tensor, requires_grad: bool) -> nn.Parameter:
    """`nn.Parameter(data)`: another tensor in the same memory, a leaf."""
    return nn.Parameter(data, requires_grad)
