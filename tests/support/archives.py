"""Archives in memory, as tests make, read and spoil them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import tracelab
from tracelab import load


def to_bytes(traced: Any) -> bytes:
    buffer = io.BytesIO()
    tracelab.save(traced, buffer)
    return buffer.getvalue()


def from_bytes(content: bytes, **options: Any) -> Any:
    return load(io.BytesIO(content), **options)


def again(traced: Any, **options: Any) -> Any:
    """What was saved, loaded."""
    return from_bytes(to_bytes(traced), **options)


def entries(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(held: dict[str, bytes] | list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in held.items() if isinstance(held, dict) else held:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def edited(content: bytes, change: Callable[[Any], Any], name: str = "graph.json") -> bytes:
    """The archive with one JSON entry changed; `change` edits it in place, or gives a new one."""
    held = entries(content)
    document = json.loads(held[name])
    result = change(document)
    held[name] = json.dumps(document if result is None else result).encode()
    return packed(held)
