"""LSTM, GRU and RNN for any length: torch's own rules run them step by step, and so fix the length of the example."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from tracelab.compat.names import needed

RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")
"""The operators, by the names of their packets."""


@contextmanager
def any_length(names: Iterable[str] = RECURRENT) -> Iterator[None]:
    """Let tensors without data go through these operators as a whole, inside of it.

    Nothing may be computed there that is used afterwards: results have sizes only.
    """
    table: dict[Any, Any] = needed("torch._decomp.decomposition_table")
    key = needed("torch._C.DispatchKey.CompositeImplicitAutograd")
    gradients = needed("torch._C.DispatchKey.Autograd")
    before: list[tuple[Any, Any, dict[Any, Any]]] = []
    try:
        for name in names:
            operator = needed(f"torch.ops.aten.{name}.input")
            before.append((operator, table.get(operator), dict(operator.py_kernels)))
            table[operator] = operator.py_kernels[key] = operator.py_kernels[gradients] = _SIZES[name]
            operator._dispatch_cache.clear()
        yield
    finally:
        for operator, decomposition, kernels in before:
            if decomposition is None:
                del table[operator]
            else:
                table[operator] = decomposition
            operator.py_kernels.clear()
            operator.py_kernels.update(kernels)
            operator._dispatch_cache.clear()


def _outputs(like: Tensor, sequence: Tensor, width: Any, bidirectional: bool, batch_first: bool) -> Tensor:
    batch, length = (0, 1) if batch_first else (1, 0)
    columns = width * 2 if bidirectional else width
    made = like.new_empty((sequence.shape[length], sequence.shape[batch], columns))
    return made.transpose(0, 1) if batch_first else made


def _lstm(
    input: Tensor,
    hx: list[Tensor],
    params: list[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    hidden, cell = hx
    found = _outputs(hidden, input, hidden.shape[2], bidirectional, batch_first)
    return found, hidden.new_empty(hidden.shape), cell.new_empty(cell.shape)


def _one_state(
    input: Tensor,
    hx: Tensor,
    params: list[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, Tensor]:
    return _outputs(hx, input, hx.shape[2], bidirectional, batch_first), hx.new_empty(hx.shape)


_SIZES: dict[str, Callable[..., tuple[Tensor, ...]]] = {
    "lstm": _lstm,
    "gru": _one_state,
    "rnn_tanh": _one_state,
    "rnn_relu": _one_state,
}
