"""Whether code asks for the class of a number by `type`: what stands for a traced one is of another class."""

from __future__ import annotations

from types import CodeType

from tracelab.capture.analysis.type_comparisons import compares_types, parts_of
from tracelab.graph.by_code import by_code

_CLASSES = frozenset({"int", "float"})


@by_code
def compares_number_classes(code: CodeType) -> bool:
    """Whether one of its parts compares a class and names one of numbers: `type(k) is int`, `"int"`."""
    return any(
        {"type", "__class__"} & set(part.co_names)
        and _CLASSES & {*part.co_names, *_texts(part)}
        and ("issubclass" in part.co_names or compares_types(part) >= 0)
        for part in parts_of(code)
    )


def _texts(code: CodeType) -> set[str]:
    return {item for item in code.co_consts if isinstance(item, str)}
