"""Where code compares the class of an object: `type(x) is torch.Tensor`, which no call of torch's tells."""

from __future__ import annotations

import dis
from types import CodeType

from tracelab.graph.by_code import by_code

_COMPARES = frozenset({"IS_OP", "COMPARE_OP", "CONTAINS_OP"})
_NEAR = 10
"""Instructions between the class and its comparison."""


@by_code
def compares_types(code: CodeType) -> int:
    """The offset of the first comparison of a class in a code object; -1 where there is none."""
    if not {"type", "__class__"} & set(code.co_names):
        return -1
    listing = list(dis.get_instructions(code))
    for at, item in enumerate(listing):
        if item.argval == "type" or (item.argval == "__class__" and item.opname.startswith("LOAD_ATTR")):
            for near in listing[at : at + _NEAR]:
                if near.opname in _COMPARES:
                    return near.offset
    return -1
