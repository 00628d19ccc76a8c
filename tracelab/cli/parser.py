"""What may be said behind `tracelab`. Commands are imported as they run: `tracelab --help` needs no torch."""

from __future__ import annotations

import argparse
import math
from importlib import import_module
from typing import NoReturn

from tracelab.cli.completion import add_completion
from tracelab.version import __version__

_FILE = "a .tlab, torch.export (.pt2), TorchScript or ONNX file"


class _Parser(argparse.ArgumentParser):
    """Tells of bad use without control characters."""

    def error(self, message: str) -> NoReturn:
        super().error("".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in message))


def parser_of_all() -> argparse.ArgumentParser:
    """The parser of all commands; `options.run` runs the one that was chosen, and gives the exit status."""
    parser = _Parser(prog="tracelab", description="Trace PyTorch code into a graph to read and explore.")
    parser.add_argument("--version", action="version", version=f"tracelab {__version__}")
    add_completion(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, about: str, description: str, example: str) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = commands.add_parser(
            name, help=about, description=description, epilog=f"example: tracelab {example}"
        )
        added.set_defaults(run=lambda options: import_module(f"tracelab.cli.{name}").run(options))
        return added

    demo = command(
        "demo",
        "trace two real networks and open the quickstart",
        "Trace a ResNet-18 and a small GPT with random weights, write a picture of each, and open the quickstart "
        "notebook in JupyterLab. Without a terminal or a browser the notebook is run here instead.",
        "demo -o first-look",
    )
    demo.add_argument("-o", "--output", default="tracelab-demo", help="folder for the results (default: tracelab-demo)")
    demo.add_argument("--no-browser", action="store_true", help="run the notebook here, open nothing")

    show = command(
        "show",
        "show the graph of a file, or a model of transformers from its configuration",
        f"Write the explorer of {_FILE} as one HTML file and open it; or build the model of a transformers "
        "configuration file without weights, trace it, print what it costs, and show that. Nothing is downloaded, and "
        "no code of a file is run.",
        "show net.tlab --text",
    )
    show.add_argument("file", help=f"{_FILE}; or a config.json, a folder with one, a name in the local hub cache")
    show.add_argument("-o", "--output", "--html", help="the HTML file (default: the name of the model)")
    show.add_argument(
        "--overlay",
        action="append",
        default=[],
        metavar="DATA",
        help="numbers for the nodes: a profile of torch.profiler, or Model Explorer's node data (may be given again)",
    )
    show.add_argument("--text", action="store_true", help="print the graph instead, operator by operator")
    for form, name in (("svg", "SVG"), ("pdf", "PDF"), ("png", "PNG"), ("tikz", "TikZ")):
        show.add_argument(f"--{form}", metavar="OUT", help=f"write a figure as {name} instead")
    figure_options(show)
    show.add_argument("--batch", type=int, default=1, help="of a configuration: rows of the input (default: 1)")
    show.add_argument("--length", type=int, default=128, help="of a configuration: tokens of each row (default: 128)")
    show.add_argument("--dtype", help="of a configuration: dtype of the weights (default: the file's, else bfloat16)")
    show.add_argument("--no-browser", action="store_true", help="write the file, open nothing")

    export = command(
        "export",
        "write a trace as another program's file",
        f"Write what {_FILE} holds in another format: ONNX, torch.export's .pt2, a package that AOTInductor compiles, "
        "a torch.fx module, TorchScript, the explorer's page, or a figure (SVG, PDF, PNG, TikZ).",
        "export net.tlab --to onnx -o net.onnx",
    )
    export.add_argument("file", help=_FILE)
    formats = ["onnx", "pt2", "package", "fx", "html", "svg", "pdf", "png", "tikz", "torchscript"]
    export.add_argument("--to", required=True, choices=formats, help="the format")
    export.add_argument("-o", "--output", metavar="OUT", help="the file (default: the name with the format's ending)")
    export.add_argument("--no-check", action="store_true", help="do not run what was written on other sizes")
    export.add_argument("--json", action="store_true", help="print what was written as JSON")
    figure_options(export)

    info = command(
        "info",
        "tell what a file holds",
        f"Print what {_FILE} holds: inputs, outputs, operators by module, parameters, warnings and assumptions.",
        "info net.tlab --json",
    )
    info.add_argument("file", help=_FILE)
    info.add_argument("--json", action="store_true", help="print it as JSON")

    diff = command(
        "diff",
        "tell what is different between the graphs of two files",
        "Compare two graphs, each of which may be of another kind of file. The exit status is 1 where they differ.",
        "diff before.tlab after.tlab",
    )
    diff.add_argument("a", help=_FILE)
    diff.add_argument("b", help="the other one")
    diff.add_argument("--json", action="store_true", help="print it as JSON")

    trace = command(
        "trace",
        "trace a function or module of a Python file",
        "Run the Python file, call the function or module that it has under that name, and write its trace.",
        'trace net.py:model --inputs "float32[2,3]" -o net.tlab',
    )
    trace.add_argument("target", metavar="FILE.py:NAME", help="a function or a module, such as net.py:model")
    trace.add_argument(
        "--inputs",
        nargs="+",
        default=[],
        metavar="INPUT",
        help="each argument as dtype and shape (random normal numbers; zeros for whole numbers), or a safetensors file "
        "with arguments by name",
    )
    trace.add_argument("-o", "--output", required=True, metavar="OUT", help="the .tlab file")
    trace.add_argument("--no-strict", action="store_true", help="take a dict as output, whose keys the trace then has")
    trace.add_argument("--json", action="store_true", help="print what was written as JSON")

    inputs = "a safetensors file with a tensor for each input of the graph, by its name"
    run = command(
        "run",
        "run the graph of a file on inputs",
        "Run the graph node by node, and print time, memory, outputs, and the first NaN. The exit status is 1 where "
        "there is a NaN.",
        "run net.tlab --inputs x.safetensors --upto layers.0 --stats",
    )
    run.add_argument("file", help=_FILE)
    run.add_argument("--inputs", required=True, metavar="FILE", help=inputs)
    run.add_argument("--upto", metavar="NODE", help="stop after this node: the name of a value, or a module's path")
    run.add_argument("--stats", action="store_true", help="print statistics of what each node made")
    run.add_argument("-o", "--output", metavar="OUT", help="write the outputs to this safetensors file")
    run.add_argument("--json", action="store_true", help="print it as JSON")

    check = command(
        "check",
        "look for faults of a file's graph on inputs",
        "Tell which assumption of the trace does not hold for the inputs, which node is the first to make a NaN or an "
        "infinity, and which gives other values in a second run with the same random numbers. With --against, run "
        "another file's graph on the same inputs instead, and tell each operator whose values differ. The exit status "
        "is 1 where there is a fault.",
        "check net.tlab --inputs x.safetensors --against before.tlab",
    )
    check.add_argument("file", help=_FILE)
    check.add_argument("--inputs", required=True, metavar="FILE", help=inputs)
    check.add_argument("--against", metavar="OTHER", help="the file to compare with, operator by operator")
    check.add_argument("--rtol", type=_tolerance, help="relative tolerance of --against (default: that of the dtype)")
    check.add_argument("--atol", type=_tolerance, help="absolute tolerance of --against (default: that of the dtype)")
    check.add_argument("--json", action="store_true", help="print it as JSON")
    return parser


def _tolerance(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise argparse.ArgumentTypeError(f"{text} is no tolerance: give a number that is 0 or more")
    return number


def figure_options(command: argparse.ArgumentParser) -> None:
    """What a figure shows."""
    command.add_argument("--depth", type=int, help="of a figure: open levels of modules (default: as 25 boxes allow)")
    command.add_argument("--root", default="", metavar="PATH", help="of a figure: the module that is drawn")
    command.add_argument(
        "--orientation",
        choices=["vertical", "horizontal"],
        default="vertical",
        help="of a figure: from top to bottom, or from left to right (default: vertical)",
    )
