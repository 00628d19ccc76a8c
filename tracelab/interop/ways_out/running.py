"""A graph module run node by node, while torch looks on: its regions are left whatever happens."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import fx

from tracelab.compat.leaving import autocast_calls


class Interpreter(fx.Interpreter):
    """Runs a graph; where a node raises, the regions that were entered are left."""

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run it on these arguments."""
        self.entered: list[Any] = []
        grad = torch.is_grad_enabled()
        try:
            return super().run(*args, **kwargs)
        except BaseException:
            torch.set_grad_enabled(grad)
            while self.entered:
                with suppress(Exception):
                    self.entered.pop().__exit__(None, None, None)
            raise

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function, or enter or leave an autocast region."""
        enter, leave = autocast_calls()
        if target is enter:
            # While torch exports, that function is written down and does nothing: types would be those without it.
            device, dtype, enabled, *_ = args
            region = torch.autocast(device, dtype, enabled, cache_enabled=False)
            region.__enter__()
            self.entered.append(region)
            return region
        if target is leave:
            self._left(args[0])
            args[0].__exit__(None, None, None)
            return None
        return super().call_function(target, args, kwargs)

    def call_method(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a method, such as those by which a region is entered and left."""
        if target == "__exit__":
            self._left(args[0])
        made = super().call_method(target, args, kwargs)
        if target == "__enter__":
            self.entered.append(args[0])
        return made

    def _left(self, region: Any) -> None:
        self.entered = [other for other in self.entered if other is not region]


@contextmanager
def quietly() -> Iterator[None]:
    """Torch's own remarks are about code that the user did not write."""
    log = logging.getLogger("torch")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
