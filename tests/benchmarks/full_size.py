"""Models of published sizes without their weights: trace, first picture and estimates, against a run of theirs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import torch

import tracelab
from support.language_models import PUBLISHED, without_data
from tracelab.render.view_document.document import view_bytes

from .measuring import Measurement, seconds


def measurements(full: bool) -> Iterator[Measurement]:
    if full:
        for name in PUBLISHED:
            yield from of(name)


def of(name: str) -> Iterator[Measurement]:
    model, ids = without_data(PUBLISHED[name](), 1, 16, dtype=torch.bfloat16)
    warnings.simplefilter("ignore")
    with torch.device("meta"):
        plain = seconds(lambda: model(ids))
    traced: Any = None

    def trace() -> None:
        nonlocal traced
        traced = tracelab.trace(model, ids)

    steps: dict[str, Callable[[], Any]] = {
        "trace": trace,
        "first picture": lambda: view_bytes(traced.graph),
        "estimate": lambda: traced.estimate(batch=8, length=8192),
        "another estimate": lambda: traced.estimate(batch=4, length=4096),
    }
    for what, step in steps.items():
        took = seconds(step)
        yield Measurement("full size", name, what, "s", took, "run on the meta device", plain, took / plain, own=True)
    yield Measurement("full size", name, "memory of the process", "MB", psutil.Process().memory_info().rss / 2**20)
