"""What one benchmark gives, and how times are taken: in turns, as the median of paired ratios."""

from __future__ import annotations

import gc
import importlib.metadata
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

PEERS = ("torchlens", "torchview", "torchvista", "transformers", "networkx")
"""Packages whose versions stand beside the figures, where they are installed."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure of ours, and the same of a peer in the same run.

    `ratio` is ours by theirs, the median over paired runs: below 1 ours is less. Less is better for every unit here.
    It is None where there is no peer, or where the peer gave nothing; `note` then says why. `own` is set where the peer
    is work of ours, or a part of it: more than it is a cost, and no loss.
    """

    benchmark: str
    case: str
    what: str
    unit: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    ratio: float | None = None
    note: str = ""
    own: bool = False

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What stays the same from one commit to the next."""
        return self.benchmark, self.case, self.what, self.peer

    def as_json(self) -> dict[str, Any]:
        """Four digits say all that a timing knows."""
        data = asdict(self)
        for name in ("ours", "theirs", "ratio"):
            if data[name] is not None:
                data[name] = float(f"{data[name]:.4g}")
        return data


def seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def paired(rounds: int, *functions: Callable[[], Any]) -> list[list[float]]:
    """Seconds of each in every round, taken in turns so that a busy machine slows all alike, after one to warm up."""
    for function in functions:
        function()
    return _in_turns(rounds, functions)


def _in_turns(rounds: int, functions: Sequence[Callable[[], Any]]) -> list[list[float]]:
    times: list[list[float]] = [[] for _ in functions]
    # Once, and not in each round: it empties the processor's caches, which short calls pay for.
    gc.collect()
    for _ in range(rounds):
        for function, found in zip(functions, times, strict=True):
            found.append(seconds(function))
    return times


def ratio_of(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios of the rounds."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))


def against(
    benchmark: str,
    case: str,
    what: str,
    ours: Callable[[], Any],
    peers: dict[str, Callable[[], Any]],
    rounds: int,
) -> Iterator[Measurement]:
    """Milliseconds of ours against each peer, all in the same rounds; a peer that raises is a note."""
    there, failed = {}, {}
    for name, peer in peers.items():
        try:
            peer()
            there[name] = peer
        except Exception as error:
            failed[name] = f"{name} raises {type(error).__name__}"
    ours()
    mine, *others = _in_turns(rounds, [ours, *there.values()])
    median = statistics.median(mine) * 1e3
    for name, times in zip(there, others, strict=True):
        yield Measurement(
            benchmark, case, what, "ms", median, name, statistics.median(times) * 1e3, ratio_of(mine, times)
        )
    for name, why in failed.items():
        yield Measurement(benchmark, case, what, "ms", median, name, note=why)
    if not peers:
        yield Measurement(benchmark, case, what, "ms", median)


def version_of(package: str) -> str | None:
    """The version that is installed, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
