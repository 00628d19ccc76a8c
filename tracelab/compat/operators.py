"""torch's operators as objects: their classes, and what they know of themselves."""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

import torch

from tracelab.compat.names import needed

if TYPE_CHECKING:
    from torch._ops import HigherOrderOperator as HigherOrderOperator
    from torch._ops import OpOverload as OpOverload
    from torch._ops import OpOverloadPacket as OpOverloadPacket
else:
    HigherOrderOperator = needed("torch._ops.HigherOrderOperator")
    OpOverload = needed("torch._ops.OpOverload")
    OpOverloadPacket = needed("torch._ops.OpOverloadPacket")

for _path in ("_schema", "_overloadname", "_op"):
    needed(f"torch.ops.aten.add.Tensor.{_path}")
needed("torch.ops.aten.add._qualified_op_name")

assert_true: Callable[..., Any] = needed("torch._assert")
"""An assertion with its message, as a function."""
_has_kernel: Callable[[str, str], bool] = needed("torch._C._dispatch_has_kernel_for_dispatch_key")


def kernel_of(target: Any) -> Callable[..., Any]:
    """The function under an overload, which torch calls without asking for a Python handler first."""
    function: Callable[..., Any] = target._op
    return function


def packet_name(packet: OpOverloadPacket) -> str:
    """`aten::add` of `torch.ops.aten.add`."""
    return str(packet._qualified_op_name)


def is_composite(name: str) -> bool:
    """Whether torch composes the operator of this name (`aten::dropout`, `aten::add.Tensor`) of others."""
    return bool(_has_kernel(name, "CompositeImplicitAutograd"))


def resolve_overload(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The overload of an operator that torch would choose for plain arguments.

    Raises:
        RuntimeError: If no overload takes them.
        TorchVersionError: If this torch cannot be asked.
    """
    return str(needed("torch._C._jit_resolve_packet")(name, *args, **kwargs))


_BASE = "torch._higher_order_ops.base_hop.BaseHOP"
_MARK = "torch._higher_order_ops.base_hop.FunctionWithNoFreeVars"


def is_base_operator(operator: Any) -> bool:
    """Whether a higher-order operator takes a graph, or a function that is marked to use nothing from outside."""
    return any(cls.__name__ == "BaseHOP" for cls in type(operator).__mro__) and isinstance(operator, needed(_BASE))


def without_free_variables(function: Any) -> Any:
    """A function, marked to use nothing from outside."""
    return needed(_MARK)(function) if isinstance(function, FunctionType | functools.partial) else function


def marked_function(item: Any) -> Any:
    """The function behind such a mark; None for anything else."""
    return item.fn if type(item).__name__ == "FunctionWithNoFreeVars" and isinstance(item, needed(_MARK)) else None


_HOMES = (
    "torch._higher_order_ops",
    "torch._higher_order_ops.map",
    "torch._higher_order_ops.scan",
    "torch._higher_order_ops.associative_scan",
    "torch._higher_order_ops.invoke_quant",
)
"""What defines higher-order operators as it is imported."""


def higher_order_operator(name: str) -> Any:
    """The higher-order operator of that name; None where this torch has none."""
    for module in _HOMES:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    found = getattr(torch.ops.higher_order, name, None)
    return found if isinstance(found, HigherOrderOperator) else None
