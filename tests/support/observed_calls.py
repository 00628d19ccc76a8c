"""All that can be seen of a call from outside: results, gradients, aliasing, and what it leaves behind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

import tracelab
from tracelab.graph import Graph


@contextlib.contextmanager
def calm() -> Iterator[None]:
    """Modes and random state are afterwards as they were."""
    dtype, state, grad = torch.get_default_dtype(), torch.get_rng_state(), torch.is_grad_enabled()
    threads = torch.get_num_threads()
    try:
        # What an operator reads and writes in one memory depends on how its threads meet.
        torch.set_num_threads(1)
        # TorchScript's optimizer lets a call depend on those before it: on whether they ran with gradients.
        with torch.jit.optimized_execution(False):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_default_dtype(dtype)
        torch.set_rng_state(state)
        torch.set_grad_enabled(grad)


def observed_call(
    function: Callable[..., Any],
    inputs: Sequence[Tensor],
    held: Callable[[], dict[str, Tensor]] = dict,
    grad: bool = True,
) -> dict[str, Any]:
    """What one call does, by name.

    `held` gives the tensors that exist beside the inputs, as they are after the call; `grad` is the mode of the call.
    """
    found: dict[str, Any] = {}
    with calm():
        torch.manual_seed(11)
        torch.set_grad_enabled(grad)
        try:
            result = function(*inputs)
        except Exception as error:
            found["raised"] = type(error).__name__
            return found
        found["random state"] = torch.get_rng_state()
        found["default dtype"] = torch.get_default_dtype()
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        named = dict(_leaves(result, "result"))
        found["structure"] = _structure(result)
        named.update((f"input {index}", tensor) for index, tensor in enumerate(inputs))
        named.update(held())
        found["values"] = {name: tensor.detach().clone() for name, tensor in named.items()}
        found["kinds"] = {name: _kind(tensor) for name, tensor in named.items()}
        found["same tensor"] = _classes({name: id(tensor) for name, tensor in named.items()})
        found["same memory"] = _classes(
            {name: tensor.untyped_storage().data_ptr() for name, tensor in named.items() if tensor.numel()}
        )
        found[".grad"] = {
            name: tensor.grad.clone()
            for name, tensor in named.items()
            if not name.startswith("result") and tensor.is_leaf and tensor.grad is not None
        }
        found["gradients"] = _gradients(named)
    return found


def _leaves(item: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    if isinstance(item, Tensor):
        yield name, item
    elif isinstance(item, dict):
        for key, child in item.items():
            yield from _leaves(child, f"{name}[{key!r}]")
    else:
        for index, child in enumerate(item):
            yield from _leaves(child, f"{name}[{index}]")


def _structure(item: Any) -> str:
    if isinstance(item, Tensor):
        return "tensor"
    if isinstance(item, dict):
        return f"dict({', '.join(f'{key}: {_structure(child)}' for key, child in item.items())})"
    return f"{type(item).__name__}({', '.join(map(_structure, item))})"


def _kind(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.dtype, tuple(tensor.shape), tensor.stride(), tensor.storage_offset(), part_in_autograd(tensor)


def part_in_autograd(tensor: Tensor) -> str:
    """`leaf`, `inner`, or `none`; `refused` where autograd does not even say: its base was written behind it."""
    try:
        return "none" if not tensor.requires_grad else "leaf" if tensor.is_leaf else "inner"
    except RuntimeError:
        return "refused"


def _classes(keys: dict[str, int]) -> dict[str, str]:
    """For each name, the first that has the same key."""
    first: dict[int, str] = {}
    return {name: first.setdefault(key, name) for name, key in keys.items()}


def _gradients(named: dict[str, Tensor]) -> Any:
    total = sum(
        (tensor * (place + 1)).float().sum()
        for place, (name, tensor) in enumerate(named.items())
        if name.startswith("result") and part_in_autograd(tensor) in ("leaf", "inner")
    )
    leaves = {name: tensor for name, tensor in named.items() if part_in_autograd(tensor) == "leaf"}
    if not isinstance(total, Tensor) or not leaves:
        return {}
    try:
        made = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
    except Exception as error:
        # Autograd refuses, or a hook of the program does.
        return type(error).__name__
    return {name: gradient for name, gradient in zip(leaves, made, strict=True) if gradient is not None}


def difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    """The first thing in which two observations differ; empty where they agree."""
    if found.keys() != wanted.keys():
        return f"one raised: {found.get('raised')} and {wanted.get('raised')}"
    for what, item in wanted.items():
        problem = _differ(found[what], item, what)
        if problem:
            return problem
    return ""


def _differ(found: Any, wanted: Any, what: str) -> str:
    if isinstance(wanted, dict) and isinstance(found, dict):
        if found.keys() != wanted.keys():
            return f"{what}: {sorted(found)} and {sorted(wanted)}"
        return next((text for name in wanted if (text := _differ(found[name], wanted[name], f"{what} of {name}"))), "")
    if isinstance(wanted, Tensor) and isinstance(found, Tensor):
        # Gradients may be added in another order.
        loose = "grad" in what
        if found.dtype is not wanted.dtype or found.shape != wanted.shape:
            return f"{what}: {found.dtype}{list(found.shape)} and {wanted.dtype}{list(wanted.shape)}"
        tolerance = {"rtol": 1e-3, "atol": 1e-4} if loose else {"rtol": 0.0, "atol": 0.0}
        same = torch.allclose(found.double(), wanted.double(), equal_nan=True, **tolerance)
        return "" if same else f"{what}: {found.tolist()} and {wanted.tolist()}"
    return "" if found == wanted else f"{what}: {found} and {wanted}"


def changed_by(edit: Callable[[Graph], Any], function: Callable[..., Any], *inputs: Tensor) -> str:
    """What a function's graph does otherwise than the function once it is edited; empty where nothing."""
    graph = tracelab.trace_graph(function, tuple(map(_fresh, inputs)), strict=False)[0]
    edit(graph)
    wanted = observed_call(function, [_fresh(tensor) for tensor in inputs])
    return difference(observed_call(graph.to_callable(), [_fresh(tensor) for tensor in inputs]), wanted)


def _fresh(tensor: Tensor) -> Tensor:
    return tensor.detach().clone().requires_grad_(tensor.requires_grad)
