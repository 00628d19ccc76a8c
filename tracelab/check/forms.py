"""What generated inputs are beside sizes and values: of another dtype, rank, layout, device, or with gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value

_SMALL = 1 << 14
"""Tensors of fewer elements are put together to one of more dimensions; of larger ones a view is taken."""


def _is_float(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _cast(dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    return lambda tensor: tensor.to(dtype)


def _deeper(tensor: Tensor) -> Tensor:
    return torch.stack((tensor, tensor)) if tensor.numel() < _SMALL else tensor.unsqueeze(0)


_FORMS: dict[str, tuple[str, Callable[[Tensor], bool], Callable[[Tensor], Tensor]]] = {
    "float64": ("as float64", lambda t: t.dtype.is_floating_point and t.dtype != torch.float64, _cast(torch.float64)),
    "float32": ("as float32", lambda t: t.dtype == torch.float64, _cast(torch.float32)),
    "int32": ("as int32", lambda t: t.dtype == torch.int64, _cast(torch.int32)),
    "int64": (
        "as int64",
        lambda t: not _is_float(t) and t.dtype not in (torch.int64, torch.bool),
        _cast(torch.int64),
    ),
    "bfloat16": ("as bfloat16", lambda t: t.dtype.is_floating_point, _cast(torch.bfloat16)),
    "uint8": ("as uint8", lambda t: t.dtype.is_floating_point, _cast(torch.uint8)),
    "float": ("as float32", lambda t: not _is_float(t), _cast(torch.float32)),
    "deeper": ("with one more dimension in front", lambda t: True, _deeper),
    "flatter": ("without its first dimension", lambda t: t.dim() > 0 and t.shape[0] > 0, lambda t: t[0].clone()),
    "channels_last": (
        "in the memory format channels_last",
        lambda t: t.dim() == 4 and not t.is_contiguous(memory_format=torch.channels_last),
        lambda t: t.contiguous(memory_format=torch.channels_last),
    ),
    "transposed": (
        "not contiguous",
        lambda t: t.dim() > 1 and not t.mT.is_contiguous(),
        lambda t: t.mT.contiguous().mT,
    ),
    "gradient": (
        "that requires a gradient",
        lambda t: _is_float(t) and not t.requires_grad,
        lambda t: t.requires_grad_(),
    ),
    "no gradient": ("that requires no gradient", lambda t: t.requires_grad, lambda t: t.requires_grad_(False)),
    "meta": ("on the device meta", lambda t: t.device.type != "meta", lambda t: t.to("meta")),
}
"""By name: words for it, the tensors that it changes, and how."""

_ALWAYS = ("float64", "float32", "int32", "int64", "deeper", "flatter", "channels_last", "transposed", "gradient",
           "no gradient", "meta")  # fmt: skip
_BY_KIND = {
    AssumptionKind.DTYPE: ("float64", "bfloat16", "uint8", "float32", "int64", "int32", "float"),
    AssumptionKind.DIMENSIONS: ("deeper", "flatter"),
    AssumptionKind.CONTIGUITY: ("transposed", "channels_last"),
    AssumptionKind.REQUIRES_GRAD: ("gradient", "no gradient"),
}
"""What may show that an assumption of a kind does not hold."""


def changes(form: str, tensor: Tensor) -> bool:
    """Whether a form makes something else of a tensor."""
    return _FORMS[form][1](tensor)


def reformed(form: str, tensor: Tensor) -> Tensor:
    """The tensor in another form; it takes part in no gradient's graph."""
    gradient = tensor.requires_grad
    made = _FORMS[form][2](tensor.detach())
    if form in ("gradient", "no gradient"):
        return made
    return made.requires_grad_(gradient and _is_float(made))


def form_phrase(form: str) -> str:
    """Words for it: `as float64`."""
    return _FORMS[form][0]


def forms_of(graph: Graph) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Forms to try, and the inputs that take them (all, where there are none): first those that assumptions name."""
    users = set(graph.user_inputs)
    for item in graph.assumptions:
        for form in _BY_KIND.get(item.kind, ()):
            yield form, (item.value,) if item.value in users and item.value is not None else ()
    for form in _ALWAYS:
        yield form, ()
