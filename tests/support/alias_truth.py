"""What a graph really writes and shares, seen by running it node by node, against what the alias analysis says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from support.observed_calls import calm
from tracelab.execute.codegen.regions import Regions
from tracelab.execute.run.program import StepCode
from tracelab.graph import Graph, Value
from tracelab.graph.aliasing import Aliasing, has_effect


def untold(graph: Graph, inputs: Sequence[Tensor]) -> list[str]:
    """What the run did and the analysis does not know of: writes, shared memory, random numbers.

    `inputs` are those of the graph, parameters and buffers included. Writes by other code are not looked at: what is
    known of them is what was seen when the graph was recorded.
    """
    code, memory = StepCode(graph), Aliasing(graph)
    slots: list[Any] = [None] * len(code.slots)
    for value, tensor in zip(graph.inputs, inputs, strict=True):
        slots[code.slots[value]] = tensor
    for value, tensor in graph.state.items():
        if value.node is not None:
            slots[code.slots[value]] = tensor
    found: list[str] = []
    regions = Regions()
    with calm():
        try:
            for index, step in enumerate(code.functions({})):
                if step is None:
                    continue
                node = graph.nodes[index]
                before = [(value, tensor, _content(tensor)) for value, tensor in _tensors(code, slots)]
                state = torch.get_rng_state()
                step(slots, regions)
                if not torch.equal(state, torch.get_rng_state()) and not has_effect(node):
                    found.append(f"{node.kind} draws random numbers")
                if node.schema is not None:
                    for value, tensor, content in before:
                        if not _same(_content(tensor), content) and index not in memory.writers(value):
                            found.append(f"{node.kind}.{node.overload} writes into {value!r}")
                made = [item for item in _tensors(code, slots) if item[0] in node.outputs]
                for value, tensor in made:
                    for other, given, _ in before:
                        if _place(tensor) == _place(given) is not None and not memory.may_share(value, other):
                            found.append(f"{node.kind}.{node.overload}: {value!r} shares the memory of {other!r}")
        finally:
            regions.close()
    return found


def _tensors(code: StepCode, slots: list[Any]) -> Iterator[tuple[Value, Tensor]]:
    for value, slot in code.slots.items():
        for item in _flat(slots[slot]):
            if item.layout is torch.strided and not item.is_nested:
                yield value, item


def _flat(item: Any) -> Iterator[Tensor]:
    if isinstance(item, Tensor):
        yield item
    elif isinstance(item, (list, tuple)):
        for child in item:
            yield from _flat(child)
    elif isinstance(item, dict):
        yield from _flat(list(item.values()))


def _content(tensor: Tensor) -> tuple[int, Tensor]:
    with torch.no_grad():
        return tensor._version, tensor.detach().clone()


def _same(one: tuple[int, Tensor], other: tuple[int, Tensor]) -> bool:
    return (
        one[0] == other[0]
        and one[1].shape == other[1].shape
        and one[1].dtype == other[1].dtype
        and torch.allclose(one[1], other[1], rtol=0, atol=0, equal_nan=True)
    )


def _place(tensor: Tensor) -> int | None:
    return tensor.untyped_storage().data_ptr() if tensor.numel() else None
