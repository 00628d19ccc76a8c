"""Arithmetic on sizes, as torch.fx spells it: the functions that a trace records for it."""

from __future__ import annotations

from collections.abc import Mapping

from tracelab.graph.intrinsics import BINARY, MATH, NUMEL, SIZE, SYM_ITE, UNARY, Intrinsic

_OPERATORS = "add sub mul mod pow floordiv truediv lshift rshift and_ or_ eq ne lt le gt ge".split()

ARITHMETIC: Mapping[str, Intrinsic] = {
    **{f"_operator.{name}": BINARY[name] for name in _OPERATORS},
    "_operator.neg": UNARY["neg"],
    "_operator.pos": UNARY["pos"],
    "math.trunc": UNARY["trunc"],
    "math.floor": MATH["floor"],
    "math.ceil": MATH["ceil"],
    "torch.sym_int": UNARY["sym_int"],
    "torch.sym_float": UNARY["sym_float"],
    "torch.sym_not": UNARY["sym_not"],
    "torch.sym_min": BINARY["sym_min"],
    "torch.sym_max": BINARY["sym_max"],
    "torch.sym_sqrt": MATH["sqrt"],
    "torch.sym_ite": SYM_ITE,
    "torch.ops.aten.sym_size.int": SIZE,
    "torch.ops.aten.sym_numel.default": NUMEL,
}
"""The function by the name that an archive writes."""
