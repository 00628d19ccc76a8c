"""Tensors that the code made in a way that tracing does not see: in another thread, in a call that stays one node."""

from __future__ import annotations

import torch

from tracelab.capture.analysis.epoch import Epoch
from tracelab.capture.messages import CHANGED, UNSEEN
from tracelab.capture.recording.recorder import Recorder, recording_paused
from tracelab.capture.recording.wrappers import changed_wrappers
from tracelab.graph.assumptions import Assumption, AssumptionKind

_MADE = "what the code made in a way that tracing does not see"
_CHANGED = "what a tensor that wraps others holds, which the code changed in a way that tracing does not see,"


def note_unseen(recorder: Recorder, epoch: Epoch) -> None:
    """Note the constants that the code made itself, in a way that tracing does not see."""
    _note_changed(recorder)
    for capsule in list(recorder.capsules.values()):
        capsule.note(recorder)
    if not recorder.constants:
        return
    state = recorder.graph.state
    with recording_paused(recorder):
        tensors = [
            state[value]
            for value in recorder.constants
            if value in state and (value in recorder.aliases or _is_torch_s_own(state[value]))
        ]
        made = {id(item) for item in epoch.made_since(tensors)}
    told = {item.value for item in recorder.graph.assumptions if item.kind is AssumptionKind.VALUES}
    for value in recorder.constants if made else ():
        if id(state.get(value)) in made and recorder.aliases.get(value) not in told:
            source = value.node.source if value.node is not None else None
            if value not in recorder.aliases:
                recorder.warn("constant", UNSEEN, "", None, at=source)
            recorder.graph.assumptions.append(
                Assumption(AssumptionKind.UNSEEN, _MADE, "this tensor", source, probe=lambda: "another one")
            )


def _note_changed(recorder: Recorder) -> None:
    """Note the tensors whose parts the code replaced after calls had taken them."""
    for tensor in changed_wrappers(recorder):
        whole = recorder.known(tensor)
        source = recorder.made_at(tensor)
        recorder.warn("constant", CHANGED.format(type(tensor).__name__), "", whole, at=source)
        recorder.graph.assumptions.append(
            Assumption(AssumptionKind.UNSEEN, _CHANGED, "as it was", source, probe=lambda: "another one")
        )


def _is_torch_s_own(tensor: torch.Tensor) -> bool:
    """Whether its memory is torch's: that of NumPy and others was told where it was made from a tensor."""
    if type(tensor) is not torch.Tensor or tensor.layout is not torch.strided:
        return True
    try:
        return bool(tensor.untyped_storage().resizable())
    except (RuntimeError, NotImplementedError):
        return True
