"""torch's classes of symbolic numbers: what is replaced of them is looked up in the class when it is used.

So it waits until a recording makes its first number; most functions that read no size make none.
"""

from __future__ import annotations

from tracelab.capture.patches.many import Late
from tracelab.capture.patches.registry import patched
from tracelab.capture.patches.values.number_takers import NUMBER_TAKERS
from tracelab.capture.patches.values.numbers import METHODS
from tracelab.capture.patches.values.plain_numbers import TAKEN_FOR_PLAIN
from tracelab.capture.recording.recorder import Recorder

_classes = Late(*METHODS, *TAKEN_FOR_PLAIN, *NUMBER_TAKERS)

NUMBER_CLASSES = (_classes,)
"""Make traced numbers what plain ones are."""

# Recorders call it before they make their first number.
Recorder.meet_numbers = staticmethod(lambda: patched.want(_classes))
