"""A trial sent to another process or machine: the Python function and its trace in one pickle."""

from __future__ import annotations

import hashlib
import pickle
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tracelab.check.isolation import written_state
from tracelab.check.target import CheckTarget, method_of
from tracelab.check.trial import Outcome, sentence, trial
from tracelab.errors import TracelabError

Inputs = tuple[tuple[Any, ...], dict[str, Any]]

_AT_HAND = 2
"""Workloads that a worker keeps unpacked."""
_unpacked: OrderedDict[str, Workload] = OrderedDict()
_one_at_a_time = threading.Lock()
"""Generators and buffers belong to the process: two trials in it must not run at once."""


class Workload:
    """What every trial of one check needs; in another process, unpacked once."""

    def __init__(
        self,
        python: Callable[..., Any],
        traced: Any,
        method: str,
        tolerance: float,
        modules: tuple[nn.Module, ...] = (),
    ) -> None:
        self.python = python
        self.traced = traced
        self.method = method
        self.tolerance = tolerance
        self.modules = modules
        """Modules that the Python function runs, and whose state is to stay."""
        self.graph = traced._graphs[method] if hasattr(traced, "_graphs") else traced.graph
        self.written = tuple(written_state(self.graph))
        self.picks = bool(traced.policy.picks)
        """Whether it takes one of several recordings."""
        self.meta = False
        """Whether inputs without data are tried, too."""
        self._packed: tuple[str, bytes] | None = None

    def run(self, inputs: Inputs) -> Outcome:
        """One trial."""
        with _one_at_a_time:
            call = method_of(self.traced, self.method)
            return trial(
                self.python,
                call,
                inputs[0],
                inputs[1],
                self.tolerance,
                self.written,
                self.modules,
                self.graph,
                self.meta,
                self.picks,
            )

    def pack(self) -> tuple[str, bytes]:
        """The bytes to send, and a name for them; raises what pickling raises."""
        if self._packed is None:
            data = _dumps((self.python, self.traced, self.method, self.tolerance, self.meta))
            self._packed = hashlib.sha256(data).hexdigest(), data
        return self._packed

    def __reduce__(self) -> Any:
        return unpacked, self.pack()


def unpacked(key: str, data: bytes) -> Workload:
    """The workload of these bytes; kept, so that the next trial need not unpack it again."""
    workload = _unpacked.get(key)
    if workload is None:
        python, traced, method, tolerance, meta = pickle.loads(data)
        workload = _unpacked[key] = Workload(python, traced, method, tolerance)
        workload.meta = meta
        while len(_unpacked) > _AT_HAND:
            _unpacked.popitem(last=False)
    return workload


def run_chunk(workload: Workload, chunk: list[Inputs]) -> list[Outcome]:
    """The trials of a few inputs."""
    return [workload.run(inputs) for inputs in chunk]


_of_this_process: list[Workload] = []


def start_worker(key: str, data: bytes, threads: int) -> None:
    """Unpack the workload as a worker process begins."""
    torch.set_num_threads(threads)
    _of_this_process[:] = [unpacked(key, data)]


def run_here(chunk: list[Inputs]) -> list[Outcome]:
    """The trials of a few inputs, in a worker that was started with its workload."""
    return run_chunk(_of_this_process[0], chunk)


def why_not_shipped(workload: Workload, target: CheckTarget) -> str:
    """A sentence for a workload that cannot go to another process; empty where it can."""
    try:
        workload.pack()
    except (pickle.PicklingError, TypeError, AttributeError, TracelabError, ValueError, NotImplementedError) as error:
        return f"{target.name} cannot be sent to another process ({sentence(error)})"
    return ""


def _dumps(item: Any) -> bytes:
    """By cloudpickle where a cluster's client brought it: it sends functions of notebooks, too."""
    try:
        import cloudpickle
    except ImportError:
        main = sys.modules["__main__"]
        data = pickle.dumps(item)
        if not hasattr(main, "__file__") and b"__main__" in data:
            raise pickle.PicklingError(
                "it was defined in a notebook or shell; put it in a module, or install cloudpickle"
            ) from None
        return data
    packed: bytes = cloudpickle.dumps(item)
    return packed
