"""`compare`: two runs value by value, of what was traced and of Python code that is traced first."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn

from tracelab.api.tracing import trace
from tracelab.check.findings import CallInputs
from tracelab.comparison.values import Comparison, compare_runs
from tracelab.comparison.values_data import ComparedValue
from tracelab.errors import InputError
from tracelab.execute.function import ReplayFunction
from tracelab.execute.module import ReplayModule
from tracelab.execute.run.program import argument_names
from tracelab.graph.graph import Graph


def compare(
    a: Any,
    b: Any,
    /,
    *inputs: Any,
    rtol: float | None = None,
    atol: float | None = None,
    devices: tuple[str | torch.device | None, str | torch.device | None] = (None, None),
    dtypes: tuple[torch.dtype | None, torch.dtype | None] = (None, None),
    method: str = "forward",
    progress: Callable[[ComparedValue], None] | None = None,
    **kwargs: Any,
) -> Comparison:
    """Run `a` and `b` node by node on the same inputs, and compare each value that both have.

    A keyword that the code of `a` or `b` has an argument for is that argument, not an option.

    Graphs are aligned as by `tracelab.diff`. Where operators have other names, as in a trace and its ONNX file, each
    runs once before, and values are paired by order, shapes and content. The two go on in turns and a value is let go
    once it is compared, so that no more than a run's own memory is held twice.
    Both draw the same random numbers; inputs, state and random state stay as they were. Values agree where
    `|a - b| <= atol + rtol * max(|a|, rms(a))`.

    Args:
        a: A traced function or module, a graph, or a Python function or module, which is traced on these inputs first.
        b: The other one.
        *inputs: The arguments of the call, or one `tracelab.CallInputs(args, kwargs)`, whose keywords are never
            options.
        rtol: The relative tolerance; by default that of `torch.testing.assert_close` for the coarser dtype.
        atol: The absolute tolerance, by default likewise.
        devices: Where each runs: `("cpu", "cuda")`.
        dtypes: What inputs and state of each are cast to: `(None, torch.bfloat16)`.
        method: Which method of modules.
        progress: Called with each row.
        **kwargs: The arguments of the call by keyword.

    Returns:
        The comparison; `first_divergent` is the first operator whose outputs diverge.

    Raises:
        InputError: The inputs do not fit.
        TracelabError: The graphs have no node in common, and not as many results.

    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    >>> bool(tracelab.compare(tracelab.trace(net, torch.ones(2, 4)), net, torch.ones(2, 4)))
    True
    """
    options: dict[str, Any] = {
        "rtol": rtol,
        "atol": atol,
        "devices": devices,
        "dtypes": dtypes,
        "method": method,
        "progress": progress,
    }
    if len(inputs) == 1 and isinstance(inputs[0], CallInputs):
        inputs, kwargs = inputs[0].args, {**inputs[0].kwargs, **kwargs}
    else:
        own = {name for item in (a, b) for name in _argument_names(item, method)}
        for name, default in _DEFAULTS.items():
            if name in own and options[name] is not default:
                kwargs[name], options[name] = options[name], default
    sides = [_traced(item, inputs, kwargs, options["method"]) for item in (a, b)]
    python = (sides[0] is not a, sides[1] is not b)
    return compare_runs(sides[0], sides[1], inputs, kwargs, python=python, **options)


_DEFAULTS: dict[str, Any] = dict(compare.__kwdefaults__ or {})


def _argument_names(item: Any, method: Any) -> Iterable[str]:
    """The names of the arguments of the code that is compared."""
    # A tensor given as `method` is an argument of that name; it says nothing of a method.
    method = method if isinstance(method, str) else "forward"
    if isinstance(item, (ReplayFunction, ReplayModule)):
        return argument_names(item, method)
    try:
        return inspect.signature(getattr(item, method) if isinstance(item, nn.Module) else item).parameters
    except (AttributeError, TypeError, ValueError):
        return ()


def _traced(item: Any, inputs: tuple[Any, ...], kwargs: Mapping[str, Any], method: str) -> Any:
    """What was traced already as it is; Python code traced on these inputs."""
    if isinstance(item, (Graph, ReplayFunction, ReplayModule)):
        return item
    if not callable(item):
        raise InputError(f"nothing to compare in {type(item).__name__}: give a traced object, a function or a module")
    target = getattr(item, method) if isinstance(item, nn.Module) and method != "forward" else item
    return trace(target, inputs, example_kwarg_inputs=kwargs or None, check_trace=False, strict=False)
