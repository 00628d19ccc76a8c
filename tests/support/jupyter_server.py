"""Jupyter servers of the Python that runs the tests, with settings, data and ports of their own."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

PATIENCE = 120
"""Seconds in which a server starts on a machine that is busy with other tests."""


@contextlib.contextmanager
def running_server(command: list[str], home: pathlib.Path, token: str, **environment: str) -> Iterator[int]:
    """A server that keeps everything below `home`; gives the port that it chose."""
    runtime = home / "runtime"
    runtime.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "jupyter", *command, "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    command += ["--ServerApp.port=0", f"--IdentityProvider.token={token}"]
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "IPYTHONDIR": str(home / "ipython"),
        **environment,
    }
    log = home / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=home, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield _port(process, runtime, token, log)
    finally:
        # Asked politely it ends its kernels too.
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)


def _port(process: subprocess.Popen[bytes], runtime: pathlib.Path, token: str, log: pathlib.Path) -> int:
    """Where the server listens, as it says itself, once it answers."""
    said = runtime / f"jpserver-{process.pid}.json"
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            port = int(json.loads(said.read_text(encoding="utf-8"))["port"])
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status?token={token}", timeout=PATIENCE).close()
        except (OSError, ValueError, urllib.error.URLError):
            # It is not there yet, or half written.
            time.sleep(0.1)
        else:
            return port
    pytest.fail(f"the Jupyter server did not start:\n{log.read_text(errors='replace')[-4000:]}")
