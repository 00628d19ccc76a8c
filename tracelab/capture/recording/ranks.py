"""From which value the number of dimensions of another follows: code asks the same of each step of a loop."""

from __future__ import annotations

from typing import Any

from tracelab.graph.ir import Role, Value
from tracelab.graph.kinds import LIST_UNPACK
from tracelab.graph.types import TensorType

_AS_THE_FIRST = frozenset(
    "select slice narrow transpose t unsqueeze unbind split chunk contiguous clone detach to alias linear layer_norm "
    "group_norm batch_norm dropout native_layer_norm rms_norm relu gelu silu tanh sigmoid softmax log_softmax exp log "
    "sqrt rsqrt neg abs cos sin cumsum float half".split()
)
"""Operators whose result has as many dimensions as their first argument, or one more or less."""
_OF_TWO = frozenset("add sub mul div".split())
_OF_SIZES = frozenset("view reshape _unsafe_view expand".split())
"""Operators whose result has as many dimensions as they are given sizes."""
_ALWAYS = frozenset("arange linspace logspace randperm eye tril_indices triu_indices bincount".split())
"""Operators whose result always has the same number of dimensions."""

Sources = dict[Value, Value | None]


def rank_source(value: Value, known: Sources) -> Value | None:
    """The value furthest up from whose number of dimensions that of this one follows; None: it is always the same.

    `known` holds what was found.
    """
    path: list[Value] = []
    at: Value | None = value
    while at is not None and at not in known:
        path.append(at)
        above = _above(at, known)
        if above is at:
            break
        at = above
    found = None if at is None else known.get(at, at)
    for each in path:
        known[each] = found
    return found


def _above(value: Value, known: Sources) -> Value | None:
    node = value.node
    if node is None or not node.args:
        return value
    if node.name in _OF_SIZES or node.name in _ALWAYS:
        return None
    first: Any = node.args[0]
    if node.kind == LIST_UNPACK and isinstance(first, Value) and first.node is not None:
        parted = first.node
        first = parted.args[0] if parted.name in _AS_THE_FIRST and parted.args else None
    elif node.name not in _AS_THE_FIRST and not _keeps_the_first(value, first, node.args[1:2], known):
        return value
    found: Value | None = first if _is_of_an_input(first) else value
    return found


def _keeps_the_first(value: Value, first: Any, others: tuple[Any, ...], known: Sources) -> bool:
    """Whether the result of two has as many dimensions as the first, whatever that has."""
    node = value.node
    if node is None or node.name not in _OF_TWO or not (_is_of_an_input(first) and _rank(first) == _rank(value)):
        return False
    for other in others:
        if isinstance(other, Value) and other.is_tensor:
            return _is_of_an_input(other) and rank_source(other, known) is rank_source(first, known)
    return True


def _rank(value: Value) -> int:
    return len(value.type.shape) if isinstance(value.type, TensorType) else -1


def _is_of_an_input(item: Any) -> bool:
    return isinstance(item, Value) and item.role in (Role.INPUT, Role.COMPUTED) and isinstance(item.type, TensorType)
