"""Running a function twice from the same state, and leaving everything as it was."""

from __future__ import annotations

import functools
import random
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from tracelab.compat.tensors import is_fake
from tracelab.execute.module import TracedSubmodule
from tracelab.graph.aliasing import Aliasing
from tracelab.graph.graph import Graph

_CONTAINERS = (list, dict, set)


@contextmanager
def isolated(functions: Iterable[Any], written: Iterable[Tensor] = ()) -> Iterator[Callable[[], None]]:
    """Put everything back at the end; the function that it gives puts it back in between.

    That is the state of the random generators (torch's, NumPy's, Python's), the modules among `functions` and the
    modules that they are methods of (buffers, gradients, attributes, lists and dicts in attributes), what optimizers
    among them keep and train, what functions hold in their closures and read from lists and dicts around them, and the
    values of the tensors `written`.
    """
    kept = _Snapshot(functions, written)
    try:
        yield kept.restore
    finally:
        kept.restore()


def written_state(graph: Graph) -> list[Tensor]:
    """The parameters, buffers and captured tensors that the graph writes to."""
    memory = Aliasing(graph)
    written = [tensor for value, tensor in graph.state.items() if memory.written(value)]
    return list({id(tensor): tensor for tensor in written}.values())


def has_data(tensor: Tensor) -> bool:
    """Whether there are values to compare: meta and fake tensors have none."""
    return not tensor.is_meta and not is_fake(tensor)


class _Snapshot:
    def __init__(self, functions: Iterable[Any], written: Iterable[Tensor]) -> None:
        functions = list(functions)
        roots = _roots(functions)
        found = {id(child): child for root in roots if isinstance(root, nn.Module) for child in root.modules()}
        modules = list(found.values())
        optimizers = {id(root): root for root in roots if isinstance(root, torch.optim.Optimizer)}.values()
        self.tables: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self.containers: list[tuple[Any, Any]] = []
        self.cells: list[tuple[Any, Any]] = []
        seen: set[int] = set()
        for module in modules:
            tables: list[dict[str, Any]] = [module._parameters, module._buffers]
            if not isinstance(module, TracedSubmodule):
                # What a traced module holds beside its tensors is compiled code, which is to stay.
                tables.append(vars(module))
                for item in vars(module).values():
                    self.keep_container(item, seen)
            self.tables += ((table, dict(table)) for table in tables)
        for function in functions:
            self.keep_surroundings(function, seen)
        tensors = {id(tensor): tensor for tensor in written}
        for optimizer in optimizers:
            states = list(optimizer.state.values())
            self.tables += ((table, dict(table)) for table in (optimizer.state, *states, *optimizer.param_groups))
            kept = [item for state in states for item in state.values() if isinstance(item, Tensor)]
            tensors.update((id(tensor), tensor) for tensor in kept)
        trained = [p for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]]
        tensors.update((id(tensor), tensor) for tensor in trained)
        for module in modules:
            tensors.update((id(tensor), tensor) for tensor in module._buffers.values() if tensor is not None)
        self.values = [
            (tensor, tensor.detach().clone())
            for tensor in tensors.values()
            if has_data(tensor) and tensor.layout is torch.strided
        ]
        leaves = {id(p): p for module in modules for p in module._parameters.values() if p is not None}
        leaves.update((id(parameter), parameter) for parameter in trained)
        self.gradients = [(leaf, leaf.grad) for leaf in leaves.values()]
        self.random = torch.get_rng_state()
        self.cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
        self.python = random.getstate()
        self.numpy = numpy.random.get_state()
        for leaf, gradient in self.gradients:
            if gradient is not None:
                leaf.grad = gradient.detach().clone()

    def keep_container(self, item: Any, seen: set[int]) -> None:
        if type(item) in _CONTAINERS and id(item) not in seen:
            seen.add(id(item))
            self.containers.append((item, item.copy()))

    def keep_surroundings(self, function: Any, seen: set[int]) -> None:
        """What a Python function holds: closure cells, defaults, and lists and dicts among the names that it reads.

        Code that runs in variables of its own (a notebook's cell) says so by an attribute `variables`.
        """
        for item in getattr(function, "variables", {}).values():
            self.keep_container(item, seen)
        if isinstance(function, functools.partial):
            function = function.func
        function = getattr(function, "__func__", function)
        if not isinstance(function, types.FunctionType):
            return
        for cell in function.__closure__ or ():
            try:
                content = cell.cell_contents
            except ValueError:
                continue
            self.cells.append((cell, content))
            self.keep_container(content, seen)
        for item in function.__defaults__ or ():
            self.keep_container(item, seen)
        for name in function.__code__.co_names:
            self.keep_container(function.__globals__.get(name), seen)

    def restore(self) -> None:
        for table, before in self.tables:
            if len(table) != len(before) or any(table[name] is not item for name, item in before.items()):
                table.clear()
                table.update(before)
        for container, before in self.containers:
            _refill(container, before)
        for cell, content in self.cells:
            cell.cell_contents = content
        with torch.no_grad():
            for tensor, value in self.values:
                if not torch.equal(tensor, value):
                    tensor.copy_(value)
        for leaf, gradient in self.gradients:
            if leaf.grad is not gradient:
                leaf.grad = gradient
        torch.set_rng_state(self.random)
        if self.cuda is not None:
            torch.cuda.set_rng_state_all(self.cuda)
        random.setstate(self.python)
        numpy.random.set_state(self.numpy)


def _refill(container: Any, before: Any) -> None:
    if isinstance(container, list):
        if len(container) != len(before) or any(x is not y for x, y in zip(container, before, strict=True)):
            container[:] = before
    elif isinstance(container, dict):
        if container.keys() != before.keys() or any(container[key] is not item for key, item in before.items()):
            container.clear()
            container.update(before)
    elif container != before:
        container.clear()
        container.update(before)


def _roots(functions: Iterable[Any]) -> list[Any]:
    """Each of them, what it is a method of, and what it closes over or reads from the names around it."""
    roots: list[Any] = []
    for function in functions:
        if isinstance(function, functools.partial):
            roots += [*function.args, *function.keywords.values()]
            function = function.func
        roots += [function, getattr(function, "__self__", None)]
        for cell in getattr(getattr(function, "__func__", function), "__closure__", None) or ():
            try:
                roots.append(cell.cell_contents)
            except ValueError:
                continue
        code = getattr(function, "__code__", None)
        if code is not None:
            roots += (function.__globals__.get(name) for name in code.co_names)
    return roots
