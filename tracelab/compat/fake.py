"""Fake tensors, which have a shape and no data.

A plain tensor is never asked whether it is one, so that a torch without them can do all else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from tracelab.compat.names import needed

if TYPE_CHECKING:
    from torch._subclasses.fake_tensor import FakeTensorMode

    FakeMode: TypeAlias = FakeTensorMode
else:
    FakeMode = Any

_PLAIN = (torch.Tensor, torch.nn.Parameter)


def is_fake(item: Any) -> bool:
    """Whether this is a fake tensor.

    Raises:
        TorchVersionError: If it is a tensor of some subclass, and this torch does not say.
    """
    if type(item) in _PLAIN or not isinstance(item, torch.Tensor):
        return False
    return isinstance(item, needed("torch._subclasses.fake_tensor.FakeTensor"))


def fake_mode_of(item: Any) -> FakeMode | None:
    """The mode that a fake tensor was made in; None for any other tensor."""
    mode: FakeMode | None = item.fake_mode if is_fake(item) else None
    return mode
