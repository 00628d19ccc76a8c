"""Functions whose Python binding takes plain integers only.

Given a traced size, the binding would ask for its number; the operator behind it is called instead,
which keeps the size traced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.recording.operators import operator_of
from tracelab.capture.recording.recorder import Recorder
from tracelab.capture.values import concrete
from tracelab.compat import bindings
from tracelab.compat.operators import resolve_overload
from tracelab.errors import TorchVersionError

Handler = Callable[[Recorder, tuple[Any, ...], dict[str, Any]], Any]

_FUNCTIONS = """
    _pad_packed_sequence adaptive_avg_pool1d adaptive_max_pool1d avg_pool1d bartlett_window blackman_window diag
    diag_embed diagonal hamming_window hann_window kaiser_window linspace logspace max_pool1d max_pool2d max_pool3d
    pixel_shuffle pixel_unshuffle rot90 tril_indices triu_indices
""".split()
_NN = """
    adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool3d avg_pool2d avg_pool3d one_hot
""".split()
_METHODS = "diag diag_embed diagonal unfold".split()


def handlers() -> dict[Any, Handler]:
    """A handler for each of these functions."""
    table: dict[Any, Handler] = {}
    for owner, names in ((torch, _FUNCTIONS), (bindings.nn, _NN), (torch.Tensor, _METHODS)):
        for name in names:
            function = getattr(owner, name, None)
            if function is not None:
                table[function] = _handler(name)
    return table


def _handler(name: str) -> Handler:
    packet = getattr(torch.ops.aten, name)

    def handle(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not _holds_size((*args, *kwargs.values())):
            return NotImplemented
        try:
            overload = resolve_overload(f"aten::{name}", concrete(args), concrete(kwargs))
        except TorchVersionError:
            raise
        except RuntimeError:
            return NotImplemented
        return recorder.run_operator(operator_of(getattr(packet, overload or "default")), args, kwargs)

    return handle


def _holds_size(items: Any) -> bool:
    return any(
        isinstance(item, torch.SymInt) or (isinstance(item, (tuple, list)) and _holds_size(item)) for item in items
    )
