"""`tracelab trace`: trace a function or module of a Python file."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import inspect
import os
import re
import sys
from pathlib import Path
from typing import Any

import torch

from tracelab.api.tracing import trace
from tracelab.cli.inputs import tensors_in
from tracelab.cli.terminal import say, say_json
from tracelab.errors import InputError, TracelabError, TracelabFileError

_SPEC = re.compile(r"\s*(\w+)\[\s*((?:\d+\s*(?:,\s*\d+\s*)*)?)\]\s*")


def run(options: argparse.Namespace) -> int:
    """Trace it, and write the file."""
    # What the program prints is no part of what this command does.
    with contextlib.redirect_stdout(sys.stderr):
        target = _target(options.target)
        args, kwargs = _inputs(options.inputs)
        traced = _traced(options, target, args, kwargs)
    try:
        traced.save(options.output)
    except OSError as error:
        raise TracelabFileError(f"cannot write to {options.output}: {error.strerror or error}") from None
    if options.json:
        say_json({"file": options.output, "nodes": len(traced.graph.nodes)})
    else:
        say(f"{options.output}: {traced!r}")
    return 0


def _traced(
    options: argparse.Namespace, target: Any, args: tuple[torch.Tensor, ...], kwargs: dict[str, torch.Tensor]
) -> Any:
    given = _in_order(target, kwargs) or None
    try:
        return trace(target, args, example_kwarg_inputs=given, strict=not options.no_strict)
    except SystemExit as error:
        raise TracelabError(f"{options.target} ends the program as it is called (SystemExit: {error})") from error


def _target(text: str) -> Any:
    """What `net.py:model` names; the file is run, as `python net.py` would but for `__main__`."""
    path, colon, name = text.rpartition(":")
    if not colon or not name:
        raise InputError(f"{text} names no function: write FILE.py:NAME")
    if not os.path.isfile(path):
        raise TracelabFileError(f"cannot open {path}: No such file or directory")
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    if spec is None or spec.loader is None:
        raise TracelabFileError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(spec.name, module)
    # As for a script, what lies beside the file can be imported.
    sys.path.insert(0, str(Path(path).resolve().parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise TracelabError(f"{path} raised {type(error).__name__}: {error}") from error
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise InputError(f"{path} has no `{name}`")
        found = getattr(found, part)
    return found


def _in_order(target: Any, kwargs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Arguments in the order in which the function takes them; a safetensors file has one of its own."""
    try:
        names = list(inspect.signature(getattr(target, "forward", target)).parameters)
    except (TypeError, ValueError):
        return kwargs
    return {name: kwargs[name] for name in sorted(kwargs, key=[*names, *kwargs].index)}


def _inputs(texts: list[str]) -> tuple[tuple[torch.Tensor, ...], dict[str, torch.Tensor]]:
    """Tensors in order, of `float32[2,3]`, and by name, of safetensors files."""
    args: list[torch.Tensor] = []
    kwargs: dict[str, torch.Tensor] = {}
    for text in texts:
        match = _SPEC.fullmatch(text)
        if match is None:
            kwargs.update(tensors_in(text))
            continue
        dtype = getattr(torch, match[1], None)
        if not isinstance(dtype, torch.dtype):
            raise InputError(f"{text}: there is no dtype {match[1]}")
        sizes = [int(size) for size in match[2].split(",") if size.strip()]
        args.append(_drawn(text, sizes, dtype, len(args)))
    return tuple(args), kwargs


def _drawn(text: str, sizes: list[int], dtype: torch.dtype, seed: int) -> torch.Tensor:
    """A tensor of random numbers, or of zeros where its dtype has no others."""
    try:
        generator = torch.Generator().manual_seed(seed)
        if dtype.is_floating_point or dtype.is_complex:
            return torch.randn(sizes, generator=generator).to(dtype)
        return torch.zeros(sizes, dtype=dtype)
    except (RuntimeError, OverflowError, TypeError, MemoryError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{text}: such a tensor cannot be made: {reason}") from None
