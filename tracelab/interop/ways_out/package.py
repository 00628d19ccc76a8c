"""An exported program as a compiled package, which loads without Python code of ours."""

from __future__ import annotations

from torch.export import ExportedProgram

from tracelab.compat.leaving import compile_package, has_compiler
from tracelab.errors import TracelabError
from tracelab.interop.ways_out.refusals import ExportError, reason_of
from tracelab.interop.ways_out.running import quietly


def check_compiler() -> None:
    """Raises `TracelabError` where there is no C++ compiler."""
    if not has_compiler():
        raise TracelabError(
            "to_package needs a C++ compiler (g++ or clang++), and none was found: install one, or name it in the "
            "environment variable CXX"
        )


def write_package(program: ExportedProgram, path: str) -> None:
    """Compile the program by AOTInductor and write a `.pt2` package.

    Raises:
        ExportError: Inductor cannot compile the program.
    """
    try:
        with quietly():
            compile_package(program, path)
    except Exception as error:
        raise ExportError(
            f"AOTInductor cannot compile this program: {reason_of(error)}; torch.export.save keeps it uncompiled"
        ) from error
