"""What a check found: one record per fault, with the line that it comes from and an input that shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor

from tracelab.check.generate_inputs import Recipe
from tracelab.check.outputs import ErrorSize, copied
from tracelab.errors import TracelabError
from tracelab.graph.diagnostic import TraceWarning
from tracelab.graph.ir import Node
from tracelab.graph.source import Source
from tracelab.graph.structure import InputTree, rebuild

KINDS = (
    "different structure",
    "baked constant",
    "memoised state",
    "randomness",
    "numerical difference",
    "input mutation",
    "output structure",
    "trace raised",
    "python raised",
    "unfit inputs",
)
"""What a finding's `kind` can be."""


class CallInputs(NamedTuple):
    """The arguments of a call: `function(*inputs.args, **inputs.kwargs)`."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CheckInput:
    """An input that was tried: one that the caller gave, or a recipe for one that was proposed.

    Proposed inputs are made anew from the examples when asked for, so that a report stays small.
    """

    words: str
    """`check input 3`, `x negated`."""
    given: CallInputs | None = field(default=None, repr=False)
    recipe: Recipe | None = None
    examples: list[Tensor] | None = field(default=None, repr=False)
    tree: InputTree | None = field(default=None, repr=False)

    def lent(self) -> CallInputs:
        """Its tensors, for who does not write to them."""
        return self.given if self.given is not None else self.build()

    def build(self) -> CallInputs:
        """Its tensors, as copies."""
        if self.recipe is not None and self.examples is not None and self.tree is not None:
            made = iter(self.recipe.build(self.examples))
            items = [rebuild(tree, made) for tree in self.tree.trees]
            positional = len(items) - self.tree.keyword_only
            names = self.tree.names[positional:]
            return CallInputs(tuple(items[:positional]), dict(zip(names, items[positional:], strict=True)))
        if self.given is None:
            raise TracelabError(f"the tensors of {self.words} were not kept")
        return CallInputs(*copied((self.given.args, self.given.kwargs)))

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, or one thing worth knowing.

    `kind` is one of `tracelab.check.findings.KINDS`. `fault` is false for what did not change any result that was
    tried. `node` and `source` say where it comes from (None where that is not known), `error` how far the trace is
    off, `input` what shows it, `count` how many of the inputs that were tried do. `way_out` says what to do.
    """

    kind: str
    message: str
    node: Node | None = None
    source: Source | None = None
    error: ErrorSize | None = None
    input: CheckInput | None = None
    count: int = 1
    fault: bool = True
    way_out: str = ""
    place: TraceWarning | None = None
    """The place that the trace froze, where the fault comes from one."""

    def counterexample(self) -> CallInputs:
        """The inputs that show it; raises `TracelabError` where no input does, or where it was not kept.

        >>> args, kwargs = report.findings[0].counterexample()
        >>> traced(*args, **kwargs), function(*args, **kwargs)
        """
        if self.input is None:
            raise TracelabError(f"no one input shows this ({self.kind}): {self.message}")
        return self.input.build()

    @property
    def line(self) -> str:
        """`net.py:12`; empty where the line is not known."""
        return "" if self.source is None else f"{self.source.short_file}:{self.source.line}"

    def __str__(self) -> str:
        return f"{self.line}: {self.message}" if self.line else self.message


@dataclass(frozen=True, slots=True)
class FrozenPlace:
    """A place that the trace froze, and whether some input shows it wrong.

    `finding` is the fault that it causes, None where no counterexample was found in `tries` tries.
    """

    warning: TraceWarning
    finding: Finding | None
    tries: int

    @property
    def answer(self) -> str:
        """`wrong for x negated`, or `no counterexample in 32 tries`."""
        if self.finding is not None and self.finding.input is not None:
            return f"wrong for {self.finding.input}"
        return f"no counterexample in {self.tries} {'try' if self.tries == 1 else 'tries'}"

    def __str__(self) -> str:
        source = self.warning.source
        where = f"{source.short_file}:{source.line}: {source.text.strip()}" if source is not None else self.warning.kind
        return f"{where}  → {self.answer}"
