"""Measure what the performance page shows: runs benchmark scripts, and writes what they print with machine and date.

python docs/measure.py
"""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPTS = {
    "tracing": ["tests/benchmarks/tracing.py", "resnet50", "gpt2-12", "gpt-demo", "chain-1000", "lstm-500"],
    "diffing": ["tests/benchmarks/diffing.py", "1000", "5000"],
}


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    folder = ROOT / "docs" / "measured"
    folder.mkdir(exist_ok=True)
    day = datetime.date.today().isoformat()
    machine = f"{processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    for name, command in SCRIPTS.items():
        done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=True)
        text = f"$ python {' '.join(command)}\n# {day}, {machine}\n{done.stdout.rstrip()}\n"
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
        print(text)


if __name__ == "__main__":
    main()
