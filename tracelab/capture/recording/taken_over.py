"""A trace that is called inside of a recording: what it assumes is assumed of the values that it was given."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import torch

from tracelab.capture.recording.recorder import Recorder, active, recording_paused
from tracelab.capture.recording.sym_numbers import TracedNumber
from tracelab.capture.values import SYMBOLIC, concrete
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.takers import Taker


class TakenOver:
    """What one recording takes over."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def paused(self) -> AbstractContextManager[None]:
        return recording_paused(self.recorder)

    def again(self, node: Node, args: tuple[Any, ...]) -> Any:
        recorder = self.recorder
        with self.paused():
            number = node.target(*map(_plain, args)) if node.target is not None else None
        given = tuple([item.graph_value() if isinstance(item, TracedNumber) else self._held(item) for item in args])
        if not any(isinstance(item, Value) for item in given):
            return number
        made = Node(node.kind, node.target, given, None, (), recorder.scope, node.source)
        value = Value(node.name, type(number).__name__, made)
        made.outputs = (value,)
        recorder.nodes.append(made)
        return TracedNumber(recorder, number, value)  # type: ignore[arg-type]

    def _held(self, item: Any) -> Any:
        return self.recorder.argument(item, [])

    def assume(self, item: Assumption, subject: Any) -> Any:
        found = self.recorder.graph.assumptions
        if item.value is None:
            # A traced module has a mode of its own; of one that a function calls, `train()` tells it itself.
            follows = item.kind is not AssumptionKind.TRAINING or item.probe is not None or self._is_of_a_module
            if follows and not any(item is other for other in found):
                found.append(item)
            return None
        value = self._value(subject)
        if value is not None and value.role in (Role.COMPUTED, Role.INPUT):
            self.recorder.assume_again(replace(item, value=value))
        return _plain(subject)

    @property
    def _is_of_a_module(self) -> bool:
        return bool(self.recorder.graph.root.class_name)

    def _value(self, subject: Any) -> Value | None:
        if isinstance(subject, torch.Tensor):
            return self.recorder.known(subject)
        if isinstance(subject, SYMBOLIC):
            subject = subject.node
        return subject.value if isinstance(subject, TracedNumber) else None


def _plain(item: Any) -> Any:
    return item.number if isinstance(item, TracedNumber) else concrete(item)


def find_taker() -> Taker | None:
    """The recording of this thread, where it sees what is called."""
    recorder = active.recorder
    return None if recorder is None or recorder.paused else TakenOver(recorder)
