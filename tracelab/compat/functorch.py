"""The functions behind `torch.func`: wrappers that were made before a recording reach them too.

They are looked up at import: a recording that does not see a transform would be wrong without a word.
"""

from __future__ import annotations

import sys
from typing import Any

from tracelab.compat.names import needed

VMAP = "vmap_impl"
"""In `apis`; all others are in `eager`."""

GRAD, GRAD_AND_VALUE = "grad_impl", "grad_and_value_impl"
JVP, VJP, LINEARIZE = "_jvp_with_argnums", "_vjp_with_argnums", "linearize"
JACREV, JACFWD, HESSIAN = "jacrev", "jacfwd", "hessian"
FUNCTIONALIZE = "functionalize"

for _name in (GRAD, GRAD_AND_VALUE, JVP, VJP, LINEARIZE, JACREV, JACFWD, HESSIAN, FUNCTIONALIZE):
    needed(f"torch._functorch.eager_transforms.{_name}")
needed(f"torch._functorch.apis.{VMAP}")

eager: Any = sys.modules["torch._functorch.eager_transforms"]
"""The module of `grad_impl` and its like."""

apis: Any = sys.modules["torch._functorch.apis"]
"""The module of `vmap_impl`."""
