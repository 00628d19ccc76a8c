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

from tracelab.capture.patches.registry import Registry
from tracelab.capture.recording.recorder import active


def patch_imports(registry: Registry) -> None:
    """Let what is imported see torch as it is."""
    finder = CleanImports(registry)
    sys.meta_path.insert(0, finder)
    registry.undo_by(lambda: sys.meta_path.remove(finder))


class CleanImports(MetaPathFinder):
    """Finds what the other finders find, and runs it inside `Registry.originals`, on threads that record."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

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
                spec.loader = _CleanLoader(spec.loader, self.registry)
            return spec
        return None


class _CleanLoader(Loader):
    def __init__(self, loader: Any, registry: Registry) -> None:
        self.loader = loader
        self.registry = registry

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self.loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        # From here on nobody sees this loader.
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        with self.registry.originals():
            self.loader.exec_module(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)
