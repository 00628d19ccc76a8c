"""The peers that are packages of their own, asked for the same thing; those that are not installed are left out."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor, nn


def is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def drawing_tracers(module: nn.Module, example: Tensor) -> dict[str, Callable[[], Any]]:
    """What each installed tracer that draws does to have a graph of the module, without drawing it if it can."""
    found: dict[str, Callable[[], Any]] = {}
    if is_installed("torchlens"):
        found["TorchLens"] = lambda: torchlens_trace(module, example)
    if is_installed("torchview"):
        found["torchview"] = lambda: _torchview(module, example)
    if is_installed("torchvista"):
        found["torchvista"] = lambda: _torchvista(module, example)
    return found


def torchlens_trace(module: nn.Module, example: Tensor) -> Any:
    """Every activation kept, which is what it is made for."""
    import torchlens

    return torchlens.trace(module, example)


def _torchview(module: nn.Module, example: Tensor) -> Any:
    from torchview import draw_graph

    return draw_graph(module, input_data=example, device="cpu", depth=20, expand_nested=True)


def _torchvista(module: nn.Module, example: Tensor) -> Any:
    """It writes a page, and prints."""
    import torchvista

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        return torchvista.trace_model(
            module, example, export_format="html", export_path=str(Path(folder) / "model.html")
        )
