"""The pre-dispatch layer: sees every operator above autograd, autocast and decomposition.

The Python dispatcher asks an operator for its handler once (`_get_dispatch`) and keeps what it gets in the
operator's dispatch cache. While recordings run, what it gets for the pre-dispatch key is a handler of ours; the
handlers are taken out again when the last recording ends. A mode on torch's pre-dispatch stack would do the
same, with more bookkeeping than recording costs, and that stack is one for all threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracelab.capture.recording.operators import Operator, operator_of
from tracelab.capture.recording.recorder import active
from tracelab.capture.recording.replacement import Replacement
from tracelab.compat.dispatch import (
    PRE_DISPATCH,
    PYTHON,
    current_get_dispatch,
    dispatch_cache,
    get_dispatch,
    key_excluded,
    set_get_dispatch,
    set_watching,
)

_made: dict[Any, Callable[..., Any]] = {}
"""The handlers that were made so far."""
_installed: dict[Any, tuple[dict[Any, Any], Callable[..., Any]]] = {}
"""Those that are in the dispatch caches of their operators, with these."""


class Handlers(Replacement):
    """What the Python dispatcher asks for the handler of an operator, and the handlers that it got."""

    label = "torch's handlers of operators"

    def __init__(self) -> None:
        self.on = False

    def install(self) -> None:
        self.on = True
        set_get_dispatch(_handler_of)

    def remove(self) -> None:
        self.on = False
        set_get_dispatch(get_dispatch)
        for target, (cache, handler) in list(_installed.items()):
            found = cache.pop(PRE_DISPATCH, handler)
            if found is not handler:
                cache[PRE_DISPATCH] = found
            _installed.pop(target, None)

    def is_in(self) -> bool:
        return current_get_dispatch() is _handler_of or bool(_installed)


_handlers = Handlers()

HANDLERS = (_handlers,)
"""Let operators of a thread that records go to its recorder."""


def _handler_of(target: Any, key: Any) -> Any:
    """What the Python dispatcher asks of an operator whose handler it has not cached."""
    if key == PRE_DISPATCH and active.recorder is not None:
        return _install(target)
    return get_dispatch(target, key)


def _install(target: Any) -> Callable[..., Any]:
    handler = _made.get(target)
    if handler is None:
        handler = _made[target] = _handler(operator_of(target))
    if _handlers.on:
        cache = dispatch_cache(target)
        _installed[target] = cache, handler
        cache[PRE_DISPATCH] = handler
    return handler


def _handler(operator: Operator) -> Callable[..., Any]:
    call = operator.call

    def handle(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        # torch fills a new tensor from Python data with modes excluded: what it calls then is no part of the run.
        if recorder is not None and not recorder.paused and not key_excluded(PYTHON):
            return recorder.run_operator(operator, args, kwargs)
        set_watching(False)
        try:
            return call(*args, **kwargs)
        finally:
            set_watching(True)

    return handle
