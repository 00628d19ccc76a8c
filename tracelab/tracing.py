"""`trace`, `trace_module`, `trace_graph`: from a callable and example inputs to a traced callable."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tracelab.capture.record import record
from tracelab.check.rerun import check_against_python
from tracelab.execute.module import TracedModule, mirror
from tracelab.execute.traced import TracedFunction
from tracelab.graph.ir import Graph
from tracelab.graph.structure import InputError, InputTree, TracelabError, Tree, rebuild, tree_of


def trace(
    func: Callable[..., Any],
    example_inputs: Any = None,
    *,
    example_kwarg_inputs: Mapping[str, Any] | None = None,
    check_trace: bool = True,
    check_inputs: Sequence[Any] | None = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
    force_outplace: bool = False,
) -> Any:
    """Run a function or module once on example inputs and record what it does.

    `example_inputs` is a tensor, or a tuple of the positional arguments; arguments may be nested tuples, named
    tuples, lists and dicts of tensors. Gives a `TracedModule` for a module, a `TracedFunction` otherwise.

    With `check_trace`, the function and its trace are run again on the same inputs (and on each of
    `check_inputs`) and compared within `check_tolerance` (relative); a difference raises `TracingCheckError`.
    With `strict`, a dict as output is refused and a list warns. With `force_outplace`, in-place operators are
    recorded as their functional forms.

    Raises `InputError` for missing or unfit inputs, `TraceError` (with the partial graph) when `func` raises,
    `TracelabError` for an output that is no tensor.

    >>> traced = tracelab.trace(lambda x: x.view(x.shape[0], -1), torch.ones(2, 3, 4))
    >>> traced(torch.ones(5, 6)).shape
    torch.Size([5, 6])
    """
    if isinstance(func, (TracedFunction, TracedModule)):
        return func
    traced: Any
    if isinstance(func, nn.Module):
        inputs = {"forward": _Call(example_inputs, example_kwarg_inputs)}
        traced = _trace_methods(func, inputs, strict, force_outplace)
    elif inspect.ismethod(func) and isinstance(func.__self__, nn.Module):
        inputs = {func.__name__: _Call(example_inputs, example_kwarg_inputs)}
        traced = _trace_methods(func.__self__, inputs, strict, force_outplace)
    else:
        if not callable(func):
            raise InputError(f"trace needs a function or a module, but got {type(func).__name__}")
        traced = _trace_function(func, _Call(example_inputs, example_kwarg_inputs), strict, force_outplace)
    if check_trace or check_inputs is not None:
        calls = [_Call(example_inputs, example_kwarg_inputs)] if check_inputs is None else []
        calls += [_Call(item, None) for item in check_inputs or ()]
        python = func
        target = traced
        if inspect.ismethod(func) and isinstance(func.__self__, nn.Module) and func.__name__ != "forward":
            target = getattr(traced, func.__name__)
        for call in calls:
            check_against_python(python, target, call.args, call.kwargs, check_tolerance)
    return traced


def trace_module(
    module: nn.Module,
    inputs: Mapping[str, Any],
    *,
    check_trace: bool = True,
    check_inputs: Sequence[Mapping[str, Any]] | None = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
    force_outplace: bool = False,
) -> TracedModule:
    """Trace several methods of a module: `inputs` maps each method's name to its example inputs.

    >>> traced = tracelab.trace_module(net, {"forward": x, "encode": (x, mask)})
    >>> traced.encode(x, mask)
    """
    if not isinstance(module, nn.Module):
        raise InputError(f"trace_module needs a module, but got {type(module).__name__}: use trace for a function")
    if not inputs:
        raise InputError("trace_module needs example inputs for at least one method: {'forward': x}")
    calls = {name: _Call(item, None) for name, item in inputs.items()}
    for name in calls:
        if not callable(getattr(module, name, None)):
            raise InputError(f"{type(module).__name__} has no method `{name}`")
    traced = _trace_methods(module, calls, strict, force_outplace)
    rounds: list[Mapping[str, Any]] = (
        list(check_inputs) if check_inputs is not None else [inputs] if check_trace else []
    )
    for items in rounds:
        for name, item in items.items():
            call = _Call(item, None)
            python = module if name == "forward" else getattr(module, name)
            check_against_python(python, getattr(traced, name), call.args, call.kwargs, check_tolerance)
    return traced


def trace_graph(
    func: Callable[..., Any],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    strict: bool = True,
    force_outplace: bool = False,
    return_inputs: bool = False,
) -> tuple[Any, ...]:
    """The graph of one call and what it returned; with `return_inputs`, the flat inputs of the graph too.

    >>> graph, outputs = tracelab.trace_graph(torch.sigmoid, (torch.ones(2),))
    """
    call = _Call(args, kwargs)
    module = func if isinstance(func, nn.Module) else None
    graph, outputs, flat = _record(func, module, call, strict, force_outplace)
    if not return_inputs:
        return graph, outputs
    state = [graph.state[value] for value in graph.parameters]
    return graph, outputs, (*flat, *state)


class _Call:
    """The arguments of one call."""

    def __init__(self, example_inputs: Any, example_kwarg_inputs: Mapping[str, Any] | None) -> None:
        if example_inputs is None and example_kwarg_inputs is None:
            raise InputError("example_inputs are missing: give the tensors to run the function on, or () for none")
        if example_inputs is None:
            self.args: tuple[Any, ...] = ()
        elif isinstance(example_inputs, (Tensor, Mapping)) or hasattr(example_inputs, "_fields"):
            self.args = (example_inputs,)
        elif isinstance(example_inputs, (tuple, list)):
            self.args = tuple(example_inputs)
        else:
            raise InputError(
                f"example_inputs is of type {type(example_inputs).__name__}: give a tensor, or a tuple of the arguments"
            )
        self.kwargs = dict(example_kwarg_inputs or {})


def _record(
    func: Callable[..., Any], module: nn.Module | None, call: _Call, strict: bool, force_outplace: bool
) -> tuple[Graph, Any, list[Tensor]]:
    names = _argument_names(func, call)
    leaves: list[Tensor] = []
    trees: list[Tree] = []
    labels: list[str] = []
    for name, item in zip(names, (*call.args, *call.kwargs.values()), strict=True):
        before = len(leaves)
        trees.append(tree_of(item, leaves, name))
        count = len(leaves) - before
        labels += [name] if count == 1 else [f"{name}.{index}" for index in range(count)]
    clones = [_clone(leaf) for leaf in leaves]
    fresh = iter(clones)
    items = [rebuild(tree, fresh) for tree in trees]
    positional = len(call.args)
    recording = record(
        func,
        tuple(items[:positional]),
        dict(zip(list(call.kwargs), items[positional:], strict=True)),
        list(zip(labels, clones, strict=True)),
        name=getattr(func, "__name__", type(func).__name__),
        modules={"": module} if module is not None else None,
        strict=strict,
        force_outplace=force_outplace,
    )
    recording.graph.input_tree = InputTree(names, trees, len(call.kwargs))
    return recording.graph, recording.result, [_clone(leaf) for leaf in leaves]


def _clone(tensor: Tensor) -> Tensor:
    """A copy that the traced code may write to: the user's own tensor stays as it is."""
    if type(tensor) not in (Tensor, nn.Parameter) or tensor.is_nested or tensor.layout is not torch.strided:
        return tensor
    with torch.no_grad():
        copy = tensor.detach().clone(memory_format=torch.preserve_format)
    return copy.requires_grad_(tensor.requires_grad)


def _argument_names(func: Callable[..., Any], call: _Call) -> list[str]:
    """The parameter that each argument binds to; `InputError` where the call does not fit the signature."""
    target = func.forward if isinstance(func, nn.Module) else func
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return [f"input_{index}" for index in range(len(call.args))] + list(call.kwargs)
    label = getattr(func, "__name__", type(func).__name__)
    try:
        bound = signature.bind(*call.args, **call.kwargs)
    except TypeError as error:
        wanted = ", ".join(str(parameter) for parameter in signature.parameters.values())
        raise InputError(
            f"{label}({wanted}) does not take these example inputs ({len(call.args)} positional"
            f"{', ' + ', '.join(call.kwargs) if call.kwargs else ''}): {error}"
        ) from None
    names: list[str] = []
    for name in bound.arguments:
        parameter = signature.parameters[name]
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            names += [f"{name}_{index}" for index in range(len(bound.arguments[name]))]
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD or name in call.kwargs:
            continue
        else:
            names.append(name)
    return names + list(call.kwargs)


def _trace_function(func: Callable[..., Any], call: _Call, strict: bool, force_outplace: bool) -> TracedFunction:
    graph, _, _ = _record(func, None, call, strict, force_outplace)
    return TracedFunction(graph, getattr(func, "__name__", type(func).__name__), func)


def _trace_methods(module: nn.Module, calls: Mapping[str, _Call], strict: bool, force_outplace: bool) -> TracedModule:
    graphs: dict[str, Graph] = {}
    for name, call in calls.items():
        func = module if name == "forward" else getattr(module, name)
        graphs[name], _, _ = _record(func, module, call, strict, force_outplace)
    return mirror(module, graphs)


__all__ = ["TracelabError", "trace", "trace_graph", "trace_module"]
