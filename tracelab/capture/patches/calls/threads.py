"""Threads that the traced code starts: what they compute is no part of the graph, and is told where it is used."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import Recorder, active


class _Watching(torch.overrides.TorchFunctionMode):
    """Notes what another thread makes for the recording that started it."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if not self.recorder.ended:
            self.recorder.note_unseen(result, args)
        return result


def _watched(original: Callable[..., Any]) -> Callable[..., Any]:
    def start(thread: threading.Thread) -> None:
        recorder = active.recorder
        if recorder is not None and "run" not in vars(thread):
            run = thread.run

            def watched() -> None:
                del thread.run
                with _Watching(recorder):
                    run()

            thread.run = watched  # type: ignore[method-assign]
        original(thread)

    return start


THREADS = (Code(threading.Thread.start, _watched),)
"""Watch the threads that traced code starts."""
