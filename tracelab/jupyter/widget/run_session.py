"""Running what an explorer shows: what its run bar asks for, and what goes back to the picture.

Runs that the browser asks for happen in a thread of their own, so that the kernel still hears Stop. Records are
collected by the run and sent by another thread every few milliseconds: the run waits neither for the browser nor, on
a GPU, for its own figures. Messages are those of `tracelab.protocol.runs`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

from tracelab.api.running import Running
from tracelab.check.isolation import generators_of, written_state
from tracelab.check.memory import Memory
from tracelab.check.random_state import RandomState
from tracelab.errors import TracelabError
from tracelab.execute.run.lookup import Key
from tracelab.execute.run.node_record import NodeRecord
from tracelab.execute.run.placement import present_devices
from tracelab.execute.run.program import program_of
from tracelab.execute.run.run import Run, RunError
from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.types import TensorType
from tracelab.jupyter.widget.heatmap import heatmap
from tracelab.jupyter.widget.kernel_breaks import KERNEL
from tracelab.jupyter.widget.run_columns import Columns, Rows, numbers_column
from tracelab.jupyter.widget.run_inputs import arguments_from, examples_of, inputs_from
from tracelab.protocol.runs import KernelMessage, RunBegin, RunEnded, RunHeatmap, RunInput, RunOverlay, State

Send = Callable[[KernelMessage, list[bytes]], None]

_EVERY = 0.05
"""Seconds between two batches."""
_MOST_KEPT = 256 << 20
"""Bytes of a value that is kept after its heatmap was drawn, for the next slice of it."""


class RunSession:
    """One explorer's runs: the last of them, the numbers that lie over its picture, and who is told."""

    def __init__(self, traced: Running, graph: Graph, rows: Rows, nodes: Sequence[Node], send: Send):
        self.last: Run | None = None
        self.thread: threading.Thread | None = None
        self._traced = traced
        self._graph = graph
        self._nodes = nodes
        self._rows = rows
        self._send = send
        self._busy = threading.Lock()
        self._cancel = threading.Event()
        self._sender: _Sender | None = None
        self._call: tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]] | None = None
        self._before: _Moment | None = None
        self._seen: tuple[Value, Any] | None = None
        self._overlays: dict[str, tuple[RunOverlay, list[bytes]]] = {}

    def cancel(self) -> None:
        """Stop what runs; nothing more of it is sent."""
        self._cancel.set()

    # What the browser asks ------------------------------------------------------------------------------------

    def hear(self, content: Any, names: Mapping[str, Any]) -> None:
        """A message of the browser; what goes wrong is answered in one sentence, never raised."""
        if not isinstance(content, dict):
            return
        kind = content.get("type")
        if kind == "run.hello":
            self._introduce()
        elif kind == "run.ping":
            self._send({"type": "run.pong"}, [])
        elif kind == "run.stop":
            self._cancel.set()
        elif kind == "run.start":
            self._in_thread(lambda: self._run_asked(content, names))
        elif kind == "run.flops":
            self._in_thread(self._count_flops)
        elif kind == "run.view":
            self._in_thread(lambda: self._view(content))

    def _introduce(self) -> None:
        kept = examples_of(self._traced) is not None
        inputs: list[RunInput] = [
            {"name": value.name, "type": _type_text(value), "kept": kept} for value in self._graph.user_inputs
        ]
        self._send({"type": "run.ready", "devices": present_devices(), "inputs": inputs}, [])
        if self._sender is not None:
            self._sender.repeat()
        for header, buffers in list(self._overlays.values()):
            self._send(header, buffers)

    def _in_thread(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            if not self._busy.acquire(timeout=2):
                self._send({"type": "run.error", "message": "a run is going on: stop it first"}, [])
                return
            try:
                with KERNEL.busy():
                    work()
            except Exception as error:  # The person reads it in the picture: a thread has no traceback to show.
                if "told" not in error.__dict__:
                    self._send({"type": "run.error", "message": _sentence(error)}, [])
            finally:
                self._busy.release()

        self.thread = threading.Thread(target=guarded, name="tracelab run", daemon=True)
        self.thread.start()

    def _run_asked(self, content: dict[str, Any], names: Mapping[str, Any]) -> None:
        self._cancel.clear()
        device = content.get("device") or None
        flat = inputs_from(self._traced, self._graph, [str(text) for text in content.get("inputs") or ()], names)
        args, kwargs = arguments_from(self._graph, flat)
        options: dict[str, Any] = {"device": device, "statistics": device != "meta", "flops": device == "meta"}
        row = content.get("until", -1)
        if isinstance(row, int) and 0 <= row < len(self._nodes):
            options["until"] = self._nodes[row]
        # What a node raised stands on that node: the sender told.
        with contextlib.suppress(RunError):
            self._run(args, kwargs, options)

    # Running --------------------------------------------------------------------------------------------------

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any], options: dict[str, Any]) -> Run:
        """A run from Python, in the calling thread: Ctrl-C and the Stop button end it."""
        if not self._busy.acquire(blocking=False):
            raise TracelabError("a run of this explorer is going on: stop it first")
        try:
            self._cancel.clear()
            if not args and not kwargs and self._graph.user_inputs:
                args, kwargs = arguments_from(self._graph, inputs_from(self._traced, self._graph, (), {}))
            return self._run(args, kwargs, options)
        finally:
            self._busy.release()

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any], options: dict[str, Any]) -> Run:
        if self._sender is not None:
            self._sender.close()
        self._before = _Moment(self._graph)
        self._call = (args, kwargs, {name: options[name] for name in ("device", "replace") if options.get(name)})
        self._seen = None
        also = options.get("progress")
        with _Sender(self._send, self._rows, str(options.get("device") or ""), len(self._nodes)) as sender:
            self._sender = sender

            def progress(record: NodeRecord) -> None:
                sender.records.append(record)
                if also is not None:
                    also(record)

            asked = options.get("cancel")
            stop = asked if asked is None or callable(asked) else asked.is_set
            cancel = self._cancel if stop is None else lambda: self._cancel.is_set() or bool(stop())
            try:
                run = self._traced.run(*args, **{**options, "progress": progress, "cancel": cancel}, **kwargs)
            except RunError as error:
                self.last = error.run
                sender.end("failed", _sentence(error), self._rows.node.get(error.node, -1), error.run)
                raise
            except BaseException as error:
                sender.end("failed", _sentence(error), -1, None)
                # Who asked reads it there.
                error.__dict__["told"] = True
                raise
            self.last = run
            state: State = "finished" if run.finished else "cancelled" if run.cancelled else "stopped"
            sender.end(state, str(run), -1, run)
            if run.flops is not None:
                self.overlay("FLOPs", {record.node: record.flops for record in run.records}, "flops")
        return run

    # Numbers and values ---------------------------------------------------------------------------------------

    def overlay(self, name: str, numbers: Mapping[Node, float | None], unit: str = "") -> None:
        """Lay numbers over the picture, under a name that the list of overlays shows."""
        header: RunOverlay = {"type": "run.overlay", "name": name, "unit": unit}
        buffers = [numbers_column(self._rows, numbers)]
        self._overlays[name] = (header, buffers)
        self._send(header, buffers)

    def _count_flops(self) -> None:
        """A run without data counts operations: counting during a run would slow it down."""
        with RandomState().again():
            if self._call is None:
                args, kwargs = arguments_from(self._graph, inputs_from(self._traced, self._graph, (), {}))
            else:
                args, kwargs, _ = self._call
            run = self._traced.run(*args, device="meta", flops=True, check_finite=False, **kwargs)
        self.overlay("FLOPs", {record.node: record.flops for record in run.records}, "flops")

    def _view(self, content: dict[str, Any]) -> None:
        value = self._rows.value_at.get(content.get("value", -1))
        if value is None:
            return
        try:
            item = self._value(value)
            if not isinstance(item, Tensor):
                raise TracelabError(f"%{value.name} is not a tensor: there is nothing to draw")
            found = heatmap(item, content.get("axes"), content.get("index"))
        except Exception as error:  # Said in place of the picture.
            self._send({"type": "run.heatmap_error", "value": content["value"], "message": _sentence(error)}, [])
            return
        drawn: RunHeatmap = {
            "type": "run.heatmap",
            "value": content["value"],
            "shape": list(item.shape),
            "dtype": str(item.dtype).removeprefix("torch."),
            "rows": found.rows,
            "columns": found.columns,
            "axes": found.axes,
            "index": list(found.index),
            "step": found.step,
            "low": found.low,
            "high": found.high,
        }
        self._send(drawn, [found.cells])

    def _value(self, value: Value) -> Any:
        """A value of the last run: kept, or made again with the same inputs and the same random numbers."""
        if self._seen is not None and self._seen[0] is value:
            return self._seen[1]
        if self.last is not None and value in self.last.recorded:
            return self.last[value]
        if value.node is None:
            state = program_of(self._traced).state
            if value in state:
                return state[value]
        if self._call is None or self._before is None:
            raise TracelabError("nothing ran yet: press Run, and its values can be looked at")
        args, kwargs, options = self._call
        if value.node is None:
            flat = input_tree_of(self._graph).flatten(args, kwargs, self._graph.name)
            return flat[self._graph.user_inputs.index(value)]
        with self._before.again():
            run = self._traced.run(
                *args, until=value.node, record=[value], check_finite=False, cancel=self._cancel, **options, **kwargs
            )
        item = run[value]
        if isinstance(item, Tensor) and item.numel() * item.element_size() <= _MOST_KEPT:
            self._seen = (value, item)
        return item


class _Sender:
    """Sends the records of one run while it goes on, in batches."""

    def __init__(self, send: Send, rows: Rows, device: str, nodes: int) -> None:
        self.records: list[NodeRecord] = []
        self._send = send
        self._rows = rows
        self._columns = Columns(rows)
        self._begin: RunBegin = {"type": "run.begin", "device": device, "nodes": nodes}
        self._end: RunEnded | None = None
        self._sent = 0
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="tracelab progress", daemon=True)

    def __enter__(self) -> _Sender:
        self._send(self._begin, [])
        self._thread.start()
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def close(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def end(self, state: State, message: str, node: int, run: Run | None) -> None:
        """Send what is left, and how it ended."""
        self.close()
        self._flush()
        self._end = {"type": "run.end", "state": state, "message": message, "node": node}
        if run is not None:
            self._end["device"] = str(run.device)
            self._end["nan"] = self._row(run.first_nan)
            self._end["nonfinite"] = self._row(run.first_nonfinite)
            self._end["stopped"] = self._row(run.stopped_at)
        self._send(self._end, [])

    def _row(self, node: Node | None) -> int:
        return -1 if node is None else self._rows.node.get(node, -1)

    def repeat(self) -> None:
        """All of it again, for a picture that was put up later."""
        with self._turn:
            self._send(self._begin, [])
            self._columns = Columns(self._rows)
            self._sent = 0
        self._flush()
        if self._end is not None:
            self._send(self._end, [])

    def _loop(self) -> None:
        while not self._over.wait(_EVERY):
            self._flush()

    def _flush(self) -> None:
        with self._turn:
            records = self.records[self._sent :]
            if not records:
                return
            self._sent += len(records)
            header, buffers = self._columns.batch(records)
            self._send(header, buffers)


class _Moment:
    """Random generators, and what the graph writes to, before a run: so that it can be run again."""

    def __init__(self, graph: Graph) -> None:
        self._written = written_state(graph)
        self._memory = Memory((), self._written)
        self._random = RandomState(generators_of(graph))

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        """Within it all is as it was before the run; afterwards it is as it is now."""
        now = Memory((), self._written)
        with self._random.again():
            self._memory.restore()
            try:
                yield
            finally:
                now.restore()


def nodes_by_key(graph: Graph, numbers: Mapping[Key, float | None]) -> dict[Node, float | None]:
    """Numbers by node, from numbers by whatever names a node."""
    from tracelab.execute.run.lookup import find_node

    return {graph.nodes[find_node(graph, key)]: number for key, number in numbers.items()}


def _type_text(value: Value) -> str:
    type_ = value.type
    if not isinstance(type_, TensorType):
        return str(type_)
    extents = "×".join(str(extent) for extent in type_.shape) or "scalar"
    return f"{type_.dtype_name} {extents}"


def _sentence(error: BaseException) -> str:
    if isinstance(error, TracelabError):
        return str(error)
    text = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
