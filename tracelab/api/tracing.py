"""`trace`, `trace_module`, `trace_graph`: from a callable and example inputs to a traced callable."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, get_overloads, overload

from torch import Tensor, nn

from tracelab.api.call_and_options import call_and_options, refuse_what_cannot_run
from tracelab.api.shared_arguments import record
from tracelab.api.traced_function import TracedFunction
from tracelab.api.traced_module import TracedModule
from tracelab.capture.call import CallArguments
from tracelab.capture.failures import TraceError
from tracelab.capture.messages import READ_BY_PYTHON, warnings_suppressed
from tracelab.capture.record import asked_whether_tracing, told_that_it_is_traced
from tracelab.capture.values import SYMBOLIC
from tracelab.check.checking import check_calls, refuse_one_input
from tracelab.check.isolation import isolated
from tracelab.check.report import TracingCheckError
from tracelab.compat.modes import keeps_modes
from tracelab.errors import InputError
from tracelab.execute.codegen.guards import MAX_TRACES, Policy, known_action
from tracelab.execute.module import mirror
from tracelab.execute.origin import Origin, kept_examples
from tracelab.execute.run.program import graphs_of
from tracelab.graph.graph import Graph
from tracelab.graph.source import is_inner


@overload
def trace(
    func: nn.Module,
    *args: Any,
    example_inputs: Any = None,
    example_kwarg_inputs: Mapping[str, Any] | None = None,
    check_trace: bool = True,
    check_inputs: Sequence[Any] | None = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
    force_outplace: bool = False,
    on_violation: str = "warn",
    check_values: bool = False,
    max_traces: int = MAX_TRACES,
    function_scopes: bool = True,
    **kwargs: Any,
) -> TracedModule: ...


@overload
def trace(
    func: Callable[..., Any],
    *args: Any,
    example_inputs: Any = None,
    example_kwarg_inputs: Mapping[str, Any] | None = None,
    check_trace: bool = True,
    check_inputs: Sequence[Any] | None = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
    force_outplace: bool = False,
    on_violation: str = "warn",
    check_values: bool = False,
    max_traces: int = MAX_TRACES,
    function_scopes: bool = True,
    **kwargs: Any,
) -> TracedFunction: ...


def trace(func: Callable[..., Any], *args: Any, **kwargs: Any) -> TracedFunction | TracedModule:
    """Run a function or module once on example inputs and record what it does.

    Args:
        func: A function, a module, a method, or anything else that can be called.
        args: The positional arguments, as in a call of `func`: `trace(model, x, mask)`. Arguments may be tuples, lists,
            dicts and objects of any class (dataclasses, caches) that hold tensors, which are inputs, as NumPy arrays
            are; numbers are followed, and text and other values are compared with those of each call. What the
            function writes into an argument is written by each replay into the one that is given. One tuple alone is a
            tuple of the positional arguments, as for `torch.jit.trace`: for a function that takes one tuple, give one
            that holds it.
        kwargs: The arguments by keyword, as in a call: `trace(model, x, mask=mask)`, `trace(model, **batch)`.
        example_inputs: The same as one positional argument alone.
        example_kwarg_inputs: More arguments by keyword. A keyword with the name of an option is the option: an argument
            of that name is given here.
        check_trace: Whether to run the function and its trace again on the same inputs and compare the results.
        check_inputs: More inputs to compare on, each as `example_inputs`.
        check_tolerance: The relative difference that is allowed.
        strict: Whether a dict as output is refused and a list warns.
        force_outplace: Whether in-place operators are recorded as their functional forms.
        on_violation: What a call does where something that decided what was recorded is different (`assumptions` lists
            it): `warn` warns at the caller's line, `raise` raises `AssumptionError`, `ignore` does not look, `retrace`
            takes another recording that fits the call (`cases` lists them), or runs the Python function and records it.
        check_values: Whether values on other devices than the CPU are looked at, too, which waits for the device.
        max_traces: How many recordings `retrace` keeps; calls that fit none of so many run the Python function, with a
            warning that names what keeps changing.
        function_scopes: Whether pictures draw calls of Python functions as boxes, beside those of modules. It is
            `graph.function_scopes`, which can be set later, too.

    Returns:
        A `TracedModule` for a module or a method of one, a `TracedFunction` otherwise.

    Raises:
        InputError: Inputs are missing or invalid, or a keyword may be an option or an argument.
        TraceError: `func` raised; the error has the partial graph.
        TracelabError: Something that was returned cannot be taken apart, such as a set or an iterator.
        TracingCheckError: The trace gives something else than the function.

    >>> traced = tracelab.trace(lambda x: x.view(x.shape[0], -1), torch.ones(2, 3, 4))
    >>> traced(torch.ones(5, 6)).shape
    torch.Size([5, 6])
    >>> linear = torch.nn.functional.linear
    >>> traced = tracelab.trace(linear, torch.ones(2, 3), torch.ones(4, 3), bias=torch.ones(4))
    >>> traced(torch.ones(5, 3), torch.ones(4, 3), bias=torch.ones(4)).shape
    torch.Size([5, 4])
    """
    if isinstance(func, (TracedFunction, TracedModule)):
        return func
    refuse_what_cannot_run(func)
    call, options = call_and_options(func, args, kwargs)
    try:
        return _trace(func, call, **options)
    except TraceError as error:
        error.graph.function_scopes = options.get("function_scopes", True)
        # Of the frames of tracing, one is enough.
        raise error.with_traceback(None) from error.__cause__


# What `help` and editors show.
trace.__signature__ = inspect.signature(get_overloads(trace)[-1])  # type: ignore[attr-defined]


@keeps_modes
def _trace(
    func: Callable[..., Any],
    call: CallArguments,
    *,
    check_trace: bool = True,
    check_inputs: Sequence[Any] | None = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
    force_outplace: bool = False,
    on_violation: str = "warn",
    check_values: bool = False,
    max_traces: int = MAX_TRACES,
    function_scopes: bool = True,
) -> TracedFunction | TracedModule:
    policy = Policy(known_action(on_violation), check_values, _whole(max_traces))
    checks = check_trace or check_inputs is not None
    # On `meta` there are no values that code could read instead.
    answers = told_that_it_is_traced if checks or _has_meta(call) else nullcontext
    call.is_checked = checks
    while True:
        try:
            with answers(), _told(policy):
                traced = _traced(func, call, strict, force_outplace)
            break
        except TraceError as error:
            # Code that is written in C, or asks `type(k) is int`, may not take what stands for a number.
            if call.follows_numbers and call.has_numbers and _may_be_of_numbers(error.__cause__):
                call.follows_numbers = False
            elif call.follows_sizes and _is_of_sizes(error.__cause__):
                call.follows_sizes = False
            else:
                raise
            if call.undo is not None:
                call.undo()
    if checks:
        asked = asked_whether_tracing()
        if check_inputs is not None:
            refuse_one_input(check_inputs, "check_inputs")
        calls = [call] if check_inputs is None else []
        calls += [CallArguments(item, None) for item in check_inputs or ()]
        method = func.__name__ if _is_method(func) else "forward"
        try:
            check_calls(traced, method, calls, check_tolerance, on_violation == "retrace")
        except TracingCheckError:
            if not asked and not call.has_numbers and not call.has_arrays:
                raise
            # What the code does where it believes to be traced, or is given what stands for a number, is something
            # else: it is recorded as it is in Python.
            call.follows_numbers = call.follows_arrays = False
            with isolated([func, *call.given.values()]), _told(policy):
                traced = _traced(func, call, strict, force_outplace)
            check_calls(traced, method, calls, check_tolerance, on_violation == "retrace")
    traced.follow_policy(policy)
    for graph in graphs_of(traced):
        graph.function_scopes = function_scopes
    call.change_arguments()
    return traced


@keeps_modes
def trace_module(
    module: nn.Module,
    inputs: Mapping[str, Any],
    *,
    check_trace: bool = True,
    check_inputs: Sequence[Mapping[str, Any]] | None = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
    force_outplace: bool = False,
    on_violation: str = "warn",
    check_values: bool = False,
    max_traces: int = MAX_TRACES,
    function_scopes: bool = True,
) -> TracedModule:
    """Trace several methods of a module.

    Args:
        module: The module.
        inputs: The example inputs of each method, by its name.
        check_trace: Whether to run each method and its trace again on the same inputs and compare the results.
        check_inputs: More inputs to compare on, each by the method's name.
        check_tolerance: The relative difference that is allowed.
        strict: Whether a dict as output is refused and a list warns.
        force_outplace: Whether in-place operators are recorded as their functional forms.
        on_violation: What a call does where an assumption does not hold, as in `trace`.
        check_values: Whether values on other devices than the CPU are looked at, too, which waits for the device.
        max_traces: How many recordings of a method `retrace` keeps.
        function_scopes: Whether pictures draw calls of Python functions as boxes, as in `trace`.

    Returns:
        The traced module, with these methods.

    Raises:
        InputError: Inputs are missing or invalid, or the module has no such method.
        TraceError: A method raised; the error has the partial graph.
        TracingCheckError: A trace gives something else than its method.

    >>> traced = tracelab.trace_module(torch.nn.Embedding(5, 3), {"forward": torch.tensor([1, 2])})
    >>> traced.method_names()
    ['forward']
    """
    policy = Policy(known_action(on_violation), check_values, _whole(max_traces))
    if not isinstance(module, nn.Module):
        raise InputError(f"trace_module needs a module, but got {type(module).__name__}: use trace for a function")
    if not inputs:
        raise InputError("trace_module needs example inputs for at least one method: {'forward': x}")
    calls = {name: CallArguments(item, None) for name, item in inputs.items()}
    for name in calls:
        if not callable(getattr(module, name, None)):
            raise InputError(f"{type(module).__name__} has no method `{name}`")
    try:
        with _told(policy):
            traced = _trace_methods(module, calls, strict, force_outplace)
    except TraceError as error:
        error.graph.function_scopes = function_scopes
        raise error.with_traceback(None) from error.__cause__
    rounds: list[Mapping[str, Any]] = (
        list(check_inputs) if check_inputs is not None else [inputs] if check_trace else []
    )
    for name in calls:
        each = [CallArguments(items[name], None) for items in rounds if name in items]
        check_calls(traced, name, each, check_tolerance, on_violation == "retrace")
    traced.follow_policy(policy)
    for graph in graphs_of(traced):
        graph.function_scopes = function_scopes
    for call in calls.values():
        call.change_arguments()
    return traced


@overload
def trace_graph(
    func: Callable[..., Any],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    strict: bool = True,
    force_outplace: bool = False,
    return_inputs: Literal[False] = False,
) -> tuple[Graph, Any]: ...


@overload
def trace_graph(
    func: Callable[..., Any],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    strict: bool = True,
    force_outplace: bool = False,
    return_inputs: Literal[True],
) -> tuple[Graph, Any, tuple[Tensor, ...]]: ...


def trace_graph(
    func: Callable[..., Any],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    strict: bool = True,
    force_outplace: bool = False,
    return_inputs: bool = False,
) -> tuple[Graph, Any] | tuple[Graph, Any, tuple[Tensor, ...]]:
    """The graph of one call.

    Args:
        func: A function or module.
        args: A tensor, or a tuple of the positional arguments.
        kwargs: The arguments by keyword.
        strict: Whether a dict as output is refused and a list warns.
        force_outplace: Whether in-place operators are recorded as their functional forms.
        return_inputs: Whether the graph's flat inputs are returned, too.

    Returns:
        The graph, what the call returned, and the flat inputs where they were asked for.

    Raises:
        InputError: Inputs are missing or invalid.
        TraceError: `func` raised; the error has the partial graph.

    >>> graph, outputs = tracelab.trace_graph(torch.sigmoid, (torch.ones(2),))
    >>> print(graph)  # doctest: +ELLIPSIS
    graph(%input_0 : Float(2, strides=[1], requires_grad=0, device=cpu)):
      %sigmoid : Float(2, strides=[1], requires_grad=0, device=cpu) = aten::sigmoid(%input_0)...
      return (%sigmoid)
    <BLANKLINE>
    """
    call = CallArguments(args, kwargs)
    module = func if isinstance(func, nn.Module) else None
    try:
        graph, outputs, flat = record(func, {} if module is None else {"": module}, call, strict, force_outplace)
    except TraceError as error:
        raise error.with_traceback(None) from error.__cause__
    call.change_arguments()
    if not return_inputs:
        return graph, outputs
    state = [graph.state[value] for value in graph.parameters]
    return graph, outputs, (*flat, *state)


def _whole(max_traces: int) -> int:
    if not isinstance(max_traces, int) or isinstance(max_traces, bool) or max_traces < 1:
        raise InputError(f"max_traces={max_traces!r} is no number of recordings: give a whole number from 1")
    return max_traces


def _told(policy: Policy) -> AbstractContextManager[None]:
    """What Python reads is no matter of a warning where another recording is right for what is different."""
    return warnings_suppressed(READ_BY_PYTHON) if policy.on_violation == "retrace" else nullcontext()


def _may_be_of_numbers(error: BaseException | None) -> bool:
    """Whether code may have raised this because a number was a traced one: a `ValueError` only where torch did."""
    if isinstance(error, KeyError):
        # `kinds[type(k)]`.
        return bool(error.args) and any(error.args[0] is stand_in for stand_in in SYMBOLIC)
    if isinstance(error, AttributeError):
        return isinstance(error.obj, SYMBOLIC)
    if not isinstance(error, ValueError):
        return isinstance(error, (TypeError, RuntimeError))
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and is_inner(last.tb_frame.f_code)


def _has_meta(call: CallArguments) -> bool:
    return any(isinstance(item, Tensor) and item.is_meta for item in (*call.args, *call.kwargs.values()))


_OF_SIZES = re.compile(r"\bSym(Int|Float|Bool)\b|an integer is required|expects int\b")


def _is_of_sizes(error: BaseException | None) -> bool:
    """Whether code raised this because a size was a traced number."""
    if isinstance(error, AttributeError) and isinstance(error.obj, SYMBOLIC):
        return True
    return isinstance(error, (TypeError, AttributeError)) and _OF_SIZES.search(str(error)) is not None


def _is_method(func: Any) -> bool:
    return inspect.ismethod(func) and isinstance(func.__self__, nn.Module)


def _traced(
    func: Callable[..., Any], call: CallArguments, strict: bool, force_outplace: bool
) -> TracedFunction | TracedModule:
    if isinstance(func, nn.Module):
        return _trace_methods(func, {"forward": call}, strict, force_outplace)
    if _is_method(func):
        return _trace_methods(func.__self__, {func.__name__: call}, strict, force_outplace)  # type: ignore[attr-defined]
    return _trace_function(func, call, strict, force_outplace)


def _trace_function(
    func: Callable[..., Any], call: CallArguments, strict: bool, force_outplace: bool
) -> TracedFunction:
    graph, _, examples = record(func, {}, call, strict, force_outplace)
    given, version = tuple(call.given.values()), graph.nodes.version
    origin = Origin(func, {}, strict, force_outplace, kept_examples(examples), version, given, call.follows)
    return TracedFunction(graph, getattr(func, "__name__", type(func).__name__), origin)


def _trace_methods(
    module: nn.Module, calls: Mapping[str, CallArguments], strict: bool, force_outplace: bool
) -> TracedModule:
    graphs: dict[str, Graph] = {}
    origins: dict[str, Origin] = {}
    for name, call in calls.items():
        func = module if name == "forward" else getattr(module, name)
        graphs[name], _, examples = record(func, {"": module}, call, strict, force_outplace)
        version = graphs[name].nodes.version
        given = tuple(call.given.values())
        origins[name] = Origin(
            func, {"": module}, strict, force_outplace, kept_examples(examples), version, given, call.follows
        )
    traced = mirror(TracedModule, module, graphs)
    traced.origins = origins
    return traced
