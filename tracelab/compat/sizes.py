"""Where torch works with sizes in C."""

from __future__ import annotations

from typing import Any

from tracelab.compat.names import optional

INFER_SIZE = "_infer_size"
infer_size: Any = optional(f"torch.nn.functional.{INFER_SIZE}")
"""What two shapes are broadcast to, for Python's numbers alone; None in a torch that does without it."""
