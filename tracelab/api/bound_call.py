"""`BoundCall`: a traced object with the arguments of one call, so that options cannot be taken for arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from tracelab.execute.profile.profiling import Profile, ProfileOptions, profile_traced
from tracelab.execute.run.run import Run
from tracelab.execute.run.start import RunOptions, run_traced


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

    def run(self, **options: Unpack[RunOptions]) -> Run:
        """Run the call node by node, with the options of `TracedFunction.run`."""
        return run_traced(self.traced, self.args, self.kwargs, **options)

    def profile(self, **options: Unpack[ProfileOptions]) -> Profile:
        """Measure the call, with the options of `TracedFunction.profile`."""
        return profile_traced(self.traced, self.args, self.kwargs, **options)
