"""One run of the benchmarks as a JSON file: the figures, the machine, the versions and the commit."""

from __future__ import annotations

import datetime
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

from .measuring import PEERS, Measurement, version_of

ROOT = Path(__file__).parents[2]
SCHEMA = "tracelab.benchmarks"
VERSION = 1


class UnknownRecord(ValueError):
    """The file is no record of benchmarks, or one of a later version."""


def record_of(measured: list[Measurement], failed: dict[str, str], full: bool) -> dict[str, Any]:
    """The record of a run that just ended; `failed` says why a benchmark or a peer has no figures."""
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "size": "full" if full else "quick",
        "date": now.isoformat(),
        "commit": _git("rev-parse", "HEAD"),
        "subject": _git("log", "-1", "--format=%s"),
        "machine": machine(),
        "versions": versions(),
        "failed": failed,
        "measurements": [measurement.as_json() for measurement in measured],
    }


def checked(data: Any) -> dict[str, Any]:
    """The same record, if it is one that this version reads.

    Raises:
        UnknownRecord: It is not.
    """
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise UnknownRecord("this is no record of benchmarks")
    if data.get("version") != VERSION:
        raise UnknownRecord(f"a record of version {data.get('version')}; this script reads version {VERSION}")
    for row in data["measurements"]:
        Measurement(**row)
    return data


def machine() -> dict[str, Any]:
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "architecture": platform.machine(),
    }


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("tracelab", "torch", *PEERS):
        version = version_of(package)
        if version is not None:
            found[package] = version
    node = shutil.which("node")
    if node is not None:
        found["node"] = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip().lstrip("v")
    return found


def _git(*arguments: str) -> str:
    """Empty where this is no checkout."""
    git = shutil.which("git")
    if git is None:
        return ""
    done = subprocess.run([git, *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    return done.stdout.strip() if done.returncode == 0 else ""
