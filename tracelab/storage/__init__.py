"""The `.tlab` archive: traces in files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracelab.lazy import lazy_names

if TYPE_CHECKING:
    from tracelab.storage.archive import load, save
    from tracelab.storage.errors import TracelabFileError

__all__ = ["TracelabFileError", "load", "save"]

# The Jupyter server reads archives without torch.
__getattr__, __dir__ = lazy_names(
    __name__,
    {"tracelab.storage.archive": ["load", "save"], "tracelab.storage.errors": ["TracelabFileError"]},
)
