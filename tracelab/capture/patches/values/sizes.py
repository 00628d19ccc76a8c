"""A function of torch's on shapes that takes Python's own numbers alone: of traced ones it gives traced ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from tracelab.capture.patches.attribute import Attribute
from tracelab.capture.values import SYMBOLIC
from tracelab.compat.sizes import INFER_SIZE, infer_size


def _of_traced(original: Callable[..., Any]) -> Callable[..., Any]:
    def function(one: Sequence[Any], other: Sequence[Any]) -> Any:
        if any(type(size) in SYMBOLIC for size in (*one, *other)):
            return torch.broadcast_shapes(tuple(one), tuple(other))
        return original(one, other)

    return function


SIZES = () if infer_size is None else (Attribute(torch.nn.functional, INFER_SIZE, _of_traced),)
"""What weights of losses are spread over."""
