"""What runs a region that stays one node: a transform of `torch.func`, or a higher-order operator.

A function that such a region is given may use traced tensors from outside its arguments. Those are arguments of the
node, and each run gives the function a copy that holds that run's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

Binding = Callable[[Sequence[Any]], Any]
"""Makes a thing anew from the tensors and numbers of a run."""


class Lifted:
    """A callable that uses traced tensors from outside; `bound(run)` is the same with others in their places."""

    def __init__(self, function: Callable[..., Any], bound: Binding) -> None:
        self.function = function
        self.bound = bound
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


class TransformCall:
    """`transform(function, *options)(*args)` as one call: what `torch.func.jacrev(f)(x)` is recorded as."""

    def __init__(
        self, transform: Callable[..., Any], name: str, options: tuple[Any, ...], named: dict[str, Any]
    ) -> None:
        self.transform = transform
        self.__name__ = name
        self.options = options
        self.named = named

    def __call__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.transform(function, *self.options, **self.named)(*args, **kwargs)


class OperatorCall:
    """A higher-order operator, called the way that torch calls it while nothing is replaced."""

    def __init__(self, call: Callable[..., Any], operator: Any) -> None:
        self.call = call
        self.operator = operator
        self.__name__ = operator.name()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(self.operator, *args, **kwargs)


def run_region(target: Callable[..., Any], args: tuple[Any, ...], lifted: Sequence[Any], **kwargs: Any) -> Any:
    """Run a recorded region; functions get the tensors and numbers that they held as they are in this run."""
    return target(*[arg.bound(lifted) if isinstance(arg, Lifted) else arg for arg in args], **kwargs)
