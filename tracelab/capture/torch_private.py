"""The private names of torch that capture stands on, all in one place.

They are those of `torch.export`'s own pre-dispatch tracing. A torch version that lacks one gives one clear
error at import instead of a wrong trace later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

try:
    from torch._C import DispatchKey
    from torch._dispatch.python import enable_python_dispatcher
    from torch._ops import OpOverload

    PRE_DISPATCH = DispatchKey.PreDispatch
    PYTHON = DispatchKey.Python
    EnablePreDispatch: Callable[[], Any] = torch._C._EnablePreDispatch
    DisablePythonDispatcher: Callable[[], Any] = torch._C._DisablePythonDispatcher
    key_excluded: Callable[[Any], bool] = torch._C._dispatch_tls_is_dispatch_key_excluded
    key_included: Callable[[Any], bool] = torch._C._dispatch_tls_is_dispatch_key_included
    set_key_included: Callable[[Any, bool], None] = torch._C._dispatch_tls_set_dispatch_key_included
    ScriptFunction: Any = torch._C.ScriptFunction
    set_grad_enabled: Callable[[bool], None] = torch._C._set_grad_enabled
except (ImportError, AttributeError) as error:  # pragma: no cover - depends on the torch version
    raise ImportError(
        f"tracelab needs torch 2.11 to 2.13; torch {torch.__version__} lacks a part that tracing stands on: {error}"
    ) from error

__all__ = [
    "PRE_DISPATCH",
    "PYTHON",
    "DisablePythonDispatcher",
    "DispatchKey",
    "EnablePreDispatch",
    "OpOverload",
    "ScriptFunction",
    "enable_python_dispatcher",
    "key_excluded",
    "key_included",
    "set_grad_enabled",
    "set_key_included",
]
