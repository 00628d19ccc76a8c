"""The entry points of `torch.func`, and higher-order operators: each call is a region that stays one node."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from tracelab.capture.layers.regions import record_region
from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import active
from tracelab.compat.functorch import (
    FUNCTIONALIZE,
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
from tracelab.compat.modes import innermost_transform
from tracelab.compat.operators import HigherOrderOperator, marked_function
from tracelab.errors import TracelabError
from tracelab.graph.callables.higher_order import OperatorCall, TransformCall


def _region(shared: Callable[..., Any], name: str) -> Code:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def function(*args: Any, **kwargs: Any) -> Any:
            recorder = active.recorder
            if recorder is None or recorder.paused:
                return original(*args, **kwargs)
            return record_region(recorder, name, shared, args, kwargs)

        return function

    return Code(shared, make)


def _transform(shared: Callable[..., Any], name: str) -> Code:
    """`jacrev(f)` and its like: calling what it returns is the region."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def transform(func: Any, *options: Any, **named: Any) -> Any:
            made = original(func, *options, **named)
            if active.recorder is None:
                return made

            @functools.wraps(made)
            def function(*args: Any, **kwargs: Any) -> Any:
                recorder = active.recorder
                if recorder is None or recorder.paused:
                    return made(*args, **kwargs)
                run = TransformCall(shared, name, options, named)
                return record_region(recorder, name, run, (func, *args), kwargs)

            return function

        return transform

    return Code(shared, make)


def _higher_order(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(operator: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is not None and recorder.paused and operator.name() == "cond" and innermost_transform() is not None:
            # torch needs its compiler for it, which a recording holds off.
            raise TracelabError(_BATCHED_COND)
        if recorder is None or recorder.paused:
            return original(operator, *args, **kwargs)
        marked = marked_function(args[0]) if args else None
        if marked is not None:
            args = (marked, *args[1:])
        return record_region(recorder, operator.name(), OperatorCall(_operator.__call__, operator), args, kwargs)

    return call


def _refused(shared: Callable[..., Any], name: str, instead: str) -> Code:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def function(*args: Any, **kwargs: Any) -> Any:
            recorder = active.recorder
            if recorder is not None and not recorder.paused:
                # The stand-in, the code that calls it, and then whoever asked.
                asker = sys._getframe(2).f_code.co_qualname.partition(".")[0]
                raise TracelabError(_MADE_BEFORE.format(asker) if asker in _REVERSE else _REFUSED.format(name, instead))
            return original(*args, **kwargs)

        return function

    return Code(shared, make)


_REVERSE = (JACREV, HESSIAN)
_REFUSED = "{} returns a function, which a graph cannot hold: use torch.autograd.grad or {}"
_BATCHED_COND = (
    "torch.cond inside of torch.vmap or torch.func.grad cannot be recorded: both sides are computed there anyway, so "
    "that torch.where(condition, this, that) does the same"
)
_MADE_BEFORE = (
    "a function that torch.func.{0} made before the trace is called inside it, where a graph cannot follow it: "
    "call torch.func.{0} inside the traced code"
)


_operator: Any = HigherOrderOperator

HIGHER_ORDER = (
    # The bodies behind torch.vmap and torch.func.grad: reached also by wrappers made before the recording.
    _region(getattr(apis, VMAP), "vmap"),
    *(_region(getattr(eager, name), shown) for name, shown in ((GRAD, "grad"), (GRAD_AND_VALUE, "grad_and_value"))),
    _region(getattr(eager, JVP), "jvp"),
    _refused(getattr(eager, VJP), "torch.func.vjp", "torch.func.grad"),
    _refused(getattr(eager, LINEARIZE), "torch.func.linearize", "torch.func.jvp"),
    *(_transform(getattr(eager, name), name) for name in (JACREV, JACFWD, HESSIAN, FUNCTIONALIZE)),
    Code(_operator.__call__, _higher_order),
)
"""Make regions of them."""
