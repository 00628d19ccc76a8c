"""The entry points of `torch.func`, and higher-order operators: each call is a region that stays one node."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.layers.regions import record_region
from tracelab.capture.patches.registry import Registry
from tracelab.capture.recording.recorder import active
from tracelab.compat.functorch import (
    GRAD,
    GRAD_AND_VALUE,
    HESSIAN,
    JACFWD,
    JACREV,
    JVP,
    LINEARIZE,
    VJP,
    VMAP,
    apis,
    eager,
)
from tracelab.compat.operators import HigherOrderOperator
from tracelab.errors import TracelabError
from tracelab.graph.callables.higher_order import OperatorCall, TransformCall


def patch_higher_order(registry: Registry) -> None:
    """Make regions of them."""
    # The bodies behind torch.vmap and torch.func.grad: reached also by wrappers made before the recording.
    registry.set(apis, VMAP, _region(getattr(apis, VMAP), "vmap"))
    for name, shown in ((GRAD, "grad"), (GRAD_AND_VALUE, "grad_and_value"), (JVP, "jvp")):
        registry.set(eager, name, _region(getattr(eager, name), shown))
    registry.set(eager, VJP, _refused(getattr(eager, VJP), "torch.func.vjp", "torch.func.grad"))
    linearize = _refused(getattr(eager, LINEARIZE), "torch.func.linearize", "torch.func.jvp")
    for module in (eager, torch.func):
        registry.set(module, LINEARIZE, linearize)
    for name in (JACREV, JACFWD, HESSIAN):
        transform = _transform(getattr(eager, name), name)
        registry.set(eager, name, transform)
        registry.set(torch.func, name, transform)
    operator: Any = HigherOrderOperator
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
