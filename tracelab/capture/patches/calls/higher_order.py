"""The entry points of `torch.func`, and higher-order operators: each call is a region that stays one node."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.layers.regions import record_region
from tracelab.capture.patches.registry import Registry
from tracelab.capture.recording.recorder import active
from tracelab.errors import TracelabError
from tracelab.graph.callables.higher_order import OperatorCall, TransformCall

_eager = sys.modules["torch._functorch.eager_transforms"]
_apis = sys.modules["torch._functorch.apis"]


def patch_higher_order(registry: Registry) -> None:
    """Make regions of them."""
    # The bodies behind torch.vmap and torch.func.grad: reached also by wrappers made before the recording.
    registry.set(_apis, "vmap_impl", _region(_apis.vmap_impl, "vmap"))
    for name in ("grad_impl", "grad_and_value_impl"):
        registry.set(_eager, name, _region(getattr(_eager, name), name.removesuffix("_impl")))
    registry.set(_eager, "_jvp_with_argnums", _region(_eager._jvp_with_argnums, "jvp"))
    registry.set(_eager, "_vjp_with_argnums", _refused(_eager._vjp_with_argnums, "torch.func.vjp", "torch.func.grad"))
    linearize = _refused(_eager.linearize, "torch.func.linearize", "torch.func.jvp")
    for module in (_eager, torch.func):
        registry.set(module, "linearize", linearize)
    for name in ("jacrev", "jacfwd", "hessian"):
        transform = _transform(getattr(_eager, name), name)
        registry.set(_eager, name, transform)
        registry.set(torch.func, name, transform)
    operator: Any = torch._ops.HigherOrderOperator
    registry.set(operator, "__call__", _higher_order(operator.__call__))


def _region(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
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
            if recorder is None or recorder.paused:
                return made(*args, **kwargs)
            run = TransformCall(original, name, options[1:], named)
            return record_region(recorder, name, run, (options[0], *args), kwargs)

        return function

    return transform


def _higher_order(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(operator: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(operator, *args, **kwargs)
        return record_region(recorder, operator.name(), OperatorCall(original, operator), args, kwargs)

    return call


def _refused(original: Callable[..., Any], name: str, instead: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is not None and not recorder.paused:
            raise TracelabError(
                f"{name} returns a function, which a graph cannot hold: use torch.autograd.grad or {instead}"
            )
        return original(*args, **kwargs)

    return function
