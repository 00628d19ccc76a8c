"""Tensors: their memory and generators, how often they were written to, and whether they are fake."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from tracelab.compat.names import needed

if TYPE_CHECKING:
    from torch._subclasses.fake_tensor import FakeTensorMode

    FakeMode: TypeAlias = FakeTensorMode
else:
    FakeMode = Any

needed("torch.Tensor._version")
is_view: Callable[[torch.Tensor], bool] = needed("torch.Tensor._is_view")
base_of: Any = needed("torch.Tensor._base")
"""The descriptor of the tensor that a view shows."""
_methods: Any = torch.Tensor.__base__
needed("torch.Generator._cdata")
needed("torch.UntypedStorage._cdata")
without_torch_function: Any = needed("torch._C.DisableTorchFunction")
"""Context manager: torch alone sees what happens to tensors, and no class or mode of the user's."""

subclasses_are_asked: Callable[[], bool] = needed("torch._C._is_torch_function_enabled")
"""Whether calls go to `__torch_function__` of their arguments' classes now."""
_not_asked: Any = needed("torch._C._disabled_torch_function_impl")
indices_of: Callable[[torch.Tensor], torch.Tensor] = needed("torch.Tensor._indices")
values_of: Callable[[torch.Tensor], torch.Tensor] = needed("torch.Tensor._values")
"""Of a sparse tensor, also where places stand in it several times."""
quantized_of: Callable[..., torch.Tensor] = needed("torch._make_per_tensor_quantized_tensor")
quantized_by_channel_of: Callable[..., torch.Tensor] = needed("torch._make_per_channel_quantized_tensor")
"""A quantized tensor of its whole numbers."""
make_wrapper_subclass: Callable[..., torch.Tensor] = needed("torch.Tensor._make_wrapper_subclass")
"""Makes a tensor of a subclass without memory of its own."""


@functools.cache
def has_rules(cls: type, of_torch: bool = False) -> bool:
    """Whether a class decides by a class method, `__torch_function__`, what calls with its tensors do.

    Args:
        cls: The class of an argument.
        of_torch: Ask for a subclass of `torch.Tensor` that has torch's own method, which gives results that class.
    """
    rules = getattr(cls, "__torch_function__", None)
    if cls is torch.Tensor or rules is None or rules is _not_asked or getattr(rules, "__self__", None) is not cls:
        return False
    if cls.__module__.startswith("torch.nested."):
        # Its sizes are no numbers that a trace could follow: see `capture.layers.nested`.
        return False
    inherited: Any = torch.Tensor.__torch_function__
    return (rules.__func__ is inherited.__func__) is of_torch


def generator_address(generator: torch.Generator) -> int:
    """The address of what the object stands for; each call of torch may see another object of the same one."""
    address: int = generator._cdata  # type: ignore[attr-defined]
    return address


def storage_address(storage: torch.UntypedStorage) -> int:
    """The same, of a storage."""
    address: int = storage._cdata
    return address


_HOOK_TABLES = ("_backward_hooks", "_post_accumulate_grad_hooks")

for _name in _HOOK_TABLES:
    needed(f"torch.Tensor.{_name}")


def hook_tables(tensor: torch.Tensor) -> tuple[dict[int, Any] | None, ...]:
    """The hooks that are registered on a tensor, by kind; None for a kind of which it never had one."""
    return tuple(getattr(tensor, name) for name in _HOOK_TABLES)


def version_of(tensor: torch.Tensor) -> int:
    """How often a tensor has been written to."""
    return tensor._version


_PLAIN = (torch.Tensor, torch.nn.Parameter)
"""Never asked whether they are fake, so that a torch without fake tensors can do all else."""


def is_fake(item: Any) -> bool:
    """Whether this is a fake tensor.

    Raises:
        TorchVersionError: If it is a tensor of some subclass, and this torch does not say.
    """
    if type(item) in _PLAIN or not isinstance(item, torch.Tensor):
        return False
    return isinstance(item, needed("torch._subclasses.fake_tensor.FakeTensor"))


def fake_mode_of(item: Any) -> FakeMode | None:
    """The mode that a fake tensor was made in; None for any other tensor."""
    mode: FakeMode | None = item.fake_mode if is_fake(item) else None
    return mode


def replaced_method(function: Any) -> Any:
    """The method of torch's that a function has replaced in `torch.Tensor`; None where it has replaced none.

    Torch's own bindings name what they call by asking the class, so that they show a mode the replacement.
    """
    if str(function.__module__).startswith("torch."):
        return None
    for name, item in vars(torch.Tensor).items():
        if item is function:
            return getattr(_methods, name, None)
    return None
