"""Trials of many inputs: one after the other, or on any executor, with few of them in memory at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context

from tracelab.check.findings import CheckInput
from tracelab.check.parallel.workload import Inputs, Workload, run_chunk, run_here, start_worker
from tracelab.check.trial import Outcome, sentence
from tracelab.errors import TracelabError

Done = tuple[CheckInput, Outcome]

_PATIENCE = 10.0
"""Seconds that trials may take here before a process pool is worth its start."""
_CHUNK = 8
_LOST = 3
"""So many times in a row may a chunk lose its worker."""


def in_turn(workload: Workload, inputs: Iterable[CheckInput]) -> Iterator[Done]:
    """One after the other, in this process."""
    for tried in inputs:
        yield tried, workload.run(tried.lent())


def in_turn_for_a_while(workload: Workload, inputs: Iterator[CheckInput]) -> Iterator[Done]:
    """The same until it has taken so long that processes are worth starting; `inputs` keeps the rest."""
    start = time.perf_counter()
    for done in in_turn(workload, inputs):
        yield done
        if time.perf_counter() - start > _PATIENCE:
            return


def on_executor(workload: Workload, inputs: Iterator[CheckInput], executor: Executor) -> Iterator[Done]:
    """On any executor. At most two chunks a worker are under way, and an input is drawn only when one is free.

    A chunk whose worker is lost is sent again, by itself.
    """
    width = 2 * (getattr(executor, "_max_workers", None) or os.cpu_count() or 1)
    yield from _Flow(lambda chunk: executor.submit(run_chunk, workload, chunk), width).run(inputs)


def on_processes(workload: Workload, inputs: Iterator[CheckInput], workers: int | None = None) -> Iterator[Done]:
    """On a pool of processes of our own, begun anew where a worker is lost."""
    pool = _Pool(workload, workers or max(1, min(os.cpu_count() or 1, 8)))
    try:
        yield from _Flow(pool.submit, 2 * pool.workers, pool.renew).run(inputs)
    finally:
        pool.close()


class _Pool:
    def __init__(self, workload: Workload, workers: int) -> None:
        self.workers = workers
        self.packed = workload.pack()
        self.executor = self.start()

    def start(self) -> ProcessPoolExecutor:
        # Forked processes hang in torch's thread pools.
        threads = max(1, (os.cpu_count() or 1) // self.workers)
        arguments = (*self.packed, threads)
        return ProcessPoolExecutor(self.workers, get_context("spawn"), start_worker, arguments)

    def submit(self, chunk: list[Inputs]) -> Future[list[Outcome]]:
        return self.executor.submit(run_here, chunk)

    def renew(self) -> None:
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self.start()

    def close(self) -> None:
        self.executor.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Chunk:
    start: int
    """The number of its first input."""
    inputs: list[CheckInput]
    losses: int = 0

    def apart(self) -> Iterator[_Chunk]:
        """Each of its inputs alone."""
        for offset, tried in enumerate(self.inputs):
            yield _Chunk(self.start + offset, [tried], 1)


class _Flow:
    """Chunks under way; what they gave comes out in the order of the inputs, whichever worker was faster."""

    def __init__(
        self,
        submit: Callable[[list[Inputs]], Future[list[Outcome]]],
        width: int,
        renew: Callable[[], None] | None = None,
    ) -> None:
        self.submit = submit
        self.width = width
        self.renew = renew
        self.under_way: dict[Future[list[Outcome]], _Chunk] = {}
        self.early: dict[int, list[Done]] = {}
        """What is done while something before it is not."""
        self.given = 0

    def run(self, inputs: Iterator[CheckInput]) -> Iterator[Done]:
        try:
            size, start = 1, 0
            while True:
                while len(self.under_way) < self.width and len(self.under_way) + len(self.early) < 2 * self.width:
                    drawn = list(islice(inputs, size))
                    if not drawn:
                        break
                    self.send(_Chunk(start, drawn))
                    start += len(drawn)
                    size = min(2 * size, _CHUNK)
                if not self.under_way:
                    return
                finished, _ = wait(self.under_way, return_when=FIRST_COMPLETED)
                for future in [future for future in self.under_way if future in finished]:
                    if future in self.under_way:
                        self.collect(future)
                while self.given in self.early:
                    done = self.early.pop(self.given)
                    self.given += len(done)
                    yield from done
        finally:
            for future in self.under_way:
                future.cancel()

    def send(self, chunk: _Chunk) -> None:
        lent = [tuple(tried.lent()) for tried in chunk.inputs]
        try:
            future = self.submit(lent)  # type: ignore[arg-type]
        except BrokenExecutor as error:
            # The pool broke after the last look at what was under way.
            self.again(chunk, error)
        else:
            self.under_way[future] = chunk

    def collect(self, future: Future[list[Outcome]]) -> None:
        chunk = self.under_way.pop(future)
        try:
            outcomes = future.result()
        except Exception as error:
            if not _is_lost(error):
                raise TracelabError(f"a worker could not run the check: {sentence(error)}") from error
            self.again(chunk, error)
            return
        self.keep(chunk, outcomes)

    def keep(self, chunk: _Chunk, outcomes: list[Outcome]) -> None:
        self.early[chunk.start] = list(zip(chunk.inputs, outcomes, strict=True))

    def again(self, lost: _Chunk, error: Exception) -> None:
        """A worker died: what it had is sent again, the rest of a broken pool's work with it."""
        all_lost = [lost]
        if isinstance(error, BrokenExecutor):
            if self.renew is None:
                raise TracelabError(f"the executor broke, and takes no more work: {sentence(error)}") from error
            # A broken pool loses all that was under way; what had finished is kept.
            for future, chunk in self.under_way.items():
                if future.done() and not future.cancelled() and future.exception() is None:
                    self.keep(chunk, future.result())
                else:
                    all_lost.append(chunk)
            self.under_way.clear()
            self.renew()
        for chunk in all_lost:
            losses = chunk.losses + 1
            if losses < _LOST:
                self.send(_Chunk(chunk.start, chunk.inputs, losses))
            elif len(chunk.inputs) > 1:
                for single in chunk.apart():
                    self.send(single)
            else:
                self.keep(chunk, [Outcome(python_error=f"its worker was lost {_LOST} times ({sentence(error)})")])


def _is_lost(error: Exception) -> bool:
    """Whether the worker went, and not the work: by the name, since clusters have exceptions of their own."""
    return isinstance(error, (BrokenExecutor, ConnectionError, EOFError)) or type(error).__name__ in (
        "KilledWorker",
        "CommClosedError",
        "WorkerCrashedError",
    )
