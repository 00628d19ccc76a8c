"""What is replaced in torch while recordings run, and put back when the last one ends.

Each stand-in asks whether *this thread* records, and is the original otherwise. Only names of torch, of Python's
`math`, and `min` and `max` are touched; every one is restored on any exit.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from tracelab.capture.layers.gradients import patch_backward
from tracelab.capture.layers.torch_function import convert, iterate_tensor
from tracelab.capture.patches.contexts import patch_contexts
from tracelab.capture.patches.generators import patch_generators
from tracelab.capture.patches.higher_order import patch_opaque
from tracelab.capture.patches.imports import CleanImports
from tracelab.capture.patches.numbers import patch_numbers
from tracelab.capture.patches.optimizers import Steps
from tracelab.capture.patches.overrides import patch_overrides
from tracelab.capture.patches.subclasses import patch_subclasses
from tracelab.capture.recorder import Recorder, active
from tracelab.capture.recording_paused import Unseen
from tracelab.capture.scopes import call_module
from tracelab.capture.torch_private import ScriptFunction

_lock = threading.RLock()
_depth = 0
_lent = False
_undo: list[Callable[[], None]] = []


class patched:
    """Context manager: torch as it is while recording."""

    def __enter__(self) -> None:
        global _depth
        with _lock:
            if _depth == 0:
                try:
                    _apply()
                except BaseException:
                    _restore()
                    raise
            _depth += 1

    def __exit__(self, *error: Any) -> None:
        global _depth
        with _lock:
            _depth -= 1
            if _depth == 0:
                _restore()


@contextmanager
def originals() -> Iterator[None]:
    """A moment of a recording in which torch is as it was, and nothing is recorded.

    For code that looks torch's functions up and keeps what it finds: modules that are imported, torch's compilers.
    While other threads record too, what they need stays.
    """
    global _lent
    recorder = active.recorder
    with _lock, Unseen(recorder) if recorder is not None and not recorder.inside else nullcontext():
        alone = _depth == 1 and not _lent
        if alone:
            _lent = True
            _restore()
        try:
            yield
        finally:
            if alone:
                _lent = False
                _apply()


def _restore() -> None:
    while _undo:
        _undo.pop()()


def _set(owner: Any, name: str, new: Any) -> None:
    """Replace an attribute, and remember how it was stored."""
    table = vars(owner)
    if name in table:
        old = table[name]
        _undo.append(lambda: setattr(owner, name, old))
    else:
        _undo.append(lambda: delattr(owner, name))
    setattr(owner, name, new)


def _apply() -> None:
    original_call = torch.nn.Module.__call__

    def call(module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside:
            return original_call(module, *args, **kwargs)
        return call_module(recorder, original_call, module, args, kwargs)

    _set(torch.nn.Module, "__call__", call)
    _patch_autograd_function()
    _patch_script()
    patch_contexts(_set)
    _patch_is_tracing()
    _patch_iteration()
    _patch_pickling()
    _patch_global_state()
    patch_subclasses(_set)
    _patch_collectives()
    _patch_compilation()
    imports = CleanImports(originals)
    sys.meta_path.insert(0, imports)
    _undo.append(lambda: sys.meta_path.remove(imports))
    _undo.append(Steps().remove)
    patch_opaque(_set)
    patch_generators(_set)
    patch_backward(_set)
    patch_numbers(_set)
    patch_overrides(_set)


def _patch_compilation() -> None:
    """Compiled functions run as the Python that they were made from, so that the graph holds their operators.

    The compiler takes a second to import; where the traced code does, this is called again: see `originals`.
    """
    if "torch._dynamo" in sys.modules:
        stance: Any = torch.compiler.set_stance("force_eager")
        _undo.append(lambda: stance.__exit__(None, None, None))
        _patch_frame_compiler()


def _patch_frame_compiler() -> None:
    """What the compiler runs to look at code is no part of the run."""
    from torch._dynamo.convert_frame import CatchErrorsWrapper

    original = CatchErrorsWrapper.__call__

    def convert(self: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside:
            return original(self, *args, **kwargs)
        with Unseen(recorder):
            return original(self, *args, **kwargs)

    _set(CatchErrorsWrapper, "__call__", convert)


def _patch_collectives() -> None:
    """What a backend computes inside `Work.wait` belongs to the collective's node."""
    if not torch.distributed.is_available():
        return
    original = torch.distributed.Work.wait

    def wait(work: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside:
            return original(work, *args, **kwargs)
        with Unseen(recorder):
            return original(work, *args, **kwargs)

    _set(torch.distributed.Work, "wait", wait)


def _patch_autograd_function() -> None:
    original = torch.autograd.Function.__dict__["apply"]

    def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside:
            return original.__get__(None, cls)(*args, **kwargs)
        return _record_function(recorder, cls, args, kwargs, original)

    _set(torch.autograd.Function, "apply", classmethod(apply))


def _record_function(recorder: Recorder, cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any], original: Any) -> Any:
    run = original.__get__(None, cls)
    versions = [(arg, arg._version) for arg in args if isinstance(arg, torch.Tensor) and not arg.is_inference()]
    attributes: dict[str, Any] = {"name": cls.__name__, "inplace": False}
    target = cls.apply

    def call() -> Any:
        result = run(*args, **kwargs)
        results = result if isinstance(result, tuple) else (result,)
        changed = [arg for arg, version in versions if arg._version != version]
        attributes["inplace"] = any(arg is item for arg in changed for item in results)
        return result

    result = recorder.record_call("prim::PythonOp", target, args, kwargs, run=call, attributes=attributes)
    if recorder.force_outplace and attributes["inplace"]:
        node = next(node for node in reversed(recorder.nodes) if node.kind == "prim::PythonOp")
        node.target = _refuse_inplace(cls.__name__)
    return result


def _refuse_inplace(name: str) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            f"inplace {name} cannot run in a trace that was recorded with force_outplace: "
            "record it without, or write the function out of place"
        )

    return refuse


def _patch_script() -> None:
    original = ScriptFunction.__call__

    def call(function: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside:
            return original(function, *args, **kwargs)
        return recorder.record_call(
            "prim::CallFunction",
            function,
            args,
            kwargs,
            run=lambda: original(function, *args, **kwargs),
            attributes={"name": function.name, "graph": function.graph},
        )

    _set(ScriptFunction, "__call__", call)
    script: Callable[..., Any] = torch.jit.script

    @functools.wraps(script)
    def compiled(*args: Any, **kwargs: Any) -> Any:
        if active.recorder is None:
            return script(*args, **kwargs)
        with originals():
            return script(*args, **kwargs)

    _set(torch.jit, "script", compiled)


def _patch_is_tracing() -> None:
    # Libraries ask before they look at data; their answer to "yes" is the code that generalises.
    original: Callable[[], bool] = torch.jit._trace.is_tracing

    def is_tracing() -> bool:
        # functional_call asks in order to refuse script modules; for plain modules it traces well.
        if sys._getframe(1).f_code.co_filename.endswith("stateless.py"):
            return original()
        return active.recorder is not None or original()

    for module in (torch.jit, torch.jit._trace):
        if hasattr(module, "is_tracing"):
            _set(module, "is_tracing", is_tracing)


def _patch_iteration() -> None:
    original: Callable[[Any], Any] = torch.Tensor.__iter__

    def iterate(tensor: torch.Tensor) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside:
            return original(tensor)
        return iterate_tensor(recorder, tensor)

    _set(torch.Tensor, "__iter__", iterate)


def _patch_pickling() -> None:
    original: Callable[..., Any] = torch.Tensor.__reduce_ex__

    def reduce_ex(tensor: torch.Tensor, protocol: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside:
            return original(tensor, protocol)
        return convert(recorder, "pickle", original, (tensor, protocol), {})

    _set(torch.Tensor, "__reduce_ex__", reduce_ex)


def _patch_global_state() -> None:
    """Code that seeds, or saves and restores the random state, does so at each run; so does what sets the dtype."""
    for name in ("manual_seed", "get_rng_state", "set_rng_state"):
        stand_in = _recorded(getattr(torch.random, name), name)
        for module in (torch, torch.random):
            _set(module, name, stand_in)
    _set(torch, "set_default_dtype", _recorded(torch.set_default_dtype, "set_default_dtype"))


def _recorded(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.inside:
            return original(*args, **kwargs)
        return recorder.record_call(
            "prim::PythonOp",
            original,
            args,
            kwargs,
            run=lambda: original(*args, **kwargs),
            attributes={"name": name, "inplace": False},
        )

    return function
