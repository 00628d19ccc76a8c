"""An exported program as a compiled package, which loads without Python code of ours."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch.export import ExportedProgram

from tracelab.errors import TracelabError
from tracelab.interop.ways_out.program import quietly
from tracelab.interop.ways_out.refusals import ExportError


def check_compiler() -> None:
    """Raises `TracelabError` where there is no C++ compiler."""
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except (InvalidCxxCompiler, RuntimeError):
        raise TracelabError(
            "to_package needs a C++ compiler (g++ or clang++), and none was found: install one, or name it in the "
            "environment variable CXX"
        ) from None


def write_package(program: ExportedProgram, path: str) -> None:
    """Compile the program by AOTInductor and write a `.pt2` package.

    Raises:
        ExportError: Inductor cannot compile the program.
    """
    try:
        with quietly():
            torch._inductor.aoti_compile_and_package(program, package_path=path)
    except Exception as error:
        first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ExportError(
            f"AOTInductor cannot compile this program: {first.strip()[:300]}; torch.export.save keeps it uncompiled"
        ) from error


def load_package(path: str | os.PathLike[str]) -> Any:
    """What the package holds, to be called."""
    return torch._inductor.aoti_load_package(os.fspath(path))
