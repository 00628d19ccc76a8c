"""A JSON file from anywhere, read within bounds; it may be packed by gzip."""

from __future__ import annotations

import json
import zlib
from typing import IO, Any

from tracelab.errors import TracelabFileError
from tracelab.storage.container import LARGEST_RATIO, UNSUSPICIOUS, is_sparse_json

LARGEST = 512 * 2**20
"""Bytes that the JSON may have when unpacked."""
_CHUNK = 2**20


def read_json(file: IO[bytes]) -> Any:
    """What a JSON file holds.

    Raises:
        TracelabFileError: It is none, it is damaged, or it is too large.
    """
    content = _content(file)
    if is_sparse_json(content):
        raise TracelabFileError("the file holds an unlikely number of lists and tables")
    try:
        return json.loads(content)
    except (ValueError, RecursionError, MemoryError) as error:
        reason = " ".join(str(error).split())[:80]
        raise TracelabFileError(f"the file is not JSON ({reason or type(error).__name__})") from error


def _content(file: IO[bytes]) -> bytes:
    head = file.read(2)
    if head != b"\x1f\x8b":
        content = head + file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise TracelabFileError(f"the file has more than the {LARGEST} bytes allowed")
        return content
    unpacked, packed = bytearray(), len(head)
    stream = zlib.decompressobj(wbits=31)
    piece = head
    try:
        while not stream.eof:
            while not stream.eof:
                made = stream.decompress(piece, _CHUNK)
                unpacked += made
                if len(unpacked) > LARGEST:
                    raise TracelabFileError(f"the file unpacks to more than the {LARGEST} bytes allowed")
                if len(unpacked) > UNSUSPICIOUS and len(unpacked) > LARGEST_RATIO * packed:
                    raise TracelabFileError("the file unpacks to an unlikely size")
                piece = stream.unconsumed_tail
                if not made and not piece:
                    break
            if not stream.eof:
                piece = file.read(_CHUNK)
                packed += len(piece)
                if not piece:
                    raise TracelabFileError("the file is a truncated gzip file")
    except zlib.error as error:
        raise TracelabFileError(f"the file is a damaged gzip file ({str(error)[:80]})") from error
    return bytes(unpacked)
