"""The recorder: turns calls into nodes while a recording runs.

The three layers that see a call (`layers.dispatch`, `layers.torch_function`, and `sym_numbers` here) all write through
one `Recorder`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.progress import EVERY, Progress
from tracelab.capture.recording.collectives import labelled
from tracelab.capture.recording.operators import Operator, refuse_writes
from tracelab.capture.recording.results import record_result
from tracelab.capture.recording.state import RecordingState
from tracelab.capture.values import concrete
from tracelab.compat.dispatch import set_watching
from tracelab.graph.aliasing import makes_new_storage
from tracelab.graph.intrinsics import Intrinsic
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import CONSTANT
from tracelab.graph.types import tensor_type


class Recorder(RecordingState):
    """The state of one recording, and how calls become nodes."""

    progress: Progress | None = None
    """What shows how far it is."""

    def run_operator(self, operator: Operator, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run one operator for real and record it."""
        self.paused = True
        set_watching(False)
        try:
            if self.progress is not None and not len(self.nodes) % EVERY:
                self.progress.look(len(self.nodes), self.scope.path)
            if operator.lifts_constant:
                return self._lift(args[0], operator.call(args[0]))
            symbols: list[Any] = []
            graph_args = tuple([self.argument(arg, symbols) for arg in args])
            graph_kwargs = {name: self.argument(arg, symbols) for name, arg in kwargs.items()} if kwargs else None
            if symbols:
                args = tuple([concrete(arg) for arg in args])
                kwargs = {name: concrete(arg) for name, arg in kwargs.items()}
            if self.followed.waiting:
                graph_args, graph_kwargs = self.followed.taken(self, sys._getframe(1), graph_args, graph_kwargs)
            if operator.collective:
                graph_args = labelled(graph_args, sys._getframe(2))
            source = self.source(sys._getframe(2))
            self.called_at(source)
            if self.is_inner:
                refuse_writes(self, operator.target, args, kwargs)
            try:
                result = operator.call(*args, **kwargs)
            except Exception as error:
                node = Node(operator.kind, operator.target, graph_args, graph_kwargs, (), self.scope, source)
                self.fail(node, error)
                raise
            node = Node(
                operator.kind,
                operator.target,
                graph_args,
                graph_kwargs,
                (),
                self.scope,
                source,
                None,
                operator.overload,
            )
            if operator.in_place is not None and (self.force_outplace or self._detaches_unused(node)):
                self._force_outplace(operator, node)
            self.nodes.append(node)
            return record_result(self, node, result)
        finally:
            self.paused = False
            set_watching(True)

    def record_intrinsic(
        self,
        intrinsic: Intrinsic,
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        *,
        run: Callable[[], Any] | None = None,
    ) -> Any:
        """Record a call of a function of `graph.intrinsics`; `run` does it another way than a replay would."""
        if run is None:
            plain_args, plain_kwargs = concrete(args), concrete(kwargs or {})

            def run() -> Any:
                return intrinsic.function(*plain_args, **plain_kwargs)

        return self.record_call(
            intrinsic.kind, intrinsic.function, args, kwargs, run=run, attributes=intrinsic.attributes
        )

    def record_call(
        self,
        kind: str,
        target: Callable[..., Any] | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        *,
        run: Callable[[], Any],
        attributes: dict[str, Any] | None = None,
    ) -> Any:
        """Record a call that is no operator; `run` does it, unseen by the recording."""
        before = self.paused
        self.paused = True
        set_watching(False)
        try:
            symbols: list[Any] = []
            graph_args = tuple([self.argument(arg, symbols) for arg in args])
            graph_kwargs = {name: self.argument(arg, symbols) for name, arg in kwargs.items()} if kwargs else None
            source = self.source(sys._getframe(1))
            node = Node(kind, target, graph_args, graph_kwargs, (), self.scope, source, attributes)
            try:
                result = run()
            except Exception as error:
                self.fail(node, error)
                raise
            self.nodes.append(node)
            return record_result(self, node, result)
        finally:
            self.paused = before
            set_watching(not before)

    def _lift(self, made: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor made from Python data: a constant, copied at each run so that writing to it is harmless.

        A fake mode gives another tensor than was made, one without data.
        """
        if self.known(made) is not None:
            return made
        source = self.source(sys._getframe(3))
        self.called_at(source)
        kept = tensor.detach().clone()
        constant = Value("constant", tensor_type(tensor), None, Role.CONSTANT)
        constant.node = Node(CONSTANT, None, (), None, (constant,), self.scope, source)
        self.graph.state[constant] = kept
        copy = torch.ops.aten.clone.default
        node = Node("aten::clone", copy, (constant,), None, (), self.scope, source)
        value = Value("tensor", constant.type, node)
        node.outputs = (value,)
        self.nodes += (constant.node, node)
        self.bind(tensor, value)
        return tensor

    def _detaches_unused(self, node: Node) -> bool:
        """Whether it is `y.detach_()` of a result that nothing has used yet: the old tracer called that `detach`."""
        if node.kind != "aten::detach_":
            return False
        item = node.args[0]
        return (
            isinstance(item, Value)
            and item.role is Role.COMPUTED
            and item.node is not None
            and makes_new_storage(item.node)
            and not any(item in other.inputs for other in self.nodes[self.nodes.index(item.node) :])
        )

    def _force_outplace(self, operator: Operator, node: Node) -> None:
        """Write an in-place operator down as its functional form."""
        if operator.kind == "aten::copy_":
            target, source, *_ = node.args
            expand = Node(
                "aten::expand_as", torch.ops.aten.expand_as.default, (source, target), None, (), self.scope, node.source
            )
            type_ = target.type
            expand.outputs = (Value("expand_as", type_, expand),)
            self.nodes.append(expand)
            node.kind, node.target, node.overload = "aten::to", torch.ops.aten.to.other, "other"
            node.args, node.kwargs = (expand.outputs[0], target), None
            return
        assert operator.in_place is not None
        node.kind, node.target, node.overload = (
            operator.in_place.kind,
            operator.in_place.target,
            operator.in_place.overload,
        )


class Active(threading.local):
    """The recorder of this thread, None when it records nothing."""

    recorder: Recorder | None = None
    session: Any = None
    """What installed this thread's layers, and takes them out."""
    says_tracing = False
    """What `torch.jit.is_tracing` answers to code that is recorded."""
    was_asked = False
    """Whether the code that was recorded last asked it, and was told yes."""


active = Active()


class recording_paused:
    """Context manager: what this thread calls belongs to no node, or to one that is recorded by other means."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def __enter__(self) -> None:
        self.recorder.paused = True
        set_watching(False)

    def __exit__(self, *error: Any) -> None:
        set_watching(True)
        self.recorder.paused = False
