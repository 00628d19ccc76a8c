"""Every test starts from the same random state, and so does every file of tests as it is read."""

from __future__ import annotations

import gc
import os
import random

# Several processes of tests share the cores; torch would start a thread for each core in each of them.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch

from tracelab.graph import lint

# Every pass, recording and loaded file of every test ends in the verifier.
lint.enabled = True

LONGEST_FIRST = ("tests/operators", "tests/architectures", "notebooks", "tests/check", "tests/jupyter")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One file of tests runs in this process, where `print` and a debugger work.

    Of many files there is one more at a time than there are cores: tests in a browser mostly wait.
    """
    files = {argument.split("::")[0] for argument in config.args}
    if len(files) == 1 and files.pop().endswith((".py", ".ipynb")):
        return 0
    return 1 + (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def pytest_configure(config: pytest.Config) -> None:
    """A test that is named runs, nightly or not."""
    if config.option.markexpr == "not nightly" and any("::" in argument for argument in config.args):
        config.option.markexpr = ""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files that take long come first: short ones fill what is left, and no process waits for another at the end.

    Files of browser tests stand among them, so that some processes compute while others wait for a browser.
    `TRACELAB_PART=2/3` takes every third test, from the second on.
    """
    part, _, parts = os.environ.get("TRACELAB_PART", "1/1").partition("/")
    kept = items[int(part) - 1 :: int(parts)]
    config.hook.pytest_deselected(items=[item for at, item in enumerate(items) if at % int(parts) != int(part) - 1])
    items[:] = kept
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path.relative_to(config.rootpath).as_posix(), []).append(item)

    def place(path: str) -> int:
        return next((at for at, start in enumerate(LONGEST_FIRST) if path.startswith(start)), len(LONGEST_FIRST))

    waiting = [path for path in files if path.startswith("tests/e2e")]
    computing = sorted((path for path in files if not path.startswith("tests/e2e")), key=place)
    step = max(1, len(computing) // (2 * len(waiting) or 1))
    order = [path for at in range(len(waiting)) for path in (waiting[at], *computing[at * step : (at + 1) * step])]
    order += computing[len(waiting) * step :]
    items[:] = [item for path in order for item in files[path]]


def pytest_collection_finish() -> None:
    """What is there before the first test is left alone by garbage collections, which many tests ask for."""
    gc.collect()
    gc.freeze()


def _seed() -> None:
    random.seed(0)
    torch.manual_seed(0)


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Tensors made as a file is read are the same in each run, whichever files are read before it."""
    if isinstance(collector, pytest.Module):
        _seed()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    _seed()
