"""Every Python function that a graph may call beside operators, each defined once.

Capture records it, execution runs it, files name it, and interop maps the names of others to it. A new recorded call is
one entry here. The functions are torch's and Python's as they were when this module was read, before any recording.
"""

from __future__ import annotations

import math
import operator
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.masked import MaskedTensor

from tracelab.graph import kinds
from tracelab.graph.callables.wrappers import part_of

Number = int | float | bool


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """A function that a graph may call."""

    name: str
    """Its name in files; once here, it stays."""
    function: Callable[..., Any]
    kind: str
    """The kind of the node that calls it."""
    label: str = ""
    """What a Python call is shown as."""
    trusted: bool = True
    """Whether a graph from a file may run it unasked."""

    @property
    def attributes(self) -> dict[str, Any] | None:
        """What its node knows beside its arguments."""
        return {"name": self.label, "inplace": False} if self.label else None


INTRINSICS: dict[str, Intrinsic] = {}
"""All of them by name."""


def _intrinsic(
    name: str, function: Callable[..., Any], kind: str, label: str = "", *, trusted: bool = True
) -> Intrinsic:
    entry = INTRINSICS[name] = Intrinsic(name, function, kind, label, trusted)
    return entry


def _python(name: str, function: Callable[..., Any], label: str = "", *, trusted: bool = True) -> Intrinsic:
    return _intrinsic(name, function, kinds.PYTHON_CALL, label or name, trusted=trusted)


# Tensors -------------------------------------------------------------------------------------------------


def read_data(tensor: Tensor) -> Tensor:
    """`tensor.data`"""
    return tensor.data


def read_nbytes(tensor: Tensor) -> int:
    """`tensor.nbytes`"""
    return tensor.nbytes


def read_dtype(tensor: Tensor) -> torch.dtype:
    """`tensor.dtype`"""
    return tensor.dtype


def read_device(tensor: Tensor) -> torch.device:
    """`tensor.device`"""
    return tensor.device


def limit_of(dtype: torch.dtype, name: str) -> float:
    """`torch.finfo(dtype).min`, `max`, `eps`, `tiny` or `smallest_normal`."""
    if name not in LIMITS:
        raise ValueError(f"torch.finfo has no limit {name!r}")
    limit: float = getattr(torch.finfo(dtype), name)
    return limit


def write_data(tensor: Tensor, data: Tensor) -> None:
    """`tensor.data = data`"""
    tensor.data = data


def make_parameter(data: Tensor, requires_grad: bool) -> nn.Parameter:
    """`nn.Parameter(data)`: another tensor in the same memory, a leaf."""
    return nn.Parameter(data, requires_grad)


def to_array(tensor: Tensor) -> Any:
    """`tensor.numpy()`, of an array that a call gave."""
    return tensor.detach().cpu().numpy()


def to_list(tensor: Tensor) -> Any:
    """`tensor.tolist()`, which a call gave."""
    return tensor.tolist()


def get_item(whole: Any, key: Any) -> Any:
    """`whole[key]` of a list, tuple or dict that the graph does not look into."""
    return whole[key]


LIMITS = ("min", "max", "eps", "tiny", "smallest_normal")
"""What is asked of `torch.finfo`."""

_as_subclass: Any = Tensor.as_subclass

SIZE = _intrinsic("Tensor.size", Tensor.size, "aten::size")
STRIDE = _intrinsic("Tensor.stride", Tensor.stride, "aten::stride")
STORAGE_OFFSET = _intrinsic("Tensor.storage_offset", Tensor.storage_offset, "aten::storage_offset")
NBYTES = _intrinsic("nbytes", read_nbytes, kinds.NBYTES)
DIM = _intrinsic("Tensor.dim", Tensor.dim, "aten::dim")
DTYPE = _intrinsic("dtype", read_dtype, kinds.DTYPE)
DEVICE = _intrinsic("device", read_device, kinds.DEVICE)
IS = _intrinsic("is", operator.is_, "aten::__is__")
FINFO = _intrinsic("finfo", limit_of, kinds.FINFO)
NUMEL = _intrinsic("Tensor.numel", Tensor.numel, "aten::numel")
ITEM = _intrinsic("Tensor.item", Tensor.item, "aten::item")
TENSOR = _intrinsic("torch.tensor", torch.tensor, "aten::tensor")
AS_TENSOR = _intrinsic("torch.as_tensor", torch.as_tensor, "aten::as_tensor")
NUMBER_TO_TENSOR = Intrinsic("torch.tensor", torch.tensor, kinds.NUMBER_TO_TENSOR)
DATA = _intrinsic("data", read_data, kinds.DATA)
SET_DATA = _intrinsic("set_data", write_data, kinds.SET_DATA)
PARAMETER = _intrinsic("Parameter", make_parameter, kinds.PARAMETER)
AS_SUBCLASS = _intrinsic("as_subclass", _as_subclass, kinds.AS_SUBCLASS, trusted=False)
PART = _intrinsic("tensor_part", part_of, kinds.PART)
NESTED = {
    name: _python(f"nested.{name}", getattr(torch.nested, name))
    for name in ("as_nested_tensor", "nested_tensor", "narrow", "nested_tensor_from_jagged", "masked_select")
}
"""Makers of nested tensors: their Python code keeps tables of sizes that no number of a trace fits into."""
MASKED_DATA = _python("masked.get_data", MaskedTensor.get_data)
"""Its gradient takes the mask of the tensor that it is called with, out of a closure."""
TO_ARRAY = _intrinsic("numpy", to_array, kinds.TO_ARRAY)
TO_LIST = _intrinsic("tolist", to_list, kinds.TO_LIST)
GET_ITEM = _intrinsic("getitem", get_item, kinds.GET_ITEM)
ORDERED_DICT = _intrinsic("OrderedDict", OrderedDict, kinds.DICT_CONSTRUCT)


# Objects that a call gives ---------------------------------------------------------------------------------


def set_field(item: Any, name: str, value: Any) -> None:
    """`item.name = value`, as it stands: no property or `__setattr__` of a class is asked."""
    if isinstance(item, dict):
        item[name] = value
    else:
        object.__setattr__(item, name, value)


def set_items(item: Any, parts: list[Any]) -> None:
    """`item[:] = parts` of a list, or of what is filled as one."""
    if isinstance(item, list):
        item[:] = parts
    else:
        item.clear()
        item.extend(parts)


def set_keys(item: dict[Any, Any], parts: dict[Any, Any]) -> None:
    """`item[key] = part`, one by one: not every dict has an `update`."""
    for key, part in parts.items():
        item[key] = part


def set_elements(item: set[Any], parts: list[Any]) -> None:
    """Leave a set with just these."""
    item.clear()
    item.update(parts)


def set_array(item: Any, content: Tensor) -> None:
    """`item[...] = content` of an array."""
    item[...] = content.cpu().numpy()


def delete(item: Any, names: list[Any]) -> None:
    """Take out keys of a dict, or attributes of an object."""
    for name in names:
        if isinstance(item, dict):
            item.pop(name, None)
        else:
            object.__delattr__(item, name)


SET_FIELD = _intrinsic("set_field", set_field, kinds.SET_FIELD)
SET_ITEMS = _intrinsic("set_items", set_items, kinds.SET_ITEMS)
SET_KEYS = _intrinsic("set_keys", set_keys, kinds.SET_KEYS)
SET_ELEMENTS = _intrinsic("set_elements", set_elements, kinds.SET_ELEMENTS)
SET_ARRAY = _intrinsic("set_array", set_array, kinds.SET_ARRAY)
DELETE = _intrinsic("delete", delete, kinds.DELETE)


# Gradients -----------------------------------------------------------------------------------------------


def read_grad(tensor: Tensor) -> Tensor | None:
    """`tensor.grad`"""
    return tensor.grad


def write_grad(tensor: Tensor, gradient: Tensor | None) -> None:
    """`tensor.grad = gradient`; None is also what `del tensor.grad` leaves."""
    tensor.grad = gradient


def run_backward(tensor: Tensor, *args: Any, **kwargs: Any) -> None:
    """`tensor.backward()`: gradients are added to the leaves, as in eager mode."""
    tensor.backward(*args, **kwargs)


GRAD = _intrinsic("grad", read_grad, kinds.GRAD)
SET_GRAD = _intrinsic("set_grad", write_grad, kinds.SET_GRAD)
REQUIRES_GRAD = _intrinsic("Tensor.requires_grad_", Tensor.requires_grad_, kinds.REQUIRES_GRAD)
RETAIN_GRAD = _python("retain_grad", Tensor.retain_grad)
BACKWARD = _python("backward", run_backward)
AUTOGRAD_BACKWARD = _python("autograd.backward", torch.autograd.backward)
AUTOGRAD_GRAD = _python("autograd.grad", torch.autograd.grad)


# Regions -------------------------------------------------------------------------------------------------


def make_autocast(device: str, dtype: torch.dtype, enabled: bool, cache: bool) -> Any:
    """The autocast region that the traced code entered."""
    return torch.autocast(device, dtype=dtype, enabled=enabled, cache_enabled=cache)


def make_record_function(name: str, args: str | None) -> Any:
    """The region that the traced code named for the profiler."""
    return torch.autograd.profiler.record_function(name, args)


def make_inference_mode(mode: bool) -> Any:
    """The region of `torch.inference_mode` that the traced code entered."""
    return torch.inference_mode(mode)


def make_saved_tensors_hooks(pack: Callable[..., Any], unpack: Callable[..., Any]) -> Any:
    """The region in which autograd packs what it saves."""
    return torch.autograd.graph.saved_tensors_hooks(pack, unpack)


def make_dual_level() -> Any:
    """The region in which the traced code computed derivatives forward."""
    return torch.autograd.forward_ad.dual_level()


SAVED_TENSORS_HOOKS = _intrinsic("saved_tensors_hooks", make_saved_tensors_hooks, kinds.ENTER_CONTEXT, trusted=False)
DUAL_LEVEL = _intrinsic("dual_level", make_dual_level, kinds.ENTER_CONTEXT)
INFERENCE_MODE = _intrinsic("inference_mode", make_inference_mode, kinds.ENTER_CONTEXT)
AUTOCAST = _intrinsic("autocast", make_autocast, kinds.ENTER_CONTEXT)
RECORD_FUNCTION = _intrinsic("record_function", make_record_function, kinds.ENTER_CONTEXT)


# Random numbers and torch's settings ----------------------------------------------------------------------


_Generator: Any = torch.Generator


def make_generator(device: str | torch.device) -> torch.Generator:
    """A new generator, as torch makes it while nothing is replaced."""
    made: torch.Generator = _Generator(device)
    return made


GENERATOR = _python("Generator", make_generator)
GENERATOR_METHODS = {
    name: _python(f"Generator.{name}", getattr(_Generator, name), name)
    for name in ("manual_seed", "seed", "set_state", "get_state")
}
RANDOM_STATE = {name: _python(name, getattr(torch.random, name)) for name in ("manual_seed", "get_rng_state")}
RANDOM_STATE["set_rng_state"] = _python("set_rng_state", torch.random.set_rng_state)
SEED = _python("seed", torch.random.seed)
SET_DEFAULT_DTYPE = _python("set_default_dtype", torch.set_default_dtype, trusted=False)


# Numbers -------------------------------------------------------------------------------------------------


def true_divide(a: Number, b: Number) -> float:
    return a / b


def int_power(a: Number, b: Number) -> Any:
    return a**b


def sym_not(a: bool) -> bool:
    return not a


def both(a: bool, b: bool) -> bool:
    return a and b


def either(a: bool, b: bool) -> bool:
    return a or b


_ADD = _intrinsic("add", operator.add, "aten::add")
_POWER = _intrinsic("pow", int_power, "aten::pow")
_FLOOR_DIVIDE = _intrinsic("floordiv", operator.floordiv, "aten::floordiv")
_TRUE_DIVIDE = _intrinsic("truediv", true_divide, "aten::div")
_BOTH = _intrinsic("and", both, "aten::__and__")
_EITHER = _intrinsic("or", either, "aten::__or__")

BINARY: Mapping[str, Intrinsic] = {
    "add": _ADD,
    "sub": _intrinsic("sub", operator.sub, "aten::sub"),
    "mul": _intrinsic("mul", operator.mul, "aten::mul"),
    "mod": _intrinsic("mod", operator.mod, "aten::remainder"),
    "pow": _POWER,
    "float_pow": _POWER,
    "pow_by_natural": _POWER,
    "floordiv": _FLOOR_DIVIDE,
    "int_floordiv": _FLOOR_DIVIDE,
    "truediv": _TRUE_DIVIDE,
    "int_truediv": _TRUE_DIVIDE,
    "float_truediv": _TRUE_DIVIDE,
    "lshift": _intrinsic("lshift", operator.lshift, "aten::__lshift__"),
    "rshift": _intrinsic("rshift", operator.rshift, "aten::__rshift__"),
    "bitwise_and": _intrinsic("bitand", operator.and_, "aten::__and__"),
    "bitwise_or": _intrinsic("bitor", operator.or_, "aten::__or__"),
    "bitwise_xor": _intrinsic("bitxor", operator.xor, "aten::__xor__"),
    "and_": _BOTH,
    "or_": _EITHER,
    "sym_and": _BOTH,
    "sym_or": _EITHER,
    "eq": _intrinsic("eq", operator.eq, "aten::eq"),
    "ne": _intrinsic("ne", operator.ne, "aten::ne"),
    "lt": _intrinsic("lt", operator.lt, "aten::lt"),
    "le": _intrinsic("le", operator.le, "aten::le"),
    "gt": _intrinsic("gt", operator.gt, "aten::gt"),
    "ge": _intrinsic("ge", operator.ge, "aten::ge"),
    "sym_min": _intrinsic("min", min, kinds.MIN),
    "sym_max": _intrinsic("max", max, kinds.MAX),
}
"""What torch asks of a symbolic number and another, by the name of the method that it calls."""

CONTAINS = _intrinsic("contains", operator.contains, "aten::__contains__")

MATH: Mapping[str, Intrinsic] = {
    name: _intrinsic(f"math.{name}", getattr(math, name), f"aten::{name}")
    for name in (
        "sqrt isqrt hypot log log2 log10 log1p exp expm1 sin cos tan asin acos atan atan2 sinh cosh tanh "
        "pow floor ceil fabs fmod copysign gcd lcm"
    ).split()
}
"""Functions of Python's `math` that stay symbolic for traced numbers."""

ROUND = _intrinsic("round", round, "aten::round")
SYM_ITE = _intrinsic("sym_ite", torch.sym_ite, kinds.SYM_ITE)

UNARY: Mapping[str, Intrinsic] = {
    "neg": _intrinsic("neg", operator.neg, "aten::neg"),
    "pos": _intrinsic("pos", operator.pos, "aten::pos"),
    "abs": _intrinsic("abs", abs, kinds.ABS),
    "sym_float": _intrinsic("float", float, "aten::Float"),
    "sym_int": _intrinsic("int", int, "aten::Int"),
    "trunc": _intrinsic("trunc", math.trunc, "aten::Int"),
    "floor": MATH["floor"],
    "ceil": MATH["ceil"],
    "sym_not": _intrinsic("not", sym_not, "aten::__not__"),
}
"""What torch asks of one symbolic number."""

BY_FUNCTION: Mapping[int, Intrinsic] = {id(entry.function): entry for entry in reversed(INTRINSICS.values())}
"""All of them by the identity of their function: some cannot be hashed."""


def intrinsic_of(target: Any) -> Intrinsic | None:
    """The entry of a function; None for what is none of them.

    >>> intrinsic_of(torch.Tensor.size).kind
    'aten::size'
    """
    return BY_FUNCTION.get(id(target))
