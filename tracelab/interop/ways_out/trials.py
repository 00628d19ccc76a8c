"""Whether what was written gives what the trace gives, on other sizes than those of the trace."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, fx
from torch.export import ExportedProgram
from torch.utils import _pytree as pytree

from tracelab.graph.aliasing import is_random
from tracelab.graph.graph import Graph
from tracelab.interop.ways_out.refusals import ExportError, reason_of
from tracelab.interop.ways_out.symbols import sizes_of_example

_MOST_TRIES = 12
Results = Callable[[tuple[Any, ...], dict[str, Any]], list[Any]]
"""What the written program gives for a call, flat."""


def compare_on_others(
    program: ExportedProgram, graph: Graph, module: fx.GraphModule, given: Results, what: str, shapes: int = 2
) -> int:
    """Compare results on so many calls of other sizes; gives how many there were.

    Raises:
        ExportError: The written program fails, or gives something else.
    """
    if any(is_random(node) for node in graph.nodes):
        # Two programs draw different numbers.
        return shapes
    compared = 0
    for args, kwargs in other_calls(program):
        try:
            with torch.no_grad():
                wanted = copy.deepcopy(module)(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        except Exception:
            # Those sizes do not go together: the code would not take them either.
            continue
        sizes = ", ".join(
            f"{list(leaf.shape)}" for leaf in pytree.arg_tree_leaves(*args, **kwargs) if isinstance(leaf, Tensor)
        )
        try:
            found = given(args, kwargs)
        except ExportError:
            raise
        except Exception as error:
            raise ExportError(
                f"{what} fails on inputs of the sizes {sizes}: {reason_of(error)}; write it with check=False to look"
            ) from error
        _compare(found, pytree.tree_leaves(wanted), sizes, what)
        compared += 1
        if compared == shapes:
            break
    return compared


def other_calls(program: ExportedProgram) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Calls of other sizes, as far as the program lets them change, with other values."""
    args, kwargs = program.example_inputs or ((), {})
    leaves, spec = pytree.tree_flatten((args, kwargs))
    names = set(program.graph_signature.user_inputs)
    nodes = [node for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    shapes: list[Any] = [node.meta.get("val") for node in nodes]
    if len(shapes) != len(leaves):
        shapes = list(leaves)
    for attempt in range(1, _MOST_TRIES + 1):
        generator = torch.Generator().manual_seed(attempt)
        sizes: dict[Any, int] = {}
        made = [_made(leaf, shape, sizes, attempt, generator) for leaf, shape in zip(leaves, shapes, strict=True)]
        found_args, found_kwargs = pytree.tree_unflatten(made, spec)
        yield found_args, found_kwargs


def _made(leaf: Any, like: Any, sizes: dict[Any, int], attempt: int, generator: torch.Generator) -> Any:
    if not isinstance(leaf, Tensor):
        if isinstance(like, torch.SymInt):
            return _size(like, sizes, attempt)
        return leaf
    shape = tuple(_size(size, sizes, attempt) for size in like.shape) if isinstance(like, Tensor) else leaf.shape
    if leaf.dtype.is_floating_point or leaf.dtype.is_complex:
        made = torch.randn(shape, generator=generator, dtype=torch.float64).to(leaf.dtype)
    elif leaf.dtype == torch.bool:
        made = torch.rand(shape, generator=generator) < 0.7
    else:
        made = torch.randint(0, 2, shape, generator=generator).to(leaf.dtype)
    return made.to(leaf.device)


def _size(size: Any, sizes: dict[Any, int], attempt: int) -> int:
    """A size where each symbol has another number than in the example."""
    if isinstance(size, int):
        return size
    expression = size.node.expr
    hints = sizes_of_example(size.node.shape_env)
    for symbol in sorted(expression.free_symbols, key=str):
        hint = int(hints.get(symbol, 2))
        if symbol not in sizes and attempt % 3:
            # Equal sizes often have to be. What was written for the example's size may hold for its neighbours.
            larger = 2 * hint + 1 if attempt == 2 else hint + attempt
            sizes[symbol] = sizes.setdefault(hint, (larger, max(2, hint - attempt))[attempt % 2])
        elif symbol not in sizes:
            sizes[symbol] = (hint + attempt, hint * (attempt + 1), max(2, hint - attempt))[(attempt + len(sizes)) % 3]
    # The table has numbers of the example, too, for equal sizes: those in the expression stay.
    return int(expression.subs({symbol: sizes[symbol] for symbol in expression.free_symbols}))


def _compare(found: list[Any], wanted: list[Any], sizes: str, what: str) -> None:
    kept = [item for item in wanted if isinstance(item, (Tensor, int, float))]
    if len(found) != len(kept):
        raise ExportError(f"{what} gives {len(found)} results where the trace gives {len(kept)}")
    for number, (one, other) in enumerate(zip(found, kept, strict=True)):
        try:
            torch.testing.assert_close(
                torch.as_tensor(one),
                torch.as_tensor(other),
                rtol=2e-3,
                atol=2e-4,
                equal_nan=True,
                check_dtype=False,
                check_stride=False,
                check_device=False,
            )
        except AssertionError as error:
            first = " ".join(str(error).split())[:240]
            raise ExportError(
                f"{what} gives something else than the trace on inputs of the sizes {sizes} (result {number}): {first}"
            ) from None
