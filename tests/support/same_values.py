"""Two values of a notebook's variables, compared with all that is in them."""

from __future__ import annotations

import math
import types
from collections.abc import Iterator
from typing import Any

import numpy
import pandas
import torch

_DEEPEST = 12


def differences(one: Any, other: Any, path: str = "", seen: set[int] | None = None, depth: int = 0) -> Iterator[str]:
    """The places at which two values are not the same: of another class, or of other contents."""
    seen = set() if seen is None else seen
    if id(one) in seen or depth > _DEEPEST:
        return
    seen.add(id(one))
    if type(one).__name__ != type(other).__name__:
        yield f"{path}: {type(one).__name__} and {type(other).__name__}"
    elif isinstance(one, torch.Tensor):
        alike = one.dtype == other.dtype and one.shape == other.shape and one.requires_grad == other.requires_grad
        if not (alike and torch.equal(one.detach().nan_to_num(), other.detach().nan_to_num())):
            yield f"{path}: {one} and {other}"
        elif one.is_leaf and (one.grad is not None or other.grad is not None):
            yield from differences(one.grad, other.grad, f"{path}.grad", seen, depth + 1)
    elif isinstance(one, numpy.ndarray) and one.dtype.hasobject:
        yield from differences(one.tolist(), other.tolist(), path, seen, depth + 1)
    elif isinstance(one, numpy.ndarray):
        if one.dtype != other.dtype or not numpy.array_equal(one, other):
            yield f"{path}: {one} and {other}"
    elif isinstance(one, pandas.DataFrame):
        if not one.equals(other):
            yield f"{path}: {one} and {other}"
    elif isinstance(one, float):
        if one != other and not (math.isnan(one) and math.isnan(other)):
            yield f"{path}: {one} and {other}"
    elif isinstance(one, (int, str, bytes, bool, complex, torch.dtype, torch.device)):
        if one != other:
            yield f"{path}: {one} and {other}"
    elif isinstance(one, dict):
        if len(one) != len(other):
            yield f"{path}: {list(one)} and {list(other)}"
        for (_, part), (key, its) in zip(one.items(), other.items(), strict=False):
            yield from differences(part, its, f"{path}[{key!r}]", seen, depth + 1)
    elif isinstance(one, (list, tuple)):
        if len(one) != len(other):
            yield f"{path}: {len(one)} and {len(other)} long"
        for index, (part, its) in enumerate(zip(one, other, strict=False)):
            yield from differences(part, its, f"{path}[{index}]", seen, depth + 1)
    elif hasattr(one, "__dict__") and not isinstance(one, (type, types.ModuleType, types.FunctionType)):
        for name in one.__dict__.keys() & other.__dict__.keys():
            yield from differences(one.__dict__[name], other.__dict__[name], f"{path}.{name}", seen, depth + 1)
