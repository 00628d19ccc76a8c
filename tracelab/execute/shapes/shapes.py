"""`Shapes`: the sizes of every value by name, as a table, and the sizes at other inputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracelab.errors import InputError
from tracelab.execute.run.lookup import Key, find_values
from tracelab.execute.run.program import Program
from tracelab.execute.shapes.breaks import Breaks
from tracelab.execute.shapes.names import size_names
from tracelab.execute.shapes.symbolic import Symbolic, run_symbolically, shapes_at
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import CONSTANT
from tracelab.graph.source import short_place
from tracelab.graph.text.html import Cell, block, line, module_cell, table
from tracelab.graph.text.readable import columns_text
from tracelab.graph.types import TensorType, counted

_UNKNOWN = "?"
_LONGEST = 40
_MOST_ROWS = 200
_HEAD = ("value", "operator", "module", "shape", "at the trace")


@dataclass(frozen=True, slots=True)
class Bound:
    """What the code asks of a size: a condition that held at the trace, and the node that asked it."""

    text: str
    node: Node

    def __str__(self) -> str:
        place = short_place(self.node.source)
        scope = self.node.scope.path if self.node.scope is not None else ""
        return f"{self.text} ({', '.join(part for part in (self.node.name, scope, place) if part)})"


@dataclass(slots=True)
class Shapes(Mapping[Key, str]):
    """The shape of every tensor of a trace, with a name for each size that may differ from call to call.

    `shapes["linear"]` is `float32[batch, length, 64]`, by the same keys as `run[...]`; `at(batch=3)` gives the sizes
    for other inputs. A shape that is not known is `?`.

    >>> def attention(x):
    ...     batch, length, _ = x.shape
    ...     return x.reshape(batch * length, -1)
    >>> shapes = tracelab.trace(attention, torch.ones(2, 5, 4)).shapes()
    >>> shapes["reshape"]
    'float32[length*batch, x.2]'
    """

    program: Program
    found: Symbolic
    names: dict[Any, str]
    given: dict[str, tuple[str | None, ...]] = field(default_factory=dict, repr=False)
    """Names for the sizes of inputs that somebody gave."""
    _words: dict[Any, str] = field(default_factory=dict, repr=False)

    @property
    def graph(self) -> Graph:
        """The graph whose values these are."""
        return self.program.graph

    def __getitem__(self, key: Key) -> str:
        """The shape of a value: of several values of one key, those with commas between."""
        return ", ".join(self.text(value) for value in find_values(self.graph, key))

    def __iter__(self) -> Iterator[Key]:
        return iter(value.name for value in self._tensors())

    def __len__(self) -> int:
        return sum(1 for _ in self._tensors())

    def _tensors(self) -> Iterator[Value]:
        made = [value for node in self.graph.nodes if node.kind != CONSTANT for value in node.outputs]
        # Of the inputs, those that a call gives: parameters are as large as they are.
        for value in (*self.graph.user_inputs, *made):
            if isinstance(value.type, TensorType):
                yield value

    def text(self, value: Value) -> str:
        """`float32[batch, length, 64]`, or `float32[?]` where the sizes are not known; of no tensor its own type."""
        type_ = value.type
        if not isinstance(type_, TensorType):
            return str(type_)
        sizes = self.found.shapes.get(value)
        inside = _UNKNOWN if sizes is None else ", ".join(map(self.word, sizes))
        return f"{type_.dtype_name}[{inside}]"

    def by_name(self) -> dict[Value, tuple[str, ...]]:
        """The sizes of each tensor of which one is no plain number: names, expressions, numbers."""
        shapes = self.found.shapes
        made = (value for value in self._tensors() if any(not isinstance(size, int) for size in shapes.get(value, ())))
        return {value: tuple(map(self.word, shapes[value])) for value in made}

    def word(self, size: Any) -> str:
        """One size: a number, a name, or an expression of names; of a long expression an ellipsis."""
        text = self._expression(size)
        return text if len(text) <= _LONGEST else "…"

    def _expression(self, size: Any) -> str:
        if isinstance(size, int):
            return str(size)
        if size not in self._words:
            by_text = {str(symbol): name for symbol, name in self.names.items()}
            text = re.sub(r"\b[su]\d+\b", lambda match: by_text.get(match[0], _UNKNOWN), str(size))
            text = re.sub(r"\((\([^()]*\))\)", r"\1", text)
            self._words[size] = re.sub(r"^\(([^()]*)\)$", r"\1", text)
        return self._words[size]

    def at(self, sizes: Mapping[str, int] | None = None, /, **more: int) -> dict[str, tuple[int, ...] | None]:
        """The sizes of every tensor for other sizes of the inputs, worked out operator by operator.

        Args:
            sizes: By the names of this table, such as `{"x.0": 3}`. What is not given is as it was at the trace.
            more: The same by keyword, for names that Python takes.

        Returns:
            The sizes by the names of values; None where they are not known, or these sizes do not fit.

        Raises:
            InputError: There is no size of that name, or it is no whole number from 0 on.
        """
        known = {name: symbol for symbol, name in self.names.items()}
        given: dict[Any, int] = {}
        for name, size in {**(sizes or {}), **more}.items():
            if name not in known:
                raise InputError(f"there is no size {name!r}: there are {', '.join(known) or 'none'}")
            if type(size) is not int or size < 0:
                raise InputError(f"{name} is {size!r}: give a whole number from 0 on")
            given[known[name]] = size
        shapes, _ = shapes_at(self.program, self.found, self.found.fitting(given))
        return {value.name: shapes.get(value) for value in self._tensors()}

    @property
    def bounds(self) -> list[Bound]:
        """What the code asks of sizes, each with the node that asks it."""
        found: dict[str, Bound] = {}
        for question, node in self.found.bounds:
            text = self._condition(question)
            if text:
                found.setdefault(text, Bound(text, node))
        return list(found.values())

    def _condition(self, question: Any) -> str:
        kind = type(question).__name__
        sign = {"Equality": "=", "LessThan": "≤", "GreaterThan": "≥", "StrictLessThan": "<", "StrictGreaterThan": ">"}
        if kind not in sign or len(question.args) != 2:
            return ""
        text = f" {sign[kind]} ".join(map(self._expression, question.args))
        return text if _UNKNOWN not in text else ""

    @property
    def signature(self) -> str:
        """What the trace takes: `ids: int64[batch, length]`, and below it what the code asks of these sizes."""
        inputs = [f"{value.name}: {self.text(value)}" for value in self.graph.inputs if value.role is Role.INPUT]
        return "\n".join([", ".join(inputs), *(f"  {bound}" for bound in self.bounds)])

    def _rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = []
        for value in self._tensors():
            node, type_ = value.node, value.type
            assert isinstance(type_, TensorType)
            seen = ", ".join(map(str, type_.shape))
            scope = node.scope.path if node is not None and node.scope is not None else ""
            rows.append((value.name, "input" if node is None else node.kind, scope, self.text(value), f"[{seen}]"))
        return rows

    def __str__(self) -> str:
        rows = self._rows()
        more = [f"… {len(rows) - _MOST_ROWS:,} more"] if len(rows) > _MOST_ROWS else []
        return "\n".join([columns_text([_HEAD, *rows[:_MOST_ROWS]]), *more])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        rows = self._rows()
        cells = [
            [
                Cell(name, code=True, selects=f"%{name}"),
                Cell(kind, code=True),
                module_cell(scope),
                *(Cell(text, code=True) for text in texts),
            ]
            for name, kind, scope, *texts in rows[:_MOST_ROWS]
        ]
        more = [line(f"… {len(rows) - _MOST_ROWS:,} more")] if len(rows) > _MOST_ROWS else []
        signature = [line(text) for text in self.signature.split("\n")]
        return block([*signature, table(f"the shapes of {counted(len(rows), 'value')}", _HEAD, cells), *more])


def shapes_of(
    program: Program,
    dims: Mapping[str, tuple[str | None, ...]] | None = None,
    found: Symbolic | None = None,
    breaks: Breaks | None = None,
) -> Shapes:
    """The shapes of a program: see `TracedFunction.shapes`.

    Args:
        program: What to run.
        dims: Names for the sizes of inputs.
        found: What such a run found before.
        breaks: When to rest, in a thread of its own.
    """
    graph = program.graph
    named = dict(dims or {})
    ranks = {value.name: value.shape for value in graph.user_inputs}
    for name, words in named.items():
        shape = ranks.get(name)
        if shape is None:
            raise InputError(f"dims names {name!r}, which is no tensor input: there are {', '.join(ranks)}")
        if len(words) != len(shape):
            raise InputError(f"dims has {counted(len(words), 'name')} for {name}, which has {len(shape)} dimensions")
    if found is None:
        found = run_symbolically(program, breaks)
    return Shapes(program, found, size_names(graph, found, named), named)
