"""`Run`: one run of a graph, node by node, with what was seen on the way."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor

from tracelab.errors import TracelabError
from tracelab.execute.measure.flops import flop_counter
from tracelab.execute.run.cancel import CancelToken, stoppable
from tracelab.execute.run.failures import NodeError
from tracelab.execute.run.gradients import Gradients
from tracelab.execute.run.lookup import Key, find_node, find_values, module_start, names_of, place
from tracelab.execute.run.node_record import NodeRecord
from tracelab.execute.run.options import Recorded, ending, live_before, recorded_values, replacements
from tracelab.execute.run.placement import Placed
from tracelab.execute.run.program import Program
from tracelab.execute.run.run_frame import run_frame
from tracelab.execute.run.run_html import run_html
from tracelab.execute.run.run_plots import (
    known_plot,
    memory_rows,
    plot_memory,
    plot_statistics,
    plot_time,
    weight_bytes,
)
from tracelab.execute.run.stepper import Plan, Progress, Progressed, Replacement, replaced, run_steps, snapshot
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.types import bytes_text, counted


class Run:
    """One run of a graph, whole or in part.

    `outputs` is what the traced function returns once all of it ran; of a run that stopped before, what the last
    finished node made. `run[value]` gives a recorded value; `records` has a `NodeRecord` per node that ran, in order;
    `cancelled` says whether it was stopped, `failed` is the node that raised.
    """

    def __init__(
        self,
        where: Placed,
        inputs: list[Tensor],
        plan: Plan,
        gradients: bool = False,
        start: int = 0,
        before: Run | None = None,
    ) -> None:
        self.program: Program = where.program
        self.device = where.device
        self.cancelled = False
        self.failed: Node | None = None
        self.records: list[NodeRecord] = []
        self._where = where
        self._inputs = inputs
        self._recorded: dict[Value, Any] = {}
        self._at: Progressed | None = None
        self._position = 0
        self._fixed = False
        self._result: Any = None
        self._last: Any = None
        self._plan = plan
        self._gradients = gradients
        self._backward: Gradients | None = None
        self._begin(start, before)

    @property
    def graph(self) -> Graph:
        """The graph that ran."""
        return self.program.graph

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors that it ran on, in the order of the graph's inputs."""
        return list(self._inputs)

    @property
    def finished(self) -> bool:
        """Whether the last node ran."""
        return self._position >= len(self.graph.nodes)

    @property
    def outputs(self) -> Any:
        """What the traced function returns; of a run that stopped before its end, what its last node made."""
        return self._result if self.finished else self._last

    @property
    def position(self) -> int:
        """How many of the graph's nodes are done."""
        return self._position

    @property
    def stopped_at(self) -> Node | None:
        """The first node that did not run; None for a finished run."""
        return None if self.finished else self.graph.nodes[self._position]

    def __getitem__(self, key: Key) -> Any:
        """A recorded value, named by itself, its node, its debug name or a module path; several as a tuple."""
        values = find_values(self.graph, key)
        missing = [value for value in values if value not in self._recorded and not self._still_there(value)]
        if missing:
            raise TracelabError(self._why_missing(missing[0]))
        found = tuple(self._recorded[value] if value in self._recorded else self._held(value) for value in values)
        return found[0] if len(found) == 1 else found

    def __contains__(self, key: object) -> bool:
        try:
            values = find_values(self.graph, key)  # type: ignore[arg-type]
        except TracelabError:
            return False
        return all(value in self._recorded or self._still_there(value) for value in values)

    def __iter__(self) -> Iterator[NodeRecord]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def recorded(self) -> dict[Value, Any]:
        """The values that were recorded, in the order in which they were made."""
        return dict(self._recorded)

    def pop(self, value: Value) -> Any:
        """Hand out a recorded value and keep it no longer."""
        return self._recorded.pop(value)

    def node_record(self, key: Key) -> NodeRecord:
        """The record of a node, named as in `run[...]`; `TracelabError` where it did not run."""
        index = find_node(self.graph, key)
        for record in self.records:
            if record.index == index:
                return record
        raise TracelabError(f"{place(self.graph.nodes[index])} did not run")

    @property
    def first_nonfinite(self) -> Node | None:
        """The first node that made a NaN or an infinity; None where there is none."""
        return next((record.node for record in self.records if record.nonfinite), None)

    @property
    def first_nan(self) -> Node | None:
        """The first node that made a NaN: masks of minus infinity are often meant."""
        return next((record.node for record in self.records if record.nonfinite == "nan"), None)

    @property
    def seconds(self) -> float | None:
        """The sum over nodes, in seconds; None for a run without data."""
        found = [record.seconds for record in self.records]
        return None if None in found else sum(seconds or 0.0 for seconds in found)

    @property
    def peak_memory(self) -> int:
        """The most bytes that were held at once, parameters and inputs included."""
        return max((record.peak or 0 for record in self.records), default=0)

    @property
    def flops(self) -> int | None:
        """Floating-point operations of all nodes; None unless asked for."""
        found = [record.flops for record in self.records]
        return None if None in found or not found else sum(count or 0 for count in found)

    def resume(
        self,
        *,
        start: Key | None = None,
        until: Key | None = None,
        replace: Mapping[Key, Replacement] | None = None,
        record: Recorded | None = None,
        progress: Progress | None = None,
        cancel: CancelToken | Callable[[], bool] | None = None,
    ) -> Run:
        """A run that goes on where this one stopped, or again from a node, with the values that this one has.

        This run stays as it is. Options that are not given are those of this run.

        Args:
            start: The node to begin at; by default where this run stopped, and after a finished run at the first node
                that uses a replaced value.
            until: Stop after this node.
            replace: Tensors, numbers or functions that flow on in place of values.
            record: Values to keep.
            progress: Called with the `NodeRecord` of each node that finished.
            cancel: A `threading.Event`, or a function, that stops the run.

        Returns:
            The new run.

        Raises:
            TracelabError: A value that it needs from before was not recorded.

        >>> traced = tracelab.trace(lambda x: x.sin().exp(), torch.ones(2))
        >>> before = traced.run(torch.ones(2), until="sin")
        >>> before.resume(replace={"sin": 0.0}).outputs
        tensor([1., 1.])
        """
        graph = self.graph
        changes = replacements(graph, replace)
        first = self._resume_start(start, changes)
        stop, last = ending(graph, until)
        if first >= stop:
            raise TracelabError("there is nothing left to run")
        plan = self._plan
        again = Plan(
            plan.device,
            plan.has_data,
            (plan.record if record is None else recorded_values(graph, record)) | last,
            changes,
            plan.statistics,
            plan.check_finite,
            flop_counter() if plan.flops is not None else None,
            progress,
            cancel,
        )
        run = Run(self._where, self._inputs, again, self._gradients, first, self)
        run.advance(stop)
        return run

    def backward(self, gradient: Tensor | None = None) -> Gradients:
        """The gradient of every value that takes part in the outputs: its norm, statistics and histogram.

        No `.grad` of the module changes.

        Args:
            gradient: The gradient of the output; ones by default, which differentiates the sum of the outputs.

        Returns:
            The gradients, by value.

        Raises:
            TracelabError: The run was not made with `gradients=True`, or not to its end.

        >>> traced = tracelab.trace(lambda x: x * 3, torch.ones(2))
        >>> gradients = traced.run(torch.ones(2), gradients=True).backward()
        >>> round(gradients["x"].norm, 3)
        4.243
        """
        if self._backward is None:
            raise TracelabError("this run kept nothing for gradients: run it with gradients=True")
        if not self.finished:
            raise TracelabError("the run stopped before its end: resume it before backward()")
        return self._backward.compute(self._result, gradient)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": run_html(self)}

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with a row per node that ran: its value, operator, module, line, seconds and memory.

        Returns:
            The data frame; `seconds` is None on the meta device, `peak` is in bytes, `nonfinite` is `nan`, `inf` or
            empty; `weights` are the bytes of `allocated` that belong to what was traced. Where statistics were asked
            for, those of the node's first tensor follow; after `backward()`, the norm of its gradient.

        Raises:
            TracelabError: pandas is not installed.

        >>> run = tracelab.trace(torch.exp, torch.zeros(2)).run(torch.zeros(2))
        >>> run.to_pandas()[["value", "operator", "module"]]
          value   operator module
        0   exp  aten::exp
        """
        return run_frame(memory_rows(self.records, self._weights), self.records, self._backward)

    @property
    def _weights(self) -> int:
        return weight_bytes([tensor for tensor in self.program.state.values() if tensor.device == self.device])

    def plot(self, kind: str = "memory") -> Any:
        """A plot of the run, on matplotlib.

        Args:
            kind: `"memory"`: weights, activations and what is freed at each node, over the nodes; the peak with its
                line. `"time"`: time by module. `"statistics"`: mean, spread and zeros of what each node made, of a
                run with `statistics=True`, and the norm of its gradient after `backward()`.

        Returns:
            A `matplotlib.figure.Figure`, of which `pyplot` knows nothing; a notebook shows it.

        Raises:
            InputError: There is no such plot.
            TracelabError: matplotlib is not installed, or the run did not keep what the plot shows.

        >>> run = tracelab.trace(torch.exp, torch.zeros(2)).run(torch.zeros(2))
        >>> run.plot("memory").axes[0].get_title()
        'exp: memory'
        """
        known_plot(kind, ("memory", "time", "statistics"))
        name = self.program.name
        if kind == "memory":
            return plot_memory(name, self.records, self._weights)
        if kind == "time":
            return plot_time(name, self.records)
        return plot_statistics(name, self.records, self._backward, self._plan.has_data)

    def __repr__(self) -> str:
        return f"Run({self.program.name}, {counted(len(self.records), 'node')} on {self.device}, {self._state})"

    @property
    def _state(self) -> str:
        if self.finished:
            return "finished"
        return "cancelled" if self.cancelled else "failed" if self.failed is not None else "stopped"

    def __str__(self) -> str:
        """A few lines: how far it came, its time and memory, and the first NaN or infinity."""
        seconds = self.seconds
        parts = [f"{counted(len(self.records), 'node')} on {self.device}"]
        if seconds is not None:
            parts.append(f"{seconds * 1e3:.1f} ms")
        parts.append(f"{bytes_text(self.peak_memory)} at most")
        if self.flops is not None:
            parts.append(f"{self.flops / 1e9:.2f} GFLOP")
        lines = [f"{self.program.name}: {', '.join(parts)}"]
        if not self.finished:
            where = "at" if self.failed is not None else "before"
            lines.append(f"{self._state} {where} {place(self.graph.nodes[self._position])}")
        for kind in ("nan", "inf"):
            first = next((record.node for record in self.records if record.nonfinite == kind), None)
            if first is not None:
                lines.append(f"first {'NaN' if kind == 'nan' else 'infinity'}: {place(first)}")
        return "\n".join(lines)

    # How it runs -----------------------------------------------------------------------------------------

    def _begin(self, start: int, before: Run | None = None) -> None:
        """Lay out what is known at node `start`: state and inputs, and the values of `before` or of `replace`."""
        graph, code, plan = self.graph, self.program.code, self._plan
        if self._gradients:
            self._backward = before._backward if before is not None else Gradients(graph)
            plan.on_made = self._backward.note if self._backward is not None else None
        values: list[Any] = [None] * len(code.slots)
        known: set[Value] = set()
        if before is None or before._at is None or start != before._position:
            for value, tensor in self._where.at_start(None if self._backward is None else self._backward.leaves):
                values[code.slots[value]] = tensor
                known.add(value)
        # From the first node on all is known: inputs and state.
        needed = live_before(graph, start) if start or before is not None else []
        if before is not None:
            known |= self._take_over(before, start, needed, values)
        for value, by in plan.replace.items():
            slot = code.slots[value]
            maker = value.node
            if maker is None or self._index(maker) < start:
                if value in known:
                    values[slot] = replaced(value, values[slot], by, None)
                elif isinstance(by, Tensor):
                    values[slot] = by.to(self.device)
                else:
                    raise TracelabError(
                        f"%{value.name} is not known at {place(graph.nodes[start])}: replace it by a whole tensor"
                    )
                known.add(value)
        missing = [value for value in needed if value not in known]
        if missing:
            raise TracelabError(
                f"to run from {place(graph.nodes[start])} these values are needed, and were not recorded: "
                f"{names_of(missing)}; give them by replace=, or run up to there first and resume that run"
            )
        live = set(needed)
        for value, slot in code.slots.items():
            maker = value.node
            if start and value not in live and (maker is None or self._index(maker) < start):
                values[slot] = None
        self._at = Progressed(values, start, self._recorded, self.records)
        self._position = start
        self._fixed = False
        if before is not None:
            self._recorded.update(
                {value: item for value, item in before._recorded.items() if self._made_before(value, start)}
            )
            self._recorded.update(
                {
                    value: by
                    for value, by in ((v, values[code.slots[v]]) for v in plan.replace)
                    if value in self._recorded
                }
            )
        for value in plan.record:
            if (
                value in known
                and (value.node is None or self._made_before(value, start))
                and value not in self._recorded
            ):
                item = values[code.slots[value]]
                self._recorded[value] = snapshot(item) if code.memory.written(value, start) else item

    def _take_over(self, before: Run, start: int, needed: list[Value], values: list[Any]) -> set[Value]:
        """Values of an earlier run that still hold what they held before node `start`."""
        code, known = self.program.code, set()
        total = len(self.graph.nodes)
        if before._at is not None and start == before._position:
            if before._fixed:
                raise TracelabError(
                    "this run was resumed once already, and its gradients can flow only once: run it again"
                )
            written = [value for value in needed if code.memory.written(value, start, total)]
            memo: dict[int, Any] = {}
            for value in needed:
                item = before._at.values[code.slots[value]]
                if value in written:
                    if self._gradients:
                        before._fixed = True
                    else:
                        item = copy.deepcopy(item, memo)
                values[code.slots[value]] = item
                known.add(value)
            return known
        for value in needed:
            if value in before._recorded and value.node is not None:
                if code.memory.written(value, self._index(value.node) + 1, total):
                    raise TracelabError(
                        f"%{value.name} is written to in place, so that what was recorded cannot be gone on from: run "
                        f"up to {place(self.graph.nodes[start - 1])} and resume that run"
                    )
                values[code.slots[value]] = before._recorded[value]
                known.add(value)
        return known

    def advance(self, stop: int) -> None:
        """Run the nodes before `stop` that have not run, in this run itself; `RunError` where one raises."""
        at, plan = self._at, self._plan
        if at is None:
            return
        try:
            with stoppable(plan.cancel) as stopping, self._where.modes(self._gradients):
                self.cancelled = not run_steps(self.program, plan, at, stop, stopping)
        except NodeError as error:
            self.failed = error.node
            raise RunError(str(error), error.node, self, error.asked) from error.__cause__
        finally:
            self._position = at.position
            self._settle(at)

    def _settle(self, at: Progressed) -> None:
        """Keep what the run gives, and let go of the rest."""
        if self.finished:
            self._result = self.program.code.outputs(at.values)
            self._at = None
        elif self.records:
            slots = self.program.code.slots
            held = (
                self._recorded[value] if value in self._recorded else at.values[slots[value]]
                for value in self.records[-1].node.outputs
            )
            made = tuple(held)
            self._last = made[0] if len(made) == 1 else made or None

    # Values ----------------------------------------------------------------------------------------------

    def _index(self, node: Node) -> int:
        return self.program.code.positions[node]

    def _made_before(self, value: Value, index: int) -> bool:
        return value.node is not None and self._index(value.node) < index

    def _held(self, value: Value) -> Any:
        slots = self.program.code.slots
        if self.finished:
            outputs = self.graph.outputs
            return self._result if len(outputs) == 1 else self._result[outputs.index(value)]
        if self.records and value in (made := self.records[-1].node.outputs):
            return self._last if len(made) == 1 else self._last[made.index(value)]
        assert self._at is not None
        return self._at.values[slots[value]]

    def _still_there(self, value: Value) -> bool:
        if self.finished:
            return value in self.graph.outputs and value in self.program.code.slots
        if self.records and value in self.records[-1].node.outputs:
            return True
        slot = self.program.code.slots.get(value)
        return self._at is not None and slot is not None and self._at.values[slot] is not None

    def _why_missing(self, value: Value) -> str:
        maker = value.node
        if maker is not None and self._index(maker) >= self._position:
            return f"%{value.name} was not made: the run stopped before {place(maker)}"
        return f"%{value.name} was not recorded: name it in record=[{value.name!r}]"

    def _resume_start(self, start: Key | None, changes: Mapping[Value, Replacement]) -> int:
        if start is not None:
            return module_start(self.graph, start)
        if not self.finished:
            return self._position
        if not changes:
            raise TracelabError("the run is finished: say from where to run again (start=), or what to replace")
        uses = (index for index, node in enumerate(self.graph.nodes) if any(v in changes for v in node.inputs))
        first = next(uses, None)
        if first is None:
            raise TracelabError(f"no node uses {names_of(changes)}: there is nothing to run again")
        return first


class RunError(NodeError):
    """A node of a run raised; `run` holds everything that ran before it, in this process alone."""

    def __init__(self, message: str, node: Node, run: Run | None, asked: int | None = None) -> None:
        super().__init__(message, node, asked)
        self.run = run

    def __reduce__(self) -> Any:
        return type(self), (str(self), self.node, None, self.asked)
