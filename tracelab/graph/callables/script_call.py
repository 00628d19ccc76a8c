"""A call of a script module, whose parameters and buffers are arguments of the node like those of any other module."""

from __future__ import annotations

import copy
import functools
from typing import Any

from torch import Tensor

from tracelab.compat import script


class ScriptCall:
    """Calls a script module with the tensors that it holds as the first arguments, in the order of `names`.

    A traced module that was copied, moved or loaded has tensors of its own: those run in a copy of the script module
    that holds them.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self.names = list(_held(module))
        self._copy: tuple[tuple[Tensor, ...], Any] | None = None

    @property
    def __name__(self) -> str:
        return str(getattr(self.module, "original_name", None) or type(self.module).__name__)

    def tensors(self) -> tuple[Tensor, ...]:
        """What the module holds now."""
        return tuple(_held(self.module).values())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        split = len(self.names)
        return self._with(args[:split])(*args[split:], **kwargs)

    def _with(self, tensors: tuple[Tensor, ...]) -> Any:
        if _same(tensors, self.tensors()):
            return self.module
        if self._copy is None or not _same(tensors, self._copy[0]):
            module = copy.deepcopy(self.module)
            for name, tensor in zip(self.names, tensors, strict=True):
                *path, last = name.split(".")
                script.set_tensor(functools.reduce(getattr, path, module), last, tensor)
            self._copy = tensors, module
        return self._copy[1]


def _held(module: Any) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _same(some: tuple[Tensor, ...], others: tuple[Tensor, ...]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))
