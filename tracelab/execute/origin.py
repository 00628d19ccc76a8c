"""Where a trace came from: what it takes to record or check it again."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

MOST_BYTES = 64 * 2**20
"""Example inputs that are larger in all are not kept."""


@dataclass(slots=True)
class Origin:
    """The Python callable behind a trace, the modules that it runs, how it was recorded, and on what.

    `modules` maps path prefixes to modules whose names nodes and parameters get; `""` is the module that was traced.
    `examples` are copies of the example inputs' tensors, in the order of the graph's inputs; None where they were too
    large to keep.
    """

    python: Callable[..., Any]
    modules: dict[str, nn.Module] = field(default_factory=dict, repr=False)
    strict: bool = True
    force_outplace: bool = False
    examples: list[Tensor] | None = field(default=None, repr=False)
    version: int = 0
    """That of the graph's nodes as it was recorded: it grows with every edit."""
    given: tuple[Any, ...] = field(default=(), repr=False)
    """The modules and optimizers among the example arguments, which code runs as they are."""
    follows: tuple[bool, bool, bool] = (True, True, True)
    """Whether numbers and arrays among the arguments, and sizes, were given to the code as traced ones."""

    @property
    def roots(self) -> tuple[Any, ...]:
        """All through which a call of the Python callable may reach what it changes."""
        return (self.python, *self.modules.values(), *self.given)


def copied_origin(origin: Origin, memo: dict[int, Any]) -> Origin | None:
    """The same for a deep copy of what was traced, which has its parameters in `memo`.

    None where the Python object cannot be copied.
    """
    try:
        python = copy.deepcopy(origin.python, memo)
        modules = {prefix: copy.deepcopy(module, memo) for prefix, module in origin.modules.items()}
    except Exception:
        # The user's objects may refuse it in any way.
        return None
    return replace(origin, python=python, modules=modules)


def kept_examples(tensors: list[Tensor]) -> list[Tensor] | None:
    """The tensors, or None where they are too large to be held for later checks."""
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return tensors if size <= MOST_BYTES else None
