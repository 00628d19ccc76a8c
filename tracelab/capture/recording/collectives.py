"""The names of what is opaque in the arguments of a collective: process groups and reductions."""

from __future__ import annotations

from types import FrameType
from typing import Any

import torch
import torch.distributed

from tracelab.compat import script
from tracelab.graph.callables.collectives import DistributedHandle


def labelled(args: tuple[Any, ...], frame: FrameType | None) -> tuple[Any, ...]:
    """The arguments of a collective with names for what is opaque in them."""
    return tuple(_label(item, frame) if script.is_object(item) else item for item in args)


def _label(item: Any, frame: FrameType | None) -> Any:
    class_name = str(script.class_of(item)).rpartition(".")[2]
    if class_name == "ProcessGroup":
        group = torch.distributed.ProcessGroup.unbox(item)
        name = f"ProcessGroup({group.group_name!r}, {group.size()} ranks)"
        return DistributedHandle(item, name)
    if class_name == "ReduceOp":
        return DistributedHandle(item, _reduction(frame))
    return DistributedHandle(item, class_name)


def _reduction(frame: FrameType | None) -> str:
    """The reduction's name, which only the Python function that called the operator still knows."""
    file = torch.distributed.distributed_c10d.__file__
    while frame is not None:
        if frame.f_code.co_filename == file and "op" in frame.f_locals:
            op = frame.f_locals["op"]
            return f"ReduceOp.{getattr(op, 'name', None) or getattr(getattr(op, 'op', None), 'name', 'SUM')}"
        frame = frame.f_back
    return "ReduceOp"
