"""The directive `commands`: the help of each command of `tracelab`, as its parser prints it."""

from __future__ import annotations

import argparse
import os
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tracelab.cli.parser import parser_of_all


class Commands(SphinxDirective):
    """See the module."""

    def run(self) -> list[nodes.Node]:
        before = os.environ.get("COLUMNS")
        os.environ["COLUMNS"] = "88"
        try:
            return [node for name, command in commands().items() for node in self._section(name, command)]
        finally:
            if before is None:
                del os.environ["COLUMNS"]
            else:
                os.environ["COLUMNS"] = before

    def _section(self, name: str, command: argparse.ArgumentParser) -> list[nodes.Node]:
        text = command.format_help()
        section = nodes.section(ids=[f"tracelab-{name}"])
        section += nodes.title(text=f"tracelab {name}")
        section += nodes.literal_block(text, text, language="text")
        return [section]


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parsers of all commands, by name."""
    parser = parser_of_all()
    (found,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
