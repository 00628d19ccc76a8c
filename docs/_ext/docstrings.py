"""Docstrings of properties as they are written: a colon in one is a colon, and no type in front of it."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.napoleon import GoogleDocstring


def whole(docstring: Any) -> tuple[str, list[str]]:
    """The docstring of a property, without a type."""
    return "", [docstring._lines.next(), *docstring._dedent(docstring._consume_to_end())]


def setup(app: Sphinx) -> dict[str, Any]:
    # Napoleon has no setting for it.
    GoogleDocstring._consume_inline_attribute = whole
    return {"parallel_read_safe": True, "parallel_write_safe": True}
