"""`tracelab --print-completion SHELL`: what a shell needs to complete commands, options and files; by shtab."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from tracelab.errors import TracelabError
from tracelab.libraries import needed_library

_SHELLS = ("bash", "zsh", "tcsh", "fish")


def add_completion(parser: argparse.ArgumentParser) -> None:
    """Give the parser the option."""
    parser.add_argument(
        "--print-completion",
        action=_Print,
        choices=_SHELLS,
        help="print what this shell needs to complete commands, and end (extra: tracelab[completion])",
    )


class _Print(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        try:
            library = needed_library("shtab", "--print-completion", "'tracelab[completion]'")
        except TracelabError as error:
            print(f"tracelab: {error}", file=sys.stderr)
            parser.exit(2)
        print(library.complete(parser, str(values)))
        parser.exit(0)
