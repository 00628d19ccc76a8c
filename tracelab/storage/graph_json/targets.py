"""What runs a node, as a file names it.

An operator is named by its schema, looked up in torch's registry, and runs where `graph.allowed_operators` lets it; one
of `graph.intrinsics` by its name there. Any other Python callable is only named, `module:qualname`: the node shows, and
refuses to run until the user allows that name. Nothing is imported, and no TorchScript code is loaded, because a file
says so.
"""

from __future__ import annotations

import functools
import importlib
import io
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import torch

from tracelab.compat import script
from tracelab.compat.operators import OpOverload
from tracelab.errors import TracelabError, TracelabFileError
from tracelab.graph.allowed_operators import refusal
from tracelab.graph.callables.collectives import Collective, is_collective
from tracelab.graph.callables.higher_order import run_region
from tracelab.graph.callables.script_call import ScriptCall
from tracelab.graph.callables.wrappers import Wrapper, wrapper_of
from tracelab.graph.intrinsics import INTRINSICS, intrinsic_of
from tracelab.graph.ir import Node
from tracelab.graph.kinds import (
    CONSTRUCTS,
    kind_of,
)
from tracelab.graph.objects import ByFields, by_fields
from tracelab.storage import validation

STORED_CLASS = "stored_class"
"""Attribute of a node whose result came back as a plain tuple or dict: the class that it had."""

_OPERATOR = re.compile(r"([A-Za-z_]\w*)::([A-Za-z_]\w*)(?:\.(\w+))?", re.ASCII)


class Refusal:
    """The target of a node that shows but must not run: a call raises `TracelabError` with the reason."""

    def __init__(self, name: str, reason: str, stored: dict[str, Any]) -> None:
        self.__name__ = name
        self.reason = reason
        self.stored = stored
        """What the file said, so that saving the graph again loses nothing."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TracelabError(self.reason)

    def __repr__(self) -> str:
        return f"<{self.__name__}: {self.reason}>"


class ScriptFiles:
    """The script functions of one archive, `script/<n>.pt`, by number."""

    def __init__(self, held: Mapping[int, bytes] | None = None) -> None:
        self.held: dict[int, bytes] = dict(held or {})
        self._numbers: dict[int, int] = {}
        self._loaded: dict[int, Any] = {}

    def add(self, function: Any) -> int:
        """The number of a script function; the same one gets the same number."""
        number = self._numbers.get(id(function))
        if number is None:
            buffer = io.BytesIO()
            try:
                script.save(function, buffer)
            except RuntimeError as error:
                name = script_name(function)
                raise TracelabFileError(f"cannot save the script function {name}: {error}") from error
            number = self.add_bytes(buffer.getvalue())
            self._numbers[id(function)] = number
        return number

    def add_bytes(self, content: bytes) -> int:
        for number, held in self.held.items():
            if held == content:
                return number
        number = len(self.held)
        self.held[number] = content
        return number

    def load(self, number: int) -> Any:
        """The script function; only for one that the user allowed."""
        if number not in self._loaded:
            try:
                self._loaded[number] = script.load(io.BytesIO(self.held[number]))
            except (RuntimeError, ValueError) as error:
                raise TracelabFileError(f"script/{number}.pt cannot be loaded: {error}") from error
        return self._loaded[number]


def script_name(function: Any) -> str:
    """The qualified name by which a script function, or a script module, is allowed."""
    name = getattr(function, "qualified_name", None)
    if name is None and isinstance(function, torch.nn.Module):
        name = getattr(function, "original_name", None)
    return str(name or type(function).__name__)


_REGION = f"{run_region.__module__}:{run_region.__qualname__}"


def python_name(target: Any) -> str:
    """`module:qualname`; an autograd function is named by its class."""
    owner = getattr(target, "__self__", None)
    if isinstance(owner, type) and getattr(target, "__name__", "") == "apply":
        target = owner
    module = getattr(target, "__module__", None) or "builtins"
    return f"{module}:{getattr(target, '__qualname__', None) or type(target).__qualname__}"


def encode_target(node: Node, scripts: ScriptFiles) -> dict[str, Any] | None:
    """What runs the node, as JSON; None for a piece of structure."""
    target = node.target
    if target is None:
        name = node.attributes.get(STORED_CLASS)
        return None if name is None else {"python": name}
    if isinstance(target, Refusal):
        stored = dict(target.stored)
        if "bytes" in stored:
            stored["script"] = scripts.add_bytes(stored.pop("bytes"))
        return stored
    if isinstance(target, Collective):
        target = target.operator
    if isinstance(target, OpOverload):
        schema = target._schema
        return {"operator": f"{schema.name}.{schema.overload_name}" if schema.overload_name else schema.name}
    intrinsic = intrinsic_of(target)
    if intrinsic is not None and intrinsic.trusted:
        return {"builtin": intrinsic.name}
    if isinstance(target, ScriptCall):
        return {"script": scripts.add(target.module), "name": script_name(target.module), "takes_state": True}
    if script.is_function(target) or script.is_module(target):
        return {"script": scripts.add(target), "name": script_name(target)}
    if isinstance(target, ByFields):
        return {"python": python_name(target), "by_fields": True}
    if isinstance(target, Wrapper):
        return {"python": python_name(target), "wrapper": True}
    if node.kind in CONSTRUCTS and isinstance(target, functools.partial):
        # A dict with a default, which files do not hold: it comes back as a plain one.
        return None
    return {"python": python_name(target)}


class TargetReader:
    """Finds what runs the nodes of one archive, each operator once; `allow` holds the names that may run.

    `numbers` lets operators on plain numbers run, for a reader that guards what they are given; `own` every operator,
    for a program of this process.
    """

    def __init__(
        self, scripts: ScriptFiles, allow: frozenset[str], *, numbers: bool = False, own: bool = False
    ) -> None:
        self.scripts = scripts
        self.allow = allow
        self.numbers = numbers
        self.own = own
        self._operators: dict[str, Callable[..., Any]] = {}

    def read(self, item: Any, kind: str) -> Callable[..., Any] | None:
        """What runs a node; None for structure, a `Refusal` for what is not there, or not allowed."""
        where = f"what runs {kind[:60]}"
        if item is None:
            if not kind_of(kind).needs_no_target:
                validation.bad(where, "is missing")
            return None
        entry = validation.table(item, where)
        if "operator" in entry:
            name = validation.text(entry["operator"], where)
            if name not in self._operators:
                self._operators[name] = self._operator(name)
            return self._operators[name]
        if "builtin" in entry:
            name = validation.text(entry["builtin"], where)
            intrinsic = INTRINSICS.get(name)
            if intrinsic is None or not intrinsic.trusted:
                validation.bad(where, f"is `{name[:40]}`, which this tracelab does not know")
            return intrinsic.function
        if "python" in entry:
            found = self._python(validation.text(entry["python"], where), kind, entry)
            if entry.get("wrapper") is True:
                return wrapper_of(found) if isinstance(found, type) and issubclass(found, torch.Tensor) else found
            return by_fields(found) if entry.get("by_fields") is True and isinstance(found, type) else found
        if "script" in entry:
            return self._script(entry, where)
        validation.bad(where, "is of an unknown kind")

    def _operator(self, name: str) -> Callable[..., Any]:
        match = _OPERATOR.fullmatch(name)
        if match is None:
            validation.bad("an operator", f"has an invalid name: {name[:60]!r}")
        namespace, short, overload = match.groups()
        stored = {"operator": name}
        full = f"{namespace}::{short}"
        try:
            found = getattr(getattr(getattr(torch.ops, namespace), short), overload or "default")
        except (AttributeError, RuntimeError):
            found = None
        if not isinstance(found, OpOverload) or found._schema.name != full:
            reason = (
                f"the operator {name} is not registered in this process (torch {torch.__version__}): "
                "import the library that defines it, and load the file again"
            )
            return Refusal(short, reason, stored)
        if not self.own and self.allow.isdisjoint((full, name)):
            problem = refusal(found._schema, self.numbers)
            if problem:
                reason = f"{full} {problem}: if you trust this trace, load it with allow={{{full!r}}}"
                return Refusal(short, reason, stored)
        return Collective(found) if is_collective(found) else found

    def _python(self, name: str, kind: str, entry: dict[str, Any]) -> Callable[..., Any] | None:
        module_name, colon, qualname = name.partition(":")
        if not colon or not all(part.isidentifier() for part in module_name.split(".")):
            validation.bad("a Python function", f"has an invalid name: {name[:60]!r}")
        if name == _REGION:
            reason = (
                "it runs the Python functions that it was given (to vmap, grad, cond or a hook), which no file holds: "
                "run the trace where it was made, or trace the code again"
            )
            return Refusal(qualname, reason, dict(entry))
        if module_name == script.ONLY_OF_SCRIPTS and kind not in CONSTRUCTS:
            return Refusal(
                qualname, f"{kind[:60]} is TorchScript's own, which no file holds: run the script itself", dict(entry)
            )
        if name not in self.allow:
            if kind in CONSTRUCTS:
                # A result of a class of one's own comes back as a plain tuple, list or dict of the same fields.
                return None
            reason = (
                f"{name} is Python code inside of a function, which files neither hold nor find again: run the trace "
                "where it was made, or define it at the top of a module and trace again"
                if "<locals>" in qualname
                else f"{name} is Python code, which files do not hold: "
                f"if you trust it, load the file with allow={{{name!r}}}"
            )
            return Refusal(qualname.rpartition(".")[2], reason, dict(entry))
        try:
            found: Any = sys.modules.get(module_name) or importlib.import_module(module_name)
            for part in qualname.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError) as error:
            raise TracelabFileError(f"{name} was allowed, but cannot be imported: {error}") from error
        if isinstance(found, type) and issubclass(found, torch.autograd.Function):
            found = found.apply
        if not callable(found):
            kind = type(found).__name__
            raise TracelabFileError(f"{name} was allowed, but cannot be called: it is of type {kind}")
        return found  # type: ignore[no-any-return]

    def _script(self, entry: dict[str, Any], where: str) -> Callable[..., Any]:
        number = validation.integer(entry["script"], where)
        if number not in self.scripts.held:
            validation.bad(where, f"is script/{number}.pt, which the archive does not hold")
        name = validation.text(validation.field(entry, "name", where), where)
        takes_state = entry.get("takes_state") is True
        if name in self.allow or "torchscript" in self.allow:
            loaded = self.scripts.load(number)
            return ScriptCall(loaded) if takes_state else loaded
        reason = (
            f"{name} is TorchScript code: if you trust this file, load it with allow={{{name!r}}} "
            "or allow={'torchscript'}"
        )
        stored = {"script": number, "name": name, "bytes": self.scripts.held[number]}
        if takes_state:
            stored["takes_state"] = True
        return Refusal(name.rpartition(".")[2], reason, stored)
