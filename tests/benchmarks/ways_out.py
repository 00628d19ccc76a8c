"""How many models leave: `python tests/benchmarks/ways_out.py [models|refused|onnx|package]`, a table of each.

For each model: does torch.export take it, does its trace export, is that equal on other sizes; the same for ONNX, for
torch.fx and back, and for compiled packages.
"""

from __future__ import annotations

import copy
import inspect
import logging
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils import _pytree as pytree

sys.path.insert(0, str(Path(__file__).parent.parent))

import tracelab
from support.examples.models import HAND_WRITTEN, TRANSFORMERS
from support.examples.refused_by_export import REFUSED
from tracelab.interop.ways_out.trials import other_calls

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)


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


def tried(function: Any) -> str:
    try:
        return str(function())
    except Exception as error:
        return f"FAILED {type(error).__name__}: {' '.join(str(error).split())[:220]}"


def row_of(case: Any, what: set[str]) -> dict[str, str]:
    taken = taken_by_torch(case.model, case.inputs, case.kwargs)
    inputs, kwargs = case.inputs or None, case.kwargs or None
    traced = tracelab.trace(case.model, inputs, example_kwarg_inputs=kwargs, check_trace=False, strict=False)
    row = {"torch.export": "accepts" if taken else "refuses"}
    row["fx"] = tried(lambda: not tracelab.diff(traced, tracelab.from_fx(traced.to_fx())))
    row["export"] = tried(lambda: equal_on_others(traced.export(), case.model))
    with tempfile.TemporaryDirectory() as folder:
        if "onnx" in what:
            row["onnx"] = tried(lambda: traced.to_onnx(os.path.join(folder, "a.onnx")) or "equal")
        if "package" in what:
            row["package"] = tried(lambda: traced.to_package(os.path.join(folder, "a.pt2")) or "equal")
    return row


def run(what: set[str], only: set[str]) -> None:
    models: dict[str, Any] = {**HAND_WRITTEN, **TRANSFORMERS} if "refused" not in what else {}
    if "models" not in what:
        models.update(REFUSED)
    for name, make in models.items():
        if only and name not in only:
            continue
        torch.manual_seed(0)
        began = time.perf_counter()
        row = row_of(make(), what)
        print(f"{name} ({time.perf_counter() - began:.0f} s): {row}", flush=True)


if __name__ == "__main__":
    words = set(sys.argv[1:])
    kinds = {"models", "refused", "onnx", "package"}
    run(words & kinds, words - kinds)
