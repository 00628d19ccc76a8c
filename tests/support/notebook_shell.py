"""An IPython shell that runs cells as a notebook's kernel does, and what it printed."""

from __future__ import annotations

import re
import types
from dataclasses import dataclass
from typing import Any

import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from torch import nn
from traitlets.config import Config

_SETTINGS = Config({"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}})

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Ran:
    """How a cell ended."""

    out: str
    error: BaseException | None


class Shell:
    """Cells run one after the other, on the same variables."""

    def __init__(self) -> None:
        # A module of its own: IPython would put one in place of the test run's `__main__`.
        self.shell = InteractiveShell.instance(config=_SETTINGS, user_module=types.ModuleType("notebook"))
        self.shell.reset(new_session=False)
        self.space["torch"], self.space["nn"] = torch, nn
        self.run("%load_ext tracelab")

    @property
    def space(self) -> dict[str, Any]:
        return self.shell.user_ns

    @property
    def graph(self) -> Any:
        """What the last traced cell recorded."""
        return self.space["_trace"].graph

    def run(self, cell: str) -> Ran:
        with capture_output() as captured:
            result = self.shell.run_cell(cell, store_history=True)
        return Ran(
            _COLOURS.sub("", captured.stdout + captured.stderr), result.error_before_exec or result.error_in_exec
        )

    def trace(self, cell: str, options: str = "") -> str:
        """Run a traced cell that does not fail; gives what it printed."""
        ran = self.run(f"%%trace {options}\n{cell}")
        if ran.error is not None:
            raise ran.error
        return ran.out

    def value(self, cell: str) -> Any:
        """The value that the shell shows as that of a cell, which does not fail."""
        with capture_output():
            result = self.shell.run_cell(cell, store_history=True)
        result.raise_error()
        return result.result
