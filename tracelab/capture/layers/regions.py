"""Regions that stay one node: transforms of `torch.func`, and higher-order operators.

What runs inside them is not what would run on plain tensors (batched, differentiated, branched on), so that a
record of it would be wrong. The whole call becomes one runnable node. A function that such a region is given may
use traced tensors from outside its arguments: those that `lifting` finds become arguments of the node; others (in an
attribute of an object, say) cannot be followed, and are refused with a suggestion.

What each function does is recorded beside it, on plain tensors like those that it was called with: see `pieces`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.layers.lifting import Lifting
from tracelab.capture.layers.pieces import Calls
from tracelab.capture.recording.recorder import Recorder, recording_paused
from tracelab.capture.values import concrete
from tracelab.errors import TracelabError
from tracelab.graph.callables.higher_order import OperatorCall, run_region, with_functions
from tracelab.graph.ir import Role, Value
from tracelab.graph.kinds import PYTHON_CALL


def record_region(
    recorder: Recorder,
    name: str,
    target: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    writes: bool = False,
) -> Any:
    """Run a call as one node; traced tensors and numbers that the functions it is given hold become arguments.

    `writes` says that it may write to the tensors that it is given.
    """
    lifting = Lifting(recorder)
    args = lifting.lift_all(args, isinstance(target, OperatorCall))
    given = {id(item) for item in _tensors((args, kwargs))}
    calls = Calls(isinstance(target, OperatorCall))
    result, error = None, None
    with recording_paused(recorder):
        # Under other identities: whatever uses the traced tensors themselves was not found, and is refused.
        lent = [item.view_as(item) if isinstance(item, torch.Tensor) else concrete(item) for item in lifting.found]
        free: list[Value] = []
        outer, recorder.region_inputs = recorder.region_inputs, {}
        try:
            seen = with_functions(concrete(args), lambda item: calls.watched(item, item.of(lent)))
            result = target(*seen, **concrete(kwargs))
        except Exception as raised:
            error = raised
        finally:
            free.extend(value for key, value in recorder.region_inputs.items() if key not in given)
            recorder.region_inputs = outer
        if error is None and not free:
            calls.record_pieces(recorder, name, args, lifting.found, lent)

    def ran() -> Any:
        if error is not None:
            raise error
        return result

    made = (target, args, tuple(lifting.found))
    result = recorder.record_call(
        PYTHON_CALL, run_region, made, kwargs, run=ran, attributes={"name": name, "inplace": writes}
    )
    if free:
        raise TracelabError(
            f"the function given to {name} uses %{free[0].name} from outside its arguments, which a graph cannot "
            f"follow: pass it as an argument"
        )
    return result


def _tensors(item: Any) -> list[torch.Tensor]:
    if isinstance(item, torch.Tensor):
        return [item]
    if isinstance(item, dict):
        item = list(item.values())
    return [leaf for child in item for leaf in _tensors(child)] if isinstance(item, (list, tuple)) else []


def note_use(recorder: Recorder, args: Any) -> None:
    """Note the traced tensors that a region uses."""
    assert recorder.region_inputs is not None
    for tensor in _tensors(args):
        value = recorder.known(tensor)
        if value is not None and value.role in (Role.COMPUTED, Role.INPUT):
            recorder.region_inputs[id(tensor)] = value
