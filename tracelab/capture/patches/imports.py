"""Modules that the traced code imports are read as if nothing were recorded.

What a module takes from torch as it is read (`from math import sqrt`, the compiler's tables of known functions) it
keeps for the life of the process: it must get the originals, not what stands in for them during a recording.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from tracelab.capture.patches.overrides import with_originals
from tracelab.capture.patches.registry import patched
from tracelab.capture.recording.recorder import active
from tracelab.capture.recording.replacement import Replacement


class CleanImports(Replacement, MetaPathFinder):
    """Finds what the other finders find, and runs it inside `Registry.originals`, on threads that record."""

    label = "sys.meta_path"

    def install(self) -> None:
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def remove(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def is_in(self) -> bool:
        return self in sys.meta_path

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if active.recorder is None:
            return None
        for finder in list(sys.meta_path):
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = None if find is None else find(fullname, path, target)
            if spec is None:
                continue
            if hasattr(spec.loader, "exec_module"):
                spec.loader = _CleanLoader(spec.loader)
            return spec
        return None


class _CleanLoader(Loader):
    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self.loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        # From here on nobody sees this loader.
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        with patched.originals():
            self.loader.exec_module(module)
        with_originals(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)


IMPORTS = (CleanImports(),)
"""Let what is imported see torch as it is."""
