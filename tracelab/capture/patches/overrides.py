"""Which of torch's Python functions hand themselves over whole to a torch-function mode, while recordings run."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import torch

from tracelab.capture.patches.attribute import Attribute
from tracelab.capture.patches.many import Group
from tracelab.capture.recording.recorder import active
from tracelab.capture.recording.replacement import Replacement
from tracelab.compat.modes import question_places

_places: dict[tuple[int, str], Attribute] = {}


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


def _asked() -> Iterable[Replacement]:
    """Let torch's Python functions run their own bodies.

    With a torch-function mode on, each of them hands itself over whole to the mode, which is then off while the
    body runs: sizes read in it would be lost. Here a body hands itself over only for a tensor subclass, and for
    the few functions that the recording treats itself.
    """
    for module, word, function in question_places():
        if (id(module), word) not in _places and id(function) not in _stand_ins:
            _places[id(module), word] = Attribute(module, word, functools.partial(_stand_in, word=word), lent=True)
    return _places.values()


_stand_ins: dict[int, tuple[Any, Any]] = {}
"""The stand-ins that were made so far, each with its original, by their ids."""


def with_originals(module: ModuleType) -> None:
    """Take out of a module what it fetched from torch while it was replaced."""
    for name, item in list(vars(module).items()):
        known = _stand_ins.get(id(item))
        if known is not None:
            setattr(module, name, known[1])


OVERRIDES = (Group(_asked, lent=True),)
"""Replace the questions."""


@functools.cache
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

    _stand_ins[id(has_torch_function)] = (has_torch_function, original)
    return has_torch_function
