"""The check that every trace gets: run the Python function and its trace again, and compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor

from tracelab.graph.structure import TracelabError


class TracingCheckError(TracelabError):
    """The trace does something else than the Python function, on inputs that were tried."""


def check_against_python(
    python: Callable[..., Any],
    traced: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    tolerance: float,
) -> None:
    """Run both on copies of the inputs, from the same random state, and compare what they return.

    Buffers and random state are as before afterwards. Raises `TracingCheckError` where outputs differ by more
    than `tolerance` (relative to the Python function's), naming the output. Inputs without data (meta, fake) are not
    run again: there are no values to compare.
    """
    if not all(has_data(leaf) for leaf in _leaves((args, kwargs)) if isinstance(leaf, Tensor)):
        return
    module = python if isinstance(python, nn.Module) else getattr(python, "__self__", None)
    modules = [item for item in (module, traced, getattr(traced, "module", None)) if isinstance(item, nn.Module)]
    with _unchanged(modules) as again:
        expected = python(*copied(args), **copied(dict(kwargs)))
        again()
        found = traced(*copied(args), **copied(dict(kwargs)))
    compare_outputs(expected, found, tolerance)


def compare_outputs(expected: Any, found: Any, tolerance: float) -> None:
    """Raise `TracingCheckError` where two results differ, naming the output."""
    wanted_leaves, found_leaves = list(_leaves(expected)), list(_leaves(found))
    if len(wanted_leaves) != len(found_leaves):
        raise TracingCheckError(
            f"Tracing failed sanity checks: the Python function returned {len(wanted_leaves)} tensors and its trace "
            f"{len(found_leaves)}"
        )
    for number, (wanted, got) in enumerate(zip(wanted_leaves, found_leaves, strict=True), 1):
        _compare(number, wanted, got, tolerance)


def has_data(tensor: Tensor) -> bool:
    """Whether there are values to compare: meta and fake tensors have none."""
    return not tensor.is_meta and not isinstance(tensor, FakeTensor)


def _compare(number: int, wanted: Any, got: Any, tolerance: float) -> None:
    try:
        # Equal in value within the tolerance; a wrapped number may differ in dtype.
        torch.testing.assert_close(
            _plain(got),
            _plain(wanted),
            rtol=tolerance,
            atol=1e-5,
            equal_nan=True,
            check_dtype=False,
            check_stride=False,
        )
    except AssertionError as error:
        first = " ".join(str(error).split())
        raise TracingCheckError(
            f"Tracing failed sanity checks: Output nr {number}. of the traced function does not match the "
            f"corresponding output of the Python function: {first}"
        ) from None


def _plain(item: Any) -> Any:
    if isinstance(item, Tensor):
        item = item.detach()
        if item.is_quantized:
            item = item.dequantize()
        if item.is_nested:
            return list(item.unbind())
    return item


def _leaves(item: Any) -> Iterator[Any]:
    if isinstance(item, Mapping):
        for child in item.values():
            yield from _leaves(child)
    elif isinstance(item, (tuple, list)):
        for child in item:
            yield from _leaves(child)
    elif item is not None:
        yield item


def copied(item: Any) -> Any:
    """The same structure with its tensors copied, so that running a function on them changes nothing else."""
    if isinstance(item, Tensor):
        if item.layout is not torch.strided or item.is_nested:
            return item
        return item.detach().clone(memory_format=torch.preserve_format).requires_grad_(item.requires_grad)
    if isinstance(item, tuple):
        children = [copied(child) for child in item]
        return type(item)(*children) if hasattr(item, "_fields") else tuple(children)
    if isinstance(item, list):
        return [copied(child) for child in item]
    if isinstance(item, dict):
        return {key: copied(child) for key, child in item.items()}
    return item


@contextmanager
def _unchanged(modules: list[nn.Module]) -> Iterator[Callable[[], None]]:
    """Put buffers and random state back at the end; the function that it gives puts them back in between."""
    owners = [child for module in modules for child in module.modules()]
    slots = [(child._buffers, name, item) for child in owners for name, item in child._buffers.items()]
    buffers = [(buffer, buffer.detach().clone()) for module in modules for buffer in module.buffers()]
    cpu = torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None

    def put_back() -> None:
        for table, name, item in slots:
            table[name] = item
        with torch.no_grad():
            for buffer, kept in buffers:
                if has_data(buffer) and buffer.layout is torch.strided and not torch.equal(buffer, kept):
                    buffer.copy_(kept)
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)

    try:
        yield put_back
    finally:
        put_back()
