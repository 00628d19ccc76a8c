"""Module calls as scopes."""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch.nn.modules.lazy import LazyModuleMixin

from tracelab.capture.outside.reads import names_read
from tracelab.capture.recording.recorder import Recorder, recording_paused
from tracelab.compat import script
from tracelab.compat.modules import infer_lazy_parameters
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.callables.script_call import ScriptCall
from tracelab.graph.ir import Role
from tracelab.graph.kinds import CALL_METHOD
from tracelab.graph.scope import Scope
from tracelab.graph.source import is_inner


def register_module(recorder: Recorder, module: torch.nn.Module, prefix: str) -> None:
    """Let the recording know the names of a module, its submodules, parameters and buffers."""
    dot = f"{prefix}." if prefix else ""
    recorder.kept.append(module)
    for path, child in module.named_modules(prefix=prefix, remove_duplicate=True):
        recorder.module_paths.setdefault(id(child), path)
    for path, parameter in module.named_parameters():
        recorder.names.setdefault(id(parameter), (dot + path, Role.PARAMETER))
    for path, buffer in module.named_buffers():
        recorder.names.setdefault(id(buffer), (dot + path, Role.BUFFER))


def call_module(
    recorder: Recorder,
    original: Callable[..., Any],
    module: torch.nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Run a module's call inside its scope; a script module stays one node."""
    path = recorder.module_paths.get(id(module))
    if path is None:
        path = _name_from_caller(module, sys._getframe(2))
        path = _unused(recorder, path)
        register_module(recorder, module, path)
    if isinstance(module, LazyModuleMixin) and module.has_uninitialized_params():
        # A lazy module makes its parameters at its first call: that is no part of what later calls do.
        with recording_paused(recorder):
            infer_lazy_parameters(module, args, kwargs)
    if script.is_module(module):
        call = ScriptCall(module)
        return recorder.record_call(
            CALL_METHOD,
            call,
            (*call.tensors(), *args),
            kwargs,
            run=lambda: original(module, *args, **kwargs),
            attributes={"name": path or "forward"},
        )
    recorder.called[id(module)] = module
    if path == "":
        return original(module, *args, **kwargs)
    number = recorder.module_calls.get(path, 0)
    recorder.module_calls[path] = number + 1
    outer = recorder.scope
    recorder.scope = Scope(path, type(module).__name__, outer, number)
    try:
        return original(module, *args, **kwargs)
    finally:
        recorder.scope = outer


def note_training(recorder: Recorder, root: torch.nn.Module | None) -> None:
    """Note that the recording depends on the training mode, where the code of a module that ran asks for it.

    A traced module has a mode of its own; the modules that a function runs are asked at each call.
    """
    asking = [module for module in recorder.called.values() if _asks_for_training(type(module))]  # type: ignore[arg-type]
    if root is not None:
        if asking:
            subject = f"{type(root).__name__}.training"
            recorder.graph.assumptions.append(Assumption(AssumptionKind.TRAINING, subject, root.training))
        return
    for module in asking[:1]:
        subject = f"{recorder.module_paths.get(id(module)) or type(module).__name__}.training"
        probe = functools.partial(_mode_of, weakref.ref(module), module.training)
        recorder.graph.assumptions.append(Assumption(AssumptionKind.TRAINING, subject, module.training, probe=probe))


def _mode_of(owner: weakref.ref[torch.nn.Module], gone: bool) -> bool:
    module = owner()
    return gone if module is None else module.training


@functools.lru_cache(maxsize=4096)
def _asks_for_training(cls: Any) -> bool:
    code = getattr(getattr(cls, "forward", None), "__code__", None)
    return code is not None and "training" in names_read(code)


def _name_from_caller(module: torch.nn.Module, frame: FrameType | None) -> str:
    """The variable that the caller knows the module by, else its class name."""
    while frame is not None and is_inner(frame.f_code):
        frame = frame.f_back
    if frame is not None:
        for table in (frame.f_locals, frame.f_globals):
            for name, item in list(table.items()):
                if item is module and not name.startswith("_"):
                    return name
    return type(module).__name__.lower()


def _unused(recorder: Recorder, path: str) -> str:
    taken = set(recorder.module_paths.values())
    name, number = path, 1
    while name in taken:
        number += 1
        name = f"{path}_{number}"
    return name
