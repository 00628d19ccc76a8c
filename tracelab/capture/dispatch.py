"""The pre-dispatch layer: sees every operator above autograd, autocast and decomposition.

torch routes operators to a mode through bookkeeping that costs more than recording does. So the mode handles
an operator's first call only, and puts a direct handler into that operator's dispatch cache for the rest of
the recording; the handlers are taken out again when the last recording ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from tracelab.capture.operators import Operator, operator_of
from tracelab.capture.recorder import active
from tracelab.capture.torch_private import (
    PRE_DISPATCH,
    PROXY_MODE_KEY,
    DisablePythonDispatcher,
    ProxyTorchDispatchMode,
    TorchDispatchMode,
    set_key_included,
)

_lock = threading.Lock()
_installed: dict[Any, Any] = {}
_running = 0


class PreDispatchMode(ProxyTorchDispatchMode):
    """The mode that torch's dispatcher hands operators to."""

    def __init__(self) -> None:
        # ProxyTorchDispatchMode's own set-up is for fx tracing; only its place in the dispatcher is wanted.
        TorchDispatchMode.__init__(self, PRE_DISPATCH)
        self._mode_key = PROXY_MODE_KEY
        self.pre_dispatch = True
        self.enter_stack: list[Any] = []
        # Jagged tensors ask the mode's tracer whether it delays arithmetic on sizes: ours does not.
        self.tracer: Any = SimpleNamespace(enable_thunkify=False)

    def __enter__(self) -> PreDispatchMode:
        global _running
        super().__enter__()
        with _lock:
            _running += 1
        return self

    def __exit__(self, *error: Any) -> None:
        global _running
        try:
            super().__exit__(*error)
        finally:
            with _lock:
                _running -= 1
                if _running == 0:
                    for target, handler in _installed.items():
                        if target._dispatch_cache.get(PRE_DISPATCH) is handler:
                            del target._dispatch_cache[PRE_DISPATCH]
                    _installed.clear()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        handler = _install(func)
        # The dispatcher has taken the mode off for this call; the handler expects the key as it was.
        set_key_included(PRE_DISPATCH, True)
        try:
            return handler(*args, **(kwargs or {}))
        finally:
            set_key_included(PRE_DISPATCH, False)


def _install(target: Any) -> Callable[..., Any]:
    handler = _handler(operator_of(target))
    with _lock:
        if _running:
            target._dispatch_cache[PRE_DISPATCH] = handler
            _installed[target] = handler
    return handler


def _handler(operator: Operator) -> Callable[..., Any]:
    call = operator.call

    def handle(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is not None and not recorder.inside:
            return recorder.run_operator(operator, args, kwargs)
        set_key_included(PRE_DISPATCH, False)
        try:
            with DisablePythonDispatcher():
                return call(*args, **kwargs)
        finally:
            set_key_included(PRE_DISPATCH, True)

    return handle
