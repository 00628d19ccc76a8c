"""What a check found: one record per difference, with the line that it comes from and an input that shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from torch import Tensor

from tracelab.check.copied import copied_arguments
from tracelab.check.generate_inputs import Recipe
from tracelab.check.outputs import ErrorSize
from tracelab.errors import TracelabError
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.ir import Node
from tracelab.graph.source import Source, short_place
from tracelab.graph.structure import InputTree
from tracelab.graph.tree import rebuild_all


class FindingKind(StrEnum):
    """What a finding is about."""

    DIFFERENT_STRUCTURE = "different_structure"
    """The function runs other operators."""
    SPECIALIZED_CONSTANT = "specialized_constant"
    """A constant of the trace is another value."""
    CACHED_STATE = "cached_state"
    """The function keeps something from call to call."""
    NONDETERMINISM = "nondeterminism"
    """Outputs change from call to call."""
    NUMERICAL_DIFFERENCE = "numerical_difference"
    """An output has other values."""
    INPUT_MUTATION = "input_mutation"
    """An input is written to."""
    OUTPUT_STRUCTURE = "output_structure"
    """The outputs nest otherwise."""
    REPLAY_ERROR = "replay_error"
    """The trace raised where the function did not."""
    EAGER_ERROR = "eager_error"
    """The function itself raised."""
    INVALID_INPUTS = "invalid_inputs"
    """The inputs are not what the function or its trace takes."""


class Severity(StrEnum):
    """Whether a finding makes the trace wrong."""

    ERROR = "error"
    """The trace gave another result than the function."""
    NOTE = "note"
    """Worth knowing; no result that was tried is wrong."""


class CallInputs(NamedTuple):
    """The arguments of a call: `function(*inputs.args, **inputs.kwargs)`."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CheckInput:
    """An input that was tried: one that the caller gave, or a recipe for one that was generated.

    Generated inputs are made anew from the examples when asked for, so that a report stays small.
    """

    description: str
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
            items = rebuild_all(self.tree.trees, made)
            positional = len(items) - self.tree.keyword_only
            names = self.tree.names[positional:]
            return CallInputs(tuple(items[:positional]), dict(zip(names, items[positional:], strict=True)))
        if self.given is None:
            raise TracelabError(f"the tensors of {self.description} were not kept")
        return CallInputs(*copied_arguments(self.given.args, self.given.kwargs))

    def __str__(self) -> str:
        return self.description


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between the trace and its function, or one thing worth knowing.

    `severity` is `error` for what makes a result that was tried wrong. `node` and `source` say where it comes from
    (None where that is not known), `difference` how far the trace is off, `input` what shows it, `count` how many of
    the inputs that were tried do. `suggestion` says what to do.
    """

    kind: FindingKind
    message: str
    node: Node | None = None
    source: Source | None = None
    difference: ErrorSize | None = None
    input: CheckInput | None = None
    count: int = 1
    severity: Severity = Severity.ERROR
    suggestion: str = ""
    diagnostic: TraceDiagnostic | None = None
    """The specialization that it comes from, where it comes from one."""

    @property
    def is_error(self) -> bool:
        """Whether it makes a result wrong."""
        return self.severity is Severity.ERROR

    def counterexample(self) -> CallInputs:
        """The inputs that show it.

        Returns:
            The arguments: `function(*inputs.args, **inputs.kwargs)`.

        Raises:
            TracelabError: No input shows it, or it was not kept.
        """
        if self.input is None:
            raise TracelabError(f"no one input shows this ({self.kind}): {self.message}")
        return self.input.build()

    @property
    def line(self) -> str:
        """`net.py:12`; empty where the line is not known."""
        return short_place(self.source)

    def __str__(self) -> str:
        return f"{self.line}: {self.message}" if self.line else self.message


@dataclass(frozen=True, slots=True)
class AssumptionVerdict:
    """An assumption of the trace, and whether some input shows that it need not hold.

    `input` is one for which it did not, None where `tries` inputs found none; `differs` says whether the trace did
    something else than the function on it. Of a recording that leaves such calls to others (`on_violation="retrace"`),
    `left` is one that it left. `recording` is the label of the recording, where there are several.
    """

    assumption: Assumption
    input: CheckInput | None
    differs: bool
    tries: int
    left: CheckInput | None = None
    recording: str = ""

    @property
    def verdict(self) -> str:
        """`told at the call: wrong for x negated`, or `no counterexample in 32 tries`."""
        if self.input is None:
            if self.left is not None:
                return f"for another recording: {self.left}"
            if self.assumption.kind is AssumptionKind.ARGUMENT:
                return "not tried: the same in every input"
            return _none_in(self.tries, "try", "tries")
        if self.differs:
            return f"told at the call: wrong for {self.input}"
        return f"does not hold for {self.input}, where the result is the same"

    def __str__(self) -> str:
        return f"{self.assumption}  → {self.verdict}"


@dataclass(frozen=True, slots=True)
class Specialization:
    """A place on which the trace is specialized, and whether some input shows it wrong.

    `finding` is the difference that it causes, None where no counterexample was found in `examples` examples; `left`
    and `recording` are as in `AssumptionVerdict`.
    """

    diagnostic: TraceDiagnostic
    finding: Finding | None
    examples: int
    left: CheckInput | None = None
    recording: str = ""

    @property
    def verdict(self) -> str:
        """`wrong for x negated`, or `no counterexample in 32 examples`."""
        if self.finding is not None and self.finding.input is not None:
            return f"wrong for {self.finding.input}"
        if self.left is not None:
            return f"for another recording: {self.left}"
        return _none_in(self.examples, "example", "examples")

    @property
    def where(self) -> str:
        """The line, or the kind where there is none."""
        source = self.diagnostic.source
        if source is None:
            return self.diagnostic.kind
        return f"{short_place(source)}: {source.text.strip()}"

    def __str__(self) -> str:
        return f"{self.where}  → {self.verdict}"


def _none_in(tries: int, one: str, many: str) -> str:
    if tries == 0:
        return "not tried"
    return f"no counterexample in {tries:,} {one if tries == 1 else many}"
