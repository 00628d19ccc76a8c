"""The operators in a Chrome trace of `torch.profiler`: in order, nested, with the kernels that they started."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tracelab.errors import TracelabFileError

_KERNELS = frozenset({"kernel", "gpu_memcpy", "gpu_memset"})
_LAUNCHES = frozenset({"cuda_runtime", "cuda_driver"})
Shapes = tuple[tuple[int, ...], ...]


@dataclass(slots=True)
class Operator:
    """One call of an operator on a thread; times are in microseconds.

    `last` is the place of the last operator inside it, itself where there is none. `shapes` are those of its arguments,
    empty for what is no tensor; None where the profiler did not record them.
    """

    name: str
    start: float
    duration: float
    shapes: Shapes | None
    external: int
    last: int = 0
    kernels: float = 0.0
    """The time of the kernels that it started, and that operators inside it did."""


def is_profile(data: Any) -> bool:
    """Whether the JSON is a Chrome trace."""
    return isinstance(data, dict) and isinstance(data.get("traceEvents"), list)


def threads_of(data: dict[str, Any]) -> list[list[Operator]]:
    """The operators of each thread, in the order in which they began; the outer before the inner.

    Raises:
        TracelabFileError: The file has no operators, or one of its events is not sound.
    """
    threads: dict[tuple[str, str], list[Operator]] = {}
    started: dict[int, float] = {}
    launched: dict[int, int] = {}
    kernels: list[tuple[dict[str, Any], float]] = []
    for event in data["traceEvents"]:
        if not isinstance(event, dict) or event.get("ph") != "X":
            continue
        kind = event.get("cat")
        if not isinstance(kind, str):
            continue
        args = event.get("args")
        args = args if isinstance(args, dict) else {}
        if kind == "cpu_op":
            name = event.get("name")
            if not isinstance(name, str):
                raise TracelabFileError("an operator of the profile has no name")
            thread = (str(event.get("pid"))[:40], str(event.get("tid"))[:40])
            external = _whole(args.get("External id"))
            shapes = _shapes(args.get("Input Dims"))
            operator = Operator(name, _number(event, "ts"), _number(event, "dur"), shapes, external)
            threads.setdefault(thread, []).append(operator)
        elif kind in _LAUNCHES:
            launched[_whole(args.get("correlation"))] = _whole(args.get("External id"))
        elif kind in _KERNELS:
            kernels.append((args, _number(event, "dur")))
    if not threads:
        raise TracelabFileError("the Chrome trace has no operators of torch: record it with ProfilerActivity.CPU")
    for args, duration in kernels:
        external = _whole(args.get("External id"))
        if external < 0:
            external = launched.get(_whole(args.get("correlation")), -1)
        started[external] = started.get(external, 0.0) + duration
    return [_nested(found, started) for found in threads.values()]


def _nested(operators: Iterable[Operator], kernels: dict[int, float]) -> list[Operator]:
    ordered = sorted(operators, key=lambda operator: (operator.start, -operator.duration))
    open_: list[tuple[int, Operator]] = []
    for place, operator in enumerate(ordered):
        operator.last = place
        operator.kernels = kernels.get(operator.external, 0.0) if operator.external >= 0 else 0.0
        while open_ and operator.start >= open_[-1][1].start + open_[-1][1].duration:
            open_.pop()
        for _, outer in open_:
            outer.last = place
            outer.kernels += operator.kernels
        open_.append((place, operator))
        if len(open_) > _DEEPEST:
            raise TracelabFileError(f"the operators of the profile are nested more than {_DEEPEST} deep")
    return ordered


_DEEPEST = 500


def _number(event: dict[str, Any], name: str) -> float:
    item = event.get(name, 0.0)
    if isinstance(item, bool) or not isinstance(item, (int, float)) or not -1e300 < item < 1e300:
        raise TracelabFileError(f"the {name} of an event of the profile is no number")
    number = float(item)
    if math.isnan(number) or (name == "dur" and number < 0):
        raise TracelabFileError(f"the {name} of an event of the profile is no time")
    return number


def _whole(item: Any) -> int:
    return item if type(item) is int else -1


def _shapes(item: Any) -> Shapes | None:
    """The shape of each argument; of a list of tensors, which has one for each, nothing is kept."""
    if not isinstance(item, list):
        return None
    return tuple(
        tuple(dims) if isinstance(dims, list) and all(type(size) is int for size in dims) else () for dims in item
    )
