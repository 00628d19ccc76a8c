"""Libraries that only some features need: one sentence asks for one that is missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tracelab.errors import TracelabError


def needed_library(library: str, feature: str, package: str = "") -> Any:
    """The module of that name.

    Args:
        library: The name to import.
        feature: What needs it, as the first words of the sentence.
        package: What to install; the library itself by default.

    Returns:
        The imported module.

    Raises:
        TracelabError: It is not installed.

    >>> needed_library("math", "arithmetic").pi
    3.14...
    >>> needed_library("no_such_library", "to_pandas")
    Traceback (most recent call last):
    tracelab.errors.TracelabError: to_pandas needs no_such_library: pip install no_such_library
    """
    try:
        return import_module(library)
    except ImportError as error:
        raise TracelabError(f"{feature} needs {library}: pip install {package or library}") from error
