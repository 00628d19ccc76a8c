"""Kernels of other compilers, Triton's and torch's jiterator: each launch stays one node, which launches it again.

What a kernel computes is seen by no layer of torch, and a Triton kernel writes into tensors that it is given.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tracelab.capture.layers.regions import record_region
from tracelab.capture.patches.code import Code
from tracelab.capture.patches.many import Group
from tracelab.capture.recording.recorder import active
from tracelab.capture.recording.replacement import Replacement
from tracelab.graph.callables.kernels import JiteratorCall, KernelLaunch

_known: dict[Any, Code] = {}


def _launch(original: Callable[..., Any]) -> Callable[..., Any]:
    def run(kernel: Any, *args: Any, **options: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused or options.get("warmup"):
            return original(kernel, *args, **options)
        grid = options.pop("grid", None)
        options.pop("warmup", None)
        launch = KernelLaunch(type(kernel).run, kernel)
        record_region(recorder, launch.__name__, launch, (grid, *args), options)
        return None

    return run


def _elementwise(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(kernel: Any, *tensors: Any, **numbers: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(kernel, *tensors, **numbers)
        made = JiteratorCall(type(kernel).__call__, kernel)
        return record_region(recorder, made.__name__, made, tensors, numbers)

    return call


def _jiterator() -> list[Replacement]:
    jiterator = sys.modules.get("torch.cuda.jiterator")
    return [] if jiterator is None else [_code(vars(jiterator)["_JittedFunction"].__call__, _elementwise)]


def _triton() -> list[Replacement]:
    triton = sys.modules.get("triton.runtime.jit")
    if triton is None:
        return []
    # Classes of kernels may be made at any time.
    return [_code(vars(kind)["run"], _launch) for kind in _kinds(vars(triton)["KernelInterface"])]


def _kinds(base: type) -> list[type]:
    """The classes of kernels that run in a way of their own: compiled, tuned, interpreted."""
    kinds: list[type] = []
    below: type
    for below in base.__subclasses__():
        kinds += [below, *_kinds(below)]
    return [kind for kind in dict.fromkeys(kinds) if hasattr(vars(kind).get("run"), "__code__")]


def _code(function: Any, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Code:
    if function not in _known:
        _known[function] = Code(function, make)
    return _known[function]


KERNELS = (Group(_jiterator), Group(_triton, each=True))
"""Make nodes of launches."""
