"""Iterators of `torch.utils.data.DataLoader`: what they hand to their workers is plain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import active
from tracelab.capture.values import concrete
from tracelab.compat.loaders import SEED, iterator_class


def _plain_seed(original: Callable[..., Any]) -> Callable[..., Any]:
    def init(iterator: Any, *args: Any, **kwargs: Any) -> None:
        original(iterator, *args, **kwargs)
        if active.recorder is not None:
            # The workers' seed is drawn by an operator; in a worker, nothing is recorded.
            setattr(iterator, SEED, concrete(getattr(iterator, SEED)))

    return init


LOADERS = (Code(iterator_class.__init__, _plain_seed),)
"""Let workers be seeded with a plain number."""
