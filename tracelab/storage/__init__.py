"""The `.tlab` archive: traces in files."""

from tracelab.storage.archive import load, save
from tracelab.storage.errors import TracelabFileError

__all__ = ["TracelabFileError", "load", "save"]
