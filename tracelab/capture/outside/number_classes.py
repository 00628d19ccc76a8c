"""Whether code asks for the class of a number by `type`: what stands for a traced one is of another class."""

from __future__ import annotations

from collections.abc import Iterable
from types import CodeType
from typing import Any

from torch import nn

from tracelab.capture.analysis.type_comparisons import compares_types, parts_of
from tracelab.capture.outside.tables import Tables
from tracelab.graph.by_code import by_code

_CLASSES = frozenset({"int", "float"})


def compares_number_classes(function: Any, modules: Iterable[tuple[str, nn.Module]]) -> bool:
    """Whether code that a function reaches asks `type(k) is int`, or the like."""
    reached = Tables(function, [(module, path) for path, module in modules]).functions
    return any(_asks(each.__code__) for each in reached)


@by_code
def _asks(code: CodeType) -> bool:
    """Whether one of its parts compares a class and names one of numbers: `type(k) is int`, `"int"`."""
    return any(
        {"type", "__class__"} & set(part.co_names)
        and _CLASSES & {*part.co_names, *_texts(part)}
        and ("issubclass" in part.co_names or compares_types(part) >= 0)
        for part in parts_of(code)
    )


def _texts(code: CodeType) -> set[str]:
    return {item for item in code.co_consts if isinstance(item, str)}
