"""State that a module rebinds while it runs: `self.steps = self.steps + 1`."""

from __future__ import annotations

import sys

import torch

from tracelab.capture.recording.recorder import Recorder
from tracelab.compat import script
from tracelab.graph.ir import Node
from tracelab.graph.kinds import SET_ATTRIBUTE


class ModuleState:
    """What the buffers and tensor attributes of the known modules were when recording began."""

    def __init__(self) -> None:
        self.modules: list[tuple[torch.nn.Module, str]] = []
        """Each of them, and its path."""
        self.buffers: list[tuple[torch.nn.Module, str, torch.Tensor, str]] = []
        self.attributes: list[tuple[torch.nn.Module, str, object, str]] = []

    def remember(self, module: torch.nn.Module, prefix: str) -> None:
        for path, child in module.named_modules(prefix=prefix):
            self.modules.append((child, path))
            if script.is_module(child):
                # It is called as one node, which does what it does again.
                continue
            dot = f"{path}." if path else ""
            for name, buffer in child._buffers.items():
                if buffer is not None:
                    self.buffers.append((child, name, buffer, dot + name))
            for name, item in child.__dict__.items():
                if item is None or isinstance(item, torch.Tensor):
                    self.attributes.append((child, name, item, dot + name))


def record_rebinding(recorder: Recorder, state: ModuleState, owned: bool) -> None:
    """Record buffers that were rebound as `prim::SetAttr`; note what a replay cannot do again.

    `owned` says that the graph belongs to a module, whose buffers a replay can set.
    """
    for module, name, before, path in state.buffers:
        # A script module's table has no `get`.
        now = dict(module._buffers.items()).get(name)
        if now is before or now is None:
            continue
        value = recorder.known(now)
        if owned and value is not None:
            node = Node(SET_ATTRIBUTE, None, (value,), None, (), recorder.graph.root, None, {"name": path})
            recorder.nodes.append(node)
        else:
            _note(recorder, path, now, _BUFFER)
    for module, name, before_attribute, path in state.attributes:
        now = module.__dict__.get(name)
        if now is before_attribute or not isinstance(now, torch.Tensor) or recorder.known(now) is None:
            continue
        if not (_is_made_by_a_hook(module, name) and _is_unread(recorder, before_attribute)):
            _note(recorder, path, now, _ATTRIBUTE)


def _is_made_by_a_hook(module: torch.nn.Module, name: str) -> bool:
    """Whether each call of the module makes the attribute first: a norm of a weight, a mask of what is pruned."""
    return any(name in getattr(hook, "__dict__", {}).values() for hook in module._forward_pre_hooks.values())


def _is_unread(recorder: Recorder, tensor: object) -> bool:
    return not isinstance(tensor, torch.Tensor) or recorder.known(tensor) is None


_ATTRIBUTE = (
    "The attribute `{}` was set while tracing, which might cause the trace to be incorrect: a replay does not "
    "set it again. Make it a buffer (register_buffer) of the traced module, or return it."
)
_BUFFER = (
    "The buffer `{0}` was replaced while tracing, which might cause the trace to be incorrect: a replay does not "
    "replace it. Write into it, as in `{0}.copy_(...)`, or trace the module itself with tracelab.trace."
)


def _note(recorder: Recorder, path: str, now: torch.Tensor, message: str) -> None:
    """What is set now was mostly made where it was set."""
    source = recorder.made_at(now)
    frame = sys._getframe(1) if source is None else None
    recorder.warn("state", message.format(path), path, None, frame, place=path, at=source)
