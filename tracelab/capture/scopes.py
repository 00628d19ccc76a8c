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
from tracelab.graph.assumptions import Assumption, AssumptionKind, Words
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
    if recorder.rounds is not None:
        recorder.scope = recorder.rounds.see(recorder.source(sys._getframe(2)), recorder.scope, module)
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


def enter_block(recorder: Recorder, owner: Any, title: str, frame: FrameType) -> Scope:
    """In a cell, some calls are blocks as those of modules are: steps of optimizers; gives the scope around it."""
    recorder.source(frame)
    outer = recorder.scope
    name = _name_from_caller(owner, frame)
    number = recorder.module_calls.get(name, 0)
    recorder.module_calls[name] = number + 1
    recorder.scope = Scope(name, title, outer, number)
    return outer


def note_training(recorder: Recorder, root: torch.nn.Module | None) -> None:
    """Note the modes of the modules that ran and whose code asks for them.

    The modules of a traced module have modes of their own, beside those of the modules that it was traced from; what a
    function runs is asked at each call.
    """
    asking = [module for module in recorder.called.values() if _asks_for_training(type(module))]  # type: ignore[arg-type]
    assumptions = recorder.graph.assumptions
    if root is not None:
        within = {id(module): path for path, module in root.named_modules()}
        inside = [(within[id(module)], module.training) for module in asking if id(module) in within]
        asking = [module for module in asking if id(module) not in within]
        name = type(root).__name__
        alike = tuple(sorted(path for path, mode in inside if mode is root.training))
        if alike:
            item = Assumption(AssumptionKind.TRAINING, f"{name}.training", root.training, paths=alike)
            assumptions.append(item)
        for path, mode in inside:
            if mode is not root.training:
                assumptions.append(Assumption(AssumptionKind.TRAINING, f"{name}.{path}.training", mode, paths=(path,)))
    if asking:
        first = asking[0]
        subject = f"{recorder.module_paths.get(id(first)) or type(first).__name__}.training"
        modes = [(weakref.ref(module), module.training) for module in asking]
        probe = functools.partial(_mode_of, modes)
        assumptions.append(Assumption(AssumptionKind.TRAINING, subject, first.training, probe=probe))


def _mode_of(modes: list[tuple[weakref.ref[torch.nn.Module], bool]]) -> Any:
    """The mode of the first; other words where that is as it was, and that of another module is not."""
    now = [before if (module := owner()) is None else module.training for owner, before in modes]
    if now[0] is not modes[0][1] or now == [before for _, before in modes]:
        return now[0]
    return Words("another in a module beside it")


@functools.lru_cache(maxsize=4096)
def _asks_for_training(cls: Any) -> bool:
    """Whether its `forward`, or a method beside it that `forward` may call, reads `self.training`."""
    methods = (item for owner in cls.__mro__ if owner is not torch.nn.Module for item in vars(owner).values())
    codes = (getattr(item, "__code__", None) for item in methods if callable(item))
    return any(code is not None and "training" in names_read(code) for code in codes)


def _name_from_caller(module: Any, frame: FrameType | None) -> str:
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
