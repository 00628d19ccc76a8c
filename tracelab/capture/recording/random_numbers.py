"""Random numbers as if code had not run: for what runs once more, to be recorded."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy
import torch

from tracelab.compat.pytrees import leaves


@contextmanager
def random_numbers_kept(*arguments: Any) -> Iterator[None]:
    """Afterwards the generators of Python, NumPy and torch (on the CPU, and where the arguments are) are as before."""
    tensors = [item for item in leaves(arguments) if isinstance(item, torch.Tensor)]
    devices = sorted({item.device.index or 0 for item in tensors if item.device.type == "cuda"})
    of_python, of_numpy = random.getstate(), numpy.random.get_state()
    of_torch, of_devices = torch.get_rng_state(), [torch.cuda.get_rng_state(device) for device in devices]
    try:
        yield
    finally:
        random.setstate(of_python)
        numpy.random.set_state(of_numpy)
        torch.set_rng_state(of_torch)
        for device, state in zip(devices, of_devices, strict=True):
            torch.cuda.set_rng_state(state, device)
