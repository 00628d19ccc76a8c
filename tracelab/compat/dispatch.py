"""torch's dispatcher: its keys, and the handler that the Python dispatcher gets for an operator.

They are those of `torch.export`'s own pre-dispatch tracing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracelab.compat.names import needed
from tracelab.compat.operators import OpOverload

PRE_DISPATCH: Any = needed("torch._C.DispatchKey.PreDispatch")
PYTHON: Any = needed("torch._C.DispatchKey.Python")
PYTHON_DISPATCHER: Any = needed("torch._C.DispatchKey.PythonDispatcher")
enable_python_dispatcher: Callable[[], Any] = needed("torch._dispatch.python.enable_python_dispatcher")
key_excluded: Callable[[Any], bool] = needed("torch._C._dispatch_tls_is_dispatch_key_excluded")
key_included: Callable[[Any], bool] = needed("torch._C._dispatch_tls_is_dispatch_key_included")
set_key_included: Callable[[Any, bool], None] = needed("torch._C._dispatch_tls_set_dispatch_key_included")

get_dispatch: Callable[[Any, Any], Any] = needed("torch._ops.OpOverload._get_dispatch")
"""What the Python dispatcher asks for the handler of an operator at a key, as torch made it."""

needed("torch.ops.aten.add.Tensor._dispatch_cache")


def set_get_dispatch(function: Callable[[Any, Any], Any]) -> None:
    """Let the Python dispatcher ask another function."""
    OpOverload._get_dispatch = function  # type: ignore[method-assign, assignment]


def current_get_dispatch() -> Callable[[Any, Any], Any]:
    """What it asks now."""
    return OpOverload._get_dispatch


def dispatch_cache(target: Any) -> dict[Any, Any]:
    """The handlers that an operator has been given so far, by key."""
    cache: dict[Any, Any] = target._dispatch_cache
    return cache


def set_watching(on: bool) -> None:
    """Let this thread's operators go to their handlers, or past them.

    Guards of torch's would do the same; one that an interrupt keeps alive would undo it at any later moment.
    """
    set_key_included(PRE_DISPATCH, on)
    set_key_included(PYTHON_DISPATCHER, on)
