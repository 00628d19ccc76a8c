"""Regions that stay one node: transforms of `torch.func`, and higher-order operators.

What runs inside them is not what would run on plain tensors (batched, differentiated, branched on), so that a
record of it would be wrong. The whole call becomes one runnable node. A function that such a region is given may
use traced tensors from outside its arguments: those that `lifting` finds become arguments of the node; others (in an
attribute of an object, say) cannot be followed, and are refused with the way out.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch

from tracelab.capture.patches.lifting import Lifted, Lifting
from tracelab.capture.recorder import Recorder, active
from tracelab.capture.recording_paused import Unseen
from tracelab.capture.values import concrete
from tracelab.errors import TracelabError
from tracelab.graph.ir import Role, Value

_eager = sys.modules["torch._functorch.eager_transforms"]
_apis = sys.modules["torch._functorch.apis"]

Setter = Callable[[Any, str, Any], None]


def patch_opaque(set_: Setter) -> None:
    """Replace the entry points, through the setter that remembers how to put them back."""
    # The bodies behind torch.vmap and torch.func.grad: reached also by wrappers made before the recording.
    set_(_apis, "vmap_impl", _region(_apis.vmap_impl, "vmap"))
    for name in ("grad_impl", "grad_and_value_impl"):
        set_(_eager, name, _region(getattr(_eager, name), name.removesuffix("_impl")))
    set_(_eager, "_jvp_with_argnums", _region(_eager._jvp_with_argnums, "jvp"))
    set_(_eager, "_vjp_with_argnums", _refused(_eager._vjp_with_argnums, "torch.func.vjp", "torch.func.grad"))
    linearize = _refused(_eager.linearize, "torch.func.linearize", "torch.func.jvp")
    for module in (_eager, torch.func):
        set_(module, "linearize", linearize)
    for name in ("jacrev", "jacfwd", "hessian"):
        transform = _transform(getattr(_eager, name), name)
        set_(_eager, name, transform)
        set_(torch.func, name, transform)
    set_(torch._ops.HigherOrderOperator, "__call__", _higher_order(torch._ops.HigherOrderOperator.__call__))


def _region(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside:
            return original(*args, **kwargs)
        return record_region(recorder, name, original, args, kwargs)

    return function


def _transform(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`jacrev(f)` and its like: calling what it returns is the region."""

    @functools.wraps(original)
    def transform(*options: Any, **named: Any) -> Any:
        made = original(*options, **named)

        @functools.wraps(made)
        def function(*args: Any, **kwargs: Any) -> Any:
            recorder = active.recorder
            if recorder is None or recorder.inside:
                return made(*args, **kwargs)

            def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
                return original(function, *options[1:], **named)(*args, **kwargs)

            run.__name__ = name
            return record_region(recorder, name, run, (options[0], *args), kwargs)

        return function

    return transform


def _higher_order(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(operator: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside:
            return original(operator, *args, **kwargs)

        def run(*args: Any, **kwargs: Any) -> Any:
            return original(operator, *args, **kwargs)

        run.__name__ = operator.name()
        return record_region(recorder, operator.name(), run, args, kwargs)

    return call


def _refused(original: Callable[..., Any], name: str, instead: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is not None and not recorder.inside:
            raise TracelabError(
                f"{name} returns a function, which a graph cannot hold: use torch.autograd.grad or {instead}"
            )
        return original(*args, **kwargs)

    return function


def record_region(
    recorder: Recorder, name: str, target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Run a call as one node; traced tensors and numbers that the functions it is given hold become arguments."""
    lifting = Lifting(recorder)
    args = tuple(lifting.lift(arg) for arg in args)
    given = {id(item) for item in _tensors((args, kwargs))}
    with Unseen(recorder):
        # Under other identities: whatever uses the traced tensors themselves was not found, and is refused.
        lent = [item.view_as(item) if isinstance(item, torch.Tensor) else concrete(item) for item in lifting.found]
    free: list[Value] = []

    def run() -> Any:
        outer, recorder.watched = recorder.watched, {}
        try:
            return run_region(target, concrete(args), lent, **concrete(kwargs))
        finally:
            free.extend(value for key, value in recorder.watched.items() if key not in given)
            recorder.watched = outer

    made = (target, args, tuple(lifting.found))
    result = recorder.record_call(
        "prim::PythonOp", run_region, made, kwargs, run=run, attributes={"name": name, "inplace": False}
    )
    if free:
        raise TracelabError(
            f"the function given to {name} uses %{free[0].name} from outside its arguments, which a graph cannot "
            f"follow: pass it as an argument"
        )
    return result


def run_region(target: Callable[..., Any], args: tuple[Any, ...], lifted: Sequence[Any], **kwargs: Any) -> Any:
    """Run a recorded region; functions get the tensors and numbers that they held as they are in this run."""
    return target(*[arg.bound(lifted) if isinstance(arg, Lifted) else arg for arg in args], **kwargs)


def _tensors(item: Any) -> list[torch.Tensor]:
    if isinstance(item, torch.Tensor):
        return [item]
    if isinstance(item, dict):
        item = list(item.values())
    return [leaf for child in item for leaf in _tensors(child)] if isinstance(item, (list, tuple)) else []


def watch(recorder: Recorder, args: Any) -> None:
    """Note the traced tensors that a region uses."""
    assert recorder.watched is not None
    for tensor in _tensors(args):
        value = recorder.known(tensor)
        if value is not None and value.role in (Role.NODE, Role.INPUT):
            recorder.watched[id(tensor)] = value
