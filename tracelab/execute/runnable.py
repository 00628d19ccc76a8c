"""What traced functions and traced modules have in common: they run node by node, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from tracelab.execute.backends import Compiled
    from tracelab.execute.profile.profiling import Profile
    from tracelab.execute.run.cancel import Switch
    from tracelab.execute.run.lookup import Key
    from tracelab.execute.run.run import Run
    from tracelab.execute.run.stepper import Progress, Replacement


class Runnable:
    """`run`, `profile` and `compile` of everything that was traced."""

    def run(
        self,
        *args: Any,
        upto: Key | None = None,
        from_: Key | None = None,
        device: str | torch.device | None = None,
        replace: Mapping[Key, Replacement] | None = None,
        watch: Iterable[Key] | Key | bool = (),
        statistics: bool = False,
        flops: bool = False,
        check_finite: bool = True,
        gradients: bool = False,
        progress: Progress | None = None,
        cancel: Switch | Callable[[], bool] | None = None,
        method: str = "forward",
        **kwargs: Any,
    ) -> Run:
        """Run it node by node on `args` and `kwargs`, and see values, time and memory of each.

        A value is named by itself, its node, its debug name, or a module path (what the module gives).

        - `upto`: stop after this node. `from_`: begin at this node; what it needs from before is given by `replace`.
        - `device`: move inputs, parameters and created tensors there. `meta` estimates memory and FLOPs of a run
          without doing it.
        - `replace`: tensors, numbers or functions that flow on in place of values.
        - `watch`: values to keep; all others are freed at their last use. True keeps all.
        - `statistics`, `flops`: note them for each node. `check_finite` finds the first NaN or infinity.
        - `gradients`: record for `run.backward()`; else the run takes no part in autograd.
        - `progress` is called with the `NodeRecord` of each node that finished; `cancel` (a `threading.Event`, or a
          function) and Ctrl-C stop after the node that runs: see `tracelab.execute.run.stepper`.
        - `method`: which traced method of a module.

        Inputs, parameters and buffers stay as they are, even where the graph writes into them. Random numbers are
        drawn as by a call. Raises `InputError` for inputs that do not fit and for a device that is not there,
        `RunError` (with the node, and the run so far) where a node raises.

        >>> run = traced.run(x, watch=["fc1"], statistics=True)
        >>> run["fc1"].shape, run.first_nonfinite
        (torch.Size([1, 10]), None)
        """
        from tracelab.execute.run.start import run_traced

        return run_traced(
            self,
            args,
            kwargs,
            upto=upto,
            from_=from_,
            device=device,
            replace=replace,
            watch=watch,
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
        *args: Any,
        device: str | torch.device | None = None,
        repeat: int = 10,
        warmup: int = 2,
        method: str = "forward",
        progress: Callable[[int, int], None] | None = None,
        **kwargs: Any,
    ) -> Profile:
        """Where its time goes on these inputs: medians over `repeat` runs after `warmup` that are not counted.

        FLOPs are counted by torch's own formulas (`torch.utils.flop_counter`), bytes are what each node reads and
        writes, and both are set against what the device reaches in a matrix product and in a copy. Gradients are
        off; inputs, state and random state stay as they were. `progress` is called with runs done and runs in all.
        Raises what `run` raises, and `InputError` for inputs without data.

        >>> print(traced.profile(x, device="cuda", repeat=20))
        """
        from tracelab.execute.profile.profiling import profile_traced

        return profile_traced(
            self,
            args,
            kwargs,
            device=device,
            repeat=repeat,
            warmup=warmup,
            method=method,
            progress=progress,
        )

    def compile(self, backend: str = "python", *, method: str = "forward") -> Compiled:
        """The same computation on a backend, as a callable.

        `python` is the generated code; `inductor` gives that code to `torch.compile` (gradients included, compiled at
        the first call of each kind of input); `cudagraph` records the kernels of the first call on a CUDA device and
        replays them, for inputs of the same shapes and without gradients. Where a CUDA graph cannot do a call, the
        Python code does: `compiled.reason` and a `BackendWarning` say why. Raises `InputError` for a backend that
        there is not.

        >>> fast = traced.compile(backend="inductor")
        >>> fast(x)
        """
        from tracelab.execute.backends import compiled

        return compiled(self, backend, method)
