"""What functions do with a value that they are given: show it, keep it, compute a tensor with it."""

from __future__ import annotations

import ast
import logging
import sys
import types
from types import CodeType, FrameType
from typing import Any

import torch

from tracelab.capture.analysis.libraries import is_library
from tracelab.compat.table import CONVERSION_FRAMES
from tracelab.graph.source import is_inner

_SHOWING = frozenset(
    """IPython PIL aim cv2 csv imageio json logging matplotlib mlflow mpl_toolkits neptune plotly pprint rich seaborn
    tensorboard tensorboardX tqdm traceback unittest wandb warnings time os sys io pickle""".split()
)
"""Modules whose functions show or store what they are given, and give back nothing that is computed with."""
_WITHOUT_TENSORS = (
    _SHOWING | sys.stdlib_module_names | frozenset("numpy pandas polars scipy skimage sklearn tracelab".split())
)
"""Libraries that compute with numbers and arrays, and make no tensors."""


class Unknown(Exception):
    """The value goes where reading does not follow."""


def own_frame(frame: FrameType | None, boundary: CodeType | None) -> FrameType | None:
    """The innermost frame of code that uses torch: what NumPy or a plot does inside is the call of them.

    What torch itself, or a library that is not known to make no tensors, does with the value is not followed.
    """
    while frame is not None and frame.f_code is not boundary:
        code, space = frame.f_code, frame.f_globals
        if not is_library(code) or (not is_inner(code) and space.get("torch") is torch):
            return frame
        home = str(space.get("__name__", ""))
        if home not in CONVERSION_FRAMES and not _is_without_tensors(home):
            raise Unknown
        frame = frame.f_back
    return None


def _is_without_tensors(home: str) -> bool:
    """Whether a library makes no tensors; what a loader makes is data."""
    return home.partition(".")[0] in _WITHOUT_TENSORS or home.startswith("torch.utils.data.")


def computes(found: Any) -> bool:
    """Whether what an object holds is computed with: a tensor, an optimizer, a group of its parameters."""
    if isinstance(found, dict):
        return "params" in found
    return isinstance(found, (torch.Tensor, torch.optim.Optimizer))


def module_of(item: Any) -> str:
    """The name of the module that something is from, or that its class is from."""
    if isinstance(item, types.ModuleType):
        return item.__name__
    for each in (item, type(item)):
        home = getattr(each, "__module__", None)
        if isinstance(home, str):
            return home
    return ""


def shows(found: Any, owner: Any) -> bool:
    if any(found is item for item in (print, isinstance, type, id, hash)):
        return True
    if isinstance(owner, (logging.Logger, logging.LoggerAdapter)):
        return True
    if isinstance(owner, types.ModuleType) and owner.__name__.partition(".")[0] in _SHOWING:
        return True
    for item in (found, owner):
        if item is None or isinstance(item, types.ModuleType):
            continue
        home = module_of(item)
        if home.partition(".")[0] in _SHOWING or home.startswith(
            ("torch.utils.tensorboard", "lightning.pytorch.loggers")
        ):
            return True
    return False


def is_space(owner: Any) -> bool:
    return isinstance(owner, (types.ModuleType, type))


def is_of_torch(found: Any) -> bool:
    if found is None:
        return False
    home = module_of(found)
    return home == "torch" or home.startswith("torch.") or type(found).__module__.startswith("torch")


def only_shows(branch: ast.AST) -> bool:
    """Whether a branch only raises an error, or prints."""
    if not isinstance(branch, ast.If):
        return False
    steps = [*branch.body, *branch.orelse]
    return all(
        isinstance(step, (ast.Raise, ast.Pass))
        or (
            isinstance(step, ast.Expr)
            and isinstance(step.value, ast.Call)
            and isinstance(step.value.func, ast.Name)
            and step.value.func.id == "print"
        )
        for step in steps
    )
