"""The directive `gallery`: cards of `docs/gallery/make.py`, whose pages and thumbnails are made with the site."""

from __future__ import annotations

import html
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

MAKE = Path(__file__).parents[1] / "gallery" / "make.py"


def maker() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("gallery_make", MAKE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Gallery(SphinxDirective):
    """See the module."""

    def run(self) -> list[nodes.Node]:
        for script in MAKE.parent.glob("*.py"):
            self.env.note_dependency(str(script))
        folder = Path(self.env.app.outdir) / "gallery" / "models"
        cards = [self._card(*made) for made in maker().make(folder, self.config.gallery_models or None)]
        markup = (
            '<label for="gallery-search">Search the gallery</label>'
            '<input id="gallery-search" class="gallery-search" type="search" placeholder="vision, decoder, experts …">'
            '<p class="gallery-found" role="status"></p>'
            f'<ul class="gallery">{"".join(cards)}</ul>'
        )
        return [nodes.raw("", markup, format="html")]

    def _card(self, entry: Any, size: int, numbers: str) -> str:
        name, title, tags = html.escape(entry.name), html.escape(entry.title), html.escape(entry.tags, quote=True)
        return (
            f'<li data-tags="{tags}"><a href="models/{name}.html"><span class="thumbnail">'
            f'<img class="only-light" src="models/{name}.svg" alt="" loading="lazy">'
            f'<img class="only-dark" src="models/{name}-dark.svg" alt="" loading="lazy"></span>'
            f"<strong>{title}</strong><small>{html.escape(entry.family)} · {html.escape(entry.about)}</small>"
            f"<small>{numbers}, {size / 1e3:.0f} KB</small></a></li>"
        )


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("gallery_models", [], "env")
    app.add_directive("gallery", Gallery)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
