"""`forward` of a traced module under the argument names of the code, for those that read signatures."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from types import MethodType
from typing import Any

import torch

from tracelab.execute.module import ReplayModule
from tracelab.graph.data import input_tree_of


class SignedForward:
    """Gives the method `forward` with the signature of the traced callable."""

    holder: Any
    """The class that has it, above `ReplayModule`."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.holder = owner

    def __get__(self, module: Any, owner: type | None = None) -> Any:
        if module is None:
            return ReplayModule.forward
        graph = module.__dict__["_graphs"].get("forward")
        if graph is None or torch.compiler.is_compiling():
            # Not by `MethodType`, nor by the function's `__get__`: Dynamo follows neither.
            return super(self.holder, module).forward  # type: ignore[misc]
        tree = input_tree_of(graph)
        return MethodType(_signed(tuple(tree.names), tree.keyword_only), module)


@functools.lru_cache(512)
def _signed(names: tuple[str, ...], keyword_only: int) -> Callable[..., Any]:
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        return ReplayModule.forward(self, *args, **kwargs)

    words = [re.sub(r"\W", "_", name) for name in names]
    first = len(words) - keyword_only
    kinds = [
        inspect.Parameter.POSITIONAL_OR_KEYWORD if at < first else inspect.Parameter.KEYWORD_ONLY
        for at in range(len(words))
    ]
    try:
        parameters = [inspect.Parameter(word, kind) for word, kind in zip(words, kinds, strict=True)]
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        forward.__signature__ = inspect.Signature([own, *parameters])  # type: ignore[attr-defined]
    except ValueError:
        # Names that Python cannot say, or twice the same one.
        pass
    return forward
