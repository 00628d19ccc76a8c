"""All benchmarks by one command: `python -m tests.benchmarks [--quick | --full] [NAME ...]`.

Each runs in a process of its own, for some peers change torch for good. Nothing is asserted: figures are written as one
JSON file and, with `--write`, as the tables of the performance page. `--list` names the benchmarks.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from .measuring import Measurement  # noqa: E402
from .record import checked, record_of  # noqa: E402
from .report import text_of, write  # noqa: E402

MODULES = ("tracing", "running", "checking", "diffing", "layouts", "file_viewer", "full_size", "ways_out", "memory")
ONLY_FULL = ("file_viewer", "full_size", "ways_out", "memory")
PAGE = ROOT / "docs" / "measured"
_MARK = "measurement: "


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.splitlines()[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="small sizes, under two minutes (the default)")
    size.add_argument("--full", action="store_true", help="all sizes and rounds: most of an hour")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(MODULES)}")
    parser.add_argument("--json", type=Path, default=Path("benchmarks.json"), help="the file of figures (%(default)s)")
    parser.add_argument("--write", action="store_true", help="write the tables of docs/measured, and the JSON there")
    parser.add_argument("--tables", type=Path, metavar="JSON", help="measure nothing: write the tables of this file")
    parser.add_argument("--list", action="store_true", help="name the benchmarks")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(MODULES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}")
    if given.list:
        for name in MODULES:
            print(f"{name:12} {(importlib.import_module(f'.{name}', __package__).__doc__ or '').splitlines()[0]}")
        return 0
    if given.tables:
        write(checked(json.loads(given.tables.read_text(encoding="utf-8"))), PAGE)
        return 0
    if given.here:
        return _run_here(given.names[0], given.full)
    measured: list[Measurement] = []
    failed: dict[str, str] = {}
    for name in given.names or MODULES:
        if given.full or name not in ONLY_FULL:
            start = time.perf_counter()
            found, why = _run(name, given.full)
            measured += found
            if why:
                failed[name] = why
            print(f"{name}: {len(found)} figures in {time.perf_counter() - start:.0f} s {why}", flush=True)
    record = record_of(measured, failed, given.full)
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    print(*text_of(measured), sep="\n")
    given.json.write_text(text, encoding="utf-8", newline="\n")
    if given.write:
        (PAGE / "benchmarks.json").write_text(text, encoding="utf-8", newline="\n")
        write(record, PAGE)
    return 1 if failed else 0


def _run(name: str, full: bool) -> tuple[list[Measurement], str]:
    """What a benchmark measured in a process of its own, and why it ended early, or nothing."""
    if name == "layouts" and not importlib.import_module(".layouts", __package__).is_possible():
        return [], "node or labextension/node_modules is not there"
    command = [sys.executable, "-m", "tests.benchmarks", "--here", name, *(["--full"] if full else [])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    found = [
        Measurement(**json.loads(line.removeprefix(_MARK)))
        for line in done.stdout.splitlines()
        if line.startswith(_MARK)
    ]
    if done.returncode == 0:
        return found, ""
    return found, (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]


def _run_here(name: str, full: bool) -> int:
    import torch

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for measurement in importlib.import_module(f".{name}", __package__).measurements(full):
        print(_MARK + json.dumps(measurement.as_json()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
