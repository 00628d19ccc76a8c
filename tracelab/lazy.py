"""Packages whose names are imported when they are first asked for (PEP 562)."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable, Collection, Mapping
from types import ModuleType
from typing import Any


def lazy_names(
    package: str, names: Mapping[str, Collection[str]], modules: Collection[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package: `names` by the module that has them, and its `modules`.

    What was found once is kept in the package, so that it costs nothing from then on.

    >>> __getattr__, __dir__ = lazy_names(__name__, {"tracelab.api.tracing": ["trace"]})
    """
    home = {name: module for module, held in names.items() for name in held}

    def get(name: str) -> Any:
        if name in home:
            found = getattr(_imported(home[name]), name)
        elif name in modules:
            found = _imported(f"{package}.{name}")
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        vars(importlib.import_module(package))[name] = found
        return found

    def listed() -> list[str]:
        return sorted({*vars(importlib.import_module(package)), *home, *modules})

    return get, listed


def _imported(name: str) -> ModuleType:
    """A module, imported without a garbage collection: with torch loaded one takes a tenth of a second, for nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        if enabled:
            gc.enable()
