"""Programs that two processes trace and replay together; each rank writes down what it saw."""

from __future__ import annotations

import copy
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.distributed._functional_collectives as functional
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

import tracelab


class _SumInForward(torch.autograd.Function):
    """Row-parallel: sum the parts of the output; gradients pass as they are."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.clone()
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


class ParallelMLP(nn.Module):
    """The first layer split by its outputs, the second by its inputs: one sum at the end."""

    def __init__(self, whole: nn.Sequential, rank: int) -> None:
        super().__init__()
        half = whole[0].out_features // 2
        part = slice(rank * half, (rank + 1) * half)
        self.up = nn.Parameter(whole[0].weight[part].detach().clone())
        self.down = nn.Parameter(whole[2].weight[:, part].detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(nn.functional.linear(x, self.up))
        return self.total(nn.functional.linear(hidden, self.down))

    def total(self, part: Tensor) -> Tensor:
        dist.all_reduce(part)
        return part


class LearningMLP(ParallelMLP):
    def total(self, part: Tensor) -> Tensor:
        return _SumInForward.apply(part)


class FunctionalMLP(ParallelMLP):
    def total(self, part: Tensor) -> Tensor:
        return functional.all_reduce(part, "sum", dist.group.WORLD)


def all_reduce_max(x: Tensor) -> Tensor:
    y = x * 2
    dist.all_reduce(y, op=dist.ReduceOp.MAX)
    return y + 1


def all_gather(x: Tensor) -> Tensor:
    parts = [torch.empty_like(x), torch.empty_like(x)]
    dist.all_gather(parts, x)
    return torch.cat(parts)


def reduce_scatter(x: Tensor) -> Tensor:
    out = torch.empty_like(x[:1])
    dist.reduce_scatter(out, [x[:1], x[1:]])
    return out


def asynchronous(x: Tensor) -> Tensor:
    y = x.repeat(1_000_000)
    work = dist.all_reduce(y, async_op=True)
    work.wait()
    return y[-2:] * 1


def send_and_receive(x: Tensor) -> Tensor:
    rank = dist.get_rank()
    y = torch.empty_like(x)
    if rank == 0:
        dist.send(x, 1)
        dist.recv(y, 1)
    else:
        dist.recv(y, 0)
        dist.send(x, 0)
    return y * 1


def broadcast_and_barrier(x: Tensor) -> Tensor:
    y = x.clone()
    dist.broadcast(y, src=1)
    dist.barrier()
    return y


FUNCTIONS = (all_reduce_max, all_gather, reduce_scatter, asynchronous, send_and_receive, broadcast_and_barrier)


def run(rank: int) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    example, other = torch.tensor([1.0, 2.0]), torch.tensor([5.0, -3.0]) * (rank + 1)
    for function in FUNCTIONS:
        traced = tracelab.trace(function, example)
        seen[function.__name__] = {
            "kinds": [node.kind for node in traced.graph.nodes],
            "text": str(traced.graph),
            "replay": traced(other).tolist(),
            "eager": function(other).tolist(),
        }
    torch.manual_seed(0)
    whole = nn.Sequential(nn.Linear(4, 8, bias=False), nn.ReLU(), nn.Linear(8, 4, bias=False))
    inputs = torch.randn(3, 4)
    for kind in (ParallelMLP, LearningMLP, FunctionalMLP):
        module = kind(whole, rank)
        traced = tracelab.trace(module, torch.randn(2, 4))
        with torch.no_grad():
            found = traced(inputs)
        entry = {"kinds": [node.kind for node in traced.graph.nodes], "replay": found.tolist()}
        if kind is LearningMLP:
            traced(inputs).sum().backward()
            entry["gradient"] = module.up.grad.tolist()
        seen[kind.__name__] = entry
    sharded = parallelize_module(
        copy.deepcopy(whole), init_device_mesh("cpu", (2,)), {"0": ColwiseParallel(), "2": RowwiseParallel()}
    )
    traced = tracelab.trace(sharded, torch.randn(2, 4))
    seen["DTensor"] = {
        "kinds": [
            f"^{node.attributes['name']}" if node.kind == "prim::PythonOp" else node.kind
            for node in traced.graph.nodes
            if not node.kind.startswith("prim::Tuple")
        ],
        "replay": traced(inputs).tolist(),
    }
    whole(inputs).sum().backward()
    seen["whole"] = {"replay": whole(inputs).tolist(), "gradient": whole[0].weight.grad.tolist()}
    return seen


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    folder, rank = Path(sys.argv[1]), int(sys.argv[2])
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    (folder / f"{rank}.json").write_text(json.dumps(run(rank)))
    dist.destroy_process_group()
