"""What figures say of sizes: `batch × length × 64`, by the names of `traced.shapes()`, or the numbers of the trace."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tracelab.execute.shapes.shapes import Shapes
from tracelab.graph.ir import Value
from tracelab.graph.types import TensorType


class Labels:
    """The texts of the values of a document, by their rows."""

    def __init__(self, values: Mapping[Value, int], shapes: Shapes | None) -> None:
        self.values = {row: value for value, row in values.items()}
        self.shapes = shapes

    def type(self, row: int) -> str:
        """`float32[batch, length, 64]`."""
        value = self.values[row]
        if not isinstance(value.type, TensorType):
            return str(value.type)
        return f"{value.type.dtype_name}[{', '.join(self._sizes(row))}]"

    def _sizes(self, row: int) -> list[str]:
        value = self.values[row]
        assert isinstance(value.type, TensorType)
        if self.shapes is None:
            return list(map(str, value.type.shape))
        inside = self.shapes.text(value).removesuffix("]").partition("[")[2]
        return [_short(part) for part in inside.split(", ")] if inside else []

    def size(self, row: int) -> str:
        """`batch × length × 64`; of anything but floating numbers `int64[batch, length]`."""
        type_ = self.values[row].type
        if not isinstance(type_, TensorType):
            return str(type_)
        sizes = self._sizes(row)
        if not type_.dtype.is_floating_point:
            return self.type(row)
        return " × ".join(map(_factor, sizes)) or "scalar"


_NAME = r"[\w.]+"
_ROUNDED_UP = re.compile(rf"(\(*)\(({_NAME}) - 1\)//(\d+)(\)*) \+ 1")
_ROUNDED_DOWN = re.compile(rf"\(({_NAME})//(\d+)\)|({_NAME})//(\d+)")
_LONGEST = 24


def _short(size: str) -> str:
    """A size as a paper writes it; what is longer than that is an ellipsis.

    >>> _short("(((x.2 - 1)//4)) + 1"), _short("(height//2) - 3"), _short("length*batch")
    ('⌈x.2/4⌉', '⌊height/2⌋ - 3', 'length·batch')
    """
    size = _ROUNDED_UP.sub(lambda found: _up(found) if len(found[1]) == len(found[4]) else found[0], size)
    size = _ROUNDED_DOWN.sub(lambda found: f"⌊{found[1] or found[3]}/{found[2] or found[4]}⌋", size)
    size = re.sub(r"(?<!\*)\*(?!\*)", "·", size)
    return size if len(size) <= _LONGEST else "…"


def _up(found: re.Match[str]) -> str:
    return f"⌈{found[2]}/{found[3]}⌉"


def _factor(size: str) -> str:
    """An expression in brackets where a product would be read otherwise."""
    return f"({size})" if re.search(r" [+-] |//", size) else size
