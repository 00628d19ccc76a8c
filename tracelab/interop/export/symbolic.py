"""Arithmetic on sizes, as torch.fx spells it, recorded the way that a trace records it."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.layers import sym_numbers as integers

ARITHMETIC: dict[str, tuple[str, Callable[..., Any]]] = {
    **{f"_operator.{name}": integers.BINARY[name] for name in ("add", "sub", "mul", "mod", "pow", "floordiv")},
    **{f"_operator.{name}": integers.BINARY[name] for name in ("truediv", "lshift", "rshift", "and_", "or_")},
    **{f"_operator.{name}": integers.BINARY[name] for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    "_operator.neg": ("aten::neg", operator.neg),
    "_operator.pos": ("aten::pos", operator.pos),
    "math.trunc": ("aten::Int", math.trunc),
    "math.floor": ("aten::floor", math.floor),
    "math.ceil": ("aten::ceil", math.ceil),
    "torch.sym_int": ("aten::Int", int),
    "torch.sym_float": ("aten::Float", float),
    "torch.sym_not": integers.UNARY["sym_not"],
    "torch.sym_min": ("prim::min", min),
    "torch.sym_max": ("prim::max", max),
    "torch.sym_sqrt": ("aten::sqrt", math.sqrt),
    "torch.sym_ite": ("prim::sym_ite", torch.sym_ite),
    "torch.ops.aten.sym_size.int": ("aten::size", torch.Tensor.size),
    "torch.ops.aten.sym_numel.default": ("aten::numel", torch.Tensor.numel),
}
"""Kind and function by the name that an archive writes."""
