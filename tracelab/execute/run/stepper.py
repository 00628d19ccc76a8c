"""The loop that runs a graph node by node.

What the listener of a run gets: `progress(record)` is called in the thread of the run, once after each node that
ran and in the order of `graph.nodes`, with that node's `NodeRecord`. `record.index` is the node's place in
`graph.nodes` (constants do not run and are left out), `record.seconds`, `record.allocated`, `record.peak` and
`record.statistics` are there by then. On a GPU reading seconds or statistics waits for the GPU, so a listener that
only collects records and reads them every 100 ms or so keeps the run fast. A listener that raises ends the run with
its error. To stop a run from another thread set the `threading.Event` given as `cancel`; the node that runs is
finished first, and `traced.run` returns a `Run` with `cancelled` true and everything that was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tracelab.errors import InputError, TracelabError
from tracelab.execute.codegen.regions import Regions
from tracelab.execute.measure.finite import nonfinite
from tracelab.execute.measure.memory import Memory, bytes_of, memory_for, tensors_in
from tracelab.execute.measure.statistics import read_statistics
from tracelab.execute.measure.timing import clock_for
from tracelab.execute.run.cancel import CancelToken
from tracelab.execute.run.failures import NodeError, explain
from tracelab.execute.run.lookup import place
from tracelab.execute.run.node_record import NodeRecord
from tracelab.execute.run.program import Program
from tracelab.graph.aliasing import is_view
from tracelab.graph.ir import Node, Value
from tracelab.graph.types import tensor_type
from tracelab.graph.user_frames import user_frames

if TYPE_CHECKING:
    from torch.utils.flop_counter import FlopCounterMode

Progress = Callable[[NodeRecord], None]
"""Called after each node: see the top of this file."""

Replacement = Tensor | float | Callable[[Tensor], Tensor]
"""What flows on in place of a value: a tensor of its shape, a number that fills it, or a function of it."""


@dataclass(slots=True)
class Plan:
    """What a run is to record and to change; the same plan serves a run and what resumes it."""

    device: torch.device
    """Where most of it runs: its clock and its memory are read."""
    has_data: bool = True
    """False on `meta` and for fake tensors: nothing takes time there."""
    record: frozenset[Value] = frozenset()
    replace: Mapping[Value, Replacement] = field(default_factory=dict)
    statistics: bool = False
    check_finite: bool = True
    flops: FlopCounterMode | None = None
    progress: Progress | None = None
    cancel: CancelToken | Callable[[], bool] | None = None
    on_made: Callable[[Value, Tensor], None] | None = None
    """Called with each tensor that a node made, in the run's own gradient mode."""


@dataclass(slots=True)
class Progressed:
    """What is at hand while nodes run; `position` is the first node that has not run."""

    values: list[Any]
    position: int
    recorded: dict[Value, Any]
    records: list[NodeRecord]
    memory: Memory | None = None


def run_steps(program: Program, plan: Plan, at: Progressed, stop: int, stopping: Callable[[], bool]) -> bool:
    """Run nodes from `at.position` up to, not including, `stop`; whether it got there.

    Raises `NodeError` for a node that raised; `at` then holds what was made before it.
    """
    nodes, values = program.graph.nodes, at.values
    steps, frees, slots = program.code.functions(program.devices), program.code.frees, program.code.slots
    start_clock = clock_for(plan.device, plan.has_data)
    memory = at.memory = at.memory or _account(program, plan, values)
    observer = _Observer(program, plan, memory, at)
    statistics, finite, flops, progress, on_made = (
        plan.statistics,
        plan.check_finite,
        plan.flops,
        plan.progress,
        plan.on_made,
    )
    touched = plan.record or plan.replace
    regions = Regions()
    try:
        for index in program.code.regions:
            if index < at.position:
                # The gradient mode and autocast that hold here.
                steps[index](values, regions)  # type: ignore[misc]
        for index in range(at.position, stop):
            step = steps[index]
            if step is None:
                at.position = index + 1
                continue
            if stopping():
                return False
            node = nodes[index]
            memory.start()
            try:
                clock = start_clock()
                if flops is None:
                    step(values, regions)
                else:
                    with flops:
                        step(values, regions)
                measured = clock()
            except Exception as error:
                error.__traceback__ = user_frames(error.__traceback__)
                raise explain(error, node, plan.device, memory.now(), partial(_type_now, values, slots)) from error
            record = NodeRecord(index, node, measured=measured)
            if touched:
                observer.replace(index, node)
            outputs = node.outputs
            for value in outputs:
                slot = slots[value]
                memory.hold(slot, values[slot])
            record.peak = memory.peak()
            if finite:
                record.check = nonfinite(observer.fresh(node))
            if statistics:
                record.readings = observer.statistics(node)
            if flops is not None:
                observer.count(record, flops)
            if on_made is not None:
                for value in outputs:
                    item = values[slots[value]]
                    if isinstance(item, Tensor):
                        on_made(value, item)
            if touched:
                observer.keep(index, outputs)
            for slot in frees[index]:
                memory.release(slot)
                values[slot] = None
            record.allocated = memory.now()
            at.records.append(record)
            at.position = index + 1
            if progress is not None:
                progress(record)
    finally:
        regions.close()
    at.position = stop
    return True


def _account(program: Program, plan: Plan, values: list[Any]) -> Memory:
    """What is held before the first node; the state of what was traced is held to the end, whoever used it last."""
    memory = memory_for(plan.device, plan.has_data)
    for slot, item in enumerate(values):
        if item is not None:
            memory.hold(slot, item)
    for number, tensor in enumerate(program.state.values()):
        if tensor.device == plan.device:
            # Keys behind those of slots and of recorded values.
            memory.hold(-1 - len(values) - number, tensor)
    return memory


class _Observer:
    """What is looked at after a node, when somebody asked for it."""

    __slots__ = ("at", "memory", "plan", "program", "slots", "values")

    def __init__(self, program: Program, plan: Plan, memory: Memory, at: Progressed) -> None:
        self.program = program
        self.plan = plan
        self.memory = memory
        self.at = at
        self.values = at.values
        self.slots = program.code.slots

    def fresh(self, node: Node) -> Iterable[Tensor]:
        """The tensors that the node wrote: a view shows nothing that was not checked before."""
        if node.schema is None or not is_view(node.target):
            for value in node.outputs:
                item = self.values[self.slots[value]]
                if isinstance(item, Tensor):
                    yield item

    def statistics(self, node: Node) -> dict[Value, Any]:
        found = {}
        for value in node.outputs:
            item = self.values[self.slots[value]]
            if isinstance(item, Tensor):
                reading = read_statistics(item)
                if reading is not None:
                    found[value] = reading
        return found

    def count(self, record: NodeRecord, flops: FlopCounterMode) -> None:
        node = record.node
        record.flops = flops.get_total_flops()
        flops.flop_counts.clear()
        outputs = [self.values[self.slots[value]] for value in node.outputs]
        if node.schema is not None and is_view(node.target):
            record.bytes = 0
            return
        inputs = {value: self.values[self.slots[value]] for value in node.inputs if value in self.slots}
        moved = [*tensors_in(list(inputs.values())), *tensors_in(outputs)]
        record.bytes = sum(bytes_of(tensor) for tensor in moved) if node.schema is not None else None

    def keep(self, index: int, values: Iterable[Value]) -> None:
        """Keep those of the values that are to be recorded, as they are now."""
        for value in values:
            if value in self.plan.record:
                item = self.values[self.slots[value]]
                if self.program.code.memory.written(value, index + 1):
                    item = snapshot(item)
                self.at.recorded[value] = item
                self.memory.hold(-1 - self.slots[value], item)

    def replace(self, index: int, node: Node) -> None:
        for value in node.outputs:
            if value in self.plan.replace:
                slot = self.slots[value]
                self.values[slot] = replaced(value, self.values[slot], self.plan.replace[value], node)


def snapshot(item: Any) -> Any:
    """A copy that later writes do not reach; autograd sees through it."""
    return item.clone() if isinstance(item, Tensor) else item


def _type_now(values: list[Any], slots: Mapping[Value, int], value: Value) -> Any:
    """The type of a value in this run."""
    held = values[slots[value]] if value in slots else None
    return tensor_type(held) if isinstance(held, Tensor) else value.type


def replaced(value: Value, made: Any, by: Replacement, node: Node | None) -> Any:
    """What flows on instead of `made`; `NodeError` or `TracelabError` where it does not fit."""
    if not isinstance(made, Tensor):
        raise _unfit(f"%{value.name} is not a tensor: only tensors can be replaced", node)
    if isinstance(by, Tensor):
        found = by
    elif callable(by):
        found = by(made)
    elif isinstance(by, (int, float, complex)):
        return torch.full_like(made, by)
    else:
        raise TracelabError(
            f"%{value.name} cannot be replaced by {type(by).__name__}: give a tensor, a number or a function"
        )
    where = f" made by {place(node)}" if node is not None else ""
    if not isinstance(found, Tensor):
        raise _unfit(f"the function that replaces %{value.name}{where} gave {type(found).__name__}, no tensor", node)
    if found.shape != made.shape:
        raise _unfit(
            f"the replacement of %{value.name}{where} has shape {tuple(found.shape)}, but the value has "
            f"{tuple(made.shape)}",
            node,
        )
    if found.dtype != made.dtype:
        raise _unfit(
            f"the replacement of %{value.name}{where} is {_dtype(found)}, but the value is {_dtype(made)}: "
            f"give it .to(torch.{_dtype(made)})",
            node,
        )
    return found.to(made.device)


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _unfit(message: str, node: Node | None) -> Exception:
    return InputError(message) if node is None else NodeError(message, node)
