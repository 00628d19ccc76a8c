"""How fast the explorer is in headless Chromium, which draws in software.

npm run bench:page && python benchmarks/browser.py [FOLDER of documents by trace_models.py]
"""

from __future__ import annotations

import pathlib
import statistics
import sys

from playwright.sync_api import Page, sync_playwright

HERE = pathlib.Path(__file__).resolve().parents[1]
SCRIPT = HERE / "lib" / "benchmarks" / "page.js"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# Frames as fast as they can be drawn: else none is shorter than the screen's sixtieth of a second.
FLAGS += ["--disable-frame-rate-limit", "--disable-gpu-vsync"]

HELPERS = """
window.host = null;
window.ready = (host) => new Promise((resolve) => {
  const look = () => host.dataset.tracelabReady === 'true'
    ? requestAnimationFrame(() => resolve()) : setTimeout(look, 0);
  look();
});
window.show = async (text, state) => {
  window.explorer?.destroy();
  document.body.replaceChildren();
  window.host = document.createElement('div');
  document.body.append(host);
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const start = performance.now();
  window.explorer = tracelabBench.createExplorer(host, JSON.parse(text), { state: { height: 700, ...state } });
  // The picture: what comes after it (`src/explorer/later.ts`) is not waited for.
  while (host.querySelector('.tracelab').shadowRoot.querySelector('.item') === null)
    await new Promise((resolve) => setTimeout(resolve, 0));
  await new Promise((resolve) => requestAnimationFrame(resolve));
  const shown = performance.now() - start;
  await ready(host);
  return shown;
};
window.toggle = async (scopes) => {
  const start = performance.now();
  explorer.setOpened(scopes);
  await ready(host);
  return performance.now() - start;
};
// Time of each frame while the picture is dragged, from one frame's beginning to the next one's.
window.pan = async (frames) => {
  const tree = host.querySelector('.tracelab').shadowRoot.querySelector('[role=tree]');
  const send = (type, x, y) => tree.dispatchEvent(new PointerEvent(type,
    { pointerId: 1, button: 0, buttons: 1, clientX: x, clientY: y, bubbles: true, pointerType: 'mouse' }));
  tree.setPointerCapture = () => {};
  send('pointerdown', 600, 300);
  const times = [];
  for (let frame = 0; frame < frames; frame++) {
    const start = performance.now();
    send('pointermove', 600 + 40 * Math.sin(frame / 8), 300 - frame * 7);
    await new Promise((resolve) => requestAnimationFrame(() => {
      // After the frame's own callbacks, which stand before ours.
      const channel = new MessageChannel();
      channel.port1.onmessage = () => resolve();
      channel.port2.postMessage(0);
    }));
    times.push(performance.now() - start);
  }
  send('pointerup', 600, 300);
  return times.sort((a, b) => a - b);
};
window.zoomTo = async (scale) => {
  const tree = host.querySelector('.tracelab').shadowRoot.querySelector('[role=tree]');
  tree.focus();
  tree.dispatchEvent(new KeyboardEvent('keydown', { key: scale > 1 ? '+' : '-', bubbles: true }));
};
window.search = async (query) => {
  const input = host.querySelector('.tracelab').shadowRoot.querySelector('.search input');
  const times = [];
  for (let length = 1; length <= query.length; length++) {
    input.value = query.slice(0, length);
    const start = performance.now();
    input.dispatchEvent(new Event('input'));
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return times;
};
"""


def bar(name: str, value: float, limit: float) -> None:
    print(f"{name}: {value:.0f} ms (bar {limit:.0f}){'' if value <= limit else '  OVER'}", flush=True)


def first_pictures(page: Page, folder: pathlib.Path | None) -> None:
    for name, limit in (("resnet50", 150), ("gpt2", 150)):
        if folder is not None:
            text = (folder / f"{name}.json").read_text()
            times = [page.evaluate("([text]) => show(text)", [text]) for _ in range(6)]
            bar(f"first picture, {name}, cold", times[0], limit)
            bar(f"first picture, {name}, warm", statistics.median(times[1:]), limit)
    page.evaluate("window.big = JSON.stringify(tracelabBench.nested(100000))")
    print(f"nested 100,000: {page.evaluate('big.length') / 1e6:.1f} MB")
    times = [page.evaluate("show(big)") for _ in range(3)]
    bar("first picture, 100,000 nodes in 50 stages", statistics.median(times), 1000)


def toggles(page: Page) -> None:
    scopes = page.evaluate("""
      (() => { const h = tracelabBench.buildHierarchy(JSON.parse(big));
        return [h.paths.indexOf('stage3'), h.paths.indexOf('stage3.4')]; })()""")
    page.evaluate("([a]) => toggle([a])", scopes)
    times = []
    for _ in range(4):
        times.append(page.evaluate("([a, b]) => toggle([a, b])", scopes))
        times.append(page.evaluate("([a]) => toggle([a])", scopes))
    bar("open or close a group of 200 in 100,000", statistics.median(times), 100)


IN_VIEW = """(() => { const box = host.getBoundingClientRect(); const N = JSON.parse(text).nodes.kind.length;
  let n = 0;
  for (let i = 0; i < N; i++) { const p = host.tracelab.positionOf(i);
    n += p && p.x > box.left && p.x < box.right && p.y > box.top && p.y < box.bottom ? 1 : 0; }
  return n; })()"""


def panning(page: Page) -> None:
    for name, make, steps in (
        ("20,000 in a row", "flat(20000)", (0, 6, 8)),
        ("20,000 in 40 towers", "wide(20000)", (0, 1, 2, 2)),
        ("20,000 nested, all open", "nested(20000)", (0, 6, 8)),
        ("100,000 in 40 towers", "wide(100000)", (2, 3, 20)),
    ):
        page.evaluate(f"window.text = JSON.stringify(tracelabBench.{make})")
        opened = page.evaluate("JSON.parse(text).scopes.parent.map((_, scope) => scope).slice(1)")
        took = page.evaluate("([opened]) => show(text, { opened })", [opened])
        print(f"{name}: shown after {took:.0f} ms")
        for step in steps:
            for _ in range(step):
                page.evaluate("zoomTo(0.5)")
            page.wait_for_timeout(300)
            inside = page.evaluate(IN_VIEW)
            times = page.evaluate("pan(90)")
            bar(f"{name}, {inside} in view, frame median", statistics.median(times), 16)
            bar(f"{name}, {inside} in view, frame 95 %", times[int(len(times) * 0.95)], 33)


def searching(page: Page) -> None:
    page.evaluate("show(big)")
    page.evaluate("search('lin')")
    for query in ("layer_norm", "op:gelu in:stage3", "128"):
        times = page.evaluate("([query]) => search(query)", [query])
        bar(f"keystroke, {query!r}, worst of {len(times)}", max(times), 50)


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 800})
        page.on("pageerror", lambda error: print("page error:", error))
        page.set_content("<!doctype html><body></body>")
        page.add_script_tag(path=str(SCRIPT))
        page.add_script_tag(content=HELPERS)
        chosen = sys.argv[2:] or ["first", "toggle", "pan", "search"]
        first_pictures(page, folder)
        if "toggle" in chosen:
            toggles(page)
        if "pan" in chosen:
            panning(page)
        if "search" in chosen:
            searching(page)
        browser.close()


if __name__ == "__main__":
    main()
