"""Python functions that torch calls once for each number of a tensor on the CPU: `apply_`, `map_` and `map2_`.

What they compute is no operator, so that each call is one node, which writes to the tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from tracelab.capture.layers.regions import record_region
from tracelab.capture.recording.recorder import Recorder

Handler = Callable[[Recorder, tuple[Any, ...], dict[str, Any]], Any]

_properties: Any = Tensor
"""The class without its annotations, which do not know all of its methods."""


def _one_node(method: Callable[..., Any]) -> Handler:
    return lambda recorder, args, kwargs: record_region(recorder, method.__name__, method, args, kwargs, writes=True)


HANDLERS: dict[Any, Handler] = {
    method: _one_node(method) for method in (_properties.apply_, _properties.map_, _properties.map2_)
}
