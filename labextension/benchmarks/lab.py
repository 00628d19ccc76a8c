"""What the extension costs in JupyterLab: 1,000 cells opened with and without it, and how soon hints come.

python labextension/benchmarks/lab.py [ROUNDS]

Both servers run at once, and openings take turns, so that a ratio is of one machine in one mood.
"""

from __future__ import annotations

import pathlib
import statistics
import subprocess
import sys
import tempfile

import nbformat
from playwright.sync_api import Page, sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from e2e.lab import Lab  # noqa: E402

from e2e.conftest import FLAGS, running_lab  # noqa: E402

CELLS = 1000

OPEN = """async path => {
  const start = performance.now();
  const panel = await jupyterapp.commands.execute('docmanager:open', { path });
  await panel.context.ready;
  await panel.revealed;
  while (panel.content.widgets.length < CELLS || panel.node.querySelector('.jp-Cell .cm-line') === null) {
    await new Promise(resolve => setTimeout(resolve, 0));
  }
  // What was put off until the page is idle counts too.
  await new Promise(resolve => requestIdleCallback(resolve));
  const taken = performance.now() - start;
  panel.dispose();
  await new Promise(resolve => setTimeout(resolve, 300));
  return taken;
}""".replace("CELLS", str(CELLS))

TRACE = """async ([index, mime]) => {
  const panel = jupyterapp.shell.currentWidget;
  const { kernel } = panel.sessionContext.session;
  let arrived = 0;
  const hear = (_, { content }) => { if (content.data?.[mime]) arrived = performance.now(); };
  kernel.iopubMessage.connect(hear);
  panel.content.activeCellIndex = index;
  const cell = panel.content.widgets[index].node;
  const seen = new Promise(resolve => {
    const look = () => {
      if (arrived > 0 && cell.querySelector('.tracelab-hint') !== null) {
        observer.disconnect();
        // Painted with the next frame.
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now()), 0));
      }
    };
    const observer = new MutationObserver(look);
    observer.observe(cell, { subtree: true, childList: true, attributes: true });
  });
  await jupyterapp.commands.execute('notebook:clear-cell-output');
  await jupyterapp.commands.execute('notebook:run-cell');
  const shown = await seen;
  kernel.iopubMessage.disconnect(hear);
  return shown - arrived;
}"""

SETUP = """import torch
from tracelab.demo import GPT, ResNet
%load_ext tracelab
torch.manual_seed(0)
layer = torch.nn.Linear(16, 4)
x = torch.ones(8, 16)
resnet = ResNet.resnet50().eval()
image = torch.randn(1, 3, 64, 64)"""
TRACES = {"a cell of 3 operators": "%%trace\nh = layer(x)\ny = h.relu() * 2", "ResNet-50": "%%trace\ny = resnet(image)"}


def write_thousand(folder: pathlib.Path) -> str:
    """Code with printed results, as notebooks hold it."""
    cells = []
    for number in range(CELLS):
        source = f"# step {number}\nvalues = [index * {number} for index in range(10)]\nprint(sum(values))"
        cell = nbformat.v4.new_code_cell(source, execution_count=number + 1)
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"{45 * number}\n")]
        cells.append(cell)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "thousand.ipynb")
    return "thousand.ipynb"


def open_page(page: Page, lab: Lab, path: str = "") -> None:
    page.goto(lab.page_url(path))
    page.wait_for_function("window.jupyterapp?.restored !== undefined")
    page.evaluate("() => jupyterapp.restored.then(() => undefined)")


def opening(page_on: Page, page_off: Page, path: str, rounds: int) -> None:
    times: dict[str, list[float]] = {"on": [], "off": []}
    for round_ in range(rounds + 1):
        turns = [("on", page_on), ("off", page_off)]
        for name, page in turns if round_ % 2 else reversed(turns):
            taken = page.evaluate(OPEN, path)
            if round_ > 0:
                times[name].append(taken)
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    ratios = [on / off for on, off in zip(times["on"], times["off"], strict=True)]
    print(f"open {CELLS} cells, ms, median of {rounds}: on {middle['on']:.0f}, off {middle['off']:.0f}")
    print(f"  on/off: {middle['on'] / middle['off']:.3f}; median of the rounds' ratios {statistics.median(ratios):.3f}")


def hints(page: Page, lab: Lab, rounds: int) -> None:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    content.cells = [nbformat.v4.new_code_cell(text) for text in (SETUP, *TRACES.values())]
    nbformat.write(content, lab.folder / "traces.ipynb")
    open_page(page, lab, "traces.ipynb")
    page.wait_for_function("jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
    page.evaluate("() => { jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-cell').then(() => undefined)")
    for index, name in enumerate(TRACES, 1):
        taken = [page.evaluate(TRACE, [index, "application/vnd.tracelab.v1+json"]) for _ in range(rounds)]
        print(f"hints after the trace arrived, {name}, ms: first {taken[0]:.0f}, median {statistics.median(taken):.0f}")


def own_time(page: Page, path: str, rounds: int) -> None:
    """Time in code of ours while the notebook opens, by the browser's own profiler."""
    session = page.context.new_cdp_session(page)
    session.send("Profiler.enable")
    session.send("Profiler.setSamplingInterval", {"interval": 200})
    found = []
    for _ in range(rounds):
        session.send("Profiler.start")
        page.evaluate(OPEN, path)
        profile = session.send("Profiler.stop")["profile"]
        ours = {node["id"] for node in profile["nodes"] if "extensions/tracelab/" in node["callFrame"]["url"]}
        # The first difference belongs to what ran before the first sample.
        samples = zip(profile["samples"], profile["timeDeltas"][1:], strict=False)
        found.append(sum(delta for node, delta in samples if node in ours) / 1000)
    print(f"  in code of ours, by the profiler, ms: median of {rounds} {statistics.median(found):.1f}")


def bundle() -> None:
    """Minified sizes: what a page with the extension loads, without the explorer that every front end has."""
    static = ROOT / "tracelab" / "labextension" / "static"
    command = [
        "npx",
        "esbuild",
        "src/explorer/explorer.ts",
        "--bundle",
        "--minify",
        "--format=esm",
        "--splitting=false",
    ]
    explorer = len(subprocess.run(command, cwd=ROOT / "labextension", capture_output=True, check=True).stdout)
    sizes = {file.name: file.stat().st_size for file in sorted(static.glob("*.js"))}
    # The script of standalone pages is fetched when one is saved.
    later = max(sizes, key=lambda name: (static / name).read_text().count("tracelab-document"))
    loaded = sum(size for name, size in sizes.items() if name != later)
    print(f"bundle, KB: loaded {loaded / 1024:.1f}, of it the explorer {explorer / 1024:.1f}", end="")
    print(f", beyond it {(loaded - explorer) / 1024:.1f}; fetched when a page is saved {sizes[later] / 1024:.1f}")


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        (on_home := pathlib.Path(home, "on")).mkdir()
        (off_home := pathlib.Path(home, "off")).mkdir()
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        with running_lab(on_home) as on, running_lab(off_home, ("tracelab",)) as off:
            pages = []
            for lab in (on, off):
                path = write_thousand(lab.folder)
                page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
                open_page(page, lab)
                pages.append(page)
            opening(pages[0], pages[1], path, rounds)
            own_time(pages[0], path, 5)
            hints(pages[0], on, max(3, rounds // 2))
            on.stop_kernels()
            off.stop_kernels()
        browser.close()
    bundle()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
