"""The modes of this thread: gradients, autocast, and who watches or transforms its calls; where torch asks for them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import torch

from tracelab.compat.names import attribute_of, needed, optional

set_grad_enabled: Callable[[bool], None] = needed("torch._C._set_grad_enabled")
"""Sets the mode at once; the function of that name in `torch` is a context manager around it."""

function_modes: Callable[[], int] = needed("torch._C._len_torch_function_stack")
push_function_mode: Callable[[Any], None] = needed("torch._C._push_on_torch_function_stack")
pop_function_mode: Callable[[], Any] = needed("torch._C._pop_torch_function_stack")
_function_mode_at: Callable[[int], Any] = needed("torch._C._get_function_stack_at")
_DEVICES = "torch.utils._device"
"""The module of the mode that `torch.set_default_device` and `with torch.device(...)` enter."""
DeviceContext: Any = needed("torch.utils._device.DeviceContext")
CHECKPOINT_SAVES: Any = optional("torch.utils.checkpoint._NoopSaveInputs")
"""Keeps the inputs of a checkpoint for its backward, and computes nothing; None in a torch that does without it."""
dispatch_modes: Callable[[], int] = needed("torch._C._len_torch_dispatch_stack")
_dispatch_mode_at: Callable[[int], Any] = needed("torch._C._get_dispatch_stack_at")
any_autocast: Callable[[], bool] = needed("torch._C._is_any_autocast_enabled")
innermost_transform: Callable[[], Any] = needed("torch._C._functorch.peek_interpreter_stack")
"""The transform of `torch.func` that runs; None outside of one."""

_saved_tensors_hooks: Callable[[bool], Any] = needed("torch._C._autograd._top_saved_tensors_default_hooks")

Given = ParamSpec("Given")
Result = TypeVar("Result")

AUTOCAST_DEVICES = ("cpu", "cuda")


def modes_now() -> Callable[[], None]:
    """Keep the modes of gradients and autocast.

    Returns:
        A function that sets them as they are now.
    """
    gradients = torch.is_grad_enabled()
    cast = any_autocast()
    casts = [(device, cast and torch.is_autocast_enabled(device)) for device in AUTOCAST_DEVICES]
    cached = torch.is_autocast_cache_enabled()

    def restore() -> None:
        if torch.is_grad_enabled() != gradients:
            set_grad_enabled(gradients)
        for device, enabled in casts:
            if torch.is_autocast_enabled(device) != enabled:
                torch.set_autocast_enabled(device, enabled)
                if not cast:
                    _leave_autocast_blocks()
        if torch.is_autocast_cache_enabled() != cached:
            torch.set_autocast_cache_enabled(cached)

    return restore


def _leave_autocast_blocks() -> None:
    """Torch counts its blocks of autocast, and drops the casts that it keeps at the end of the outermost."""
    for _ in range(torch.autocast_increment_nesting()):
        torch.autocast_decrement_nesting()
    torch.clear_autocast_cache()


def keeps_modes(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Put modes back where Ctrl-C ends a function of ours.

    `torch.no_grad` and `torch.autocast` do not where it comes as they begin or end.
    """

    @functools.wraps(function)
    def call(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        restore = modes_now()
        try:
            return function(*args, **kwargs)
        except KeyboardInterrupt:
            restore()
            raise

    return call


def has_saved_tensors_hooks() -> bool:
    """Whether what is saved for gradients goes through hooks, as in `torch.utils.checkpoint`."""
    return _saved_tensors_hooks(True) is not None


_COUNTS = "torch.utils.flop_counter"
"""The module of the mode that counts operations."""
_RECORDERS = frozenset({"torch", "functorch", "tracelab"})


def watching_modes() -> int:
    """How many modes watch calls: one that sets the default device only chooses where tensors are made."""
    count = function_modes()
    return count and sum(type(_function_mode_at(place)) is not DeviceContext for place in range(count))


_CPU = torch.device("cpu")


def default_device() -> torch.device:
    """Where a tensor is made whose maker is told no device: what `torch.get_default_device` gives, but sooner."""
    for place in range(function_modes() - 1, -1, -1):
        mode = _function_mode_at(place)
        if type(mode) is DeviceContext:
            device: torch.device = mode.device
            return device
    return _CPU


def recording_modes() -> bool:
    """Whether a mode of torch's or tracelab's own makes something of the calls, but counts them.

    A mode of the user's sees what Python code would call, which reads sizes and values, too.
    """
    return any(name.partition(".")[0] in _RECORDERS and name not in (_DEVICES, _COUNTS) for name in _modules_of_modes())


def makes_fx() -> bool:
    """Whether `make_fx` records the calls."""
    return _FX in _modules_of_modes()


def _modules_of_modes() -> list[str]:
    modes = [_function_mode_at(place) for place in range(function_modes())]
    modes += [_dispatch_mode_at(place) for place in range(dispatch_modes())]
    return [type(mode).__module__ for mode in modes]


_FX = "torch.fx.experimental.proxy_tensor"


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


QUESTIONS = ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic")


def question_places() -> list[tuple[Any, str, Callable[..., bool]]]:
    """Where torch's Python functions ask whether they must hand themselves over to a torch-function mode.

    Returns:
        Each module of torch that holds one of these functions, with its name there; never the bindings themselves.
    """
    places = []
    for name, module in list(sys.modules.items()):
        if name.startswith("torch.") or name == "torch":
            for word in QUESTIONS:
                function = getattr(module, "__dict__", {}).get(word)
                if function is not None and name != "torch._C":
                    places.append((module, word, function))
    return places
