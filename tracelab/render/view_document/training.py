"""A training loop as what it is: iterations, and in them the forward pass and the step of the optimizer.

The loop is found by what it calls: `backward`, and after it the step of an optimizer, which torch itself marks. Where an
iteration begins and ends, the lines of the code tell: a line further up than the step is the next iteration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tracelab.graph.intrinsics import AUTOGRAD_BACKWARD, BACKWARD, RECORD_FUNCTION, intrinsic_of
from tracelab.graph.ir import Node
from tracelab.graph.kinds import CONTEXT, ENTER_CONTEXT
from tracelab.render.view_document.source_table import SourceTable

ITERATION = "iteration"
FORWARD = "forward"
STEP = "optimizer step"
ZERO_GRAD = "zero_grad"
_MARKS = {"Optimizer.step#": STEP, "Optimizer.zero_grad#": ZERO_GRAD}


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a training loop: nodes in a row, from the first to the last."""

    name: str
    first: int
    last: int
    class_name: str = ""
    """The optimizer's."""


def is_backward(node: Node) -> bool:
    """Whether it works out gradients: `loss.backward()`."""
    found = intrinsic_of(node.target) if node.target is not None else None
    return found is BACKWARD or found is AUTOGRAD_BACKWARD


def training_phases(nodes: Sequence[Node], places: SourceTable) -> list[Phase]:
    """The parts of the training loops among the nodes as they are shown; none where no optimizer makes a step."""
    regions = list(_regions(nodes))
    steps = [region for region in regions if region.name == STEP]
    cores = list(_cores(nodes, steps))
    if not cores:
        return steps if len(nodes) > 1 else []
    return [*regions, *_around(nodes, places, cores, regions)]


def _regions(nodes: Sequence[Node]) -> Iterator[Phase]:
    """What an optimizer does between the marks that torch sets."""
    entered: list[tuple[int, str]] = []
    for place, node in enumerate(nodes):
        traits = node.traits
        if traits.opens == CONTEXT:
            label = str(node.args[0]) if _is_record(node) and node.args else ""
            entered.append((place, label))
        elif traits.closes == CONTEXT and entered:
            first, label = entered.pop()
            mark, _, call = label.partition("#")
            name = _MARKS.get(f"{mark}#")
            if name is not None:
                yield Phase(name, first, place, call.partition(".")[0])


def _is_record(node: Node) -> bool:
    return node.kind == ENTER_CONTEXT and node.target is not None and intrinsic_of(node.target) is RECORD_FUNCTION


@dataclass(frozen=True, slots=True)
class _Core:
    """From the first `backward` to the end of the step of the optimizer that follows."""

    backward: int
    step: Phase


def _cores(nodes: Sequence[Node], steps: Sequence[Phase]) -> Iterator[_Core]:
    backwards = [place for place, node in enumerate(nodes) if is_backward(node)]
    after = 0
    for step in steps:
        found = [place for place in backwards if after <= place < step.first]
        if found:
            yield _Core(found[0], step)
            after = step.last + 1


def _around(
    nodes: Sequence[Node], places: SourceTable, cores: Sequence[_Core], regions: Sequence[Phase]
) -> Iterator[Phase]:
    """The iterations, and the forward pass of each."""
    lines = _Lines(nodes, places)
    frame = lines.frame(cores[0].step.first)
    groups: list[list[_Core]] = [[cores[0]]]
    begins: list[int] = []
    ends: list[int] = []
    below: set[int] = set()
    """Lines below the step that belong to an iteration, and those above it."""
    above: set[int] = set()
    for before, core in pairwise(cores):
        inside = range(before.step.last + 1, core.backward + 1)
        again = next((place for place in inside if lines.is_above(place, before.step.first)), None)
        if again is None:
            # Another optimizer of the same iteration.
            groups[-1].append(core)
            continue
        ends.append(again - 1)
        # What ran between two calls of the function that makes a step is in neither.
        begins.append(lines.reach(range(core.backward - 1, again - 1, -1), frame, None, core.backward))
        below.update(lines.of(range(before.step.last + 1, again), frame))
        above.update(lines.of(range(begins[-1], core.backward), frame))
        groups.append([core])
    first, last = cores[0], cores[-1]
    alone = len(groups) == 1
    begins.insert(0, lines.reach(range(first.backward - 1, -1, -1), frame, None if alone else above, first.backward))
    ends.append(lines.reach(range(last.step.last + 1, len(nodes)), frame, below, last.step.last))
    zeroing = [region for region in regions if region.name == ZERO_GRAD]
    for start, end, group in zip(begins, ends, groups, strict=True):
        if not alone:
            yield Phase(ITERATION, start, end)
        for core in group:
            for region in zeroing:
                if start <= region.first and region.last < core.backward:
                    start = region.last + 1
            if start < core.backward:
                yield Phase(FORWARD, start, core.backward - 1)
            start = core.step.last + 1


_Frame = tuple[int, str, int]
"""A call of a function: the frame that calls, the name of the function and its file."""


class _Lines:
    """Where nodes stand in the function that calls `backward`."""

    def __init__(self, nodes: Sequence[Node], places: SourceTable) -> None:
        self.nodes = nodes
        self.places = places
        self.rows = [places.index(node.source) for node in nodes]

    def frame(self, place: int) -> _Frame:
        """The call in which a node ran itself: the frame that called it, the function and its file."""
        row = self.rows[place]
        columns = self.places.columns
        return (columns["caller"][row], self.places.functions[row] or "", columns["file"][row])

    def line(self, place: int, frame: _Frame) -> int | None:
        """The line of that function from which a node came; None where it came from elsewhere."""
        columns = self.places.columns
        row = self.rows[place]
        while row >= 0:
            if (columns["caller"][row], self.places.functions[row] or "", columns["file"][row]) == frame:
                return int(columns["line"][row])
            row = columns["caller"][row]
        return None

    def is_above(self, place: int, step: int) -> bool:
        """Whether a node stands further up than a step, or outside of the function that makes it."""
        if self.rows[place] < 0 or self.rows[step] < 0:
            return False
        frame = self.frame(step)
        line, at = self.line(place, frame), self.line(step, frame)
        return line is None or at is None or line < at

    def of(self, places: range, frame: _Frame) -> set[int]:
        """The lines of a function from which nodes came."""
        found = {self.line(place, frame) for place in places}
        return {line for line in found if line is not None}

    def reach(self, places: range, frame: _Frame, known: set[int] | None, start: int) -> int:
        """How far the nodes go that come from a function; of its lines, from those that are known."""
        reached = start
        for place in places:
            if self.rows[place] < 0:
                continue
            line = self.line(place, frame)
            if line is None or (known is not None and line not in known):
                break
            reached = place
        return reached
