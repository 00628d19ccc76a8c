"""The command line: `tracelab demo`."""

from __future__ import annotations

import argparse
import sys
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
    from tracelab.demo.run import DemoError, run_demo

    try:
        run_demo(Path(options.output), open_lab=not options.no_browser)
    except DemoError as error:
        print(f"tracelab: {error}", file=sys.stderr)
        return 1
    return 0


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
    return parser


if __name__ == "__main__":
    sys.exit(main())
