"""Random generators that the traced code makes: every run makes and seeds its own.

A generator that comes from outside goes on from run to run, as it does in eager mode.
"""

from __future__ import annotations

from typing import Any

import torch

from tracelab.capture.patches.registry import Registry
from tracelab.capture.recording.recorder import active
from tracelab.capture.values import concrete
from tracelab.compat.tensors import generator_address
from tracelab.graph.intrinsics import GENERATOR, GENERATOR_METHODS

_Original: Any = torch.Generator


class _Kind(type(_Original)):  # type: ignore[misc]
    def __instancecheck__(cls, item: Any) -> bool:
        return isinstance(item, _Original)

    def __subclasscheck__(cls, item: Any) -> bool:
        return issubclass(item, _Original)


class MadeGenerator(_Original, metaclass=_Kind):  # type: ignore[misc]
    """What `torch.Generator` is while recordings run: where it is made and seeded becomes part of the graph."""

    def __new__(cls, device: Any = "cpu") -> MadeGenerator:
        made: MadeGenerator = super().__new__(cls, device)
        recorder = active.recorder
        if recorder is not None and not recorder.paused:
            recorder.record_intrinsic(GENERATOR, (str(made.device),), run=lambda: made)
            value = recorder.nodes[-1].outputs[0]
            value.type = "Generator"
            recorder.generators[generator_address(made)] = (made, value)
        return made

    def manual_seed(self, seed: int) -> MadeGenerator:
        self._recorded("manual_seed", seed)
        return self

    def seed(self) -> int:
        return int(self._recorded("seed"))

    def set_state(self, state: torch.Tensor) -> None:
        self._recorded("set_state", state)

    def get_state(self) -> torch.Tensor:
        found: torch.Tensor = self._recorded("get_state")
        return found

    def _recorded(self, name: str, *args: Any) -> Any:
        intrinsic = GENERATOR_METHODS[name]
        recorder = active.recorder
        if recorder is None or recorder.paused or generator_address(self) not in recorder.generators:
            return intrinsic.function(self, *concrete(args))
        return recorder.record_intrinsic(intrinsic, (self, *args))


def patch_generators(registry: Registry) -> None:
    """Let the graph see where generators are made."""
    registry.set(torch, "Generator", MadeGenerator)
