"""The pre-dispatch layer: sees every operator above autograd, autocast and decomposition.

The Python dispatcher asks an operator for its handler once (`_get_dispatch`) and keeps what it gets in the
operator's dispatch cache. While recordings run, what it gets for the pre-dispatch key is a handler of ours; the
handlers are taken out again when the last recording ends. A mode on torch's pre-dispatch stack would do the
same, with more bookkeeping than recording costs, and that stack is one for all threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tracelab.capture.recording.operators import Operator, operator_of
from tracelab.capture.recording.recorder import active
from tracelab.compat.dispatch import (
    PRE_DISPATCH,
    PYTHON,
    DisablePythonDispatcher,
    dispatch_cache,
    get_dispatch,
    key_excluded,
    key_included,
    set_get_dispatch,
    set_key_included,
)

_lock = threading.Lock()
_installed: dict[Any, Any] = {}
_running = 0


class PreDispatch:
    """Context manager: operators of this thread go to its recorder."""

    def __enter__(self) -> PreDispatch:
        global _running
        with _lock:
            if _running == 0:
                set_get_dispatch(_handler_of)
            _running += 1
        self.before = key_included(PRE_DISPATCH)
        set_key_included(PRE_DISPATCH, True)
        return self

    def __exit__(self, *error: Any) -> None:
        global _running
        set_key_included(PRE_DISPATCH, self.before)
        with _lock:
            _running -= 1
            if _running == 0:
                set_get_dispatch(get_dispatch)
                for target, handler in _installed.items():
                    cache = dispatch_cache(target)
                    if cache.get(PRE_DISPATCH) is handler:
                        del cache[PRE_DISPATCH]
                _installed.clear()


def _handler_of(target: Any, key: Any) -> Any:
    """What the Python dispatcher asks of an operator whose handler it has not cached."""
    if key == PRE_DISPATCH and active.recorder is not None:
        return _install(target)
    return get_dispatch(target, key)


def _install(target: Any) -> Callable[..., Any]:
    handler = _handler(operator_of(target))
    with _lock:
        if _running:
            dispatch_cache(target)[PRE_DISPATCH] = handler
            _installed[target] = handler
    return handler


def _handler(operator: Operator) -> Callable[..., Any]:
    call = operator.call

    def handle(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        # torch fills a new tensor from Python data with modes excluded: what it calls then is no part of the run.
        if recorder is not None and not recorder.paused and not key_excluded(PYTHON):
            return recorder.run_operator(operator, args, kwargs)
        set_key_included(PRE_DISPATCH, False)
        try:
            with DisablePythonDispatcher():
                return call(*args, **kwargs)
        finally:
            set_key_included(PRE_DISPATCH, True)

    return handle
