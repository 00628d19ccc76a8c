"""torch's compiler, which takes a second to import: it is looked up when it is used."""

from __future__ import annotations

import sys
from typing import Any

from tracelab.compat.names import needed


def is_loaded() -> bool:
    """Whether this process has imported the compiler."""
    return "torch._dynamo" in sys.modules


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
