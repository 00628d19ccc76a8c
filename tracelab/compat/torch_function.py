"""Where torch's Python functions ask whether they must hand themselves over to a torch-function mode."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

QUESTIONS = ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic")


def question_places() -> list[tuple[Any, str, Callable[..., bool]]]:
    """Each module of torch that holds one of these functions, with its name there; never the bindings themselves."""
    places = []
    for name, module in list(sys.modules.items()):
        if name.startswith("torch.") or name == "torch":
            for word in QUESTIONS:
                function = getattr(module, "__dict__", {}).get(word)
                if function is not None and name != "torch._C":
                    places.append((module, word, function))
    return places
