"""The command line: `tracelab demo`, `tracelab show`."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The words behind `tracelab`; those of the process by default.

    Returns:
        The exit status, 0 for success.

    >>> main([])  # doctest: +ELLIPSIS
    usage: tracelab ...
    0
    """
    parser = _parser()
    options = parser.parse_args(argv)
    if options.command is None:
        parser.print_help()
        return 0
    from tracelab.errors import TracelabError

    try:
        if options.command == "show":
            _show(options)
        else:
            from tracelab.demo.run import run_demo

            run_demo(Path(options.output), open_lab=not options.no_browser)
    except TracelabError as error:
        print(f"tracelab: {error}", file=sys.stderr)
        return 1
    return 0


def _show(options: argparse.Namespace) -> None:
    """Trace a configuration, print what it costs, and write the explorer; open it where somebody can see it."""
    from tracelab.api.configuration import trace_configuration
    from tracelab.demo.run import has_screen
    from tracelab.errors import TracelabFileError

    traced = trace_configuration(options.configuration, options.batch, options.length, options.dtype)
    print(traced.summary(depth=1))
    print()
    print(traced.estimate())
    path = Path(options.output or f"{traced.original_name}.html")
    try:
        traced.to_html(path)
    except OSError as error:
        raise TracelabFileError(
            f"cannot write to {path}: {error.strerror or error}; choose another file with -o"
        ) from None
    print(f"the explorer: {path}")
    if not options.no_browser and has_screen():
        webbrowser.open(path.resolve().as_uri())


def _parser() -> argparse.ArgumentParser:
    from tracelab.version import __version__

    parser = argparse.ArgumentParser(
        prog="tracelab", description="Trace PyTorch code into a graph to read and explore."
    )
    parser.add_argument("--version", action="version", version=f"tracelab {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="trace two real networks and open the quickstart",
        description=(
            "Trace a ResNet-18 and a small GPT with random weights, write a picture of each, and open the quickstart "
            "notebook in JupyterLab. Without a terminal or a browser the notebook is run here instead."
        ),
    )
    demo.add_argument("-o", "--output", default="tracelab-demo", help="folder for the results (default: tracelab-demo)")
    demo.add_argument("--no-browser", action="store_true", help="run the notebook here, open nothing")
    show = commands.add_parser(
        "show",
        help="show a model of transformers from its configuration file, without its weights",
        description=(
            "Build the model of a transformers configuration file without weights, trace it, print what it costs, and "
            "write the explorer as one HTML file. Nothing is downloaded, and no code of the file is run."
        ),
    )
    show.add_argument("configuration", help="a config.json, a folder with one, or a name in the local cache of the hub")
    show.add_argument("-o", "--output", help="the HTML file (default: the name of the model's class)")
    show.add_argument("--batch", type=int, default=1, help="rows of the input (default: 1)")
    show.add_argument("--length", type=int, default=128, help="tokens of each row (default: 128)")
    show.add_argument("--dtype", help="dtype of the weights (default: that of the file, else bfloat16)")
    show.add_argument("--no-browser", action="store_true", help="write the file, open nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
