"""Sizes that are the same for every input: those that parameters give, and numbers that the code writes down.

`float(hidden.size(-1))` is no specialization when `hidden` comes out of a linear layer: its width is the weight's. Nor
is it when `hidden` went into one: with another width the replay stops there. Such a conversion needs no warning. The
proof follows the nodes that made the number; what it does not know counts as free.
"""

from __future__ import annotations

from typing import Any

from tracelab.graph.intrinsics import DATA, GRAD, PARAMETER, REQUIRES_GRAD
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import LIST_UNPACK

_STEPS = 200
_SAME = frozenset(
    """
    abs alias batch_norm bfloat16 clamp clone contiguous cpu cuda data detach double dropout elu exp float gelu
    group_norm half hardswish layer_norm leaky_relu log_softmax neg relu relu6 requires_grad rms_norm rsqrt sigmoid silu
    softmax softplus sqrt tanh to type_as
    """.split()
)
_BINARY = frozenset({"add", "div", "mul", "sub"})
RESHAPING = frozenset(
    "as_strided_ resize_ resize_as_ set_ squeeze_ swapaxes_ swapdims_ t_ transpose_ unsqueeze_".split()
)
"""What writes to its argument leaves its sizes as they are, but for these."""
MADE = frozenset({"empty", "full", "ones", "rand", "randn", "zeros"})
"""What makes a tensor of the sizes that it is given."""
_POOLS = frozenset(
    f"{kind}_pool{dims}d" for kind in ("max", "avg", "adaptive_max", "adaptive_avg") for dims in (1, 2, 3)
)
_CONVOLUTIONS = frozenset({"conv1d", "conv2d", "conv3d"})


_OF_ITSELF = (DATA.kind, REQUIRES_GRAD.kind, GRAD.kind, PARAMETER.kind)
"""What is as large as what it is made of, beside torch's operators."""


_IS_MOVED_IN_PLACE = "aten::_has_compatible_shallow_copy_type"
"""What `module.to(device)` asks in order to keep a parameter the object that it is."""


def _writes_in_place(name: str) -> bool:
    return name.endswith("_") and not name.endswith("__") and name not in RESHAPING


class StaticSizes:
    """What is known of the sizes in the nodes recorded so far."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.demanded: set[tuple[Value, int]] = set()
        """Sizes that a layer's weight demands of its input."""
        self._seen = 0

    def holds(self, value: Value) -> bool:
        """Whether a traced number is the same for every input that the graph runs on."""
        return self._proof().number(value)

    def holds_size(self, value: Value | None, dim: int) -> bool:
        """Whether one size of a tensor is the same for every input that the graph runs on."""
        return self._proof().size(value, dim)

    def _proof(self) -> _Proof:
        for node in self.nodes[self._seen :]:
            demand = _demand(node)
            if demand is not None:
                self.demanded.add(demand)
        self._seen = len(self.nodes)
        return _Proof(self.demanded)


def _demand(node: Node) -> tuple[Value, int] | None:
    if not node.kind.startswith("aten::"):
        return None
    if node.name == "linear":
        from_right = 1
    elif node.name in _CONVOLUTIONS:
        from_right = int(node.name[4]) + 1
    else:
        return None
    given, weight = node.args[:2]
    if not isinstance(given, Value) or not isinstance(weight, Value) or weight.role is not Role.PARAMETER:
        return None
    return (given, len(given.shape) - from_right) if given.shape is not None else None


class _Proof:
    """One attempt, of a bounded number of steps."""

    def __init__(self, demanded: set[tuple[Value, int]]) -> None:
        self.demanded = demanded
        self.steps = _STEPS

    def number(self, item: Any) -> bool:
        """Whether a number is the same for every input."""
        if not isinstance(item, Value):
            return (type(item) is int and item >= 0) or type(item) is float
        node = item.node
        self.steps -= 1
        if node is None or self.steps < 0:
            return False
        if node.kind == "aten::size" and len(node.args) == 2 and type(node.args[1]) is int:
            return self.size(node.args[0], node.args[1])
        if node.kind == _IS_MOVED_IN_PLACE:
            return True
        if item.is_tensor or any(value.is_tensor for value in node.inputs):
            return False
        return bool(node.args) and all(self.operand(arg) for arg in node.args)

    def operand(self, item: Any) -> bool:
        return self.number(item) if isinstance(item, Value) else isinstance(item, (int, float))

    def size(self, value: Any, dim: int) -> bool:
        """Whether one size of a tensor is the same for every input."""
        self.steps -= 1
        if self.steps < 0 or not isinstance(value, Value) or value.shape is None:
            return False
        rank = len(value.shape)
        dim = dim + rank if dim < 0 else dim
        if value.role in (Role.PARAMETER, Role.CONSTANT) or (value, dim) in self.demanded:
            return True
        node = value.node
        if node is None or not node.kind.startswith(("aten::", LIST_UNPACK, *_OF_ITSELF)) or not 0 <= dim < rank:
            return False
        name, args = node.name, node.args
        if node.kind in _OF_ITSELF or name in _SAME or name.endswith("_like") or _writes_in_place(name):
            return self.size(args[0], dim)
        if name in MADE and args and type(args[0]) is list:
            return dim < len(args[0]) and self.number(args[0][dim])
        if name in _POOLS:
            return dim < rank - int(name[-2]) and self.size(args[0], dim)
        if name == "linear" and dim == rank - 1:
            return self.size(args[1], 0)
        if name == "embedding" and dim == rank - 1:
            return self.size(args[0], 1)
        if name in _CONVOLUTIONS and dim == rank - (int(name[4]) + 1):
            return self.size(args[1], 0)
        if name == "linear":
            return self.size(args[0], dim)
        if name in _BINARY:
            return any(self._broadcast(arg, rank - dim, value.shape[dim]) for arg in args[:2])
        return self._moved(node, dim, rank)

    def _broadcast(self, item: Any, from_right: int, size: int) -> bool:
        if not isinstance(item, Value) or item.shape is None or len(item.shape) < from_right or size == 1:
            return False
        dim = len(item.shape) - from_right
        return item.shape[dim] == size and self.size(item, dim)

    def _moved(self, node: Node, dim: int, rank: int) -> bool:
        """Through operators that arrange sizes anew."""
        name, args = node.name, node.args
        if name in ("view", "reshape") and type(args[1]) is list:
            return len(args[1]) == rank and self.number(args[1][dim])
        if name == "transpose":
            first, second = (item % rank for item in args[1:3])
            return self.size(args[0], {first: second, second: first}.get(dim, dim))
        if name == "t":
            return self.size(args[0], rank - 1 - dim)
        if name == "permute":
            return self.size(args[0], args[1][dim])
        if name == "unsqueeze":
            place = args[1] % rank
            return dim == place or self.size(args[0], dim - (dim > place))
        if name == "select":
            place = args[1] % (rank + 1)
            return self.size(args[0], dim + (dim >= place))
        if name == "squeeze" and len(args) == 2 and isinstance(args[0], Value) and args[0].shape is not None:
            dropped = len(args[0].shape) - rank
            place = args[1] % len(args[0].shape) if type(args[1]) is int else -1
            return place >= 0 and self.size(args[0], dim + (dropped if dim >= place else 0))
        if name == "unflatten" and type(args[1]) is int:
            new = len(args[2])
            place = args[1] % (rank - new + 1)
            if place <= dim < place + new:
                return self.number(args[2][dim - place])
            return self.size(args[0], dim if dim < place else dim - new + 1)
        if node.kind == LIST_UNPACK and isinstance(args[0], Value) and args[0].node is not None:
            parts = args[0].node
            if parts.name == "unbind":
                place = (parts.args[1] if len(parts.args) > 1 else 0) % (rank + 1)
                return self.size(parts.args[0], dim + (dim >= place))
            return parts.name in ("chunk", "split", "split_with_sizes") and self.size(parts.args[0], dim)
        return False
