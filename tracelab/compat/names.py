"""Looking a private name of torch up, or saying in one sentence that this torch lacks it."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import torch

from tracelab.compat.table import FIRST, NAMES, OPTIONAL, TESTED, TOO_NEW
from tracelab.errors import TorchVersionError


def needed(path: str) -> Any:
    """What stands at a path of `table.NAMES`.

    Args:
        path: `torch._C._set_grad_enabled`, say.

    Returns:
        The function, class or value.

    Raises:
        TorchVersionError: If this torch has nothing there.
    """
    name = NAMES[path]
    try:
        return _find(name.path)
    except (AttributeError, ImportError) as error:
        raise TorchVersionError(missing(path)) from error


def optional(path: str) -> Any:
    """What stands at a path of `table.OPTIONAL`; None where this torch has nothing there."""
    assert path in OPTIONAL
    try:
        return _find(path)
    except (AttributeError, ImportError):
        return None


def attribute_of(item: Any, path: str) -> Any:
    """The attribute of an object whose class stands in `path`, a path of `table.NAMES`.

    Raises:
        TorchVersionError: If the object has no such attribute.
    """
    try:
        return getattr(item, path.rpartition(".")[2])
    except AttributeError as error:
        raise TorchVersionError(missing(path)) from error


def missing(path: str) -> str:
    """The sentence that says that this torch lacks a name."""
    return (
        f"{NAMES[path].feature} needs {path}, which torch {torch.__version__} does not have: install torch {TESTED} "
        f"(pip install 'torch>={FIRST},<{TOO_NEW}'), or a newer tracelab"
    )


def _find(path: str) -> Any:
    parts = path.split(".")
    # A module that is there already is taken as it is: `torch.jit` may be hidden behind a warning some day.
    loaded = len(parts) - 1
    while ".".join(parts[:loaded]) not in sys.modules:
        loaded -= 1
    # Another thread may still be importing it: then this waits.
    found: Any = importlib.import_module(".".join(parts[:loaded]))
    for part in parts[loaded:]:
        fresh = part.endswith("()")
        found = _member(found, part.removesuffix("()"))
        found = found() if fresh else found
    return found


def _member(owner: Any, name: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        if not isinstance(owner, ModuleType):
            raise
        return importlib.import_module(f"{owner.__name__}.{name}")
