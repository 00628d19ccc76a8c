"""`Profile`: where a graph's time goes, by node and by module, and how near that is to what the device can do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypedDict, Unpack

import numpy
import torch

from tracelab.compat.modes import keeps_modes
from tracelab.errors import InputError, TracelabError
from tracelab.execute.codegen.regions import Regions
from tracelab.execute.measure.roofline import peak_of, waiting
from tracelab.execute.plots.icicle import icicle
from tracelab.execute.profile.profile_data import ProfileData, ProfiledModule, ProfiledNode
from tracelab.execute.profile.profile_html import profile_html
from tracelab.execute.profile.profile_roofline import roofline
from tracelab.execute.profile.profile_text import profile_text
from tracelab.execute.run.lookup import Key, find_node, place
from tracelab.execute.run.node_record import NodeRecord
from tracelab.execute.run.options import refuse_unknown
from tracelab.execute.run.placement import Placed, placed
from tracelab.execute.run.program import program_of
from tracelab.execute.run.start import prepared
from tracelab.graph.graph import Graph
from tracelab.graph.scope import Scope
from tracelab.graph.types import TensorType, counted
from tracelab.libraries import needed_library


class Profile(ProfileData):
    """Where the time of a graph goes.

    `nodes` are in the order of the run, `modules` parents first. `seconds` is the sum over nodes, `whole` the median
    of whole runs in which nobody looked at the nodes; both medians over `repeat` runs. `peak` is what the device
    reached in a matrix product and in a copy.

    `print` shows the heaviest modules and nodes; `profile["layer1"]` is one of them.

    >>> profile = tracelab.trace(torch.nn.Linear(4, 3), torch.ones(2, 4)).profile(torch.ones(2, 4), repeat=1)
    >>> profile.flops
    48
    """

    __slots__ = ()

    def __getitem__(self, key: Key) -> ProfiledNode | ProfiledModule:
        """A module by its path (its first call), or a node by itself or the name of a value it makes."""
        if isinstance(key, str):
            for module in self.modules:
                if module.scope.path == key and key:
                    return module
        index = find_node(self.graph, key)
        for row in self.nodes:
            if row.index == index:
                return row
        raise TracelabError(f"{place(self.graph.nodes[index])} is a constant: it takes no time")

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with a row per node: module, operator, seconds, share, FLOPs, bytes, roof."""
        pandas = needed_library("pandas", "to_pandas")
        rows = [
            {
                "value": row.node.outputs[0].name if row.node.outputs else "",
                "module": row.node.scope.path if row.node.scope is not None else "",
                "operator": row.node.kind,
                "seconds": row.seconds,
                "share": row.share,
                "flops": row.flops,
                "bytes": row.bytes,
                "peak_memory": row.peak_memory,
                "roof": row.roof,
                "bound": row.bound,
            }
            for row in self.nodes
        ]
        return pandas.DataFrame(rows)

    def plot(self, kind: str = "icicle") -> Any:
        """A plot of the profile, on matplotlib.

        Args:
            kind: `"icicle"`: time by module. `"roofline"`: what each matrix product, convolution and attention
                reaches, below what the device can do.

        Returns:
            A `matplotlib.figure.Figure`, of which `pyplot` knows nothing; a notebook shows it.

        Raises:
            InputError: There is no such plot.
            TracelabError: matplotlib is not installed, or there is nothing to show.

        >>> profile = tracelab.trace(torch.nn.Linear(4, 3), torch.ones(2, 4)).profile(torch.ones(2, 4), repeat=1)
        >>> profile.plot("roofline").axes[0].get_xlabel()
        'FLOPs per byte'
        """
        if kind not in ("icicle", "roofline"):
            raise InputError(f"there is no plot {kind!r}: there are icicle, roofline")
        if kind == "roofline":
            return roofline(self)
        return icicle(self.name, [(row.node.scope, row.seconds) for row in self.nodes])

    def __str__(self) -> str:
        return profile_text(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": profile_html(self)}

    def __repr__(self) -> str:
        return f"Profile({self.name}, {counted(len(self.nodes), 'node')} on {self.device}, {self.seconds * 1e3:.2f} ms)"


class ProfileOptions(TypedDict, total=False):
    """How a traced object is profiled: see `TracedFunction.profile`."""

    device: str | torch.device | None
    repeat: int
    warmup: int
    method: str
    progress: Callable[[int, int], None] | None


@keeps_modes
def profile_traced(
    traced: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], **options: Unpack[ProfileOptions]
) -> Profile:
    """Profile a traced object: see `TracedFunction.profile`."""
    refuse_unknown(options, ProfileOptions, "profile")
    device, method = options.get("device"), options.get("method", "forward")
    repeat, warmup = options.get("repeat", 10), options.get("warmup", 2)
    if repeat < 1:
        raise InputError(f"repeat is {repeat}: give 1 or more")
    program = program_of(traced, method)
    where = placed(program, program.tree.flatten(args, kwargs, program.name), device)
    if not where.has_data:
        raise InputError('nothing takes time on meta: estimate memory and FLOPs with run(device="meta")')
    before = torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    try:
        records = _counted(traced, args, kwargs, device, method)
        timed, whole = _times(where, repeat, warmup, options.get("progress"))
    finally:
        torch.set_rng_state(before[0])
        if before[1] is not None:
            torch.cuda.set_rng_state_all(before[1])
    return _profile(where, records, timed, whole, repeat)


def _counted(
    traced: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], device: Any, method: str
) -> list[NodeRecord]:
    """One run that counts operations, bytes and memory; what cannot run raises `RunError` here."""
    run = prepared(traced, args, kwargs, device=device, method=method, flops=True)
    run.advance(len(run.graph.nodes))
    if run.cancelled:
        raise KeyboardInterrupt
    return run.records


def _times(
    where: Placed, repeat: int, warmup: int, progress: Callable[[int, int], None] | None
) -> tuple[dict[int, float], float]:
    """The median seconds of each node by index, and of whole runs; measured in turns."""
    nodes: dict[int, list[float]] = {}
    wholes: list[float] = []
    for number in range(-warmup, repeat):
        with where.modes(False):
            whole = sum(seconds for _, seconds in _pass(where, each=False))
            each = _pass(where, each=True)
        if number >= 0:
            wholes.append(whole)
            for index, seconds in each:
                nodes.setdefault(index, []).append(seconds)
        if progress is not None:
            progress(number + warmup + 1, warmup + repeat)
    return {index: float(numpy.median(found)) for index, found in nodes.items()}, float(numpy.median(wholes))


def _pass(where: Placed, *, each: bool) -> list[tuple[int, float]]:
    """Run all nodes and nothing else; the seconds of each by index, or of all together under -1."""
    program = where.program
    code = program.code
    values: list[Any] = [None] * len(code.slots)
    for value, tensor in where.at_start():
        values[code.slots[value]] = tensor
    steps = [
        (index, step, code.frees[index])
        for index, step in enumerate(code.functions(program.devices))
        if step is not None
    ]
    mark, seconds_between, wait = _clock(where.device), _between(where.device), waiting(where.device)
    marks: list[Any] = []
    regions = Regions()
    wait()
    try:
        marks.append(mark())
        if each:
            for _, step, frees in steps:
                step(values, regions)
                for slot in frees:
                    values[slot] = None
                marks.append(mark())
        else:
            for _, step, frees in steps:
                step(values, regions)
                for slot in frees:
                    values[slot] = None
            marks.append(mark())
        wait()
    finally:
        regions.close()
    indices = [index for index, _, _ in steps] if each else [-1]
    return [
        (index, seconds_between(before, after)) for index, before, after in zip(indices, marks, marks[1:], strict=False)
    ]


def _clock(device: torch.device) -> Callable[[], Any]:
    """Gives a mark of time: of the processor, or on the CUDA stream."""
    if device.type == "cpu":
        return time.perf_counter
    if device.type != "cuda":
        wait = waiting(device)

        def waited() -> float:
            wait()
            return time.perf_counter()

        return waited
    stream = torch.cuda.current_stream(device)

    def mark() -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)
        event.record(stream)
        return event

    return mark


def _between(device: torch.device) -> Callable[[Any, Any], float]:
    if device.type == "cuda":
        return lambda before, after: float(before.elapsed_time(after)) / 1e3
    return lambda before, after: float(after - before)


def _profile(where: Placed, records: list[NodeRecord], timed: dict[int, float], whole: float, repeat: int) -> Profile:
    graph = where.program.graph
    peak = peak_of(where.device, _dtype_of_products(records))
    total = sum(timed.values()) or 1.0
    found = Profile(where.program.name, graph, where.device, repeat, whole, peak)
    for record in records:
        seconds, flops, moved = timed[record.index], record.flops or 0, record.bytes or 0
        busy = bool(flops or moved)
        found.nodes.append(
            ProfiledNode(
                record.index,
                record.node,
                seconds,
                seconds / total,
                flops,
                moved,
                record.peak or 0,
                peak.seconds(flops, moved) / seconds if busy and seconds else None,
                peak.bound(flops, moved) if busy else "",
            )
        )
    found.modules = _modules(graph, found.nodes)
    return found


def _modules(graph: Graph, rows: list[ProfiledNode]) -> list[ProfiledModule]:
    sums: dict[Scope, list[float]] = {}
    for row in rows:
        scope = row.node.scope or graph.root
        while scope is not None:
            entry = sums.setdefault(scope, [0.0, 0.0, 0, 0, 0])
            for column, amount in enumerate((row.seconds, row.share, row.flops, row.bytes, 1)):
                entry[column] += amount
            scope = scope.parent  # type: ignore[assignment]
    return [
        ProfiledModule(scope, sums[scope][0], sums[scope][1], *(int(amount) for amount in sums[scope][2:]))
        for scope in graph.scopes()
        if scope in sums
    ]


def _dtype_of_products(records: list[NodeRecord]) -> torch.dtype:
    """The dtype in which most operations are done."""
    counts: dict[torch.dtype, int] = {}
    for record in records:
        for value in record.node.outputs[:1]:
            if isinstance(value.type, TensorType) and value.type.dtype.is_floating_point:
                counts[value.type.dtype] = counts.get(value.type.dtype, 0) + (record.flops or 0) + 1
    return max(counts, key=counts.__getitem__, default=torch.float32)
