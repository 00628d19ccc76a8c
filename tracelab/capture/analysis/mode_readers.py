"""Functions of torch, written in C, that tell a mode: one that was fetched before a trace cannot be replaced in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

_PLAIN = ("is_grad_enabled", "is_inference_mode_enabled", "get_default_dtype", "get_num_threads")
AUTOCAST_READERS = (
    "is_autocast_enabled",
    "is_autocast_cpu_enabled",
    "is_autocast_cache_enabled",
    "get_autocast_dtype",
    "get_autocast_cpu_dtype",
    "get_autocast_gpu_dtype",
)
"""Functions that tell something of autocast."""
_DEVICES = ("cpu", "cuda")
_is_enabled, _dtype_of = torch.is_autocast_enabled, torch.get_autocast_dtype


def _autocast() -> list[Any]:
    """All that they may answer; some of them are deprecated, and warn."""
    enabled = [_is_enabled(device) for device in _DEVICES]
    return [(device, _dtype_of(device)) for device, on in zip(_DEVICES, enabled, strict=True) if on]


_READERS: dict[int, tuple[Any, str, Callable[[], Any]]] = {}
for _name in (*_PLAIN, *AUTOCAST_READERS):
    _function = getattr(torch, _name)
    if not hasattr(_function, "__code__"):
        _READERS[id(_function)] = (
            _function,
            f"torch.{_name}()" if _name in _PLAIN else "what autocast does",
            _function if _name in _PLAIN else _autocast,
        )


def is_mode_reader(item: Any) -> bool:
    """Whether an object is such a function."""
    return id(item) in _READERS


def mode_told_by(reader: Any) -> tuple[str, Callable[[], Any]]:
    """What such a function tells, and what asks for it."""
    return _READERS[id(reader)][1:]
