"""What cannot leave: one error, whose sentence names the node, its line and what to do."""

from __future__ import annotations

import re

from tracelab.errors import TracelabError
from tracelab.graph.ir import Node
from tracelab.graph.source import short_place


class ExportError(TracelabError):
    """A trace that cannot be written as what was asked for; `node` is the one to blame, where it is one."""

    node: Node | None = None


def refused(what: str, node: Node | None, way_out: str) -> ExportError:
    """The error: `what` is a sentence's beginning that names the matter, `way_out` what to do."""
    error = ExportError(f"{what}{at(node)}: {way_out}")
    error.node = node
    return error


def named(node: Node) -> str:
    """`aten::nonzero (%index)`."""
    label = node.attributes.get("name")
    made = ", ".join(f"%{value.name}" for value in node.outputs)
    return f"{label if node.traits.opaque and label else node.kind}{f' ({made})' if made else ''}"


def at(node: Node | None) -> str:
    """` at net.py:12`; empty where there is no line."""
    place = short_place(node.source) if node is not None else ""
    return f" at {place}" if place else ""


def reason_of(error: BaseException) -> str:
    """What torch says, in one line without what is meant for its developers; the error itself is chained."""
    text = str(error)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    before, found, after = first.partition("INTERNAL ASSERT FAILED")
    if found:
        told = after.partition("PyTorch.")[2].strip()
        return told or f"torch does not hold itself what it needs ({before.strip() or 'an internal condition'})"
    first = _FOR_DEVELOPERS.sub("", first).strip()
    if _OPERATOR.fullmatch(first):
        return f"torch has no rule that tells what sizes {first} gives"
    target = re.search(r"^\s*target: (\S+)", text, re.MULTILINE)
    if target is not None:
        return f"{first.rstrip(': ')} (operator {target[1]})"
    return first[:300].rstrip() or type(error).__name__


_FOR_DEVELOPERS = re.compile(
    r"""For\ more\ information,\ run\ with\ TORCH_LOGS=\S+ | \(resolved\ from\ DispatchKey\.\S+\)
    | \(Triggered\ internally\ at\ [^)]*\)\.? | If\ you\ are\ a\ Facebook\ employee.*""",
    re.VERBOSE,
)
_OPERATOR = re.compile(r"[a-z_]\w*\.\w+\.\w+")
