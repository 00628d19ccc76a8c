"""What launches a kernel of another compiler again: Triton's, torch's jiterator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class KernelLaunch:
    """`kernel[grid](*args, **options)` as one call; the kernel writes into tensors that it is given."""

    def __init__(self, run: Callable[..., Any], kernel: Any) -> None:
        self.run = run
        self.kernel = kernel
        self.__name__ = _name(kernel)

    def __call__(self, grid: Any, *args: Any, **options: Any) -> None:
        self.run(self.kernel, *args, grid=grid, warmup=False, **options)


class JiteratorCall:
    """A kernel that torch compiles from C++ text; it returns what it computes."""

    def __init__(self, call: Callable[..., Any], kernel: Any) -> None:
        self.call = call
        self.kernel = kernel
        self.__name__ = str(kernel.kernel_name)

    def __call__(self, *tensors: Any, **numbers: Any) -> Any:
        return self.call(self.kernel, *tensors, **numbers)


def _name(kernel: Any) -> str:
    # A tuner, and what chooses its options, hold the kernel itself.
    while hasattr(kernel, "fn"):
        kernel = kernel.fn
    return str(getattr(kernel, "__name__", type(kernel).__name__))
