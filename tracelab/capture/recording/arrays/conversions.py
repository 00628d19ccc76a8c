"""Where torch makes a tensor of an array that was an argument: it is the input, and follows the arrays of calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.recording.arrays.operations import fits
from tracelab.capture.recording.arrays.traced_array import TracedArray, read_all


def _given(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The data, and all else by name."""
    names = _NAMES[function.__name__]
    named = {**dict(zip(names, args, strict=False)), **kwargs}
    return named.pop(names[0], None), {name: item for name, item in named.items() if item is not None}


_NAMES = {
    "tensor": ("data",),
    "as_tensor": ("data", "dtype", "device"),
    "asarray": ("obj",),
    "from_numpy": ("ndarray",),
}


def tensor_of_array(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a function of torch makes of an array that is followed; NotImplemented of anything else."""
    data, options = _given(function, args, kwargs)
    if type(data) is not TracedArray:
        plain = read_all(data)
        return NotImplemented if not _holds_array(data) else function(plain, **options)
    if not data.followed:
        return function(data.read(), **options)
    asks_gradient = options.pop("requires_grad", False)
    copies = options.pop("copy", function is torch.tensor)
    if set(options) - {"dtype", "device"}:
        return function(data.read(), **options)
    made = data.as_tensor()
    if options:
        made = made.to(**options, copy=True) if copies else made.to(**options)
    elif copies:
        made = made.detach().clone()
    return made.requires_grad_() if asks_gradient else made


def in_call(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """The arguments of any other function of torch: `x + array` follows the array, all else takes it as it is."""
    if function.__name__ in _ARITHMETIC and len(args) == 2 and not kwargs:
        tensor, array = args if type(args[1]) is TracedArray else (args[1], args[0])
        if isinstance(tensor, torch.Tensor) and array.followed and fits(array.kind(), tensor):
            return tuple(item.as_tensor() if item is array else item for item in args), {}
    return read_all(args), read_all(kwargs)


_ARITHMETIC = frozenset("__add__ __sub__ __mul__ __truediv__ __div__ add sub mul div true_divide".split())


def _holds_array(data: Any) -> bool:
    return type(data) in (list, tuple) and any(type(part) is TracedArray or _holds_array(part) for part in data)


def index_of_arrays(key: Any) -> Any:
    """The index of a tensor with arrays as tensors."""
    if type(key) is TracedArray:
        return key.as_tensor() if key.followed else key.read()
    if type(key) in (tuple, list) and _holds_array(key):
        return type(key)(map(index_of_arrays, key))
    return key
