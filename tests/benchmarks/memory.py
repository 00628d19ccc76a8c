"""Memory of a call, predicted from shapes, against what torch's profiler counts on the CPU."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import torch

import tracelab
from support.examples.models_of_every_kind import HAND_WRITTEN, MODELS
from support.measured_memory import peak_of_a_call

from .measuring import Measurement


def measurements(full: bool) -> Iterator[Measurement]:
    """The peak of all but weights and inputs; the ratio is predicted by measured."""
    for name in MODELS if full else HAND_WRITTEN:
        yield from of(name)


def of(name: str) -> Iterator[Measurement]:
    torch.manual_seed(0)
    model, args, kwargs = MODELS[name]()
    warnings.simplefilter("ignore")
    traced = tracelab.trace(model, args or None, example_kwarg_inputs=kwargs or None, check_trace=False, strict=False)
    for what, gradients in (("forward", False), ("forward and backward", True)):
        predicted = traced.estimate_memory(gradients=gradients).activations / 2**20
        for peer, subject in (("its call, measured", traced), ("the Python module, measured", model)):
            measured = peak_of_a_call(subject, args, kwargs, gradients) / 2**20
            ratio = predicted / measured
            yield Measurement("memory", name, what, "MB", predicted, peer, measured, ratio, own=True)
