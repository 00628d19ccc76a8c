"""Random generators that the traced code makes: every run makes and seeds its own.

A generator that comes from outside goes on from run to run, as it does in eager mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.recorder import active
from tracelab.capture.values import address_of, concrete

_Original: Any = torch.Generator
METHODS: dict[str, Any] = {name: getattr(_Original, name) for name in ("manual_seed", "seed", "set_state", "get_state")}


def make_generator(device: str) -> torch.Generator:
    """A new generator, as torch makes it while nothing is replaced."""
    made: torch.Generator = _Original(device)
    return made


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
        if recorder is not None and not recorder.inside:
            attributes = {"name": "Generator", "inplace": False}
            recorder.record_call(
                "prim::PythonOp", make_generator, (str(made.device),), run=lambda: made, attributes=attributes
            )
            value = recorder.nodes[-1].outputs[0]
            value.type = "Generator"
            recorder.generators[address_of(made)] = (made, value)
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
        method = METHODS[name]
        recorder = active.recorder
        if recorder is None or recorder.inside or address_of(self) not in recorder.generators:
            return method(self, *concrete(args))
        attributes = {"name": name, "inplace": False}
        return recorder.record_call(
            "prim::PythonOp", method, (self, *args), run=lambda: method(self, *concrete(args)), attributes=attributes
        )


def patch_generators(set_: Callable[[Any, str, Any], None]) -> None:
    """Replace `torch.Generator`, through the setter that remembers how to put it back."""
    set_(torch, "Generator", MadeGenerator)
