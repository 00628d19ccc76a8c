"""What of NumPy a tensor does in just the same way, to the last bit: views, copies, arithmetic of floats."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy
import torch
from torch import Tensor

from tracelab.capture.recording.arrays.dtypes import array_dtype, dtype_now, tensor_dtype
from tracelab.graph.arrays import ArrayStandIn, is_array

OPERATORS: dict[str, Any] = {
    "add": numpy.add,
    "sub": numpy.subtract,
    "mul": numpy.multiply,
    "truediv": numpy.true_divide,
    "floordiv": numpy.floor_divide,
    "mod": numpy.remainder,
    "pow": numpy.power,
    "matmul": numpy.matmul,
    "and": numpy.bitwise_and,
    "or": numpy.bitwise_or,
    "xor": numpy.bitwise_xor,
    "lshift": numpy.left_shift,
    "rshift": numpy.right_shift,
    "neg": numpy.negative,
    "pos": numpy.positive,
    "abs": numpy.absolute,
    "invert": numpy.invert,
    "eq": numpy.equal,
    "ne": numpy.not_equal,
    "lt": numpy.less,
    "le": numpy.less_equal,
    "gt": numpy.greater,
    "ge": numpy.greater_equal,
}
"""The function of NumPy behind each operator of Python's."""
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
COPIES = ("copy", "astype")
"""Methods that give an array in memory of its own."""

_FLOATS = (torch.float32, torch.float64)
_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
_REAL = (*_FLOATS, *_INTEGERS, torch.bool)
_ARITHMETIC: dict[Any, Callable[[Any, Any], Any]] = {
    numpy.add: operator.add,
    numpy.subtract: operator.sub,
    numpy.multiply: operator.mul,
    numpy.true_divide: operator.truediv,
}
WRITES = "an array that was an argument is written to in a way that is not followed"
_NUMBERS = (int, float, torch.SymInt, torch.SymFloat)


def is_view(key: Any, dimensions: int) -> bool:
    """Whether what the key takes out of an array is an array in the same memory, for torch as for NumPy."""
    return is_place(key) and sum(_is_whole(part) for part in _parts(key)) < dimensions


def is_place(key: Any) -> bool:
    """Whether the key is made of numbers and slices that go forward."""
    return all(part is None or part is Ellipsis or _is_whole(part) or _is_slice(part) for part in _parts(key))


def _parts(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _is_whole(part: Any) -> bool:
    return type(part) in (int, torch.SymInt) or isinstance(part, numpy.integer)


def _is_slice(part: Any) -> bool:
    if type(part) is not slice:
        return False
    forward = part.step is None or (type(part.step) is int and part.step > 0)
    return forward and all(end is None or _is_whole(end) for end in (part.start, part.stop))


def assigned(value: Any, array: Any) -> Any:
    """What is written into an array; `TypeError` for what torch may write otherwise than NumPy."""
    dtype = array.kind()
    if isinstance(value, ArrayStandIn) and value.kind() is dtype:  # type: ignore[attr-defined]
        return value.tensor
    if type(value) in _NUMBERS and dtype in _FLOATS:
        return value
    if type(value) in (int, torch.SymInt) and dtype is torch.int64:
        return value
    if isinstance(value, (numpy.ndarray, numpy.generic)) and numpy.asarray(value).dtype == array_dtype(dtype):
        return torch.from_numpy(numpy.array(value))
    raise TypeError(WRITES)


def fits(dtype: torch.dtype, other: Tensor) -> bool:
    """Whether an operation of an array and a tensor gives the same by torch and by NumPy."""
    return dtype is other.dtype and dtype in _FLOATS and other.device.type == "cpu"


def arithmetic(ufunc: Any, inputs: tuple[Any, ...]) -> Tensor | None:
    """The result of arithmetic of floats, or of whole numbers of one kind; None for all else."""
    # An array without dimensions becomes a number of NumPy's.
    if all(type(item) in _NUMBERS or not item.ndim for item in inputs if _is_given(item)):
        return None
    if ufunc is numpy.negative and _kind(inputs[0]) in _FLOATS:
        found: Tensor = torch.neg(inputs[0].tensor)
        return found
    operation = _ARITHMETIC.get(ufunc)
    if operation is None or len(inputs) != 2:
        return None
    if operation is operator.truediv and type(inputs[0]) in _NUMBERS:
        # torch multiplies with the reciprocal.
        return None
    dtypes = {_kind(item) for item in inputs if type(item) not in _NUMBERS}
    if len(dtypes) != 1 or None in dtypes:
        return None
    dtype = dtypes.pop()
    numbers = [type(item) for item in inputs if type(item) in _NUMBERS]
    floats = ufunc is numpy.true_divide or any(kind in (float, torch.SymFloat) for kind in numbers)
    if dtype in _FLOATS:
        return _applied(operation, inputs, None)
    if floats and dtype in _INTEGERS:
        # Of bytes and short numbers by an array NumPy may make shorter floats.
        return _applied(operation, inputs, torch.float64) if numbers or dtype is torch.int64 else None
    if dtype is torch.int64 and all(abs(item) < 1 << 62 for item in inputs if type(item) is int):
        return _applied(operation, inputs, None)
    return None


def _is_given(item: Any) -> bool:
    return isinstance(item, (ArrayStandIn, numpy.ndarray, *_NUMBERS))


def _kind(item: Any) -> torch.dtype | None:
    if isinstance(item, ArrayStandIn):
        kind: torch.dtype = item.kind()  # type: ignore[attr-defined]
        return kind
    # An array of the code's own is a constant, of one kind.
    constant = numpy.asarray(item) if isinstance(item, numpy.generic) else item
    return tensor_dtype(constant.dtype) if is_array(constant) else None


def _applied(operation: Callable[[Any, Any], Any], inputs: tuple[Any, ...], dtype: torch.dtype | None) -> Tensor | None:
    parts = [_tensor(item) for item in inputs]
    if dtype is not None:
        parts = [part.to(dtype) if isinstance(part, Tensor) else part for part in parts]
    found: Tensor = operation(*parts)
    return found


def _tensor(item: Any) -> Any:
    if isinstance(item, ArrayStandIn):
        return item.tensor
    return torch.from_numpy(numpy.array(item)) if isinstance(item, (numpy.ndarray, numpy.generic)) else item


# Methods ---------------------------------------------------------------------------------------------------


def _whole_numbers(items: Any) -> bool:
    return all(type(item) in (int, torch.SymInt) for item in items)


def _reshape(tensor: Tensor, *shape: Any, **options: Any) -> Any:
    sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    return NotImplemented if options or not sizes or not _whole_numbers(sizes) else tensor.reshape(sizes)


def _transpose(tensor: Tensor, *axes: Any) -> Any:
    order = tuple(axes[0]) if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
    if axes in ((), (None,)):
        order = tuple(reversed(range(tensor.dim())))
    return tensor.permute(order) if _whole_numbers(order) and len(order) == tensor.dim() else NotImplemented


def _swapaxes(tensor: Tensor, first: Any, second: Any) -> Any:
    return tensor.transpose(first, second) if _whole_numbers((first, second)) else NotImplemented


def _squeeze(tensor: Tensor, axis: Any = None) -> Any:
    # Which dimensions are of size one may be another time at another call.
    if not _whole_numbers([axis]) or int(tensor.shape[axis]) != 1 or tensor.dim() == 1:
        return NotImplemented
    return tensor.squeeze(axis)


def _copy(tensor: Tensor, *order: Any, **options: Any) -> Any:
    return NotImplemented if order or options or not tensor.dim() else tensor.clone()


def _astype(tensor: Tensor, dtype: Any, *rest: Any, **options: Any) -> Any:
    if rest or set(options) - {"copy"} or not tensor.dim():
        return NotImplemented
    wanted, now = tensor_dtype(dtype), dtype_now(tensor)
    # What becomes of a float that a whole number cannot hold is nowhere said.
    exact = wanted in _FLOATS or (wanted is torch.int64 and now not in _FLOATS) or wanted is now
    if now not in _REAL or wanted not in _REAL or not exact:
        return NotImplemented
    if wanted is now and options.get("copy") is False:
        return tensor
    return tensor.to(wanted, copy=True)


METHODS: dict[str, Callable[..., Any]] = {
    "reshape": _reshape,
    "transpose": _transpose,
    "swapaxes": _swapaxes,
    "squeeze": _squeeze,
    "copy": _copy,
    "astype": _astype,
}
"""Methods of arrays that a tensor follows; they give NotImplemented where it does not."""


# Functions -------------------------------------------------------------------------------------------------


def function(array: Any, called: Any, args: Any, kwargs: Any) -> Any:
    """The result of a function of NumPy on arrays; NotImplemented where a tensor does not follow it."""
    if called in _JOINS and args and isinstance(args[0], (tuple, list)):
        return _joined(array, _JOINS[called], args, kwargs)
    if not args or not isinstance(args[0], ArrayStandIn):
        return NotImplemented
    first: Any = args[0]
    if called in _ASKED and not kwargs and len(args) == 1:
        return getattr(first, _ASKED[called])
    name = called.__name__
    if name in METHODS and called is getattr(numpy, name) and name not in COPIES:
        return getattr(first, name)(*args[1:], **kwargs)
    if called is numpy.expand_dims and len(args) == 2 and not kwargs and _whole_numbers(args[1:]):
        return first.view(first.tensor.unsqueeze(args[1]))
    return NotImplemented


_ASKED = {numpy.shape: "shape", numpy.ndim: "ndim", numpy.size: "size"}
_JOINS: dict[Any, Callable[[Any, Any], Any]] = {numpy.concatenate: torch.cat, numpy.stack: torch.stack}


def _joined(array: Any, join: Callable[[Any, Any], Any], args: Any, kwargs: Any) -> Any:
    axis = args[1] if len(args) == 2 else kwargs.get("axis", 0)
    if len(args) > 2 or set(kwargs) - {"axis"} or not _whole_numbers([axis]):
        return NotImplemented
    parts, dtypes = args[0], {_kind(part) for part in args[0]}
    if len(dtypes) != 1 or None in dtypes or any(not part.ndim for part in parts):
        return NotImplemented
    if len({part.ndim for part in parts}) != 1:
        return NotImplemented
    return array.like(join([_tensor(part) for part in parts], axis), *parts)
