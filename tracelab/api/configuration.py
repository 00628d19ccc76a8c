"""From a configuration file of transformers to a traced model, without weights."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from tracelab.api.traced_module import TracedModule
from tracelab.api.tracing import trace
from tracelab.compat.modes import keeps_modes
from tracelab.errors import InputError, TracelabFileError
from tracelab.interop.configurations import build_model, example_inputs, read_configuration


@keeps_modes
def trace_configuration(place: str, batch: int = 1, length: int = 128, dtype: str | None = None) -> TracedModule:
    """Trace the model of a configuration file on the meta device: no download, no weights, nothing of it is run.

    Args:
        place: The path of a `config.json`, of a folder that has one, or a name that is in the local cache of the hub.
        batch: Rows of the example input.
        length: Tokens of each row, for models of text.
        dtype: The floating dtype of the weights; None for that of the file, else bfloat16.

    Returns:
        The traced model.

    Raises:
        TracelabFileError: It is no configuration, needs code of its own, or transformers cannot build the model.
        InputError: A size or dtype is none, or no example of its inputs is known.
    """
    for name, size in (("batch", batch), ("length", length)):
        if size < 1:
            raise InputError(f"{name}={size} is no size: give a whole number from 1")
    found: Any = None if dtype is None else getattr(torch, dtype, None)
    if dtype is not None and not (isinstance(found, torch.dtype) and found.is_floating_point):
        raise InputError(f"dtype={dtype!r} is no floating dtype: give a name such as 'bfloat16'")
    model = build_model(read_configuration(place), found)
    inputs = example_inputs(model, batch, length)
    first, *rest = inputs
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return trace(model, (inputs[first],), example_kwarg_inputs={name: inputs[name] for name in rest} or None)
        except Exception as error:
            # What a model says to tensors without data; the last note has the way out.
            notes = [note for note in getattr(error, "__notes__", ()) if "last_failure" not in note]
            words = " ".join((notes[-1] if notes else str(error)).split())[:300]
            raise TracelabFileError(f"{type(model).__name__} cannot be traced without data: {words}") from error
