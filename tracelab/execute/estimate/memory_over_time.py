"""The most bytes that live at once: each block from the node that makes it to the last that needs it."""

from __future__ import annotations

import numpy

from tracelab.execute.estimate.propagate import Findings


def live_rows(found: Findings, grown: frozenset[int] = frozenset()) -> list[tuple[int, ...]]:
    """Bytes of activations while each node runs, at each of the sizes; equal rows once.

    Weights and caches are counted elsewhere. A node that makes a part of the cache from the part that it replaces
    holds both, for as long as it runs: `grown` are the blocks of the cache that was given.
    """
    blocks = found.storages
    cached = {flow.storage for flow in found.cached} | grown
    steps = max((block.died for block in blocks), default=-1) + 2
    changes = numpy.zeros((steps + 1, found.count), dtype=object)
    for number, block in enumerate(blocks):
        if block.weight or number in cached:
            continue
        sizes = numpy.array(block.sizes, dtype=object)
        changes[block.born + 1] += sizes
        changes[max(block.died, block.born) + 2] -= sizes
    rows = numpy.cumsum(changes, axis=0)
    for number, made in found.made.items():
        if grown and any(storage in cached for storage in made):
            for storage in grown.intersection(found.joined[number]):
                rows[number + 1] += numpy.array(blocks[storage].sizes, dtype=object)
    return list(dict.fromkeys(map(tuple, rows[:-1].tolist())))
