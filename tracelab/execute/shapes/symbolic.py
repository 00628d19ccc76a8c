"""A graph run once on tensors without data whose sizes are symbols: the sizes of every value as expressions.

Only operators of torch's registry and tracelab's own arithmetic run; nothing of the user's. What they make of a value
that is not known is not known either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tracelab.compat.operators import OpOverload
from tracelab.compat.symbolic import SymbolicSizes
from tracelab.execute.codegen.regions import Regions
from tracelab.execute.run.program import Program
from tracelab.graph.intrinsics import intrinsic_of
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import CONSTANT
from tracelab.graph.types import TensorType

Expressions = tuple[Any, ...]
"""The sizes of one value: numbers, and expressions of torch's symbolic mathematics."""


@dataclass(slots=True)
class Symbolic:
    """What such a run found.

    Attributes:
        shapes: The sizes of each tensor; of one that is not known there is no entry.
        questions: Conditions on sizes, each with the node that asked.
        example: The size of each symbol at the trace.
    """

    shapes: dict[Value, Expressions] = field(default_factory=dict)
    questions: list[tuple[Any, Node]] = field(default_factory=list)
    example: dict[Any, int] = field(default_factory=dict)


def run_symbolically(program: Program) -> Symbolic:
    """Run a program so."""
    graph, code = program.graph, program.code
    sizes = SymbolicSizes()
    values: list[Any] = [None] * len(code.slots)
    raw: dict[Value, tuple[Any, ...]] = {}
    known: set[Value] = set()
    found = Symbolic()

    def note(value: Value) -> None:
        known.add(value)
        # What stands in the code as a literal has no slot.
        made = values[code.slots[value]] if value in code.slots else None
        if isinstance(made, Tensor) and not made.is_nested and made.layout is torch.strided:
            raw[value] = tuple(made.shape)

    for value in graph.inputs:
        type_ = value.type
        if value in program.state:
            values[code.slots[value]] = sizes.fixed(program.state[value])
        elif isinstance(type_, TensorType) and type_.stride is not None:
            named = value.name, type_.shape, type_.stride, type_.dtype, type_.device
            made = values[code.slots[value]] = sizes.symbolic(*named)
            for size, number in zip(made.shape, type_.shape, strict=True):
                symbol = sizes.expression(size)
                if not isinstance(symbol, int) and not symbol.is_number:
                    found.example[symbol] = number
        else:
            continue
        note(value)
    steps = code.functions(program.devices)
    regions = Regions()
    asked = 0
    try:
        with torch.no_grad(), sizes.running():
            for index, node in enumerate(graph.nodes):
                step = steps[index]
                if node.kind == CONSTANT:
                    for value in node.outputs:
                        if value in program.state and value in code.slots:
                            values[code.slots[value]] = sizes.fixed(program.state[value])
                        note(value)
                    continue
                if step is None or not _may_run(node) or not all(value in known for value in node.inputs):
                    continue
                try:
                    step(values, regions)
                except Exception:
                    # It asks for a value, or torch knows no rule for it: what it makes is not known.
                    continue
                for value in node.outputs:
                    note(value)
                questions = sizes.questions()
                found.questions += [(question, node) for question in questions[asked:]]
                asked = len(questions)
    finally:
        regions.close()
    for value, shape in raw.items():
        expressions = tuple(sizes.expression(size) for size in shape)
        if _agrees(expressions, found.example, value.type):
            found.shapes[value] = expressions
    return found


def _may_run(node: Node) -> bool:
    target = node.target
    return target is None or isinstance(target, OpOverload) or intrinsic_of(target) is not None


def _agrees(shape: Expressions, example: Mapping[Any, int], type_: object) -> bool:
    """Whether the expressions give the sizes that were seen at the trace."""
    if not isinstance(type_, TensorType) or len(shape) != len(type_.shape):
        return False
    return all(evaluated(size, example) == seen for size, seen in zip(shape, type_.shape, strict=True))


def evaluated(size: Any, sizes: Mapping[Any, int]) -> int | None:
    """The number that an expression is for these sizes of its symbols; None where they do not tell."""
    if isinstance(size, int):
        return size
    found = size.subs(sizes) if hasattr(size, "subs") else size
    try:
        return int(found) if found == int(found) else None
    except (TypeError, ValueError):
        return None
