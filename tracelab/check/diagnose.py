"""Why a trace is wrong on some inputs: the line, the kind of difference, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tracelab.check.findings import CheckInput, Finding, FindingKind, Severity
from tracelab.check.isolation import isolated, written_state
from tracelab.check.outputs import ErrorSize
from tracelab.check.retrace import Differences, differences, other_places, retrace
from tracelab.check.trial import Outcome
from tracelab.comparison.values import compare_runs
from tracelab.execute.origin import Origin
from tracelab.execute.run.run import RunError
from tracelab.execute.run.start import run_traced
from tracelab.graph.aliasing import writer_of
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import CONSTRUCTS
from tracelab.graph.source import Source
from tracelab.graph.types import counted

GRAPHS_DIFFERED = "Graphs differed across invocations"
CONSTANTS_DIFFERED = "Tensor-valued Constant nodes differed in value across invocations"
_UNSEEN = frozenset({"list", "numpy", "pickle", "storage", "constant", "complex", "item"})
"""Places whose value is not written down, since it may be large."""
_BRANCHES = frozenset({"bool", "iter"})

SUGGESTIONS = {
    "bool": "choose with tensors (torch.where, torch.cond), or trace each branch by itself",
    "iter": "work on the whole tensor without a Python loop, or trace again for another length",
    "size": "give the size to torch as it is (x.shape[0], not int(x.shape[0])), or trace again for other sizes",
    "number": "keep it a tensor in place of a Python number, or trace again where it differs",
    "structure": "take the choice out of the traced part, or trace each case by itself",
    "state": "compute it anew in each call, or keep it in a buffer (register_buffer)",
    "random": "seed in the traced code, draw with torch, or pass the numbers in as an input",
    "constant": "compute it with torch from the inputs, or pass it as an input",
    "raised": "trace again on such an input, or keep to the sizes that were traced",
    "mutation": "return the changed tensor in place of writing into the input",
}


@dataclass(slots=True)
class Cause:
    """A finding, and how many places differed beside it on its input: the fewer, the surer."""

    finding: Finding
    others: int = 0


class Diagnoser:
    """Finds causes by recording the Python function again on the inputs where its trace was wrong."""

    def __init__(self, origin: Origin, traced: Any, method: str, graph: Graph) -> None:
        self.origin = origin
        self.traced = traced
        self.method = method
        self.graph = graph
        self.base = graph
        """What later recordings are compared with: without what changes on the same inputs already."""
        self.state: Finding | None = None
        self.mine: dict[Node, Node] = {}

    def on_the_same_inputs(self, tried: CheckInput) -> Finding | None:
        """What is different when nothing but the number of the call is: state that is kept from call to call."""
        args, kwargs = tried.build()
        again = retrace(self.origin, self.graph, args, kwargs)
        if again is None:
            return None
        found = differences(self.graph, again)
        if not found:
            return None
        self.base = again
        self.mine = {theirs: mine for mine, theirs in found.pairs}
        node, source, what = self.first(found)
        draws = [item.about for item in self.graph.assumptions if item.kind is AssumptionKind.RANDOM]
        why = (
            f"{draws[0].removeprefix('what ')} numbers that the trace keeps"
            if draws
            else ("the function keeps something from call to call")
        )
        self.state = Finding(
            FindingKind.SPECIALIZED_CONSTANT if draws else FindingKind.CACHED_STATE,
            f"{GRAPHS_DIFFERED}, on the same inputs: {what}; {why}",
            node,
            source,
            None,
            None,
            0,
            Severity.NOTE,
            SUGGESTIONS["random" if draws else "state"],
        )
        return self.state

    def is_state(self, finding: Finding) -> bool:
        """Whether a finding is what is different on the same inputs."""
        if finding.kind == FindingKind.CACHED_STATE:
            return True
        state = self.state
        return state is not None and finding.kind == state.kind and finding.suggestion == state.suggestion

    def causes(self, tried: CheckInput, outcome: Outcome) -> list[Cause]:
        """The findings behind one wrong outcome."""
        args, kwargs = tried.build()
        again = retrace(self.origin, self.graph, args, kwargs)
        error = next((row.error for row in (*outcome.mismatches, *outcome.written_otherwise) if row.error), None)
        if again is None:
            return [Cause(self.plain(tried, outcome, error, None))]
        found = differences(self.base, again)
        places = other_places(self.graph, again)
        if found and (found.tensors or not places):
            # Lists and arrays are not written down: the last one read before the first difference is what was read.
            users = (self.user_of(value) for value, _ in found.tensors)
            touched = [node for node in users if node is not None] or self.touched(found)
            first = min((self.position(node) for node in touched), default=len(self.graph.nodes))
            places += [(w, "") for w in self.graph.warnings if w.kind in _UNSEEN and w.position <= first][-1:]
        if places:
            return [
                Cause(self.specialized(place, now, found, tried, outcome, error), len(places) - 1)
                for place, now in places
            ]
        moving = self.state is not None and self.state.node is not None and self.first(found)[0] is self.state.node
        if found and not moving:
            return [Cause(self.structural(found, tried, outcome, error))]
        if self.state is not None:
            message = f"{self.state.message}; {outcome}"
            return [
                Cause(
                    replace(
                        self.state, message=message, difference=error, input=tried, count=1, severity=Severity.ERROR
                    )
                )
            ]
        return [Cause(self.plain(tried, outcome, error, again))]

    # Kinds of differences -------------------------------------------------------------------------------------------

    def specialized(
        self,
        place: TraceDiagnostic,
        now: str,
        found: Differences,
        tried: CheckInput,
        outcome: Outcome,
        error: ErrorSize | None,
    ) -> Finding:
        branch = place.kind in _BRANCHES
        words = CONSTANTS_DIFFERED if found.tensors and not branch else GRAPHS_DIFFERED
        read = _READ.get(place.kind, "the value read here")
        values = (
            f" was {_short(place.constant)} when traced and is {_short(now)}"
            if place.constant and now
            else " is another"
        )
        size = place.value is not None and not place.value.is_tensor
        way = "size" if size and not branch else place.kind if branch else "number"
        return Finding(
            FindingKind.DIFFERENT_STRUCTURE if branch else FindingKind.SPECIALIZED_CONSTANT,
            f"{words}: {read}{values} for {tried}; {outcome}",
            place.node_among(self.positions),
            place.source,
            error,
            tried,
            1,
            Severity.ERROR,
            SUGGESTIONS[way],
            place,
        )

    def structural(self, found: Differences, tried: CheckInput, outcome: Outcome, error: ErrorSize | None) -> Finding:
        node, source, what = self.first(found)
        baked = not found.removed and not found.added
        words = CONSTANTS_DIFFERED if baked and found.tensors and not found.arguments else GRAPHS_DIFFERED
        return Finding(
            FindingKind.SPECIALIZED_CONSTANT if baked else FindingKind.DIFFERENT_STRUCTURE,
            f"{words}: {what}, for {tried}; {outcome}",
            node,
            source,
            error,
            tried,
            1,
            Severity.ERROR,
            SUGGESTIONS["constant" if baked else "structure"],
        )

    def plain(self, tried: CheckInput, outcome: Outcome, error: ErrorSize | None, again: Graph | None) -> Finding:
        """What cannot be laid on a line by the graphs."""
        if outcome.trace_error:
            node = self.node_that_raises(tried)
            source = None if node is None else node.source
            return Finding(
                FindingKind.INVALID_INPUTS
                if outcome.trace_error.startswith("InputError")
                else FindingKind.REPLAY_ERROR,
                f"for {tried}, {outcome}",
                node,
                source,
                None,
                tried,
                1,
                Severity.ERROR,
                SUGGESTIONS["raised"],
            )
        if outcome.written_otherwise:
            return self.mutation(tried, outcome, error)
        row = outcome.mismatches[0]
        if row.output == 0:
            return Finding(
                FindingKind.OUTPUT_STRUCTURE,
                f"for {tried}, {row}",
                None,
                None,
                None,
                tried,
                1,
                Severity.ERROR,
                "return the same structure for all inputs, or trace each case by itself",
            )
        node = self.first_divergent(again, tried) or self.output_node(row.output)
        source = None if node is None else node.source
        return Finding(
            FindingKind.NUMERICAL_DIFFERENCE,
            f"{row}, for {tried}",
            node,
            source,
            error,
            tried,
            1,
            Severity.ERROR,
            "raise check_tolerance if the difference is that of rounding; tracelab.compare shows where it begins",
        )

    def mutation(self, tried: CheckInput, outcome: Outcome, error: ErrorSize | None) -> Finding:
        """An input that the trace leaves otherwise than Python does; other outputs follow from that."""
        place = outcome.written_otherwise[0].output - 1
        value = self.graph.user_inputs[place] if place >= 0 else None
        node = writer_of(self.graph, value) if value is not None else None
        what = f"input `{value.name}`" if value is not None else "objects among its arguments"
        more = f"; {outcome.mismatches[0]}" if outcome.mismatches else ""
        return Finding(
            FindingKind.INPUT_MUTATION,
            f"the trace leaves the {what} otherwise than the Python function does, for {tried}: "
            f"{outcome.written_otherwise[0].description}{more}",
            node,
            None if node is None else node.source,
            error,
            tried,
            1,
            Severity.ERROR,
            SUGGESTIONS["mutation"],
        )

    # Where it is -----------------------------------------------------------------------------------------------

    def first(self, found: Differences) -> tuple[Node | None, Source | None, str]:
        """The first node that is otherwise, its line, and what is different in words."""
        node = min(self.touched(found), key=self.position, default=None)
        for changed, change in found.arguments:
            if self.mine.get(changed, changed) is node:
                what = (
                    f"{change.descriptions[0]} became {change.descriptions[1]}"
                    if change.what == "operator"
                    else f"{change.label} of {changed.kind} is {_ways(change.descriptions)}"
                )
                return node, node.source if node else None, what
        for value, words in found.tensors:
            if self.user_of(value) is node:
                return node, node.source if node else None, f"the constant tensor {label(value)} is {words}"
        counts = [f"{counted(count, 'node')} {what}" for count, what in
                  ((found.removed, "fewer"), (found.added, "more")) if count]  # fmt: skip
        source = found.new_sources[0] if found.new_sources and (node is None or node.source is None) else None
        what = " and ".join(counts) + (f", from {node.kind} on" if node is not None else "")
        return node, node.source if node is not None else source, what

    def touched(self, found: Differences) -> list[Node]:
        """The nodes of the trace that a difference lies at."""
        nodes = [*found.nodes, *(node for node, _ in found.arguments)]
        nodes += [user for value, _ in found.tensors if (user := self.user_of(value)) is not None]
        return [self.mine.get(node, node) for node in nodes]

    def user_of(self, value: Value) -> Node | None:
        """The node that made it, or the first that reads it."""
        node = value.node or next((node for node in self.base.nodes if value in node.inputs), None)
        return None if node is None else self.mine.get(node, node)

    def position(self, node: Node) -> int:
        return self.positions.get(node, len(self.positions))

    @cached_property
    def positions(self) -> dict[Node, int]:
        return {node: place for place, node in enumerate(self.graph.nodes)}

    def output_node(self, number: int) -> Node | None:
        """The node that made an output, counted from 1."""
        values: list[Value] = []
        _tensors_of(self.graph.outputs, values)
        return values[number - 1].node if 0 < number <= len(values) else None

    def node_that_raises(self, tried: CheckInput) -> Node | None:
        """The node of the trace that cannot run on these inputs."""
        args, kwargs = tried.build()
        with isolated(self.origin.roots, written_state(self.graph)):
            try:
                run_traced(self.traced, args, kwargs, method=self.method)
            except RunError as error:
                return error.node
            except Exception:
                # Inputs that do not fit, or that the node-by-node run cannot take: no node is to cause.
                return None
        return None

    def first_divergent(self, again: Graph | None, tried: CheckInput) -> Node | None:
        """Where the values of two equal graphs part."""
        if again is None:
            return None
        args, kwargs = tried.build()
        with isolated(self.origin.roots, written_state(self.graph)):
            try:
                return compare_runs(self.traced, again, args, kwargs, method=self.method).first_divergent
            except Exception:
                return None


_READ = {
    "bool": "the condition",
    "iter": "the number of rounds",
    "int": "the number",
    "float": "the number",
    "number": "the number",
    "index": "the index",
    "list": "the list",
    "numpy": "the array",
    "pickle": "the bytes",
    "storage": "the storage",
}


def _short(number: str) -> str:
    """A float with six digits: no more of it is needed to see that it is another."""
    try:
        return number if number.lstrip("-").isdigit() else f"{float(number):.6g}"
    except ValueError:
        return number


def _ways(words: tuple[str, str]) -> str:
    return f"{words[0]} in the trace and {words[1]} now"


def label(value: Value) -> str:
    """A parameter's path, or a value's name."""
    return value.path or value.name


def _tensors_of(items: list[Value], found: list[Value]) -> None:
    """The tensors inside the structure that the graph returns."""
    for item in items:
        if item.node is not None and item.node.kind in CONSTRUCTS:
            _tensors_of([value for value in item.node.inputs if value.is_tensor or value.node is not None], found)
        elif item.is_tensor or item.role is not Role.COMPUTED:
            found.append(item)
