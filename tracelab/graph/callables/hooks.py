"""Hooks of the backward pass: what a graph calls to register them anew in each run, and to remove them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.hooks import BackwardHook

from tracelab.errors import TracelabError

_before: Any = BackwardHook.setup_input_hook
_after: Any = BackwardHook.setup_output_hook


def grad_fn_of(tensor: Tensor, path: tuple[int, ...]) -> Any:
    """The node of the backward pass that made a tensor, or one further back: by its places in `next_functions`.

    Raises:
        TracelabError: If there is none, as this run records no gradients there.
    """
    found: Any = tensor.grad_fn
    for place in path:
        further = found.next_functions if found is not None else ()
        found = further[place][0] if place < len(further) else None
    if found is None:
        raise TracelabError(
            "the traced code registers a hook on `grad_fn`, which this run does not have: call the trace with "
            "gradients on, and on inputs that require them as those of the trace did"
        )
    return found


def hook_on_grad_fn(tensor: Tensor, path: tuple[int, ...], method: str, hook: Callable[..., Any]) -> Any:
    """`tensor.grad_fn.register_hook(hook)`, or the same of a node further back."""
    return getattr(grad_fn_of(tensor, path), method)(hook)


def remove_hook(handle: Any) -> None:
    """`handle.remove()`"""
    handle.remove()


def make_backward_hook(module: torch.nn.Module, first: int, *hooks: Callable[..., Any]) -> BackwardHook:
    """What a call of a module with full backward hooks goes through: the first so many run behind it, others before."""
    return BackwardHook(module, list(hooks[:first]), list(hooks[first:]))


def before_module(hook: BackwardHook, given: tuple[Any, ...]) -> tuple[Tensor, ...]:
    """The tensors that a module with backward hooks is given in place of its arguments'."""
    return tensors_of(_before(hook, given))


def after_module(hook: BackwardHook, result: Any) -> tuple[Tensor, ...]:
    """The tensors in what such a module gives, with its hooks."""
    return tensors_of(_after(hook, result))


def tensors_of(items: Any) -> tuple[Tensor, ...]:
    """The tensors of a tuple, or a tensor alone."""
    return tuple(item for item in (items if isinstance(items, tuple) else (items,)) if isinstance(item, Tensor))
