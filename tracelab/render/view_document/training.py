"""A training loop as what it is: iterations, and in them the forward pass and the step of the optimizer.

The loop is found by what it calls: `backward`, and after it the step of an optimizer, which torch itself marks. Where
an iteration begins and ends, the lines of the code tell: a line further up than the step is the next iteration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tracelab.graph.intrinsics import AUTOGRAD_BACKWARD, BACKWARD, RECORD_FUNCTION, intrinsic_of
from tracelab.graph.ir import Node
from tracelab.graph.kinds import ENTER_CONTEXT, EXIT_CONTEXT, PYTHON_CALL
from tracelab.render.view_document.source_table import SourceTable

ITERATION = "iteration"
FORWARD = "forward"
GRADIENTS = "gradients"
"""What becomes of them between `backward` and the step: they are clipped, say."""
UPDATE = "update"
"""A step that is written out: `w -= lr * w.grad`."""
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
    return node.kind == PYTHON_CALL and intrinsic_of(node.target) in (BACKWARD, AUTOGRAD_BACKWARD)


def training_phases(nodes: Sequence[Node], places: SourceTable) -> list[Phase]:
    """The parts of the training loops among the nodes as they are shown.

    Where no optimizer makes a step, the loop writes it out, and calls `backward` again and again.
    """
    regions = list(_regions(nodes))
    steps = [region for region in regions if region.name == STEP]
    cores = list(_cores(nodes, steps))
    if not cores:
        return steps
    around = list(_around(nodes, places, cores, regions))
    return [*regions, *around] if steps or any(phase.name == ITERATION for phase in around) else []


def _regions(nodes: Sequence[Node]) -> Iterator[Phase]:
    """What an optimizer does between the marks that torch sets."""
    entered: list[tuple[int, str]] = []
    for place, node in enumerate(nodes):
        if node.kind == ENTER_CONTEXT:
            label = str(node.args[0]) if _is_record(node) and node.args else ""
            entered.append((place, label))
        elif node.kind == EXIT_CONTEXT and entered:
            first, label = entered.pop()
            mark, _, call = label.partition("#")
            name = _MARKS.get(f"{mark}#")
            if name is not None:
                # The end of a context has no place in the code.
                last = max((at for at in range(first, place + 1) if nodes[at].source is not None), default=place)
                yield Phase(name, first, last, call.partition(".")[0])


def _is_record(node: Node) -> bool:
    return node.kind == ENTER_CONTEXT and node.target is not None and intrinsic_of(node.target) is RECORD_FUNCTION


@dataclass(frozen=True, slots=True)
class _Core:
    """From the first `backward` to the end of the step of the optimizer that follows."""

    backward: int
    last_backward: int
    step: Phase


def _cores(nodes: Sequence[Node], steps: Sequence[Phase]) -> Iterator[_Core]:
    backwards = [place for place, node in enumerate(nodes) if is_backward(node)]
    if not steps:
        yield from (_Core(place, place, Phase("", place, place)) for place in backwards)
    after = 0
    for step in steps:
        found = [place for place in backwards if after <= place < step.first]
        if found:
            yield _Core(found[0], found[-1], step)
            after = step.last + 1


def _around(
    nodes: Sequence[Node], places: SourceTable, cores: Sequence[_Core], regions: Sequence[Phase]
) -> Iterator[Phase]:
    """The iterations, and the forward pass of each."""
    lines = _Lines(nodes, places)
    if any(lines.rows[core.step.first] < 0 for core in cores):
        # Read from a file that knows no code.
        return
    frame = lines.frame(cores[0].step.first)
    groups: list[list[_Core]] = [[cores[0]]]
    gaps: list[tuple[int, int]] = []
    """Between two iterations: the end of the step of the one, and the first node that is not its own any more."""
    for before, core in pairwise(cores):
        inside = range(before.step.last + 1, core.backward + 1)
        again = next((place for place in inside if lines.is_above(place, before.step.first)), None)
        if again is None:
            # Another optimizer of the same iteration.
            groups[-1].append(core)
        else:
            gaps.append((before.step.last, again))
            groups.append([core])
    first, last = cores[0].backward, cores[-1].step.last
    alone = not gaps
    # Lines that stand below the step in every iteration; other lines ran now and then, or between two loops.
    below = set.intersection(*(lines.of(range(end + 1, again), frame) for end, again in gaps)) if gaps else set()
    begins = [
        lines.reach(range(group[0].backward - 1, again - 1, -1), frame, None, group[0].backward)
        for (_, again), group in zip(gaps, groups[1:], strict=True)
    ]
    above = {
        line
        for begin, group in zip(begins, groups[1:], strict=True)
        for line in lines.of(range(begin, group[0].backward), frame)
    }
    begins.insert(0, lines.reach(range(first - 1, -1, -1), frame, None if alone else above, first))
    ends = [lines.reach(range(end + 1, again), frame, below, end) for end, again in gaps]
    ends.append(lines.reach(range(last + 1, len(nodes)), frame, below, last))
    zeroing = [region for region in regions if region.name == ZERO_GRAD]
    for start, end, group in zip(begins, ends, groups, strict=True):
        if not alone:
            yield Phase(ITERATION, start, end)
        for core in group:
            begin, stop = lines.without(zeroing, start, core.backward - 1)
            if begin <= stop:
                yield Phase(FORWARD, begin, stop)
            begin, stop = lines.without(zeroing, core.last_backward + 1, core.step.first - 1)
            if begin <= stop:
                yield Phase(GRADIENTS, begin, stop)
            start = core.step.last + 1
        if not group[-1].step.name and start <= end:
            yield Phase(UPDATE, start, end)


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

    def without(self, regions: Sequence[Phase], first: int, last: int) -> tuple[int, int]:
        """What is left of nodes in a row without regions at their beginning and at their end."""
        begins = {region.first: region.last for region in regions}
        ends = {region.last: region.first for region in regions}
        while first <= last and (first in begins or self.rows[first] < 0):
            first = begins.get(first, first) + 1
        while first <= last and (last in ends or self.rows[last] < 0):
            last = ends.get(last, last) - 1
        return first, last

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
