"""Recording a call in which a plain list or dict is given twice.

Each is one of its own, as for `torch.jit.trace`: a replay may give two. Where the code writes to it, it has to be one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from tracelab.capture.call import CallArguments, record_call
from tracelab.check.isolation import isolated
from tracelab.graph.graph import Graph


def record(
    func: Callable[..., Any],
    modules: Mapping[str, nn.Module],
    call: CallArguments,
    strict: bool = True,
    force_outplace: bool = False,
) -> tuple[Graph, Any, list[Tensor]]:
    """What `record_call` gives; recorded again, which changes nothing, where the code wrote to what is shared."""
    recorded = record_call(func, modules, call, strict, force_outplace)
    if call.joins or not call.writes_to_shared:
        return recorded
    call.joins = True
    with isolated([func, *modules.values(), *call.given.values()]):
        return record_call(func, modules, call, strict, force_outplace)
