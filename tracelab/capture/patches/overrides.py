"""Which of torch's Python functions hand themselves over whole to a torch-function mode, while recordings run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.patches.registry import Registry
from tracelab.capture.recording.recorder import active
from tracelab.compat.modes import question_places

_modules_seen = 0
_modules_with_overrides: list[tuple[Any, str, Callable[..., bool]]] = []


def patch_overrides(registry: Registry) -> None:
    """Let torch's Python functions run their own bodies.

    With a torch-function mode on, each of them hands itself over whole to the mode, which is then off while the
    body runs: sizes read in it would be lost. Here a body hands itself over only for a tensor subclass, and for
    the few functions that the recording treats itself.
    """
    global _modules_seen
    if len(sys.modules) != _modules_seen:
        _modules_seen = len(sys.modules)
        _modules_with_overrides[:] = question_places()
    for module, word, function in _modules_with_overrides:
        registry.set(module, word, _stand_in(function, word))


_OWN_CODES = {
    getattr(function, "__code__", None)
    for function in (
        torch.Tensor.__len__,
        torch.Tensor.__contains__,
        torch.Tensor.__array__,
        torch.Tensor.__deepcopy__,
        torch.Tensor.backward,
        torch.Tensor.register_hook,
        torch.Tensor.register_post_accumulate_grad_hook,
        torch.Tensor.__repr__,
        torch.Tensor.__format__,
    )
}
_PLAIN_TENSORS = (torch.Tensor, torch.nn.Parameter)


def _stand_in(original: Callable[..., bool], word: str) -> Callable[..., bool]:
    sequence = word == "has_torch_function"

    def has_torch_function(*args: Any) -> bool:
        recorder = active.recorder
        if recorder is None:
            return original(*args)
        if sys._getframe(1).f_code in _OWN_CODES:
            return original(*args)
        for item in args[0] if sequence else args:
            if isinstance(item, torch.Tensor) and type(item) not in _PLAIN_TENSORS:
                return original(*args)
        return False

    return has_torch_function
