"""`%%trace --check`: the trace runs again on what the cell had, and must give what the cell gave."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from typing import Any

import torch

from tracelab.api.traced_function import TracedFunction
from tracelab.check.outputs import cloned, mismatches
from tracelab.errors import TracelabError

TOLERANCE = 1e-5


class CellFunction:
    """A cell as a function of its inputs: it runs in a copy of the variables as they were, and prints nothing."""

    def __init__(self, run: Callable[[dict[str, Any]], Any], variables: Mapping[str, Any], names: list[str]) -> None:
        self.run = run
        self.variables = dict(variables)
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
    """The inputs, the state of modules and the random state as they are before a cell runs."""

    def __init__(self, inputs: dict[str, Any], modules: Iterable[torch.nn.Module]) -> None:
        self.inputs = cloned(inputs)
        self.random = torch.get_rng_state()
        self.state: list[tuple[torch.Tensor, torch.Tensor]] = []
        for module in modules:
            for tensor in (*module.parameters(), *module.buffers()):
                self.state.append((tensor, tensor.detach().clone()))

    def check(self, traced: TracedFunction, result: Any) -> str:
        """One sentence: whether the trace gives `result` again. Modules and random state are left as they are now."""
        random = torch.get_rng_state()
        now = [(tensor, tensor.detach().clone()) for tensor, _ in self.state]
        _put(self.state)
        torch.set_rng_state(self.random)
        inputs = {name: self.inputs[name] for name in traced.input_tree.names}
        try:
            found = mismatches(result, traced(**inputs), TOLERANCE)
        except TracelabError as error:
            return f"check: the trace cannot run again: {error}"
        finally:
            _put(now)
            torch.set_rng_state(random)
        if found:
            return f"check: Tracing failed sanity checks: {found[0]}"
        return "check: the trace gives what the cell gave on the same inputs"


def _put(state: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    with torch.no_grad():
        for tensor, value in state:
            tensor.copy_(value)
