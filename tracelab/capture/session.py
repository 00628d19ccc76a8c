"""What a recording changes in torch, for its thread and for the process, and how that ends whatever happens.

`end` may be called again: an interrupt in it is followed by another call. What even that misses is put right when the
next recording begins, and before each cell of a notebook.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from threading import get_ident
from typing import Any

from tracelab.capture.analysis.epoch import Epoch
from tracelab.capture.layers.torch_function import FunctionMode
from tracelab.capture.patches.calls.loaders import SOURCES
from tracelab.capture.patches.table import patched
from tracelab.capture.recording.recorder import Recorder, active
from tracelab.capture.recording.taken_over import find_taker
from tracelab.compat.dispatch import (
    PRE_DISPATCH,
    PYTHON_DISPATCHER,
    enable_python_dispatcher,
    key_included,
    set_key_included,
    set_watching,
)
from tracelab.compat.modes import function_modes, modes_now, pop_function_mode, push_function_mode
from tracelab.errors import TracelabError
from tracelab.graph.takers import takers

_function_mode = FunctionMode()
"""It has no state of its own, so that all recordings share it."""

takers.find = find_taker


class Session:
    """One recording of this thread.

    `completed` is set where the code returned or raised an error of its own: what it did to torch's modes stays then.
    """

    def __init__(self, recorder: Recorder, release: Callable[[], None]) -> None:
        self.recorder = recorder
        self.release = release
        self.completed = False
        self.thread = get_ident()
        self.outer = active.recorder
        self.outer_session = active.session
        self.epoch = Epoch()
        self._begun = False
        self._guard: Any = None
        self._keys = key_included(PRE_DISPATCH), key_included(PYTHON_DISPATCHER)
        self._modes = function_modes()
        self._restore_modes = modes_now()

    def begin(self) -> None:
        """From here on, this thread's calls are recorded."""
        if self.outer is not None and not self.outer.paused:
            raise TracelabError("a trace is being recorded here already: call the traced function inside it instead")
        heal(suspected=False)
        self._begun = True
        active.session = self
        self.epoch.begin()
        patched.enter(self)
        if self.recorder.numbers:
            # Those that are arguments were made before.
            self.recorder.meet_numbers()
        if self.recorder.graph.cell:
            patched.want(SOURCES)
        push_function_mode(_function_mode)
        self._guard = enable_python_dispatcher()
        self._guard.__enter__()
        set_watching(True)
        active.recorder = self.recorder

    def end(self) -> None:
        """Torch is as before."""
        self.recorder.ended = True
        if self._begun:
            active.recorder = self.outer
            if self._guard is not None:
                self._guard.__exit__(None, None, None)
            watched, python = self._keys
            set_key_included(PRE_DISPATCH, watched)
            set_key_included(PYTHON_DISPATCHER, python)
            while function_modes() > self._modes:
                pop_function_mode()
            if not self.completed:
                self._restore_modes()
            active.session = self.outer_session
        patched.leave(self)
        self.epoch.end()
        self.release()
        self._begun = False


def heal(suspected: bool = True) -> None:
    """End what an interrupt left of a recording of this thread, and put back what no recording needs."""
    left = active.session
    if left is not None and not _runs(left):
        left.end()
    patched.heal(suspected)


def _runs(session: Session) -> bool:
    """Whether the function that began it is still running."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if frame.f_locals.get("session") is session:
            return True
        frame = frame.f_back
    return False


def _in_child() -> None:
    """A process that was forked while recordings ran records nothing: its thread is as if it had ended its own."""
    me, sessions = get_ident(), patched.users
    patched.forget_threads()
    for session in reversed(sessions):
        if session.thread == me:
            session.end()
        session.recorder.ended = True
        session.recorder.paused = True
    active.session = active.recorder = None
    patched.forget_threads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
