"""Packed parameters of quantized modules, as the operator that packs them and what it is given.

torch packs weights into objects that only its own operators read. They are taken apart into tensors and numbers, and
packed again on load by the operator that made them: one of a fixed list, and nothing is unpickled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tracelab.errors import TracelabFileError
from tracelab.storage import validation

_quantized: Any = torch.ops.quantized
_CLASSES = "__torch__.torch.classes."


def packed_class(item: Any) -> str:
    """The class of an object of TorchScript's registry: `quantized.LinearPackedParamsBase`."""
    return str(item._type().qualified_name()).removeprefix(_CLASSES)


def is_packed(item: Any) -> bool:
    """Whether it is an object of TorchScript's registry."""
    return isinstance(item, torch.ScriptObject)


def unpack(item: Any) -> tuple[str, list[Any]] | None:
    """The operator that packs such an object, and its arguments; None for one of another class."""
    taker = _TAKERS.get(packed_class(item))
    try:
        return None if taker is None else taker(item)
    except (RuntimeError, ValueError, TypeError, AttributeError):
        # Of another layout than in the versions of torch that are known here.
        return None


def pack(name: str, args: list[Any]) -> Any:
    """The object again.

    Raises `TracelabFileError` for another operator than those that pack, and for what such a one does not take.
    """
    where = f"a packed parameter of quantized::{name[:60]}"
    if name not in _PACKERS:
        validation.bad(where, "is of a kind that this tracelab does not know")
    try:
        return getattr(_quantized, name)(*args)
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise TracelabFileError(f"{where} cannot be packed here: {str(error).splitlines()[0]}") from error


def _linear(item: Any) -> tuple[str, list[Any]]:
    weight, bias = item.__getstate__()[0]
    return ("linear_prepack" if weight.is_quantized else "linear_prepack_fp16"), [weight, bias]


def _convolution(rank: int) -> Callable[[Any], tuple[str, list[Any]]]:
    def take(item: Any) -> tuple[str, list[Any]]:
        def read(name: str) -> Any:
            return getattr(_quantized, f"conv{rank}d_{name}")(item)

        weight, bias = read("unpack")
        stride, padding, dilation, groups = map(read, ("stride", "padding", "dilation", "groups"))
        if not read("transpose"):
            return f"conv{rank}d_prepack", [weight, bias, stride, padding, dilation, groups]
        output_padding = read("output_padding")
        return f"conv_transpose{rank}d_prepack", [weight, bias, stride, padding, output_padding, dilation, groups]

    return take


def _embedding(item: Any) -> tuple[str, list[Any]]:
    return "embedding_bag_prepack", [_quantized.embedding_bag_unpack(item)]


def _cell(item: Any) -> tuple[str, list[Any]] | None:
    kind, tensors, _, numbers, packed = item.__getstate__()[0]
    if kind == "quantized_dynamic":
        return "make_quantized_cell_params_dynamic", [*packed, *tensors, bool(numbers[0])]
    return ("make_quantized_cell_params_fp16", list(packed)) if kind == "quantized_fp16" else None


_TAKERS: dict[str, Callable[[Any], tuple[str, list[Any]] | None]] = {
    "quantized.LinearPackedParamsBase": _linear,
    "quantized.Conv2dPackedParamsBase": _convolution(2),
    "quantized.Conv3dPackedParamsBase": _convolution(3),
    "quantized.EmbeddingPackedParamsBase": _embedding,
    "rnn.CellParamsBase": _cell,
}
_PACKERS = frozenset(
    "linear_prepack linear_prepack_fp16 conv2d_prepack conv3d_prepack conv_transpose2d_prepack "
    "conv_transpose3d_prepack embedding_bag_prepack make_quantized_cell_params_dynamic "
    "make_quantized_cell_params_fp16".split()
)
