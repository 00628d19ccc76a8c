"""What runs a region that stays one node: a transform of `torch.func`, or a higher-order operator.

A function that such a region is given may use traced tensors from outside its arguments. Those are arguments of the
node, and each run gives the function a copy that holds that run's. What the function did is recorded too, as a graph
of its own: files hold that graph in the function's place.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tracelab.compat.operators import is_base_operator, without_free_variables

Binding = Callable[[Sequence[Any]], Any]
"""Makes a thing anew from the tensors and numbers of a run."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a function that a region is given did: a graph without state."""

    graph: Any
    """A `Graph`; that module imports this one."""
    takes: tuple[int, ...]
    """Places among the node's tensors and numbers from outside: the graph's first arguments."""


class Lifted:
    """A callable that a region is given; `of(run)` is the same with the run's tensors and numbers in their places."""

    def __init__(self, function: Callable[..., Any], bound: Binding | None = None) -> None:
        self.function = function
        self.bound = bound
        self.piece: Piece | None = None
        self.why_not = "it was not called"
        """Why there is no piece, where there is none."""
        # A module's dictionary holds its parameters.
        functools.update_wrapper(self, function, updated=())

    def of(self, run: Sequence[Any]) -> Any:
        """The callable with the tensors and numbers of a run."""
        return self.function if self.bound is None else self.bound(run)

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
        if is_base_operator(self.operator) and args:
            args = (without_free_variables(args[0]), *args[1:])
        return self.call(self.operator, *args, **kwargs)


def run_region(target: Callable[..., Any], args: tuple[Any, ...], lifted: Sequence[Any], **kwargs: Any) -> Any:
    """Run a recorded region; functions get the tensors and numbers that they held as they are in this run."""
    return target(*with_functions(args, lambda item: item.of(lifted)), **kwargs)


def with_functions(args: tuple[Any, ...], change: Callable[[Lifted], Any]) -> tuple[Any, ...]:
    """The arguments of a region with something else in the place of each function."""

    def changed(item: Any) -> Any:
        if isinstance(item, Lifted):
            return change(item)
        if type(item) is tuple and any(True for _ in functions_in(item)):
            return tuple(map(changed, item))
        return item

    return tuple(map(changed, args))


def functions_in(item: Any) -> Iterator[Lifted]:
    """The functions among the arguments of a region."""
    if isinstance(item, Lifted):
        yield item
    elif type(item) is tuple:
        for child in item:
            yield from functions_in(child)
