"""What `trace` is given: the arguments of the call, and its own options beside them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import FunctionType, MethodType
from typing import Any, TypedDict

from torch import Tensor, nn

from tracelab.capture.call import CallArguments
from tracelab.errors import InputError


class TraceOptions(TypedDict, total=False):
    """The options of `trace`."""

    check_trace: bool
    check_inputs: Any
    check_tolerance: float
    strict: bool
    force_outplace: bool
    on_violation: str
    check_values: bool
    max_traces: int
    function_scopes: bool


_OPTIONS = frozenset(TraceOptions.__annotations__)
_EXAMPLES = ("example_inputs", "example_kwarg_inputs")


def call_and_options(
    func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[CallArguments, TraceOptions]:
    """The call that is traced, and the options; a keyword with the name of an option is the option.

    Raises `InputError` where `func` has an argument of that name that nothing else gives.
    """
    rest = dict(kwargs)
    examples, named = rest.pop("example_inputs", None), rest.pop("example_kwarg_inputs", None)
    options = TraceOptions(**{name: rest.pop(name) for name in list(rest) if name in _OPTIONS})  # type: ignore[typeddict-item]
    if args and examples is not None:
        raise InputError("the arguments are given twice: in the call and as example_inputs")
    twice = [name for name in rest if name in (named or {})]
    if twice:
        raise InputError(f"the argument `{twice[0]}` is given twice: in the call and in example_kwarg_inputs")
    keywords = {**rest, **named} if named is not None else rest or None
    call = CallArguments(_positional(args) if args else examples, keywords)
    _refuse_ambiguous(func, call, [name for name in kwargs if name in _OPTIONS or name in _EXAMPLES])
    return call, options


def _positional(args: tuple[Any, ...]) -> Any:
    """The arguments as `CallArguments` takes them: one alone may be a tuple of all."""
    if len(args) > 1:
        return args
    alone = args[0]
    whole = alone is None or isinstance(alone, (Tensor, Mapping)) or type(alone) in (tuple, list)
    return alone if whole else args


def _refuse_ambiguous(func: Callable[..., Any], call: CallArguments, options: list[str]) -> None:
    function = func.forward if isinstance(func, nn.Module) else func
    plain = _plain(function)
    if plain is not None:
        # `inspect` takes longer than to record a small function.
        code = plain.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        options = [name for name in options if name in names]
    if not options:
        return
    try:
        signature = inspect.signature(function)
        given = signature.bind_partial(*call.args, **call.kwargs).arguments
    except (TypeError, ValueError):
        return
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    for name in options:
        parameter = signature.parameters.get(name)
        if parameter is not None and parameter.kind in kinds and name not in given:
            label = getattr(func, "__name__", type(func).__name__)
            raise InputError(
                f"`{name}` is an option of trace and an argument of {label}: give the argument in example_kwarg_inputs="
                f"{{{name!r}: ...}}, or by its place"
            )


def _plain(function: Any) -> FunctionType | None:
    """The function of a function or method that has nothing of its own: no other signature, no mark."""
    function = function.__func__ if type(function) is MethodType else function
    return function if type(function) is FunctionType and not vars(function) else None


def refuse_what_cannot_run(func: Any) -> None:
    """Raise `InputError` for what cannot be called, and for coroutines, which only an event loop runs."""
    if not callable(func):
        raise InputError(f"trace needs a function or a module, but got {type(func).__name__}")
    function = func.forward if isinstance(func, nn.Module) else func
    plain = _plain(function)
    if plain is not None and not plain.__code__.co_flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        return
    called = function if inspect.isroutine(function) else getattr(function, "__call__", None)  # noqa: B004
    for item in (function, called):
        if inspect.iscoroutinefunction(item) or inspect.isasyncgenfunction(item):
            label = getattr(func, "__name__", type(func).__name__)
            raise InputError(
                f"{label} is a coroutine function, which runs in an event loop only: trace the function that it "
                "awaits, or await it in a cell of a notebook that begins with %%trace"
            )
