"""What `traced.with_backend(name)` gives: the same computation, run another way.

`python` is the generated code as it is; `inductor` hands that code to `torch.compile`; `cudagraph` records it once on
a CUDA device and replays the recording. Where a backend cannot run a call, the Python code does, and
`fallback_reason` says why.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tracelab.compat import dynamo
from tracelab.errors import InputError, TracelabError
from tracelab.execute.codegen.code import Code
from tracelab.execute.function import ReplayFunction
from tracelab.execute.module import ReplayModule
from tracelab.graph.aliasing import Aliasing
from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.kinds import ARGUMENT, SET_ATTRIBUTE

BACKENDS = ("python", "inductor", "cudagraph")


class BackendWarning(UserWarning):
    """A backend handed a call back to the Python code; the message says why."""


class Compiled:
    """A traced object that runs on a backend: called as it is called.

    `fallback_reason` says why the last call ran as Python code instead; it is empty where it did not. Parameters are
    those of the traced object at each call, and the graph is as it was edited.

    >>> fast = tracelab.trace(torch.relu, torch.ones(2)).with_backend("python")
    >>> fast(torch.tensor([-1.0, 2.0])), fast.fallback_reason
    (tensor([0., 2.]), '')
    """

    def __init__(self, traced: Any, backend: str, method: str) -> None:
        self.traced = traced
        self.backend = backend
        self.method = method
        self.fallback_reason = ""
        self._prepare()
        self._warned: set[str] = set()

    def _prepare(self) -> None:
        self._unit = _unit_of(self.traced, self.method)
        self._version = self._unit.graph.nodes.version
        self._run = _RUNNERS[self.backend](self._unit)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._version != self._unit.graph.nodes.version:
            # The graph was edited.
            self._prepare()
        unit = self._unit
        plain = not kwargs and unit.plain == len(args) and all(isinstance(arg, Tensor) for arg in args)
        flat = list(args) if plain else unit.tree.flatten(args, kwargs, unit.name)
        result, self.fallback_reason = self._run(flat)
        if self.fallback_reason and self.fallback_reason not in self._warned:
            self._warned.add(self.fallback_reason)
            warnings.warn(f"{unit.name} ran as Python code: {self.fallback_reason}", BackendWarning, stacklevel=2)
        return result

    def __repr__(self) -> str:
        return f"Compiled({self.traced!r}, backend={self.backend!r})"


class _Unit:
    """One traced callable taken apart: its generated function, and the parameters that it takes after the inputs."""

    def __init__(
        self, name: str, graph: Graph, code: Code, namespace: dict[str, Any], function: Any, state: Any, call: Any
    ) -> None:
        self.name = name
        self.graph = graph
        self.tree = input_tree_of(graph)
        self.plain = len(self.tree.names) if self.tree.plain else -1
        self.code = code
        self.namespace = namespace
        self.function: Callable[..., Any] = function
        self.parameters: Callable[[], list[Tensor]] = state
        self.call: Callable[[list[Tensor]], Any] = call
        """Runs the Python code on flat inputs."""

    def tensors(self) -> list[Tensor]:
        """Parameters, buffers and constants as they are now."""
        return [*self.parameters(), *(self.namespace[name] for name in self.code.constants)]


def _unit_of(traced: ReplayFunction | ReplayModule, method: str) -> _Unit:
    if isinstance(traced, ReplayModule):
        names = traced.method_names()
        if method not in traced._graphs:
            raise TracelabError(f"`{method}` was not traced; traced methods: {', '.join(names)}")
        run = traced._run(method)
        replay = run.replay
        return _Unit(
            run.name,
            run.graph,
            replay.code,
            replay.namespace,
            replay.function,
            run.state,
            lambda flat: replay.best(tuple(flat))(*flat, *run.state()),
        )
    replay = traced.replay
    return _Unit(
        traced.__name__,
        traced.graph,
        replay.code,
        replay.namespace,
        replay.function,
        lambda: traced._state,
        lambda flat: replay.best(tuple(flat))(*flat, *traced._state),
    )


Runner = Callable[[list[Tensor]], tuple[Any, str]]
"""Runs flat inputs; gives the result, and the reason where Python code had to do it."""


def compiled(traced: Any, backend: str = "python", method: str = "forward") -> Compiled:
    """A traced object on a backend: see `TracedFunction.with_backend`."""
    if backend not in BACKENDS:
        raise InputError(f"there is no backend `{backend}`: give {', '.join(BACKENDS[:-1])} or {BACKENDS[-1]}")
    return Compiled(traced, backend, method)


def _python(unit: _Unit) -> Runner:
    return lambda flat: (unit.call(flat), "")


def _inductor(unit: _Unit) -> Runner:
    function = torch.compile(unit.function, backend="inductor")
    objects = any(node.outputs[0].type not in ("int", "float") for node in unit.graph.find_nodes(ARGUMENT))

    def run(flat: list[Tensor]) -> tuple[Any, str]:
        if objects:
            return unit.call(flat), "the graph writes into objects among its arguments, or gives them back"
        try:
            return function(*flat, *unit.parameters()), ""
        except dynamo.compiler_error() as error:
            text = " ".join(str(error).split("\n\n")[0].split())
            raise TracelabError(
                f"inductor could not compile {unit.name}: {text[:300]}; use the python backend"
            ) from error

    return run


def _cudagraph(unit: _Unit) -> Runner:
    recorded: list[_Recorded] = []
    failed: list[str] = []
    writes = _writes_into_state(unit.graph)
    if unit.graph.find_nodes(ARGUMENT):
        failed.append("the graph takes numbers or objects beside tensors, which a CUDA graph would keep")

    def run(flat: list[Tensor]) -> tuple[Any, str]:
        reason = failed[0] if failed else _why_not(unit, flat, writes)
        if not reason and recorded:
            reason = recorded[0].why_not(flat)
        if not reason and (not recorded or recorded[0].moved()):
            try:
                recorded[:] = [_Recorded(unit, flat)]
            except (RuntimeError, NotImplementedError) as error:
                line = str(error).split("\n")[0]
                failed[:] = [f"its CUDA kernels cannot be recorded ({line})"]
                reason = failed[0]
        if reason:
            return unit.call(flat), reason
        return recorded[0].replay(flat), ""

    return run


_RUNNERS: dict[str, Callable[[_Unit], Runner]] = {
    "python": _python,
    "inductor": _inductor,
    "cudagraph": _cudagraph,
}


def _writes_into_state(graph: Graph) -> bool:
    memory = Aliasing(graph)
    return any(memory.written(value) for value in (*graph.inputs, *graph.state)) or bool(
        graph.find_nodes(SET_ATTRIBUTE)
    )


def _why_not(unit: _Unit, flat: list[Tensor], writes: bool) -> str:
    """Why a CUDA graph cannot do this call; empty where it can."""
    if not torch.cuda.is_available():
        return "cudagraph needs a CUDA device, and there is none"
    tensors = [*flat, *unit.tensors()]
    away = next((tensor for tensor in tensors if tensor.device.type != "cuda"), None)
    if away is not None:
        return f"cudagraph needs all inputs and parameters on a CUDA device, but one is on {away.device}"
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return "a CUDA graph has no backward pass: call it under torch.no_grad()"
    if writes:
        return "the graph writes into its inputs or buffers, which a recording would do again and again"
    return ""


class _Recorded:
    """One recording: the kernels of one run, over tensors that stay where they are."""

    _WARM_UPS = 3

    def __init__(self, unit: _Unit, flat: list[Tensor]) -> None:
        self.unit = unit
        self.inputs = [tensor.detach().clone() for tensor in flat]
        self.pointers = self._pointers()
        # Libraries set themselves up at their first call, which a recording must not hold.
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side), torch.no_grad():
            for _ in range(self._WARM_UPS):
                unit.function(*self.inputs, *unit.parameters())
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.no_grad(), torch.cuda.graph(self.graph):
            self.outputs = unit.function(*self.inputs, *unit.parameters())

    def why_not(self, flat: list[Tensor]) -> str:
        """Why these inputs are not those of the recording."""
        for value, given, kept in zip(self.unit.graph.user_inputs, flat, self.inputs, strict=True):
            if given.shape != kept.shape or given.dtype != kept.dtype:
                return (
                    f"`{value.name}` is {_shape(given)}, but a CUDA graph has static shapes and was recorded with "
                    f"{_shape(kept)}: compile once for each"
                )
        return ""

    def moved(self) -> bool:
        """Whether parameters lie elsewhere than when it was recorded."""
        return self.pointers != self._pointers()

    def _pointers(self) -> list[int]:
        return [tensor.data_ptr() for tensor in self.unit.tensors()]

    def replay(self, flat: list[Tensor]) -> Any:
        for kept, given in zip(self.inputs, flat, strict=True):
            kept.copy_(given)
        self.graph.replay()
        return _cloned(self.outputs)


def _shape(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}"


def _cloned(item: Any) -> Any:
    """The outputs as tensors of their own: the next replay writes into those of the recording."""
    if isinstance(item, Tensor):
        return item.clone()
    if isinstance(item, tuple):
        children = [_cloned(child) for child in item]
        return type(item)(*children) if hasattr(item, "_fields") else tuple(children)
    if isinstance(item, list):
        return [_cloned(child) for child in item]
    if isinstance(item, dict):
        return {key: _cloned(child) for key, child in item.items()}
    return item
