"""A graph run without data, forward and backward, under an account of its memory."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from tracelab.compat.allocations import next_sequence_number, without_data
from tracelab.compat.tensors import storage_address
from tracelab.errors import InputError
from tracelab.execute.estimate.items import Spec
from tracelab.execute.measure.memory import Memory, tensors_in
from tracelab.execute.memory.allocations import Allocations
from tracelab.execute.memory.memory_estimate import MemoryEstimate
from tracelab.execute.run.failures import NodeError
from tracelab.execute.run.lookup import place
from tracelab.execute.run.node_record import NodeRecord
from tracelab.execute.run.placement import Placed, needs_autograd
from tracelab.execute.run.program import Program
from tracelab.execute.run.stepper import Plan, Progressed, run_steps
from tracelab.graph.ir import Value


def predicted_memory(
    program: Program, inputs: dict[Value, Spec], device: torch.device, gradients: bool, title: str
) -> MemoryEstimate:
    """What a call on inputs like these holds at each node; with `gradients`, its backward pass too.

    Raises:
        InputError: The graph cannot go without data, or nothing of it has a gradient.
    """
    return _Prediction(program, inputs, device, gradients).estimate(title)


class _Prediction:
    def __init__(self, program: Program, inputs: dict[Value, Spec], device: torch.device, gradients: bool) -> None:
        self.device = device
        self.gradients = gradients
        self.mode = without_data()
        self.memory = Allocations()
        self.forward: list[NodeRecord] = []
        self.backward: list[NodeRecord] = []
        self.firsts: list[int] = []
        """For each record of `forward`, the number of the first operation that autograd recorded in it."""
        with self.mode, torch.no_grad():
            state = _without_data(program.state, device)
            given = {
                value: torch.empty_strided(spec.shape, spec.stride, dtype=spec.dtype, device=device).requires_grad_(
                    getattr(value.type, "requires_grad", False) and spec.dtype.is_floating_point
                )
                for value, spec in inputs.items()
            }
        devices = dict.fromkeys(program.code.devices.values(), device)
        self.where = Placed(replace(program, state=state, devices=devices), device, given, self.mode)
        for tensor in state.values():
            self.memory.hold(tensor)
        self.weights = self.memory.live
        for tensor in given.values():
            self.memory.hold(tensor)
        self.inputs = self.memory.live - self.weights

    def estimate(self, title: str) -> MemoryEstimate:
        values = self.at_start()
        enabled = self.gradients or needs_autograd(self.where.program.graph)
        with torch.set_grad_enabled(enabled), self.memory, self.mode:
            outputs = self.run_forward(values)
            kept = list(tensors_in(outputs))
            if self.gradients:
                self.run_backward(kept)
            left = self.memory.live - self.weights - self.inputs
            made = [tensor for tensor in kept if not self._given(tensor)]
            result = min(self.memory.bytes_of(made), left)
        return MemoryEstimate(
            title,
            str(self.device),
            self.weights,
            self.inputs,
            result,
            left - result if self.gradients else 0,
            tuple(self.forward),
            tuple(self.backward),
        )

    def _given(self, tensor: Tensor) -> bool:
        known = [*self.where.program.state.values(), *self.where.inputs.values()]
        address = storage_address(tensor.untyped_storage())
        return any(storage_address(other.untyped_storage()) == address for other in known)

    def at_start(self) -> list[Any]:
        """Inputs and state by their slots; a copy of what the graph writes into stands for the thing itself."""
        slots = self.where.program.code.slots
        values: list[Any] = [None] * len(slots)
        with self.mode:
            for value, tensor in self.where.at_start():
                self.memory.leave_out(tensor)
                values[slots[value]] = tensor
        return values

    def run_forward(self, values: list[Any]) -> Any:
        program = self.where.program
        at = Progressed(values, 0, {}, self.forward, _Account(self))
        plan = Plan(self.device, False, check_finite=False)
        try:
            run_steps(program, plan, at, len(program.graph.nodes), lambda: False)
        except NodeError as error:
            raise InputError(f"{place(error.node)} has no estimate without data: {error.__cause__}") from error
        outputs = program.code.outputs(values)
        values.clear()
        return outputs

    def run_backward(self, outputs: list[Tensor]) -> None:
        ends = [tensor for tensor in outputs if tensor.requires_grad]
        if not ends:
            raise InputError("no output depends on a parameter or an input that requires gradients")
        at = len(self.forward) - 1
        self.memory.start()

        def moved(number: int | None) -> None:
            nonlocal at
            now = at if number is None else max(bisect_right(self.firsts, number) - 1, 0)
            if now != at:
                self._close(at)
                at = now

        self.memory.moved = moved
        try:
            torch.autograd.backward(ends, [torch.ones_like(tensor) for tensor in ends])
        except (RuntimeError, NotImplementedError) as error:
            words = " ".join(str(error).split())[:300]
            raise InputError(f"the backward pass has no estimate without data: {words}") from error
        finally:
            self.memory.moved = None
        self._close(at)

    def _close(self, at: int) -> None:
        """The end of what the backward pass did for a node."""
        node = self.forward[at]
        self.backward.append(NodeRecord(node.index, node.node, self.memory.live, self.memory.most))
        self.memory.start()


class _Account(Memory):
    """The account, as the loop over the nodes asks for it."""

    __slots__ = ("_of",)

    def __init__(self, of: _Prediction) -> None:
        super().__init__()
        self._of = of

    def hold(self, slot: int, item: Any) -> None:
        pass

    def release(self, slot: int) -> None:
        pass

    def start(self) -> None:
        self._of.firsts.append(next_sequence_number())
        self._of.memory.start()

    def peak(self) -> int:
        return self._of.memory.most

    def now(self) -> int:
        return self._of.memory.live


def _without_data(state: dict[Value, Tensor], device: torch.device) -> dict[Value, Tensor]:
    """Tensors like these that share memory as they do, on a device."""
    blocks: dict[tuple[int, torch.dtype], Tensor] = {}
    found = {}
    for value, tensor in state.items():
        if tensor.layout is not torch.strided:
            raise InputError(f"a {tensor.layout} tensor among the state has no estimate: only dense ones have")
        storage = tensor.untyped_storage()
        key = storage_address(storage), tensor.dtype
        block = blocks.get(key)
        if block is None:
            count = storage.nbytes() // tensor.element_size()
            block = blocks[key] = torch.empty(count, dtype=tensor.dtype, device=device)
        whole = block.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset()).detach()
        found[value] = whole.requires_grad_(tensor.requires_grad)
    return found
