"""Opening a `.tlab` file of 2 GB by the Jupyter server: time and growth of the server's memory.

The peer in the same run is what JupyterLab does with a file that it does not know: the contents API, asked for the
file of 1/32 the size (the whole would need gigabytes).
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import IO, Any

import psutil
import torch
from torch import nn

import tracelab

from .measuring import Measurement

SIZE = 2 * 2**30
TOKEN = "benchmark"
CONFIG = pathlib.Path(__file__).parents[2] / "jupyter-config"


class Sparse:
    """A file in which pieces of zeros take no room on the disk."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._zeros = bytes(2**20)
        self.seek, self.tell, self.seekable, self.flush = file.seek, file.tell, file.seekable, file.flush

    def write(self, data: bytes) -> int:
        if data == self._zeros:
            self._file.seek(len(data), os.SEEK_CUR)
            return len(data)
        return self._file.write(data)


def make(path: pathlib.Path, size: int) -> None:
    """A `.tlab` file of 1,000 operators, with one more tensor of `size` bytes of zeros."""
    torch.manual_seed(0)
    blocks = [nn.Sequential(nn.Linear(8, 8), nn.ReLU()) for _ in range(500)]
    tracelab.trace(nn.Sequential(*blocks), torch.ones(1, 8)).save(path.with_suffix(".small"))
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with (
        zipfile.ZipFile(path.with_suffix(".small")) as old,
        path.open("w+b") as file,
        zipfile.ZipFile(Sparse(file), "w") as new,  # type: ignore[arg-type]
    ):
        for name in old.namelist():
            if name != "weights.safetensors":
                new.writestr(old.getinfo(name), old.read(name))
        with new.open(zipfile.ZipInfo("weights.safetensors"), "w", force_zip64=True) as weights:
            weights.write(len(header).to_bytes(8, "little") + header)
            for _ in range(size // 2**20):
                weights.write(bytes(2**20))


def memory(pid: int) -> float:
    """MB of RAM that a process holds now."""
    return psutil.Process(pid).memory_info().rss / 2**20


def measure(url: str, pid: int) -> tuple[float, float, int]:
    """Seconds, growth of the server's memory at its peak in MB, and bytes of the answer."""
    before = peak = memory(pid)
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.002):
            peak = max(peak, memory(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    size = 0
    with urllib.request.urlopen(url, timeout=300) as answer:
        head = answer.read(40)
        size += len(head)
        while piece := answer.read(2**20):
            size += len(piece)
    took = time.perf_counter() - start
    done.set()
    watcher.join()
    if b"tracelab.file" in head:
        raise RuntimeError(f"the server did not show the file: {head!r}")
    return took, peak - before, size


def measurements(full: bool) -> Iterator[Measurement]:
    if full:
        yield from open_by_the_server()


def open_by_the_server() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as name:
        home = pathlib.Path(name)
        (home / "root").mkdir()
        make(home / "root" / "large.tlab", SIZE)
        make(home / "root" / "part.tlab", SIZE // 32)
        (home / "config").mkdir()
        shutil.copytree(CONFIG, home / "config" / "jupyter_server_config.d")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "jupyter",
            "server",
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
        ]
        command += [f"--ServerApp.port={port}", f"--IdentityProvider.token={TOKEN}"]
        command += [f"--ServerApp.root_dir={home / 'root'}"]
        environment: dict[str, Any] = {**os.environ, "JUPYTER_CONFIG_DIR": str(home / "config")}
        server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            base = f"http://127.0.0.1:{port}"
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"{base}/api/status?token={TOKEN}").close()
                    break
                except urllib.error.URLError:
                    time.sleep(0.1)
            view = f"{base}/tracelab/view/large.tlab?token={TOKEN}"
            first = measure(view, server.pid)
            later = [measure(view, server.pid) for _ in range(9)]
            took = statistics.median(seconds for seconds, _, _ in later)
            grew = max(growth for _, growth, _ in [first, *later])
            what = "open a .tlab file of 2 GiB"
            yield Measurement("files", what, "first view", "ms", first[0] * 1e3)
            yield Measurement("files", what, "growth of the server", "MB", grew)
            peer = measure(f"{base}/api/contents/part.tlab?format=base64&token={TOKEN}", server.pid)
            note = "the peer has a file of 1/32 the size"
            name = "JupyterLab's contents API"
            yield Measurement("files", what, "later views", "ms", took * 1e3, name, peer[0] * 1e3, took / peer[0], note)
        finally:
            server.terminate()
            server.wait(15)
