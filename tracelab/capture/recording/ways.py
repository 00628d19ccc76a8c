"""In a cell: a value that became Python's is told where it comes back, and not at all where it does not."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import FrameType
from typing import Any

from tracelab.capture.analysis.libraries import is_library
from tracelab.capture.analysis.syntax import expression_at
from tracelab.capture.messages import BRANCH_BEHIND, COMES_BACK
from tracelab.capture.recording.state import RecordingState
from tracelab.capture.recording.taken_out import note_number_taken_out
from tracelab.capture.values import SYMBOLIC
from tracelab.capture.ways_back.questions import Ways, span_of, takers_of, ways_back
from tracelab.capture.ways_back.reader import WayBack
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.ir import Value
from tracelab.graph.source import Source, short_place


def freezes_nothing(recorder: RecordingState, frame: FrameType | None, later: Callable[[], None] | None = None) -> bool:
    """Whether a value that becomes Python's at a frame comes back nowhere, as far as its source tells.

    `later` notes what it was, once an operator is called where the value goes through.
    """
    ways = None if frame is None else _ways(recorder, frame)
    if ways is None or ways.found:
        return False
    if later is not None:
        ways.later.append(later)
    return True


def taken_plain(recorder: RecordingState, number: Any, frame: FrameType) -> Any:
    """The number itself, which the trace then assumes, where its source tells that it goes to code that needs that."""
    return taken_apart(recorder, [number], frame)[0]


def taken_apart(recorder: RecordingState, numbers: list[Any], frame: FrameType) -> list[Any]:
    """The same of the parts of a tuple, each of which may go to other code."""
    source = recorder.source(frame)
    if source is None or not recorder.in_code:
        return numbers
    takers = recorder.plain_places.get(source)
    if takers is None:
        takers = recorder.plain_places[source] = takers_of(frame, recorder.boundary, len(numbers))
    return [
        _plain(recorder, number, frame, taker.builds)
        if type(number) in SYMBOLIC and (recorder.plain_items or taker.plain)
        else number
        for number, taker in zip(numbers, takers, strict=False)
    ]


def _plain(recorder: RecordingState, number: Any, frame: FrameType, builds: bool) -> Any:
    node = number.node
    if recorder.graph.cell and node.from_tensor:
        note_number_taken_out(recorder, node.number, node.value, recorder.source(frame))
    if recorder.graph.cell and (node.from_tensor or not builds):
        return node.plain(frame)
    # What a module is made for is no matter of a warning.
    if node.from_tensor or not recorder.static_sizes.holds(node.value):
        recorder.assume(AssumptionKind.NUMBER, type(node.number).__name__, node.value, node.number, frame)
    return node.number


def told_where_it_comes_back(recorder: RecordingState, shown: object, value: Value | None, frame: FrameType) -> bool:
    """Tell of a value that became Python's where it comes back; False where the conversion itself is to be told."""
    ways = _ways(recorder, frame)
    if ways is None:
        return False
    place = short_place(recorder.source(frame))
    for way in ways.found:
        message = (BRANCH_BEHIND if way.branches else COMES_BACK).format(place)
        recorder.warn("bool" if way.branches else "constant", message, shown, value, at=way.source)
    return True


def is_compared_inside(frame: FrameType | None, boundary: object) -> bool:
    """Whether numbers are compared for a result that is kept: in a call, as of `sorted(losses)`, or `hit = k == 3`."""
    while frame is not None and is_library(frame.f_code) and frame.f_code is not boundary:
        frame = frame.f_back
    found = None if frame is None else expression_at(frame)
    if found is None:
        return False
    parents, item = found
    if isinstance(item, ast.Call):
        return True
    outer = parents.get(item)
    while isinstance(outer, (ast.BoolOp, ast.Compare, ast.UnaryOp)):
        item, outer = outer, parents.get(outer)
    tests = isinstance(outer, (ast.If, ast.While, ast.IfExp)) and outer.test is item
    if tests or isinstance(outer, (ast.Assert, ast.match_case)):
        return False
    return isinstance(item, (ast.BoolOp, ast.Compare, ast.UnaryOp)) or isinstance(outer, ast.comprehension)


def _ways(recorder: RecordingState, frame: FrameType) -> Ways | None:
    if not recorder.graph.cell or not recorder.in_code:
        return None
    source = recorder.source(frame)
    if source is None:
        return None
    if source not in recorder.ways:
        found = recorder.ways[source] = ways_back(frame, recorder.boundary)
        for span in () if found is None else found.passed:
            recorder.watched.setdefault(span, []).append((source, found))
    known: Ways | None = recorder.ways[source]
    return known


def note_return(recorder: RecordingState, source: Source) -> None:
    """An operator is called at a place: values that go through it have come back."""
    for origin, ways in recorder.watched.pop((source.file, *span_of(source)), ()):
        # Nothing became Python's yet, where nothing waits.
        ways.found.append(WayBack(source, False))
        if ways.later:
            recorder.warn("constant", COMES_BACK.format(short_place(origin)), "", None, at=source)
        for note in ways.later:
            note()
        ways.later.clear()


RecordingState.note_return = staticmethod(note_return)
