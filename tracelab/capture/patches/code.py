"""Python functions are replaced where all their references meet: at their code.

`from torch.autograd import grad`, `MyFunction.apply` in a variable, a `functools.partial` and a default argument all
hold the function object that was there before the recording. Its `__code__` is swapped for a small one that calls the
stand-in; the object itself, its closure and its name stay, and so do its pickles.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from tracelab.capture.recording.replacement import Replacement

_STAND_IN = "the stand-in"


class Code(Replacement):
    """A Python function whose calls reach a stand-in, which is made from a copy of the function as it was."""

    def __init__(self, function: Any, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        self.function: FunctionType = function
        self.label = f"{function.__module__}.{function.__qualname__}"
        self.before = function.__code__
        self.after = _calling(function, make(_copy(function)))

    def install(self) -> None:
        self.function.__code__ = self.after

    def remove(self) -> None:
        if self.function.__code__ is self.after:
            self.function.__code__ = self.before

    def is_in(self) -> bool:
        return self.function.__code__ is self.after


def _copy(function: FunctionType) -> FunctionType:
    """The function as it is, under another identity."""
    copy = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__qualname__, copy.__module__, copy.__doc__ = function.__qualname__, function.__module__, function.__doc__
    return copy


def _calling(function: FunctionType, stand_in: Callable[..., Any]) -> CodeType:
    """Code for the function that calls the stand-in; it has the free variables that the function's closure fills."""
    before = function.__code__
    free = ", ".join(before.co_freevars)
    source = (
        f"def outer({free}):\n"
        f" def inner(*args, **kwargs):\n"
        f"  call = {_STAND_IN!r}\n"
        f"  return call(*args, **kwargs)\n"
        f"  {free or 'pass'}\n"
        f" return inner\n"
    )
    outer = _inner(compile(source, before.co_filename, "exec"), "outer")
    code = _inner(outer, "inner")
    assert code.co_freevars == before.co_freevars
    return code.replace(
        co_consts=tuple(stand_in if item == _STAND_IN else item for item in code.co_consts),
        co_name=before.co_name,
        co_qualname=before.co_qualname,
        co_firstlineno=before.co_firstlineno,
    )


def _inner(code: CodeType, name: str) -> CodeType:
    return next(item for item in code.co_consts if isinstance(item, CodeType) and item.co_name == name)
