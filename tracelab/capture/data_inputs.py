"""Data that a cell draws: batches of a loader, and what a dataset, a tokenizer or an image reader gives, are inputs.

A cell goes through its data by itself, so that no variable holds the batches before it runs. What makes them (sampling,
reading, collating) is no part of the graph; the tensors that come out are inputs of it, named by the variables that
they are bound to, and a replay takes others.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

import torch

from tracelab.capture.analysis.libraries import is_library
from tracelab.capture.analysis.syntax import expression_at, loop_at
from tracelab.capture.recording.recorder import Recorder, active, recording_paused
from tracelab.graph.ir import Role, Value
from tracelab.graph.objects import fields_of
from tracelab.graph.source import is_inner
from tracelab.graph.types import tensor_type

_DEEPEST = 6

Targets = str | tuple["Targets", ...]
"""The variables that something is bound to: `xb`, or `("xb", "yb")`."""


def drawn(recorder: Recorder, make: Callable[[], Any], frame: FrameType) -> Any:
    """What `make` gives, made outside of the graph; the tensors in it become inputs."""
    with recorder.draws.apart(), recording_paused(recorder):
        made = make()
        for name, tensor in _named_tensors(made, _targets(_binding_frame(recorder, frame), made)):
            if recorder.known(tensor) is None and id(tensor) not in recorder.names:
                value = Value(name, tensor_type(tensor), None, Role.INPUT)
                recorder.data_inputs.append((value, tensor.detach().clone()))
                recorder.bind(tensor, value)
    return made


def is_drawn(item: Any) -> bool:
    """Whether all tensors in something are data as this thread's cell drew it: they are its inputs, not its outputs."""
    recorder = active.recorder
    if recorder is None or not recorder.data_inputs:
        return False
    values = {value for value, _ in recorder.data_inputs}
    with recording_paused(recorder):
        tensors = [tensor for _, tensor in _named_tensors(item, _UNNAMED)]
    return bool(tensors) and all(recorder.known(tensor) in values for tensor in tensors)


def _binding_frame(recorder: Recorder, frame: FrameType | None) -> FrameType | None:
    """The frame whose code binds what is made: that which asks for it, or a loop of the user's behind a bar."""
    while frame is not None and is_inner(frame.f_code) and frame.f_code is not recorder.boundary:
        frame = frame.f_back
    asking = frame
    while frame is not None and frame.f_code is not recorder.boundary:
        if not is_library(frame.f_code):
            return frame if frame is asking or loop_at(frame) is not None else asking
        frame = frame.f_back
    return asking


def _named_tensors(item: Any, names: Targets, depth: int = 0) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors inside, each with its name: `batch.0`, `batch["labels"]`."""
    if isinstance(item, torch.Tensor):
        yield (names if isinstance(names, str) else _UNNAMED), item
        return
    parts = _parts(item) if depth < _DEEPEST else {}
    each = names if isinstance(names, tuple) and len(names) == len(parts) else None
    for index, (key, part) in enumerate(parts.items()):
        name = each[index] if each is not None else _part_name(item, names, key)
        yield from _named_tensors(part, name, depth + 1)


def _part_name(item: Any, names: Targets, key: Any) -> str:
    whole = names if isinstance(names, str) else _UNNAMED
    return f'{whole}["{key}"]' if isinstance(item, dict) and isinstance(key, str) else f"{whole}.{key}"


_UNNAMED = "batch"


def _parts(item: Any) -> dict[Any, Any]:
    if isinstance(item, Mapping):
        return dict(item)
    if hasattr(item, "_fields"):
        return dict(zip(item._fields, item, strict=True))
    if isinstance(item, (list, tuple)):
        return dict(enumerate(item))
    return fields_of(item) or {}


# What it is bound to ----------------------------------------------------------------------------------------------


def _targets(frame: FrameType | None, made: Any) -> Targets:
    """The variables that the statement at this frame binds what was made to."""
    target, counted = (None, False) if frame is None else _target_at(frame)
    names = _names_in(target)
    if counted and isinstance(names, tuple):
        # `for step, batch in enumerate(loader)`
        names = names[-1]
    return names if not isinstance(names, tuple) or _fits(names, made) else _UNNAMED


def _target_at(frame: FrameType) -> tuple[ast.AST | None, bool]:
    """The target of the loop or assignment at a frame, and whether the rounds of the loop are counted beside it."""
    loop = loop_at(frame)
    if loop is not None:
        return loop[1].target, _is_counted(loop[1].iter)
    found = expression_at(frame)
    item: ast.AST | None = None if found is None else found[1]
    while found is not None and item is not None:
        item = found[0].get(item)
        if isinstance(item, ast.Assign):
            return item.targets[0], False
        if isinstance(item, ast.NamedExpr):
            return item.target, False
        if not isinstance(item, (ast.Call, ast.Await)):
            break
    return None, False


def _is_counted(item: ast.AST) -> bool:
    """Whether an expression is `enumerate(loader)`, or a bar around that."""
    return any(
        isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "enumerate"
        for part in ast.walk(item)
    )


def _names_in(target: ast.AST | None) -> Targets:
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute):
        return target.attr
    if isinstance(target, (ast.Tuple, ast.List)):
        return tuple(map(_names_in, target.elts))
    return _UNNAMED


def _fits(names: tuple[Targets, ...], made: Any) -> bool:
    """Whether what was made can be taken apart so."""
    if not isinstance(made, (list, tuple)) or len(made) != len(names):
        return False
    return all(_fits(each, part) for each, part in zip(names, made, strict=True) if isinstance(each, tuple))
