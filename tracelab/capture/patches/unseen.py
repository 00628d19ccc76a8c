"""What torch computes beside the run: backends that wait, compilers that look at code."""

from __future__ import annotations

from typing import Any

import torch

from tracelab.capture.patches.registry import Registry, unseen
from tracelab.compat import dynamo


def patch_collectives(registry: Registry) -> None:
    """What a backend computes inside `Work.wait` belongs to the collective's node."""
    if torch.distributed.is_available():
        registry.set(torch.distributed.Work, "wait", unseen(torch.distributed.Work.wait))


def patch_compilation(registry: Registry) -> None:
    """Compiled functions run as the Python that they were made from, so that the graph holds their operators.

    The compiler takes a second to import; where the traced code does, this is called again: see `Registry.originals`.
    """
    if dynamo.is_loaded():
        stance: Any = torch.compiler.set_stance("force_eager")
        registry.undo_by(lambda: stance.__exit__(None, None, None))
        compiler = dynamo.frame_compiler()
        registry.set(compiler, "__call__", unseen(compiler.__call__))
