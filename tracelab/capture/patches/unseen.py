"""What torch computes beside the run: backends that wait, compilers that look at code."""

from __future__ import annotations

import functools
from typing import Any

import torch

from tracelab.capture.patches.attribute import Attribute
from tracelab.capture.patches.code import Code
from tracelab.capture.patches.many import Group
from tracelab.capture.patches.registry import unseen
from tracelab.capture.recording.replacement import Replacement
from tracelab.compat import dynamo

COLLECTIVES = (Attribute(torch.distributed.Work, "wait", unseen),) if torch.distributed.is_available() else ()
"""What a backend computes inside `Work.wait` belongs to the collective's node."""


class Eager(Replacement):
    """Compiled functions run as the Python that they were made from, so that the graph holds their operators."""

    label = "torch.compiler.set_stance"

    def __init__(self) -> None:
        self._stance: Any = None

    def install(self) -> None:
        if self._stance is None:
            self._stance = torch.compiler.set_stance("force_eager")

    def remove(self) -> None:
        if self._stance is not None:
            self._stance.__exit__(None, None, None)
            self._stance = None

    def is_in(self) -> bool:
        return self._stance is not None


_eager = Eager()


def _compilation() -> tuple[Replacement, ...]:
    # The compiler takes a second to import; where the traced code does, this is asked again.
    if not dynamo.is_loaded():
        return ()
    return _with_compiler(dynamo.frame_compiler().__call__)


@functools.cache
def _with_compiler(call: Any) -> tuple[Replacement, ...]:
    return _eager, Code(call, unseen)


COMPILATION = (Group(_compilation, lent=True),)
"""What looks at code beside the run."""
