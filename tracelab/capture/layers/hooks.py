"""Hooks that run in the backward pass: each run of the graph registers them where the traced code did.

What a hook computes belongs to the backward pass, not to the forward graph, so that each is one node. `grad_fn`, which
is a node of autograd's, is shown to the traced code as one that notes where hooks are registered on it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tracelab.capture.layers.regions import record_region
from tracelab.capture.recording.recorder import Recorder, active
from tracelab.errors import TracelabError
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.callables.hooks import grad_fn_of, hook_on_grad_fn
from tracelab.graph.source import is_inner

_properties: Any = Tensor
"""The class without its annotations, which hide descriptors behind the types of their values."""

Handler = Callable[[Recorder, tuple[Any, ...], dict[str, Any]], Any]

_MODULES: Any = torch.nn.modules.module.__file__


def record_hook(
    recorder: Recorder, name: str, register: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Register a hook as one node, whose result is the handle that removes it."""
    handle = record_region(recorder, name, register, args, kwargs)
    if recorder.nodes[-1].outputs:
        recorder.note_object(handle, recorder.nodes[-1].outputs[0])
    return handle


def _registered(function: Callable[..., Any]) -> Handler:
    return lambda recorder, args, kwargs: record_hook(recorder, function.__name__, function, args, kwargs)


def _grad_fn(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    tensor = args[0]
    caller = sys._getframe(2)
    if not recorder.is_dynamic(tensor) or (is_inner(caller.f_code) and caller.f_code.co_filename != _MODULES):
        return NotImplemented
    value, kind = recorder.known(tensor), AssumptionKind.REQUIRES_GRAD
    if value is not None and value.node is None:
        made = tensor.grad_fn is not None
        recorder.assume(kind, "made", value, made, caller, subject="{}.grad_fn is not None")
    else:
        recorder.assume(kind, "requires_grad", value, tensor.requires_grad, caller, subject="{}.requires_grad")
    return None if tensor.grad_fn is None else GradFn(recorder, tensor, (), tensor.grad_fn)


class GradFn:
    """A node of the backward pass, as the traced code sees it."""

    def __init__(self, recorder: Recorder, tensor: Tensor, path: tuple[int, ...], node: Any) -> None:
        self._recorder = recorder
        self._tensor = tensor
        self._path = path
        self._node = node

    def _register(self, method: str, hook: Callable[..., Any]) -> Any:
        recorder = active.recorder
        if recorder is not self._recorder or recorder is None or recorder.paused:
            return getattr(self._node, method)(hook)
        recorder.paused = True
        try:
            same = grad_fn_of(self._tensor, self._path) is self._node
        finally:
            recorder.paused = False
        if not same:
            raise TracelabError(
                f"{method} is called on the `grad_fn` of a tensor that was written to since, which a graph cannot "
                "follow: register the hook before the write, or on the tensor"
            )
        return record_hook(recorder, method, hook_on_grad_fn, (self._tensor, self._path, method, hook), {})

    def register_hook(self, hook: Callable[..., Any]) -> Any:
        """As of a node of autograd's."""
        return self._register("register_hook", hook)

    def register_prehook(self, hook: Callable[..., Any]) -> Any:
        """As of a node of autograd's."""
        return self._register("register_prehook", hook)

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes further back."""
        return tuple(
            (None if node is None else GradFn(self._recorder, self._tensor, (*self._path, place), node), number)
            for place, (node, number) in enumerate(self._node.next_functions)
        )

    @property
    def __class__(self) -> Any:
        return type(self._node)

    @__class__.setter
    def __class__(self, kind: Any) -> None:
        raise TypeError("the class of a node of autograd's cannot be set")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    def __eq__(self, other: object) -> bool:
        return bool(self._node is (other._node if type(other) is GradFn else other))

    def __hash__(self) -> int:
        return hash(self._node)

    def __repr__(self) -> str:
        return repr(self._node)


HANDLERS: dict[Any, Handler] = {
    _properties.grad_fn.__get__: _grad_fn,
    Tensor.register_hook: _registered(Tensor.register_hook),
    Tensor.register_post_accumulate_grad_hook: _registered(Tensor.register_post_accumulate_grad_hook),
}
