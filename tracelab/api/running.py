"""What traced functions and traced modules have in common: they run node by node, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from tracelab.api.bound_call import BoundCall
from tracelab.execute.backends import Compiled, compiled
from tracelab.execute.profile.profiling import Profile
from tracelab.execute.run.cancel import CancelToken
from tracelab.execute.run.lookup import Key
from tracelab.execute.run.program import argument_names
from tracelab.execute.run.run import Run
from tracelab.execute.run.stepper import Progress, Replacement


class Running:
    """`run`, `profile`, `bind` and `with_backend` of everything that was traced."""

    __slots__ = ()

    def run(
        self,
        *args: Any,
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
        **kwargs: Any,
    ) -> Run:
        """Run it node by node on `args` and `kwargs`, and record values, time and memory of each.

        A value is named by itself, its node, its debug name, or a module path (what the module gives). Inputs,
        parameters and buffers stay as they are, even where the graph writes into them. Random numbers are drawn as by a
        call. A keyword that the traced code has an argument for is that argument; `traced.bind(...).run(...)` takes the
        option of the same name.

        Args:
            *args: The arguments of the call.
            until: Stop after this node.
            start: Begin at this node; what it needs from before is given by `replace`.
            device: Move inputs, parameters and created tensors there. `meta` estimates memory and FLOPs of a run
                without doing it.
            replace: Tensors, numbers or functions that flow on in place of values.
            record: Values to keep; all others are freed at their last use. True keeps all.
            statistics: Whether to compute statistics of each value.
            flops: Whether to count floating-point operations of each node.
            check_finite: Whether to find the first NaN or infinity.
            gradients: Whether to record for `run.backward()`; else the run takes no part in autograd.
            progress: Called with the `NodeRecord` of each node that finished.
            cancel: A `threading.Event`, or a function; it and Ctrl-C stop after the node that runs.
            method: Which traced method of a module.
            **kwargs: The arguments of the call by keyword.

        Returns:
            The run, with a record per node.

        Raises:
            InputError: The inputs do not fit, or the device is not there.
            RunError: A node raised; the error has the node, and the run so far.

        >>> traced = tracelab.trace(torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU()), torch.ones(2, 4))
        >>> run = traced.run(torch.ones(2, 4), record=["0"], statistics=True)
        >>> run["0"].shape, run.first_nonfinite
        (torch.Size([2, 3]), None)
        """
        options: dict[str, Any] = {
            "until": until,
            "start": start,
            "device": device,
            "replace": replace,
            "record": record,
            "statistics": statistics,
            "flops": flops,
            "check_finite": check_finite,
            "gradients": gradients,
            "progress": progress,
            "cancel": cancel,
            "method": method,
        }
        own = _arguments_among(self, options, _RUN_DEFAULTS)
        return BoundCall(self, args, {**own, **kwargs}).run(**options)

    def profile(
        self,
        *args: Any,
        device: str | torch.device | None = None,
        repeat: int = 10,
        warmup: int = 2,
        method: str = "forward",
        progress: Callable[[int, int], None] | None = None,
        **kwargs: Any,
    ) -> Profile:
        """Measure where its time goes on these inputs.

        FLOPs are counted by torch's own formulas (`torch.utils.flop_counter`), bytes are what each node reads and
        writes, and both are set against what the device reaches in a matrix product and in a copy (the roofline model).
        Gradients are off; inputs, state and random state stay as they were.

        Args:
            *args: The arguments of the call.
            device: Where to run, such as `cuda`.
            repeat: Runs over which medians are taken.
            warmup: Runs before them that are not counted.
            method: Which traced method of a module.
            progress: Called with runs done and runs in all.
            **kwargs: The arguments of the call by keyword.

        Returns:
            A profile with a row per node and per module; times are in seconds.

        Raises:
            InputError: The inputs do not fit, or have no data.
            RunError: A node raised.

        >>> profile = tracelab.trace(torch.nn.Linear(4, 3), torch.ones(2, 4)).profile(torch.ones(2, 4), repeat=2)
        >>> [row.node.kind for row in profile.nodes]
        ['aten::linear']
        """
        options: dict[str, Any] = {
            "device": device,
            "repeat": repeat,
            "warmup": warmup,
            "method": method,
            "progress": progress,
        }
        own = _arguments_among(self, options, _PROFILE_DEFAULTS)
        return BoundCall(self, args, {**own, **kwargs}).profile(**options)

    def bind(self, *args: Any, **kwargs: Any) -> BoundCall:
        """A call that is not made yet: `traced.bind(x, device=d).run(device="meta")`.

        Args:
            *args: The arguments of the call.
            **kwargs: The arguments of the call by keyword, whatever their names.

        Returns:
            The call, with `run` and `profile`.

        >>> tracelab.trace(torch.relu, torch.ones(2)).bind(torch.tensor([-1.0, 1.0]))()
        tensor([0., 1.])
        """
        return BoundCall(self, args, kwargs)

    def with_backend(self, name: str = "python", *, method: str = "forward") -> Compiled:
        """The same computation on a backend, as a callable.

        Args:
            name: `python` is the generated code; `inductor` gives that code to `torch.compile` (gradients included,
                compiled at the first call of each kind of input); `cudagraph` records the kernels of the first call on
                a CUDA device and replays them, for inputs of the same shapes and without gradients.
            method: Which traced method of a module.

        Returns:
            The callable. Where a CUDA graph cannot do a call, the Python code does: `fallback_reason` and a
            `BackendWarning` say why.

        Raises:
            InputError: There is no backend of that name.

        >>> fast = tracelab.trace(torch.relu, torch.ones(2)).with_backend("python")
        >>> fast(torch.tensor([-1.0, 1.0]))
        tensor([0., 1.])
        """
        return compiled(self, name, method)


_RUN_DEFAULTS: dict[str, Any] = dict(Running.run.__kwdefaults__ or {})
_PROFILE_DEFAULTS: dict[str, Any] = dict(Running.profile.__kwdefaults__ or {})


def _arguments_among(traced: Any, options: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Take out of the options what are arguments of the traced code, and set those options to their defaults."""
    own: dict[str, Any] = {}
    method = options["method"]
    # A tensor given as `method` is an argument of that name; it says nothing of the traced method.
    for name in argument_names(traced, method if isinstance(method, str) else "forward"):
        if name in options and options[name] is not defaults[name]:
            own[name], options[name] = options[name], defaults[name]
    return own
