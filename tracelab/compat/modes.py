"""The modes of this thread: gradients, autocast, and who watches or transforms its calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracelab.compat.names import attribute_of, needed

set_grad_enabled: Callable[[bool], None] = needed("torch._C._set_grad_enabled")
"""Sets the mode at once; the function of that name in `torch` is a context manager around it."""

function_modes: Callable[[], int] = needed("torch._C._len_torch_function_stack")
dispatch_modes: Callable[[], int] = needed("torch._C._len_torch_dispatch_stack")
any_autocast: Callable[[], bool] = needed("torch._C._is_any_autocast_enabled")
innermost_transform: Callable[[], Any] = needed("torch._C._functorch.peek_interpreter_stack")
"""The transform of `torch.func` that runs; None outside of one."""


def autocast_options(region: Any) -> tuple[Any, ...]:
    """What `torch.amp.autocast` was made with: device, dtype, whether it is on, whether it caches casts.

    Raises:
        TorchVersionError: If this torch keeps them elsewhere.
    """
    return (
        region.device,
        region.fast_dtype,
        attribute_of(region, "torch.amp.autocast_mode.autocast._enabled"),
        attribute_of(region, "torch.amp.autocast_mode.autocast._cache_enabled"),
    )
