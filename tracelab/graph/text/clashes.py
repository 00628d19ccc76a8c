"""What clashes in a call that failed: the operator, what it expects, and the tensors that it was given.

torch's own message names sizes and not what they are of. Here both sides are named by the code's words, from the sizes,
dtypes and devices of what the operator was given alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import torch

from tracelab.graph.assumptions import user_name
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.scope import Scope
from tracelab.graph.text.arguments import filled_arguments, text_of
from tracelab.graph.types import TensorType

TypeOf = Callable[[Value], Any]
"""Gives the type of a value as it was in the call that failed."""

_MOST_NAMED = 4
_CONVOLUTIONS = {"conv1d": 1, "conv2d": 2, "conv3d": 3}
_TRANSPOSED = {"conv_transpose1d": 1, "conv_transpose2d": 2, "conv_transpose3d": 3}
_PRODUCTS = frozenset({"matmul", "mm", "bmm", "addmm", "baddbmm", "__matmul__"})
_OF_ONE_DTYPE = frozenset({*_PRODUCTS, *_CONVOLUTIONS, *_TRANSPOSED, "linear", "lerp", "scaled_dot_product_attention"})
_BROADCASTING = frozenset(
    """add sub rsub mul div divide multiply subtract true_divide floor_divide remainder fmod pow maximum minimum fmax
    fmin atan2 hypot copysign eq ne lt le gt ge logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor
    __and__ __or__ __xor__ where lerp addcmul addcdiv masked_fill xlogy mse_loss l1_loss smooth_l1_loss huber_loss
    binary_cross_entropy binary_cross_entropy_with_logits broadcast_tensors""".split()
)
_OF_SEVERAL_DEVICES = frozenset({"copy", "to", "_to_copy", "index", "index_put", "set", "pin_memory"})


def clash(node: Node, error: BaseException, type_of: TypeOf = lambda value: value.type) -> str:
    """What clashes in a call, in words; empty where its tensors do not tell.

    Args:
        node: The call that failed.
        error: What it raised.
        type_of: Gives the type of a value as it was in that call; by default as it was at the trace.

    Returns:
        A part of a sentence.

    >>> class Net(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.head = torch.nn.Linear(4, 2)
    ...     def forward(self, x):
    ...         return self.head(x)
    >>> try:
    ...     tracelab.trace(Net(), torch.ones(1, 3))
    ... except RuntimeError as error:
    ...     clash(error.graph.failed, error)
    '`linear` expects 4 features and gets 3: x is float32[1, 3], weight float32[2, 4], in `head` (Linear)'
    """
    try:
        # What is written to has no part in what fits.
        given = {name: item for name, item in filled_arguments(node) if name != "out"}
        types = {name: found for name, item in given.items() if (found := _tensor_type(item, type_of)) is not None}
        name = node.name.rstrip("_") if not node.name.startswith("__") else node.name
        why = (
            _of_values(name, types) if isinstance(error, IndexError) else _why(name, given, types, type_of, str(error))
        )
        all_of_them = why.startswith((_ONE_DEVICE, _ONE_DTYPE))
        named = _named(given, type_of, devices=why.startswith(_ONE_DEVICE), aside=all_of_them)
    except (LookupError, TypeError, ValueError, AttributeError):
        # Arguments that the operator does not take: what torch says is all there is.
        return ""
    if not named or not why:
        return ""
    return ", ".join(filter(None, (f"`{node.name.strip('_')}` {why}: {named}", within(node.scope))))


_OF_DTYPE = re.compile(r"dtype|scalar type|[Ii]nput type|expected .*(Float|Double|Half|BFloat16|Long|Int)", re.DOTALL)
_OF_SIZE = re.compile(
    r"size|shape|dimension|channel|multipl|match|element|broadcast|normalized|invalid for input|matrices|matrix",
    re.DOTALL,
)
"""What torch's own message speaks of: a clash of another kind would be true, and not the reason."""


def _why(name: str, given: Mapping[str, Any], types: Mapping[str, TensorType], type_of: TypeOf, message: str) -> str:
    tensors = [*types.values(), *_listed(given, type_of)]
    devices = list(dict.fromkeys(str(type_.device) for type_ in tensors if type_.shape))
    if len(devices) > 1 and name not in _OF_SEVERAL_DEVICES:
        return f"{_ONE_DEVICE} and gets {_and(devices)}"
    if name == "embedding":
        indices = types["indices"].dtype
        if indices not in (torch.int64, torch.int32):
            return f"takes whole numbers (int64) as indices and gets {types['indices'].dtype_name}"
        return ""
    if _OF_DTYPE.search(message):
        return _of_dtypes(name, types, tensors)
    return _of_sizes(name, given, types, tensors) if _OF_SIZE.search(message) else ""


_ONE_DEVICE = "takes tensors of one device"
_ONE_DTYPE = "takes tensors of one dtype"


def _of_values(name: str, types: Mapping[str, TensorType]) -> str:
    """Of a call that raised an `IndexError`."""
    if name == "embedding":
        return f"has {types['weight'].shape[0]:,} rows, and an index is outside of them"
    if name in _LOSSES:
        scores = types["self"].shape
        return f"has scores of {scores[1 if len(scores) > 1 else 0]:,} classes, and a target is outside of them"
    return ""


_LOSSES = frozenset({"cross_entropy_loss", "nll_loss", "nll_loss_nd", "nll_loss2d"})


def _of_sizes(name: str, given: Mapping[str, Any], types: Mapping[str, TensorType], tensors: list[TensorType]) -> str:
    if name == "linear":
        return _expected("feature", types["weight"].shape[-1], types["input"].shape[-1:])
    if name in _CONVOLUTIONS:
        channels = types["weight"].shape[1] * int(given["groups"])
        return _of_convolution(_CONVOLUTIONS[name], types, channels) or _of_kernel(_CONVOLUTIONS[name], given, types)
    if name in _TRANSPOSED:
        return _of_convolution(_TRANSPOSED[name], types, types["weight"].shape[0])
    if name in _PRODUCTS:
        pair = tensors[-2:]
        return _of_product(name, *(type_.shape for type_ in pair)) if len(pair) == 2 else ""
    if name in ("cat", "concat", "stack"):
        return _of_joined(tensors, given.get("dim", 0), name == "stack")
    if name in ("view", "reshape", "_unsafe_view"):
        return _of_view(given, types)
    if name in ("layer_norm", "rms_norm"):
        wanted = [size for size in given["normalized_shape"] if type(size) is int]
        got = list(types["input"].shape[-len(wanted) :])
        return "" if wanted == got or not wanted else f"expects {wanted} in the last dimensions and gets {got}"
    if name in ("batch_norm", "instance_norm"):
        held = types.get("running_mean") or types.get("weight")
        return _expected("channel", held.shape[0], types["input"].shape[1:2]) if held is not None else ""
    if name == "group_norm":
        channels, groups = types["input"].shape[1], int(given["num_groups"])
        return f"cannot part {channels} channels into {groups} equal groups" if channels % groups else ""
    if name in _LOSSES:
        return _of_targets(types)
    if name == "scaled_dot_product_attention":
        return _of_attention(types, grouped=given.get("enable_gqa") is True)
    return _of_broadcast(tensors) if name in _BROADCASTING and len(tensors) > 1 else ""


def _of_dtypes(name: str, types: Mapping[str, TensorType], tensors: list[TensorType]) -> str:
    if name == "scaled_dot_product_attention":
        tensors = [types[key] for key in ("query", "key", "value")]
    dtypes = list(dict.fromkeys(type_.dtype_name for type_ in tensors if type_.shape))
    if len(dtypes) < 2 or name not in _OF_ONE_DTYPE:
        return ""
    return f"{_ONE_DTYPE} and gets {_and(dtypes)}"


def _expected(what: str, wanted: int, got: tuple[int, ...]) -> str:
    if not got or got[0] == wanted:
        return ""
    return f"expects {wanted:,} {what}{'' if wanted == 1 else 's'} and gets {got[0]:,}"


def _of_convolution(dims: int, types: Mapping[str, TensorType], channels: int) -> str:
    given = types["input"].shape
    if len(given) not in (dims + 1, dims + 2):
        return f"expects {dims + 2} dimensions, or {dims + 1} without a batch, and gets {len(given)}"
    found = _expected("channel", channels, given[-dims - 1 : -dims])
    if found:
        return found
    return ""


def _of_kernel(dims: int, given: Mapping[str, Any], types: Mapping[str, TensorType]) -> str:
    padding, dilation = given.get("padding"), given.get("dilation")
    if not (isinstance(padding, (list, tuple)) and isinstance(dilation, (list, tuple))):
        return ""
    if {len(padding), len(dilation)} - {1, dims}:
        return ""
    kernel, sizes = types["weight"].shape[2:], types["input"].shape[-dims:]
    around_all, wide_all = (list(item) * (dims if len(item) == 1 else 1) for item in (padding, dilation))
    steps = zip(sizes, kernel, around_all, wide_all, strict=True)
    if any(size + 2 * around < 1 + wide * (taken - 1) for size, taken, around, wide in steps):
        return f"has a kernel of {list(kernel)}, larger than the {list(sizes)} that it gets"
    return ""


def _of_product(name: str, left: tuple[int, ...], right: tuple[int, ...]) -> str:
    if not left or not right:
        return "multiplies matrices, and gets a tensor without dimensions"
    wanted = _RANKS.get(name)
    if wanted is not None and {len(left), len(right)} != {wanted}:
        return f"multiplies tensors of {wanted} dimensions and gets {len(left)} and {len(right)}"
    inner, other = left[-1], right[-2] if len(right) > 1 else right[-1]
    if inner != other:
        return f"needs equal sizes at the inner place and gets {inner:,} and {other:,}"
    if name in _RANKS and left[:-2] != right[:-2]:
        return f"needs equal batch sizes and gets {left[0]:,} and {right[0]:,}"
    return _broadcast(left[:-2], right[:-2], "batch sizes", behind=2)


_RANKS = {"mm": 2, "addmm": 2, "bmm": 3, "baddbmm": 3}


def _of_joined(tensors: list[TensorType], dim: Any, whole: bool) -> str:
    ranks = list(dict.fromkeys(len(type_.shape) for type_ in tensors if type_.shape != (0,)))
    if len(ranks) > 1:
        return f"joins tensors of as many dimensions and gets {_and(map(str, ranks))}"
    if not ranks or type(dim) is not int:
        return ""
    for at in range(ranks[0]):
        sizes = list(dict.fromkeys(type_.shape[at] for type_ in tensors if type_.shape != (0,)))
        if len(sizes) > 1 and (whole or at != dim % ranks[0]):
            return f"needs equal sizes in dimension {at} and gets {_and(f'{size:,}' for size in sizes)}"
    return ""


def _of_view(given: Mapping[str, Any], types: Mapping[str, TensorType]) -> str:
    wanted = given.get("size", given.get("shape"))
    if not isinstance(wanted, (list, tuple)) or not all(type(size) is int for size in wanted):
        return ""
    count, known = math.prod(types["self"].shape), math.prod(size for size in wanted if size != -1)
    if not known:
        return ""
    free = sum(size == -1 for size in wanted)
    if (free and known and count % known == 0) or (not free and count == known):
        return ""
    fills = f"{list(wanted)}, which has {known:,}" if not free else f"{list(wanted)}, whose -1 would be no whole number"
    return f"cannot give {count:,} elements the shape {fills}"


def _of_targets(types: Mapping[str, TensorType]) -> str:
    scores, target = types["self"].shape, types["target"]
    if target.dtype.is_floating_point or len(scores) < 2:
        return ""
    wanted = (scores[0], *scores[2:])
    return f"needs a target of {list(wanted)} and gets {list(target.shape)}" if wanted != target.shape else ""


def _of_attention(types: Mapping[str, TensorType], grouped: bool) -> str:
    query, key, value = (types[name].shape for name in ("query", "key", "value"))
    if query[-1] != key[-1]:
        return f"needs queries and keys of equal size and gets {query[-1]:,} and {key[-1]:,}"
    if key[-2] != value[-2]:
        return f"needs as many keys as values and gets {key[-2]:,} and {value[-2]:,}"
    return "" if grouped else _broadcast(query[:-2], key[:-2], "batches and heads", behind=2)


def _of_broadcast(tensors: list[TensorType]) -> str:
    first, *others = tensors
    for other in others:
        found = _broadcast(first.shape, other.shape, "sizes")
        if found:
            return found
    return ""


def _broadcast(one: tuple[int, ...], two: tuple[int, ...], what: str, behind: int = 0) -> str:
    """Where two shapes do not fit each other, counted from the last dimension, as broadcasting does.

    `behind` is how many dimensions stand behind them.
    """
    for back in range(1, min(len(one), len(two)) + 1):
        a, b = one[-back], two[-back]
        if a != b and 1 not in (a, b):
            where = _ORDINALS.get(back + behind, f"{back + behind}th last")
            return f"needs {what} that fit and gets {a:,} and {b:,} in the {where} dimension"
    return ""


_ORDINALS = {1: "last", 2: "second last", 3: "third last"}


# The tensors ---------------------------------------------------------------------------------------------------


def _tensor_type(item: Any, type_of: TypeOf) -> TensorType | None:
    type_ = type_of(item) if isinstance(item, Value) else None
    return type_ if isinstance(type_, TensorType) else None


def _listed(given: Mapping[str, Any], type_of: TypeOf) -> list[TensorType]:
    found = []
    for item in given.values():
        if isinstance(item, (list, tuple)):
            found += [type_ for part in item if (type_ := _tensor_type(part, type_of)) is not None]
    return found


def _named(given: Mapping[str, Any], type_of: TypeOf, devices: bool, aside: bool) -> str:
    """`x is float32[1, 3], weight float32[2, 4]`."""
    found: dict[tuple[str, str], None] = {}
    for argument, item in given.items():
        for part in item if isinstance(item, (list, tuple)) else [item]:
            type_ = _tensor_type(part, type_of)
            if type_ is not None and (aside or argument not in ("bias", "running_mean", "running_var")):
                found[_name(argument, part), f"{type_.short}{f' on {type_.device}' if devices else ''}"] = None
    more = len(found) - _MOST_NAMED
    words = [f"{name} {'is ' if at == 0 else ''}{short}" for at, (name, short) in enumerate([*found][:_MOST_NAMED])]
    return ", ".join(words) + (f" and {more} more" if more > 0 else "")


def _name(argument: str, value: Value) -> str:
    """What the code calls it: an input by its name, the rest by the operator's word and what made it."""
    if value.role is Role.INPUT:
        return user_name(value)
    if value.role in (Role.PARAMETER, Role.BUFFER) or value.node is None or argument == "weight":
        return argument
    made = text_of(value, sigil="")
    return made if argument in ("self", "other", "tensors", "mat1", "mat2") else f"{argument} (`{made}`)"


def within(scope: Scope | None) -> str:
    """The words "in `body.0` (Conv2d)"; empty outside of modules."""
    if scope is None or not scope.path:
        return ""
    return f"in `{scope.path}` ({scope.class_name})" if scope.class_name else f"in `{scope.path}`"


def _and(words: Any) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
