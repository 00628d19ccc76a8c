"""The state of torch's random generators: that of each device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

Access = tuple[Callable[[], Any], Callable[[Any], None]]
"""Gives the state of one generator; sets it."""


def torch_generators() -> Iterator[Access]:
    """Those of the devices that something has used."""
    yield torch.get_rng_state, torch.set_rng_state
    for name in ("cuda", "xpu"):
        device = getattr(torch, name, None)
        # Asking starts a device that nothing has used yet.
        if device is not None and device.is_initialized():
            yield device.get_rng_state_all, device.set_rng_state_all
    if torch.backends.mps.is_available():
        yield torch.mps.get_rng_state, torch.mps.set_rng_state
