"""`%%trace --check`: the trace runs again on what the cell had, and must give what the cell gave."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from typing import Any

from tracelab.api.traced_function import TracedFunction
from tracelab.capture.call import CELL
from tracelab.check.isolation import isolated, written_state
from tracelab.check.memory import Memory
from tracelab.check.outputs import cloned, mismatches
from tracelab.check.random_state import RandomState
from tracelab.check.reachable import Reachable
from tracelab.errors import TracelabError
from tracelab.execute.codegen.guards import silenced

TOLERANCE = 1e-5


class CellFunction:
    """A cell as a function of its inputs: it runs in a copy of the variables as they were, and prints nothing."""

    def __init__(
        self,
        run: Callable[[dict[str, Any]], Any],
        variables: Mapping[str, Any],
        names: list[str],
        reads: Iterable[str],
        file: str,
    ) -> None:
        self.run = run
        # Recorded again, it is recorded as a cell.
        setattr(self, CELL, file)
        self.variables = dict(variables)
        self.reads = [variables[name] for name in reads if name in variables]
        """What a call may change: see `tracelab.check.isolation`."""
        self.names = names
        self.__name__ = "cell"
        self.__signature__ = inspect.Signature(
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        space = {**self.variables, **dict(zip(self.names, args, strict=False)), **kwargs}
        with redirect_stdout(io.StringIO()):
            return self.run(space)


class Before:
    """The inputs, all that the cell can reach, and the random state, as they are before a cell runs."""

    def __init__(self, inputs: dict[str, Any], held: Iterable[Any]) -> None:
        self.inputs = cloned(inputs)
        self.held = list(held)
        found = Reachable([self.held])
        self.memory = Memory(found.tensors)
        self.random = RandomState(found.generators)

    def check(self, traced: TracedFunction, result: Any, drawn: dict[str, Any]) -> str:
        """One sentence: whether the trace gives `result` again, on the data that was drawn. All is left as it is."""
        given = {**self.inputs, **drawn}
        if any(name not in given for name in traced.input_tree.names):
            return "check: the data that the cell drew is too large to be kept, so that the trace does not run again"
        inputs = {name: given[name] for name in traced.input_tree.names}
        with silenced(), isolated([self.held], written_state(traced.graph)):
            self.memory.restore()
            self.random.restore()
            try:
                found = mismatches(result, traced(**inputs), TOLERANCE)
            except TracelabError as error:
                return f"check: the trace cannot run again: {error}"
        if found:
            return f"check: Tracing failed sanity checks: {found[0]}"
        return "check: the trace gives what the cell gave on the same inputs"
