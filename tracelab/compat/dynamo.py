"""torch's compiler, which takes a second to import: it is looked up when it is used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from tracelab.compat.names import needed

_Function = TypeVar("_Function", bound=Callable[..., Any])


def is_loaded() -> bool:
    """Whether this process has imported the compiler; waits for a thread that is at it."""
    if "torch._dynamo" not in sys.modules:
        return False
    importlib.import_module("torch._dynamo")
    return True


def frame_compiler() -> Any:
    """The class whose call compiles a frame.

    Raises:
        TorchVersionError: If this torch has none.
    """
    return needed("torch._dynamo.convert_frame.CatchErrorsWrapper")


def compiler_error() -> Any:
    """The class of the errors that the compiler raises.

    Raises:
        TorchVersionError: If this torch has none.
    """
    return needed("torch._dynamo.exc.TorchDynamoException")


def runs_while_compiling(function: _Function) -> _Function:
    """Decorator: a compiler that meets a call runs it then, and takes its result for a constant.

    What `torch.compiler.assume_constant_result` does, which imports the compiler for it.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function
