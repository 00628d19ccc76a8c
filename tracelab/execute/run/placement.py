"""Where a run happens: its device, and the tensors of inputs and state there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from tracelab.compat.tensors import FakeMode, fake_mode_of, is_fake
from tracelab.errors import InputError
from tracelab.execute.run.program import Program
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value
from tracelab.graph.kinds import PYTHON_CALL


@dataclass(slots=True)
class Placed:
    """A program on its device; `fake` is the mode in which its tensors have no data."""

    program: Program
    device: torch.device
    inputs: dict[Value, Tensor]
    fake: FakeMode | None = None

    @property
    def has_data(self) -> bool:
        """Whether there are values to look at, and time to measure."""
        return self.fake is None and self.device.type != "meta"

    def at_start(self, leaves: dict[Value, Tensor] | None = None) -> Iterator[tuple[Value, Tensor]]:
        """The tensors of inputs and state; those that the graph writes into are copies.

        With `leaves`, inputs of floating dtype become leaves of their own that require gradients; they and the
        parameters are put there.
        """
        slots, memory = self.program.code.slots, self.program.code.memory
        given = set(self.inputs)
        for value, tensor in (*self.inputs.items(), *self.program.state.items()):
            if value not in slots:
                continue
            if leaves is not None:
                if value in given and (tensor.is_floating_point() or tensor.is_complex()):
                    tensor = tensor.detach().requires_grad_()
                if tensor.requires_grad:
                    leaves[value] = tensor
            if memory.written(value):
                copy = tensor.clone() if leaves is not None and value in given else tensor.detach().clone()
                tensor = copy if copy.grad_fn is not None else copy.requires_grad_(tensor.requires_grad)
            yield value, tensor

    def cast(self, dtype: torch.dtype) -> Placed:
        """The same with inputs and state of floating dtype cast to `dtype`."""
        state = {value: _cast(tensor, dtype) for value, tensor in self.program.state.items()}
        inputs = {value: _cast(tensor, dtype) for value, tensor in self.inputs.items()}
        return Placed(replace(self.program, state=state), self.device, inputs, self.fake)

    @contextmanager
    def modes(self, gradients: bool) -> Iterator[None]:
        """The gradient mode of the run, and the fake mode where its inputs are fake."""
        enabled = gradients or needs_autograd(self.program.graph)
        with ExitStack() as stack:
            stack.enter_context(torch.set_grad_enabled(enabled))
            if self.fake is not None:
                stack.enter_context(self.fake)
            yield


def placed(program: Program, flat: list[Tensor], device: str | torch.device | None) -> Placed:
    """The program with its inputs, moved to `device` where one is given.

    Raises `InputError` for a device that is not there.
    """
    users = program.graph.user_inputs
    inputs = dict(zip(users, flat, strict=True))
    fake = next((fake_mode_of(tensor) for tensor in flat if is_fake(tensor)), None)
    if fake is None and not flat:
        fake = next((fake_mode_of(tensor) for tensor in program.state.values() if is_fake(tensor)), None)
    if device is None:
        where = default_device([*flat, *program.state.values()])
        if fake is not None:
            state = {value: _faked(fake, tensor) for value, tensor in program.state.items()}
            program = replace(program, state=state)
        return Placed(program, where, inputs, fake)
    where = checked_device(device)
    moved = replace(
        program,
        state={value: _moved(tensor, where) for value, tensor in program.state.items()},
        devices=dict.fromkeys(program.code.devices.values(), where),
    )
    return Placed(moved, where, {value: _moved(tensor, where) for value, tensor in inputs.items()})


def checked_device(device: str | torch.device) -> torch.device:
    """The device that a name stands for; `InputError`, naming those that are there, where it is not present."""
    try:
        found = torch.device(device)
        if found.type != "meta":
            torch.empty(0, device=found)
    except (RuntimeError, AssertionError, ImportError, TypeError, NotImplementedError):
        raise InputError(f"there is no device `{device}` here; present: {', '.join(present_devices())}") from None
    if found.type == "cuda" and found.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return found


def present_devices() -> list[str]:
    """The devices that a run can be sent to, `meta` last."""
    found = ["cpu"]
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if accelerator is not None:
        count = torch.accelerator.device_count()
        found += [f"{accelerator.type}:{index}" for index in range(count)] if count > 1 else [accelerator.type]
    return [*found, "meta"]


def default_device(tensors: list[Tensor]) -> torch.device:
    """The device of the first tensor that is not on the processor; the processor where all are."""
    return next((tensor.device for tensor in tensors if tensor.device.type != "cpu"), torch.device("cpu"))


def needs_autograd(graph: Graph) -> bool:
    """Whether the traced code itself differentiates, so that it cannot run under `no_grad`."""
    return any(
        node.kind == PYTHON_CALL and str(node.attributes.get("name", "")).startswith(("autograd.", "backward"))
        for node in graph.nodes
    )


def _moved(tensor: Tensor, device: torch.device) -> Tensor:
    if tensor.device == device:
        return tensor
    with torch.no_grad():
        return tensor.detach().to(device).requires_grad_(tensor.requires_grad)


def _cast(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.detach().to(dtype) if tensor.is_floating_point() else tensor


def _faked(mode: Any, tensor: Tensor) -> Tensor:
    if is_fake(tensor):
        return tensor
    fake: Tensor = mode.from_tensor(tensor, static_shapes=True)
    return fake
