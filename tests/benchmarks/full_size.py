"""Models of published sizes without their weights: trace, first picture and estimates, against the model's own run.

python tests/benchmarks/full_size.py [llama mixtral deepseek]
"""

from __future__ import annotations

import pathlib
import resource
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch

import tracelab
from tracelab.render.view_document.document import view_bytes

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from support.language_models import PUBLISHED, without_data


def seconds(function: Callable[[], Any]) -> tuple[Any, float]:
    begin = time.perf_counter()
    result = function()
    return result, time.perf_counter() - begin


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    print(f"torch {torch.__version__}; seconds, and times the model's own run on the meta device")
    print(f"{'':10}{'run':>8}{'trace':>8}{'':>8}{'picture':>10}{'estimate':>10}{'another':>10}{'memory':>10}")
    for name in names or PUBLISHED:
        model, ids = without_data(PUBLISHED[name](), 1, 16, dtype=torch.bfloat16)
        with torch.device("meta"):
            _, plain = seconds(lambda model=model, ids=ids: model(ids))
        traced, trace = seconds(lambda model=model, ids=ids: tracelab.trace(model, ids))
        _, picture = seconds(lambda traced=traced: view_bytes(traced.graph))
        _, first = seconds(lambda traced=traced: traced.estimate(batch=8, length=8192))
        _, other = seconds(lambda traced=traced: traced.estimate(batch=4, length=4096))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{name:10}{plain:8.2f}{trace:8.2f}{trace / plain:7.1f}x{picture:10.2f}{first:10.2f}{other:10.3f}"
            f"{memory:7.2f} GiB",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
