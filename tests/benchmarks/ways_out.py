"""How many models cannot leave: by torch.export and by their traces, to ONNX, and to torch.fx and back.

What left is compared on other sizes; a difference counts as one that cannot leave.
"""

from __future__ import annotations

import copy
import inspect
import logging
import os
import tempfile
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.utils import _pytree as pytree

import tracelab
from support.examples.models import HAND_WRITTEN, TRANSFORMERS
from support.examples.refused_by_export import REFUSED
from tracelab.interop.ways_out.trials import other_calls

from .measuring import Measurement
from .peers import is_installed


def taken_by_torch(model: nn.Module, args: Any, kwargs: Any) -> bool:
    auto = torch.export.Dim.AUTO
    shapes = pytree.tree_map(
        lambda leaf: dict.fromkeys(range(leaf.dim()), auto) if isinstance(leaf, torch.Tensor) else None, (args, kwargs)
    )
    names = list(inspect.signature(model.forward).parameters)
    given = {**dict(zip(names, shapes[0], strict=False)), **shapes[1]}
    try:
        torch.export.export(copy.deepcopy(model), args, kwargs, dynamic_shapes=given, strict=False)
    except Exception:
        return False
    return True


def equal_on_others(program: Any, model: nn.Module, wanted: int = 3) -> str:
    compared = 0
    for args, kwargs in other_calls(program):
        torch.manual_seed(1)
        try:
            right = copy.deepcopy(model)(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        except Exception:
            continue
        torch.manual_seed(1)
        found = program.module()(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        for one, other in zip(pytree.tree_leaves(found), pytree.tree_leaves(right), strict=False):
            if isinstance(one, torch.Tensor):
                torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5, equal_nan=True, check_stride=False)
        compared += 1
        if compared == wanted:
            break
    return f"equal on {compared}"


def left(function: Any) -> bool:
    try:
        return bool(function())
    except Exception:
        return False


def ways_of(case: Any, onnx: bool) -> dict[str, bool]:
    """Whether the model leaves by each way."""
    inputs, kwargs = case.inputs or None, case.kwargs or None
    found = {"torch.export": taken_by_torch(case.model, case.inputs, case.kwargs)}
    traced = tracelab.trace(case.model, inputs, example_kwarg_inputs=kwargs, check_trace=False, strict=False)
    found["to torch.fx and back"] = left(lambda: not tracelab.diff(traced, tracelab.from_fx(traced.to_fx())))
    found["exported program"] = left(lambda: equal_on_others(traced.export(), case.model))
    if onnx:
        with tempfile.TemporaryDirectory() as folder:
            # It returns nothing once the file is written and equal.
            found["ONNX"] = left(lambda: traced.to_onnx(os.path.join(folder, "a.onnx")) or True)
    return found


def measurements(full: bool) -> Iterator[Measurement]:
    if not full:
        return
    logging.disable(logging.WARNING)
    onnx = is_installed("onnx") and is_installed("onnxscript")
    for name, models in {"known models": {**HAND_WRITTEN, **TRANSFORMERS}, "refused by torch.export": REFUSED}.items():
        rows = []
        for make in models.values():
            torch.manual_seed(0)
            rows.append(ways_of(make(), onnx))
        case = f"{len(rows)} {name}"
        refused = sum(not row["torch.export"] for row in rows)
        for way in [way for way in rows[0] if way != "torch.export"]:
            ours = sum(not row[way] for row in rows)
            peer = ("torch.export", refused, ours / refused if refused else None)
            peer = peer if way == "exported program" else ("", None, None)
            yield Measurement("ways out", case, f"cannot leave: {way}", "models", ours, *peer)
