"""Hooks of modules' backward passes, and the removal of hooks: as each run of the traced code has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils.hooks import BackwardHook, RemovableHandle

from tracelab.capture.layers.lifting import Lifting
from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import active
from tracelab.graph.callables.higher_order import run_region
from tracelab.graph.callables.hooks import after_module, before_module, make_backward_hook, remove_hook, tensors_of
from tracelab.graph.kinds import PYTHON_CALL


def _attributes(name: str) -> dict[str, Any]:
    return {"name": name, "inplace": False}


def _removed(original: Callable[..., Any]) -> Callable[..., Any]:
    def remove(handle: Any) -> None:
        recorder = active.recorder
        if recorder is None or recorder.paused or recorder.object_value(handle) is None:
            original(handle)
            return
        recorder.record_call(
            PYTHON_CALL,
            remove_hook,
            (handle,),
            run=lambda: original(handle),
            attributes=_attributes("remove_hook"),
        )

    return remove


def _made(original: Callable[..., Any]) -> Callable[..., Any]:
    def init(hook: Any, module: Any, behind: Any, before: Any) -> None:
        recorder = active.recorder
        behind, before = list(behind), list(before)
        if recorder is None or recorder.paused:
            original(hook, module, behind, before)
            return
        lifting = Lifting(recorder)
        hooks = tuple(map(lifting.lift, (*behind, *before)))

        def run() -> Any:
            original(hook, module, behind, before)
            return hook

        made = (make_backward_hook, (module, len(behind), *hooks), tuple(lifting.found))
        recorder.record_call(PYTHON_CALL, run_region, made, run=run, attributes=_attributes("backward_hooks"))
        recorder.note_object(hook, recorder.nodes[-1].outputs[0])

    return init


def _passed(through: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def setup(hook: Any, items: Any) -> Any:
            recorder = active.recorder
            unseen = recorder is None or recorder.paused or recorder.object_value(hook) is None
            if recorder is None or unseen or not tensors_of(items):
                return original(hook, items)
            given: list[Any] = []

            def run() -> tuple[Tensor, ...]:
                given.append(original(hook, items))
                return tensors_of(given[0])

            name = through.__name__
            recorder.record_call(PYTHON_CALL, through, (hook, items), run=run, attributes=_attributes(name))
            return given[0]

        return setup

    return make


HOOKS = (
    Code(RemovableHandle.remove, _removed),
    Code(BackwardHook.__init__, _made),
    Code(BackwardHook.setup_input_hook, _passed(before_module)),
    Code(BackwardHook.setup_output_hook, _passed(after_module)),
)
"""Make nodes of them."""
