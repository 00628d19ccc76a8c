"""Which code is the user's own, and which an installed package's."""

from __future__ import annotations

import os
import sysconfig
from types import CodeType

from tracelab.graph.by_code import by_code
from tracelab.graph.source import is_inner

_LIBRARIES = tuple(os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "purelib", "platlib"))


@by_code
def is_library(code: CodeType) -> bool:
    """Whether code is of torch, of tracelab or of another installed package."""
    return is_inner(code) or is_library_file(code.co_filename)


def is_library_file(file: str) -> bool:
    """Whether a file is of Python's library or of an installed package."""
    return os.path.realpath(file).startswith(_LIBRARIES) or _is_installed(file)


def _is_installed(file: str) -> bool:
    """Whether a file stands in a folder of packages, of the user's or of another environment."""
    return f"{os.sep}site-packages{os.sep}" in file or f"{os.sep}dist-packages{os.sep}" in file
