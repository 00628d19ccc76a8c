"""A node that could not run, in one sentence that names the node, its line, and a suggestion."""

from __future__ import annotations

import re
from typing import Any

import torch

from tracelab.errors import TracelabError
from tracelab.execute.run.lookup import place
from tracelab.graph.ir import Node
from tracelab.graph.text.clashes import TypeOf, clash
from tracelab.graph.types import bytes_text

_ASKED = re.compile(
    r"(?:[Tt]ried to allocate|can't allocate memory: you tried to allocate)\s+([\d.]+)\s*([KMGT]iB|bytes)"
)
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_NO_KERNEL = re.compile(r"Could not run|not currently implemented for|not implemented for|no kernel|No operator found")


class NodeError(TracelabError):
    """A node raised.

    `node` is that node; `asked` is how many bytes were asked for where memory ran out, None otherwise; `__cause__` is
    torch's own error.
    """

    def __init__(self, message: str, node: Node, asked: int | None = None) -> None:
        super().__init__(message)
        self.node = node
        self.asked = asked

    def __reduce__(self) -> Any:
        return type(self), (str(self), self.node, self.asked)


def explain(
    error: BaseException, node: Node, device: torch.device, allocated: int | None, type_of: TypeOf
) -> NodeError:
    """The error of one node as a sentence; `type_of` tells the type that a value had."""
    text = _first_sentence(str(error))
    asked = bytes_asked(error)
    if is_out_of_memory(error):
        wanted = f"{bytes_text(asked)} were asked for" if asked is not None else "more was asked for than there is"
        held = f", {bytes_text(allocated)} were in use" if allocated else ""
        message = (
            f"out of memory on {device} at {place(node)}: {wanted}{held}; run smaller inputs, or estimate with "
            'device="meta" what it takes'
        )
        return NodeError(message, node, asked=asked)
    if isinstance(error, NotImplementedError) or _NO_KERNEL.search(text):
        return NodeError(f"{place(node)} has no kernel on {device} for these inputs: {text}", node)
    why = clash(node, error, type_of)
    return NodeError(f"{place(node)} failed: {type(error).__name__}: {f'{why} ({text})' if why else text}", node)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on any device."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "not enough memory" in text)


def bytes_asked(error: BaseException) -> int | None:
    """How many bytes were asked for, where torch's message says so."""
    found = _ASKED.search(str(error))
    return None if found is None else round(float(found.group(1)) * _UNITS[found.group(2)])


def _first_sentence(text: str) -> str:
    """One line, without the list of backends and the C++ trace that torch appends."""
    text = " ".join(text.split("\n\n")[0].split("\n")[0].split())
    text = text.split(" This could be because")[0]
    return text if len(text) <= 300 else text[:297] + "..."
