"""Whether an input is a parameter, where the code compares classes in a way that tracing does not see."""

from __future__ import annotations

import torch

from tracelab.capture.analysis.libraries import is_library
from tracelab.capture.analysis.type_comparisons import compares_types
from tracelab.capture.recording.state import RecordingState
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.ir import Role
from tracelab.graph.source import Source


def assume_classes(recorder: RecordingState) -> None:
    """Assume of each input that it is a parameter, or that it is none, where code of the user's compares classes."""
    # By identity: Python hashes a code object by reading all of it.
    codes = {id(code): code for source in recorder.sources() for code, _ in source.stack}
    code = next((code for code in codes.values() if compares_types(code) >= 0 and not is_library(code)), None)
    if code is None:
        return
    source = Source(((code, compares_types(code)),))
    for tensor, value in recorder.bound():
        if value.role is Role.INPUT:
            found = isinstance(tensor, torch.nn.Parameter)
            subject = "isinstance({}, Parameter)"
            recorder.assume_at(AssumptionKind.CLASS, "parameter", value, found, source, subject)
