"""A traced callable gives what the Python gives that it was traced from."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

import tracelab

EXACT = {"rtol": 0.0, "atol": 0.0, "equal_nan": True}


def assert_same(found: Any, wanted: Any, **tolerance: float) -> None:
    """The same structure, container by container, and the same tensors."""
    if isinstance(wanted, Tensor):
        assert isinstance(found, Tensor)
        torch.testing.assert_close(found, wanted, **(tolerance or EXACT))
        assert found.requires_grad == wanted.requires_grad
    elif isinstance(wanted, Mapping):
        assert type(found) is type(wanted)
        assert list(found) == list(wanted)
        for key in wanted:
            assert_same(found[key], wanted[key], **tolerance)
    elif isinstance(wanted, (tuple, list)):
        assert type(found) is type(wanted)
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other, **tolerance)
    else:
        assert found == wanted
        assert type(found) is type(wanted)


def copied(item: Any) -> Any:
    """The same inputs in memory of their own; gradients are asked for where they were."""
    if isinstance(item, Tensor):
        return item.detach().clone().requires_grad_(item.requires_grad)
    if isinstance(item, tuple) and hasattr(item, "_fields"):
        return type(item)(*map(copied, item))
    if isinstance(item, (tuple, list)):
        return type(item)(map(copied, item))
    return {key: copied(child) for key, child in item.items()} if isinstance(item, dict) else item


def replays(
    function: Any, example: Any, *others: Any, tolerance: dict[str, float] | None = None, **options: Any
) -> Any:
    """Trace on `example` without any warning, and replay on it and on `others`: results equal eager's."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", tracelab.TracerWarning)
        traced = tracelab.trace(function, copied(example), check_trace=False, **options)
    agrees(traced, function, example, *others, **(tolerance or {}))
    return traced


def agrees(traced: Any, function: Any, *calls: Any, **tolerance: float) -> None:
    """On each call, from the same random state, the trace gives what the Python gives."""
    for call in calls:
        args = call if type(call) is tuple else (call,)
        buffers = [item.clone() for item in function.buffers()] if isinstance(function, nn.Module) else []
        torch.manual_seed(1)
        wanted = function(*copied(args))
        for buffer, kept in zip(function.buffers() if buffers else (), buffers, strict=True):
            buffer.copy_(kept)
        torch.manual_seed(1)
        assert_same(traced(*copied(args)), wanted, **tolerance)
