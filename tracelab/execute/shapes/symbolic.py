"""A graph run on tensors without data whose sizes are symbols: the sizes of every value as expressions.

Only operators of torch's registry and tracelab's own arithmetic run; nothing of the user's. What they make of a value
that is not known is not known either. torch's rules fix more sizes than the operators do, and take one side of a
minimum for all sizes: what was found is tried at other sizes, and what another size contradicts is not known.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tracelab.compat.operators import OpOverload
from tracelab.compat.symbolic import SizesOnly, SymbolicSizes
from tracelab.execute.codegen.regions import Regions
from tracelab.execute.run.program import Program
from tracelab.execute.shapes.breaks import Breaks
from tracelab.graph.intrinsics import GENERATOR_METHODS, RANDOM_STATE, SET_DEFAULT_DTYPE, intrinsic_of
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import CONSTANT
from tracelab.graph.types import TensorType

Expressions = tuple[Any, ...]
"""The sizes of one value: numbers, and expressions of torch's symbolic mathematics."""
_MOST_TRIED = 12
"""So many conditions are tried one by one."""
_LARGE = 5000
"""Beyond what code cuts off."""
_STEP_BY_STEP = frozenset({"lstm", "gru", "rnn_tanh", "rnn_relu"})
"""What torch's rules run once for each step of the length, which takes minutes for a long one."""


@dataclass(slots=True)
class Symbolic:
    """What such a run found.

    Attributes:
        shapes: The sizes of each tensor; of one that is not known there is no entry.
        bounds: Conditions on one size that the code needs, each with the node that asked.
        example: The size of each symbol at the trace.
        inputs: The sizes of each input as symbols, before anything was asked of them.
        follows: The symbols that have to be what a number or other symbols are.
    """

    shapes: dict[Value, Expressions] = field(default_factory=dict)
    bounds: list[tuple[Any, Node]] = field(default_factory=list)
    example: dict[Any, int] = field(default_factory=dict)
    inputs: dict[Value, Expressions] = field(default_factory=dict)
    follows: dict[Any, Any] = field(default_factory=dict)

    def fitting(self, sizes: Mapping[Any, int]) -> dict[Any, int]:
        """Sizes of all symbols: those that are given, as at the trace what is not, and what follows from these."""
        given = {**self.example, **sizes}
        for symbol, size in self.follows.items():
            number = evaluated(size, given)
            given[symbol] = given[symbol] if number is None else number
        return given


def run_symbolically(program: Program, breaks: Breaks | None = None) -> Symbolic:
    """Run a program so; `breaks` tells when to rest, in a thread of its own."""
    found = Symbolic()
    sizes = SymbolicSizes()

    def make(value: Value, type_: TensorType) -> Tensor:
        made = sizes.symbolic(value.name, type_.shape, type_.stride or (), type_.dtype, type_.device)
        found.inputs[value] = tuple(map(sizes.expression, made.shape))
        for symbol, number in zip(found.inputs[value], type_.shape, strict=True):
            if not isinstance(symbol, int):
                found.example[symbol] = number
        return made

    questions: list[tuple[Any, Node]] = []

    def asked(node: Node) -> None:
        questions.extend((question, node) for question in sizes.questions()[len(questions) :])

    raw, _ = _run(program, sizes, make, asked, breaks)
    for value, shape in raw.items():
        expressions = tuple(map(sizes.expression, shape))
        if _agrees(expressions, found.example, value.type):
            found.shapes[value] = expressions
    _keep_what_holds(program, found, questions, breaks)
    return found


def shapes_at(
    program: Program, found: Symbolic, sizes: Mapping[Any, int], breaks: Breaks | None = None
) -> tuple[dict[Value, tuple[int, ...]], bool]:
    """The sizes of every tensor for these sizes of symbols, and whether all that can run did."""

    def make(value: Value, type_: TensorType) -> Tensor:
        shape = [symbol if isinstance(symbol, int) else sizes[symbol] for symbol in found.inputs[value]]
        return only.empty(shape, torch.empty(shape, device="meta").stride(), type_.dtype, type_.device)

    only = SizesOnly()
    shapes, whole = _run(program, only, make, lambda node: None, breaks)
    return {value: tuple(map(int, shape)) for value, shape in shapes.items()}, whole


def _run(
    program: Program,
    sizes: SizesOnly,
    make: Callable[[Value, TensorType], Tensor],
    asked: Callable[[Node], None],
    breaks: Breaks | None,
) -> tuple[dict[Value, tuple[Any, ...]], bool]:
    """Run what can run; the sizes of what it makes, and whether no operator raised that had all that it takes."""
    graph, code = program.graph, program.code
    values: list[Any] = [None] * len(code.slots)
    shapes: dict[Value, tuple[Any, ...]] = {}
    known: set[Value] = set()
    whole = True

    def note(value: Value) -> None:
        known.add(value)
        # What stands in the code as a literal has no slot.
        made = values[code.slots[value]] if value in code.slots else None
        if isinstance(made, Tensor) and not made.is_nested and made.layout is torch.strided:
            shapes[value] = tuple(made.shape)

    def hold(value: Value) -> None:
        if value in program.state and value in code.slots:
            values[code.slots[value]] = sizes.fixed(program.state[value])

    for value in graph.inputs:
        type_ = value.type
        if value in program.state:
            hold(value)
        elif isinstance(type_, TensorType) and type_.stride is not None:
            values[code.slots[value]] = make(value, type_)
        else:
            continue
        note(value)
    steps = code.functions(program.devices)
    regions = Regions()
    try:
        with ExitStack() as within:
            within.enter_context(_sealed(sizes))
            for index, node in enumerate(graph.nodes):
                if breaks is not None and breaks.wanted:
                    within.close()
                    breaks.wait()
                    within.enter_context(_sealed(sizes))
                step = steps[index]
                if node.kind == CONSTANT:
                    for value in node.outputs:
                        hold(value)
                        note(value)
                    continue
                if step is None or not _may_run(node) or not all(value in known for value in node.inputs):
                    continue
                try:
                    step(values, regions)
                except Exception:
                    # It asks for a value, the sizes do not fit, or torch knows no rule: what it makes is not known.
                    whole = False
                    continue
                for value in node.outputs:
                    note(value)
                asked(node)
    finally:
        regions.close()
    return shapes, whole


@contextmanager
def _sealed(sizes: SizesOnly) -> Iterator[None]:
    with torch.no_grad(), sizes.running(), _silent():
        yield


@contextmanager
def _silent() -> Iterator[None]:
    """Without what torch logs of rules that fail."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


_SETTINGS = frozenset(
    call.function
    for call in (*RANDOM_STATE.values(), *GENERATOR_METHODS.values(), SET_DEFAULT_DTYPE)
    if not call.name.rpartition(".")[2].startswith("get_")
)
"""What would change the random numbers and settings of everybody else."""


def _may_run(node: Node) -> bool:
    target = node.target
    if target is None or isinstance(target, OpOverload):
        return True
    return intrinsic_of(target) is not None and target not in _SETTINGS


# What holds at other sizes, too ------------------------------------------------------------------------------


def _keep_what_holds(
    program: Program, found: Symbolic, questions: list[tuple[Any, Node]], breaks: Breaks | None
) -> None:
    """Forget what other sizes contradict, and keep the conditions without which the code raises."""
    if not found.example:
        return
    _, whole = shapes_at(program, found, found.example, breaks)
    free: list[Any] = []
    follows = found.follows
    for value, symbols in found.inputs.items():
        for symbol, size in zip(symbols, found.shapes.get(value, symbols), strict=True):
            if isinstance(symbol, int) or symbol in follows or symbol in free:
                continue
            if size == symbol or not _needed(program, found, {symbol: found.example[symbol] + 1}, whole, breaks):
                free.append(symbol)
            else:
                follows[symbol] = size
    for value, symbols in found.inputs.items():
        found.shapes[value] = tuple(follows.get(symbol, symbol) for symbol in symbols)
    found.bounds = list(_bounds(program, found, questions, whole, breaks))
    tries: list[tuple[dict[Any, int], dict[Value, tuple[int, ...]]]] = []
    for factor, more, apart in ((2, 3, 1), (1, -1, 0), (0.5, 0, 0)):
        sizes = (max(2, int(found.example[symbol] * factor) + more) + apart * at for at, symbol in enumerate(free))
        given = found.fitting(dict(zip(free, sizes, strict=True)))
        if any(given[symbol] != found.example[symbol] for symbol in free):
            tries.append((given, shapes_at(program, found, given, breaks)[0]))
    tries += _far_tries(program, found, free, whole, breaks)
    for value, told in list(found.shapes.items()):
        seen = [(given, shapes[value]) for given, shapes in tries if value in shapes]
        better = [_what_holds(size, at, seen, value, free, found.example) for at, size in enumerate(told)]
        if None in better:
            del found.shapes[value]
        else:
            found.shapes[value] = tuple(better)


def _far_tries(
    program: Program, found: Symbolic, free: list[Any], whole: bool, breaks: Breaks | None
) -> list[tuple[dict[Any, int], dict[Value, tuple[int, ...]]]]:
    """What is found where the largest size is the smallest, and where all are large, as far as the code takes these.

    Another size may be the smaller one then (`min(a, b)`), and what is cut off where it is too long is (`x[:512]`).
    """
    if not whole:
        return []
    from_the_largest = sorted(free, key=lambda symbol: -found.example[symbol])
    sizes = sorted({found.example[symbol] for symbol in free})
    turned = {symbol: (sizes[0] if sizes[0] > 1 else 2) + at for at, symbol in enumerate(from_the_largest)}
    large = {symbol: _LARGE + 3 * at for at, symbol in enumerate(from_the_largest)}
    is_slow = any(node.name in _STEP_BY_STEP for node in program.graph.nodes)
    tries = []
    for chosen in (turned,) if is_slow else (turned, large):
        given = found.fitting(chosen)
        shapes, fits = shapes_at(program, found, given, breaks)
        if fits:
            tries.append((given, shapes))
    return tries


def _what_holds(
    size: Any,
    at: int,
    seen: list[tuple[dict[Any, int], tuple[int, ...]]],
    value: Value,
    free: list[Any],
    example: Mapping[Any, int],
) -> Any:
    """A size of a value, if it is so at all sizes that were tried, else the one symbol that is; None where none is."""
    if all(len(shape) > at and evaluated(size, given) == shape[at] for given, shape in seen):
        return size
    if not isinstance(value.type, TensorType) or not all(len(shape) > at for _, shape in seen):
        return None
    at_the_trace = value.type.shape[at]
    same = [
        symbol
        for symbol in free
        if example[symbol] == at_the_trace and all(given[symbol] == shape[at] for given, shape in seen)
    ]
    return same[0] if len(same) == 1 and len(seen) > 1 else None


def _needed(program: Program, found: Symbolic, changed: Mapping[Any, int], whole: bool, breaks: Breaks | None) -> bool:
    """Whether the graph fails where some sizes are others; where it fails in any case, nobody knows, and it is."""
    return not whole or not shapes_at(program, found, {**found.example, **changed}, breaks)[1]


def _bounds(
    program: Program, found: Symbolic, questions: list[tuple[Any, Node]], whole: bool, breaks: Breaks | None
) -> Iterator[tuple[Any, Node]]:
    tried = 0
    for question, node in dict(questions).items():
        broken = _broken(question, found)
        if broken is None or not whole or tried == _MOST_TRIED:
            continue
        tried += 1
        if _needed(program, found, broken, whole, breaks):
            yield question, node


def _broken(question: Any, found: Symbolic) -> dict[Any, int] | None:
    """Another size of one symbol, as near as may be, for which a condition does not hold; None where none is found."""
    for symbol in sorted(getattr(question, "free_symbols", ()), key=str):
        if symbol not in found.example or symbol in found.follows:
            continue
        size = found.example[symbol]
        limits = [int(side) for side in question.args if getattr(side, "is_Integer", False)]
        near = [*(limit + step for limit in limits for step in (-1, 0, 1)), size + 1, size - 1, 2 * size, 4 * size + 1]
        for other in near:
            if other >= 0 and not _holds(question, {**found.example, symbol: other}):
                return {symbol: other}
    return None


def _holds(question: Any, sizes: Mapping[Any, int]) -> bool:
    """Whether a condition is true for these sizes, or cannot be worked out."""
    try:
        return not bool(question.subs(sizes) == False)  # noqa: E712
    except ArithmeticError:
        return True


def _agrees(shape: Expressions, example: Mapping[Any, int], type_: object) -> bool:
    """Whether the expressions give the sizes that were seen at the trace."""
    if not isinstance(type_, TensorType) or len(shape) != len(type_.shape):
        return False
    return all(evaluated(size, example) == seen for size, seen in zip(shape, type_.shape, strict=True))


def evaluated(size: Any, sizes: Mapping[Any, int]) -> int | None:
    """The number that an expression is for these sizes of its symbols; None where they do not tell."""
    if isinstance(size, int):
        return size
    try:
        found = size.subs(sizes) if hasattr(size, "subs") else size
        return int(found) if found == int(found) else None
    except (TypeError, ValueError, ArithmeticError):
        return None
