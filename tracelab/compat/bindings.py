"""Native bindings that generated code calls by their path: those behind `torch.nn.functional`, and a lean `split`."""

from __future__ import annotations

from typing import Any

from tracelab.compat.names import needed

NN = "torch._C._nn"
"""The path of the bindings that `torch.nn.functional` itself uses."""

SPLIT = "torch._VF.split"
"""The binding that `torch.split`, a Python function, ends in."""

nn: Any = needed(NN)

needed(SPLIT)
