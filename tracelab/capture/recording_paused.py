"""Running calls for real while a recording runs, with nothing of them recorded."""

from __future__ import annotations

from typing import Any

from tracelab.capture.recorder import Recorder
from tracelab.capture.torch_private import PRE_DISPATCH, DisablePythonDispatcher, set_key_included


class Unseen:
    """Context manager: what this thread calls belongs to no node, or to one that is recorded by other means."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.guard = DisablePythonDispatcher()

    def __enter__(self) -> None:
        self.recorder.inside = True
        set_key_included(PRE_DISPATCH, False)
        self.guard.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.guard.__exit__(*error)
        set_key_included(PRE_DISPATCH, True)
        self.recorder.inside = False
