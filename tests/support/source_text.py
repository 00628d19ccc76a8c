"""Python that a test writes itself: its lines and names are the same wherever the tests run."""

from __future__ import annotations

import linecache
import textwrap
from typing import Any

import torch
from torch import nn


def define(source: str, name: str, file: str = "<code>") -> Any:
    """What `source` calls `name`, with line numbers that count from the first line of the text."""
    source = textwrap.dedent(source).lstrip("\n")
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    space: dict[str, Any] = {"torch": torch, "nn": nn, "__name__": "written"}
    exec(compile(source, file, "exec"), space)
    return space[name]
