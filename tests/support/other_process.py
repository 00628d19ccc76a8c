"""What another process does with a trace that it is given: a process that is spawned imports it from here."""

from __future__ import annotations

from typing import Any

import torch


def called_there(traced: Any, x: torch.Tensor, queue: Any) -> None:
    """Call it, and put what it gives into the queue."""
    # A forked process has none of the threads that torch believes in.
    torch.set_num_threads(1)
    queue.put(traced(x).tolist())
