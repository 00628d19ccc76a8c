"""The explorer's layout against dagre, dot and ELK: times, and in a full run crossings and lengths against dot.

They run in node, by the scripts of `labextension/benchmarks`; without node or its packages there is nothing to measure.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .measuring import Measurement

FRONT_END = Path(__file__).parents[2] / "labextension"


def is_possible() -> bool:
    return shutil.which("node") is not None and (FRONT_END / "node_modules" / "elkjs").is_dir()


def measurements(full: bool) -> Iterator[Measurement]:
    sizes = "1000,3000,5000,20000,100000" if full else "1000,3000"
    limit, rounds = ("120", "3") if full else ("8", "1")
    for row in _rows("layout", "--json", "--sizes", sizes, "--limit", limit, "--rounds", rounds):
        yield Measurement("layout", what="flat layout", unit="ms", **row)
    if full:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [sys.executable, "benchmarks/trace_models.py", folder], cwd=FRONT_END, check=True, capture_output=True
            )
            for row in _rows("quality", folder, "--json"):
                # One more of each, so that no crossing at all has a ratio, too.
                yield Measurement("layout", ratio=(row["ours"] + 1) / (row["theirs"] + 1), **row)


def _rows(*command: str) -> Iterator[dict[str, Any]]:
    node = shutil.which("node") or "node"
    done = subprocess.run(
        [node, "build/bench.mjs", *command],
        cwd=FRONT_END,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=1800,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            yield json.loads(line)
