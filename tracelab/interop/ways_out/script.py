"""A graph as TorchScript, while torch has it."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import fx

from tracelab.errors import TracelabError
from tracelab.interop.ways_out.refusals import ExportError


def scripted(module: fx.GraphModule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The graph module as `torch.jit.trace` records it; sizes stay computed.

    Raises:
        TracelabError: This torch has no TorchScript any more.
        ExportError: TorchScript cannot hold it.
    """
    trace = getattr(getattr(torch, "jit", None), "trace", None)
    if trace is None:
        raise TracelabError("this torch has no TorchScript: use export, to_onnx or to_package")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return (
                trace(module, args or None, example_kwarg_inputs=kwargs or None, check_trace=False, strict=False)
                if not (args and kwargs)
                else trace(module, (*args, *kwargs.values()), check_trace=False, strict=False)
            )
    except Exception as error:
        first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ExportError(f"TorchScript cannot hold this trace: {first.strip()[:300]}; use export") from error
