"""Everything that touches TorchScript: `torch.jit`, and what `torch._C` holds for it.

torch warns of `torch.jit` from 2.14 on, and may take it out. Nothing here calls it before a script object, or a
TorchScript file, is at hand: without it, all of tracelab but TorchScript works. What is asked of every object (`is it a
script function?`) is answered by comparing classes, which uses none of them. torch's warnings of its own functions are
for whoever chose to call them: where tracelab does, they are left out.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import IO, Any

import torch

from tracelab.compat.names import attribute_of, needed, optional


def _class(path: str) -> Any:
    found = optional(path)
    return found if issubclass(type(found), type) else None


_Function = _class("torch._C.ScriptFunction")
_Object = _class("torch._C.ScriptObject")
_CppModule = _class("torch._C.ScriptModule")
_Graph = _class("torch._C.Graph")
_Module = _class("torch.jit._script.ScriptModule")
_EXPORT: Any = optional("torch._jit_internal.FunctionModifiers.EXPORT")

is_tracing: Callable[[], bool] = optional("torch._C._is_tracing") or (lambda: False)
"""Whether `torch.jit.trace` records this thread."""


PICKLED_TYPE_TAG = "torch.jit._pickle.restore_type_tag"
PICKLED_INT_LIST = "torch.jit._pickle.build_intlist"
PICKLED_FLOAT_LIST = "torch.jit._pickle.build_doublelist"
PICKLED_BOOL_LIST = "torch.jit._pickle.build_boollist"
PICKLED_TENSOR_LIST = "torch.jit._pickle.build_tensorlist"
PICKLED_TENSOR = "torch._utils._rebuild_tensor_v2"
PICKLED_QUANTIZED = "torch._utils._rebuild_qtensor"
PICKLED_SPARSE = "torch._utils._rebuild_sparse_tensor"
"""What the pickles of a TorchScript file name; nothing here looks it up."""
ONLY_OF_SCRIPTS = "torch.jit"
"""The module under which files name nodes that only TorchScript runs."""


# What an object is ---------------------------------------------------------------------------------------


def is_function(item: Any) -> bool:
    """Whether this is a script function."""
    return type(item) is _Function


def is_module(item: Any) -> bool:
    """Whether this is a script module, as Python sees it."""
    return _Module in type(item).__mro__


def is_cpp_module(item: Any) -> bool:
    """Whether this is a script module, as C++ sees it."""
    return _CppModule in type(item).__mro__


def is_object(item: Any) -> bool:
    """Whether this is an object of TorchScript's: of a class of its own, or a module as C++ sees it."""
    return _Object in type(item).__mro__


def is_graph(item: Any) -> bool:
    """Whether this is the graph of a script function."""
    return type(item) is _Graph


def is_exported(method: Any) -> bool:
    """Whether a method is marked with `torch.jit.export`."""
    mark = getattr(getattr(method, "__func__", method), "_torchscript_modifier", None)
    return mark is not None and mark is _EXPORT


# What a recording replaces -------------------------------------------------------------------------------


def function_class() -> Any:
    """The class of script functions; None for a torch without them."""
    return _Function


_HOLDERS = {"script": ("torch.jit",), "is_tracing": ("torch.jit", "torch.jit._trace")}


def entry_points(name: str) -> list[Callable[..., Any]]:
    """What modules hold as `torch.jit.script` or `is_tracing`; nothing for a torch without it."""
    # Not by `getattr`: a module may make a name, and warn, when it is asked for it.
    held = [vars(sys.modules[path]).get(name) for path in _HOLDERS[name] if path in sys.modules]
    return [function for function in held if type(function) is FunctionType]


# Script functions and modules ----------------------------------------------------------------------------


def save(item: Any, file: IO[bytes]) -> None:
    """`torch.jit.save`.

    Raises:
        TorchVersionError: If this torch has none.
    """
    with _quiet():
        needed("torch.jit.save")(item, file)


def load(file: IO[bytes]) -> Any:
    """`torch.jit.load`, which runs code of the file.

    Raises:
        TorchVersionError: If this torch has none.
    """
    with _quiet():
        return needed("torch.jit.load")(file)


def read(file: str | bytes) -> tuple[Any, Callable[[str], Any]]:
    """Read a TorchScript file from its path or content, on the CPU.

    torch's own reader, which is C++, unpickles tensors and TorchScript classes only.

    Returns:
        The module as C++ sees it, and what finds its functions by their qualified names.

    Raises:
        RuntimeError: If it cannot be read.
        TorchVersionError: If this torch has no such reader.
    """
    unit = needed("torch._C.CompilationUnit")()
    device = torch.device("cpu")
    if isinstance(file, bytes):
        module = needed("torch._C.import_ir_module_from_buffer")(unit, file, device, {}, False)
    else:
        module = needed("torch._C.import_ir_module")(unit, file, device, {}, False)
    return module, unit.find_function


def wrapped(module: Any) -> Any:
    """A module as Python sees it, of one as C++ does."""
    with _quiet():
        return needed("torch.jit._recursive.wrap_cpp_module")(module)


def unwrapped(module: Any) -> Any:
    """A module as C++ sees it, of either."""
    return getattr(module, "_c", module)


def python_function(name: str) -> Any:
    """The script function of this qualified name that this process compiled; None where there is none."""
    return needed("torch.jit._state._python_cu").find_function(name)


def has_method(module: Any, name: str) -> bool:
    """Whether a script module has a compiled method of this name."""
    return bool(attribute_of(unwrapped(module), "torch._C.ScriptModule._has_method")(name))


def method_names(module: Any) -> list[str]:
    """The names of the compiled methods of a script module, in alphabetical order."""
    return sorted(attribute_of(unwrapped(module), "torch._C.ScriptModule._method_names")())


def method_graph(module: Any, name: str) -> Any:
    """The graph of a method of a script module."""
    return attribute_of(unwrapped(module), "torch._C.ScriptModule._get_method")(name).graph


def parameter_names(module: Any) -> tuple[str, ...]:
    """The parameters of a script module's `forward`, without the module itself; none where it has no such method."""
    if not has_method(module, "forward"):
        return ()
    method = attribute_of(unwrapped(module), "torch._C.ScriptModule._get_method")("forward")
    return tuple(argument.name for argument in method.schema.arguments[1:])


def set_tensor(module: Any, name: str, tensor: Any) -> None:
    """Let a script module hold another tensor as its parameter or buffer of this name."""
    unwrapped(module).setattr(name, tensor)


def class_of(item: Any) -> Any:
    """The TorchScript class of a module as C++ sees it, or of another object of TorchScript's."""
    return attribute_of(item, "torch._C.ScriptModule._type")()


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
