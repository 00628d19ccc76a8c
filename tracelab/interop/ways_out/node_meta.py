"""What torch.fx keeps beside a node: the value as a fake tensor, the stack of modules, the place in the code."""

from __future__ import annotations

import functools
import linecache
from collections.abc import Callable
from typing import Any

import torch

from tracelab.compat.leaving import fake_mode
from tracelab.graph.ir import Node, Value
from tracelab.graph.scope import Scope
from tracelab.graph.source import Source
from tracelab.graph.types import TensorType

NUMBER_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool}

_QUANTIZED = (torch.quint8, torch.qint8, torch.qint32, torch.quint4x2, torch.quint2x4)


class Fakes:
    """The values of one graph without their data."""

    def __init__(self) -> None:
        self.mode = fake_mode()
        self._known: dict[Value, Any] = {}

    def of(self, value: Value) -> Any:
        """A fake tensor, or the number where it follows from sizes; None where nothing is known."""
        if value not in self._known:
            self._known[value] = self._tensor(value.type) if isinstance(value.type, TensorType) else None
        return self._known[value]

    def _tensor(self, kind: TensorType) -> Any:
        if kind.stride is None or kind.dtype in _QUANTIZED:
            return None
        with self.mode:
            made = torch.empty_strided(kind.shape, kind.stride, dtype=kind.dtype, device=kind.device)
            if kind.requires_grad and (kind.dtype.is_floating_point or kind.dtype.is_complex):
                made.requires_grad_()
        return made

    def compute(self, node: Node, arguments: Callable[[Any], Any]) -> None:
        """Learn a number that follows from sizes and other numbers."""
        if len(node.outputs) != 1 or node.outputs[0].type not in (*NUMBER_TYPES, "Device") or not callable(node.target):
            return
        try:
            args, kwargs = arguments(node.args), arguments(node.kwargs or {})
            with self.mode:
                self._known[node.outputs[0]] = node.target(*args, **kwargs)
        except Exception:
            # It depends on the data of a tensor.
            self._known[node.outputs[0]] = None


def module_stack(scope: Scope | None, name: str = "") -> dict[str, tuple[str, str]]:
    """The modules whose calls a node is part of, outermost first, as torch.export writes them."""
    found: list[Scope] = []
    while scope is not None:
        found.append(scope)
        scope = scope.parent
    stack: dict[str, tuple[str, str]] = {}
    for part in reversed(found):
        if part.parent is None:
            stack["L__self__"] = ("", part.class_name or name)
        else:
            again = f"@{part.call}" if part.call else ""
            stack[f"L__self___{part.path.replace('.', '_')}{again}"] = (f"{part.path}{again}", part.class_name)
    return stack


def stack_trace(source: Source | None) -> str | None:
    """The frames of the user's as a traceback writes them, the innermost last."""
    frames: list[str] = []
    while source is not None:
        frames.append(_frame(source.file, source.line, source.function))
        source = source.caller
    return "".join(reversed(frames)) or None


@functools.lru_cache(4096)
def _frame(file: str, line: int, function: str) -> str:
    code = linecache.getline(file, line).strip()
    return f'  File "{file}", line {line}, in {function}\n' + (f"    {code}\n" if code else "")
