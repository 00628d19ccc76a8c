"""`tracelab export`: what a file holds, in another program's format."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import torch

from tracelab.api.traced_function import TracedFunction
from tracelab.cli.figures import figure_of_file
from tracelab.cli.files import graph_of, opened
from tracelab.cli.outputs import refuse_inputs
from tracelab.cli.terminal import say, say_json
from tracelab.compat import script
from tracelab.errors import TracelabFileError
from tracelab.graph.graph import Graph
from tracelab.render.export import to_html

_ENDINGS = {"package": "package.pt2", "fx": "py", "torchscript": "pt", "tikz": "tex"}


def run(options: argparse.Namespace) -> int:
    """Write it; what the file takes for granted is said on the way."""
    found = opened(options.file)
    to = options.to
    path = Path(options.output or Path(options.file).with_suffix("." + _ENDINGS.get(to, to)).name)
    refuse_inputs(options, path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _write(found, to, path, options)
        except OSError as error:
            reason = error.strerror or error
            raise TracelabFileError(f"cannot write to {path}: {reason}; choose another file with -o") from None
    notes = [str(item.message) for item in caught if type(item.message).__module__.startswith("tracelab")]
    if options.json:
        say_json({"file": str(path), "format": to, "notes": notes})
        return 0
    for note in notes:
        say(f"note: {note}")
    say(f"the {to} file: {path}")
    return 0


def _write(found: Any, to: str, path: Path, options: argparse.Namespace) -> None:
    check = not options.no_check
    if to == "html":
        cases = [] if isinstance(found, Graph) else [case.graph for case in found.cases]
        to_html(graph_of(found), path, cases)
    elif to in ("svg", "pdf", "png", "tikz"):
        figure_of_file(found, options).save(path, form="tex" if to == "tikz" else to)
    else:
        traced = TracedFunction(found, found.name) if isinstance(found, Graph) else found
        if to == "onnx":
            traced.to_onnx(path, check=check)
        elif to == "package":
            traced.to_package(path, check=check)
        elif to == "pt2":
            program = traced.export()
            # torch says of a folder that is not there only that it cannot write.
            with path.open("wb") as file:
                torch.export.save(program, file)
        elif to == "torchscript":
            with path.open("wb") as file:
                script.save(traced.to_torchscript(), file)
        else:
            module = traced.to_fx()
            path.write_text(f"{module.print_readable(print_output=False)}\n", encoding="utf-8", newline="\n")
