"""Stopping a run between two nodes: by Ctrl-C, or by whoever holds the switch."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class CancelToken(Protocol):
    """What stops a run once it is set: a `threading.Event`."""

    def is_set(self) -> bool: ...


@contextmanager
def stoppable(cancel: CancelToken | Callable[[], bool] | None) -> Iterator[Callable[[], bool]]:
    """Gives a function that says whether to stop.

    Within it the first Ctrl-C only asks to stop, so that the node that runs can finish; the second one raises
    `KeyboardInterrupt` as usual. Only the main thread hears Ctrl-C.
    """
    asked = False

    def stop() -> bool:
        return asked

    def stop_or_cancelled() -> bool:
        return asked or cancelled()

    cancelled: Callable[[], bool] = cancel if callable(cancel) else cancel.is_set if cancel is not None else stop
    check = stop if cancel is None else stop_or_cancelled
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield check
        return

    def ask(number: int, frame: Any) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)
