"""A large view document as a short text, for pages: gzip, with numbers that mostly rise as their differences."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

_RISING = (("nodes", "inputs"), ("nodes", "outputs"), ("values", "node"), ("values", "name"))
"""Columns of numbers that mostly rise: equal blocks make equal differences."""


def packed(document: Any) -> str:
    """The text of a document; `unpacked.ts` of the explorer makes the document of it.

    >>> text = packed({"nodes": {"inputs": [[7], [8, 9]], "outputs": []}, "values": {"node": [], "name": []}})
    >>> json.loads(gzip.decompress(base64.b64decode(text)))["document"]["nodes"]["inputs"]
    [[7], [1, 1]]
    """
    tables = {table: dict(document[table]) for table, _ in _RISING if table in document}
    found = [(table, column) for table, column in _RISING if column in tables.get(table, {})]
    for table, column in found:
        tables[table][column] = _differences(tables[table][column], [0])
    text = json.dumps({"document": {**document, **tables}, "differences": found}, ensure_ascii=False, allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _differences(item: Any, last: list[int]) -> Any:
    if isinstance(item, (list, tuple)):
        return [_differences(part, last) for part in item]
    before, last[0] = last[0], item
    return item - before
