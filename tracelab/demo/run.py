"""What `tracelab demo` does: two networks traced, a picture of each, and the quickstart."""

from __future__ import annotations

import importlib.resources
import os
import subprocess
import sys
import time
import webbrowser
from pathlib import Path

import torch
from torch import Tensor, nn

from tracelab.api.tracing import trace
from tracelab.demo.gpt import GPT
from tracelab.demo.resnet import ResNet
from tracelab.errors import TracelabError
from tracelab.render.picture.dot import svg
from tracelab.render.text import summary_text

NOTEBOOK = "01_quickstart.ipynb"


class DemoError(TracelabError):
    """The demo cannot go on; the message says why."""


def run_demo(folder: Path, *, open_lab: bool = True) -> None:
    """Trace both networks, write the results into `folder`, and show the quickstart.

    Raises `DemoError` where the folder cannot be written or the notebook fails.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The text is read before anything is overwritten, so that a broken install changes nothing.
        notebook = _quickstart()
        torch.manual_seed(0)
        _trace("ResNet-18", ResNet.resnet18().eval(), torch.randn(1, 3, 224, 224), folder / "resnet18.svg")
        _trace("GPT, 4 blocks", GPT(layers=4).eval(), torch.randint(0, 256, (1, 64)), folder / "gpt.svg")
        (folder / NOTEBOOK).write_text(notebook, encoding="utf-8", newline="\n")
    except OSError as error:
        raise DemoError(f"cannot write to {folder}: {error.strerror or error}; choose another folder with -o") from None
    print(f"pictures: {folder / 'resnet18.svg'}, {folder / 'gpt.svg'}")
    if open_lab and has_screen():
        print("opening the quickstart in JupyterLab; stop it with Ctrl-C here")
        _open_lab(folder)
    else:
        _run_headless(folder / NOTEBOOK)


def _trace(title: str, model: nn.Module, example: Tensor, picture: Path) -> None:
    start = time.perf_counter()
    traced = trace(model, example)
    seconds = time.perf_counter() - start
    print(f"== {title}: traced and checked in {seconds:.1f} s")
    print(summary_text(traced.graph))
    print("check: the trace gives what the model gives")
    print()
    picture.write_text(svg(traced.graph), encoding="utf-8", newline="\n")


def _quickstart() -> str:
    """The tutorial: it ships inside the package, and stands in `notebooks/` of a checkout."""
    packaged = importlib.resources.files("tracelab.demo") / NOTEBOOK
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    checkout = Path(__file__).parents[2] / "notebooks" / NOTEBOOK
    if checkout.is_file():
        return checkout.read_text(encoding="utf-8")
    raise DemoError(f"{NOTEBOOK} is missing from this installation: install tracelab again")


def has_screen() -> bool:
    """Whether a person sits at a terminal, with a browser on the same machine."""
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        return False
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _open_lab(folder: Path) -> None:
    try:
        subprocess.run([sys.executable, "-m", "jupyter", "lab", NOTEBOOK], cwd=folder, check=False)
    except KeyboardInterrupt:
        print()


def _run_headless(notebook: Path) -> None:
    """Run the quickstart where nobody can see it, and keep its outputs."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    print(f"no terminal with a browser here: running {notebook} instead")
    content = nbformat.read(notebook, as_version=4)
    try:
        NotebookClient(content, timeout=600, resources={"metadata": {"path": str(notebook.parent)}}).execute()
    except CellExecutionError as error:
        raise DemoError(f"the quickstart failed: {error.ename}: {error.evalue}") from None
    nbformat.write(content, notebook)
    cells = sum(1 for cell in content.cells if cell.cell_type == "code")
    print(f"ran {cells} cells; see the results with: {Path(sys.executable).parent / 'jupyter'} lab {notebook}")
