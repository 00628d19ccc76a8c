"""What can never run from a file, told as the file is written: the module, the line, and the way out."""

from __future__ import annotations

import functools
import importlib
import sys
from typing import Any, NoReturn

import torch

from tracelab.compat import script
from tracelab.compat.operators import OpOverload
from tracelab.errors import TracelabFileError
from tracelab.graph.callables.collectives import Collective
from tracelab.graph.callables.higher_order import run_region
from tracelab.graph.callables.script_call import ScriptCall
from tracelab.graph.callables.wrappers import Wrapper
from tracelab.graph.intrinsics import intrinsic_of
from tracelab.graph.ir import Node
from tracelab.graph.kinds import CONSTRUCTS
from tracelab.graph.objects import ByFields
from tracelab.graph.source import short_place
from tracelab.storage.graph_json import regions
from tracelab.storage.graph_json.targets import Refusal, python_name

LOOK = "save its graph to look at it alone, with tracelab.save(traced.graph, path)"


def refuse_node(node: Node) -> None:
    """Raise `TracelabFileError` for a node that no file can run, whatever its reader allows."""
    target: Any = node.target
    if target is None or node.kind in CONSTRUCTS:
        return
    if target is run_region:
        why = regions.why_not_kept(node)
        if why:
            refuse(node, f"{why}", "")
        return
    if isinstance(target, Refusal):
        stored = str(target.stored.get("python", ""))
        if "region" in target.stored or "<" in stored:
            refuse(node, "was in a file that shows it, and cannot run it", "")
        return
    if isinstance(target, (OpOverload, Collective, ScriptCall)) or script.is_function(target):
        return
    intrinsic = intrinsic_of(target)
    if (intrinsic is not None and intrinsic.trusted) or script.is_module(target):
        return
    name = python_name(target)
    wanted = target.cls if isinstance(target, (Wrapper, ByFields)) else target
    if "<" in name:
        refuse(
            node,
            f"{name} is Python code inside of a function, which files neither hold nor find again",
            "" if name.startswith("torch.") else "define it at the top of a module and trace again",
        )
    if not _is_found(name, wanted):
        refuse(node, f"it calls {name}, which files neither hold nor find again by that name", "")


def refuse_argument(node: Node, lost: str) -> NoReturn:
    """Raise `TracelabFileError` for a node whose argument is in no file."""
    refuse(node, f"it was called with a {lost[:60]}, which files do not hold", "")


def refuse(node: Node, why: str, way: str) -> NoReturn:
    """Raise the error for one node."""
    scope = "" if node.scope is None or not node.scope.path else f" `{node.scope.path}`"
    name = node.attributes.get("name")
    what = name if isinstance(name, str) and name else node.kind
    place = "" if node.source is None else f" at {short_place(node.source)}"
    ways = f"{way}, or {LOOK}" if way else LOOK
    raise TracelabFileError(f"cannot save{scope}: {what}{place} cannot run from a file, as {why}: {ways}")


def _is_found(name: str, wanted: Any) -> bool:
    """Whether a reader that allows the name gets the same function."""
    if isinstance(wanted, functools.partial):
        return False
    module, _, qualname = name.partition(":")
    try:
        found: Any = sys.modules.get(module) or importlib.import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError):
        return False
    if isinstance(found, type) and issubclass(found, torch.autograd.Function):
        return bool(found.apply == wanted)
    return found is wanted or bool(found == wanted)
