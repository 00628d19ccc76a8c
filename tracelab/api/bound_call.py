"""`BoundCall`: a traced object with the arguments of one call, so that options cannot be taken for arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from tracelab.execute.profile.profiling import Profile, profile_traced
from tracelab.execute.run.cancel import CancelToken
from tracelab.execute.run.lookup import Key
from tracelab.execute.run.run import Run
from tracelab.execute.run.start import run_traced
from tracelab.execute.run.stepper import Progress, Replacement


class BoundCall:
    """One call of a traced function or module that is not made yet.

    `traced.run(x, device="meta")` takes `device` for an option, unless the traced code has an argument of that name.
    Here the two cannot be mixed up: arguments are given to `bind`, options to `run` and `profile`.

    >>> traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))
    >>> call = traced.bind(torch.tensor([-1.0, 2.0]))
    >>> call()
    tensor([1., 3.])
    >>> call.run(until="relu").outputs
    tensor([0., 2.])
    """

    __slots__ = ("args", "kwargs", "traced")

    def __init__(self, traced: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self.traced = traced
        self.args = args
        self.kwargs = dict(kwargs)

    def __call__(self) -> Any:
        """Make the call."""
        return self.traced(*self.args, **self.kwargs)

    def run(
        self,
        *,
        until: Key | None = None,
        start: Key | None = None,
        device: str | torch.device | None = None,
        replace: Mapping[Key, Replacement] | None = None,
        record: Iterable[Key] | Key | bool = (),
        statistics: bool = False,
        flops: bool = False,
        check_finite: bool = True,
        gradients: bool = False,
        progress: Progress | None = None,
        cancel: CancelToken | Callable[[], bool] | None = None,
        method: str = "forward",
    ) -> Run:
        """Run the call node by node: see `TracedFunction.run`."""
        return run_traced(
            self.traced,
            self.args,
            self.kwargs,
            until=until,
            start=start,
            device=device,
            replace=replace,
            record=record,
            statistics=statistics,
            flops=flops,
            check_finite=check_finite,
            gradients=gradients,
            progress=progress,
            cancel=cancel,
            method=method,
        )

    def profile(
        self,
        *,
        device: str | torch.device | None = None,
        repeat: int = 10,
        warmup: int = 2,
        method: str = "forward",
        progress: Callable[[int, int], None] | None = None,
    ) -> Profile:
        """Measure the call: see `TracedFunction.profile`."""
        return profile_traced(
            self.traced,
            self.args,
            self.kwargs,
            device=device,
            repeat=repeat,
            warmup=warmup,
            method=method,
            progress=progress,
        )
