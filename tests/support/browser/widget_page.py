"""A page that shows widgets as any host of anywidget does, and nothing else: no Jupyter, no style of its own."""

from __future__ import annotations

import json
import pathlib
from typing import TYPE_CHECKING, Any

import tracelab.jupyter.widget.explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

BUNDLE = pathlib.Path(tracelab.jupyter.widget.explorer.__file__).parents[1] / "static" / "widget.js"

# The front end's half of the anywidget specification: a model with traits, and a module loaded from a Blob once for
# all widgets that share it.
_HOST = """
(text) => {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  window.widgets = [];
  window.problems = [];
  window.addEventListener('error', (event) => window.problems.push(event.message));
  window.addEventListener('unhandledrejection', (event) => window.problems.push(String(event.reason)));
  window.show = async (traits, place) => {
    const module = await import(address);
    const listeners = {};
    const model = {
      alive: true,
      saved: 0,
      traits: { selected: -1, selected_module: '', opened: [], opened_default: true, height: 480, _restored: '',
        _esm: text, ...traits },
      get: (name) => name === '_document'
        ? new DataView(new TextEncoder().encode(model.traits._document).buffer) : model.traits[name],
      set(name, value) {
        model.traits[name] = value;
        (listeners[`change:${name}`] ?? []).forEach((each) => each());
      },
      save_changes() {
        if (!model.alive) throw new Error('Kernel is dead');
        model.saved++;
      },
      on: (name, call) => (listeners[name] ??= []).push(call),
      off: (name, call) => { listeners[name] = (listeners[name] ?? []).filter((each) => each !== call); },
      listening: () => Object.values(listeners).flat().length,
    };
    const el = document.createElement('div');
    (place ?? document.body).append(el);
    const end = await module.default.render({ model, el });
    const again = async () => {
      const second = document.createElement('div');
      document.body.append(second);
      await module.default.render({ model, el: second });
    };
    window.widgets.push({ model, el, end, again });
  };
}
"""


def widget_page(page: Page, body: str = "") -> Page:
    """Makes a page a host of widgets; `body` is the HTML around them."""
    page.set_content(f"<!doctype html><html><body {body}></body></html>")
    page.evaluate(_HOST, BUNDLE.read_text(encoding="utf-8"))
    return page


def show(page: Page, document: Any, **traits: Any) -> None:
    """Shows one more widget."""
    text = document if isinstance(document, str) else json.dumps(document)
    page.evaluate("(traits) => window.show(traits)", {"_document": text, **traits})
