"""The tutorials: the notebooks of `notebooks/` as pages, each saved explorer alive in a frame.

The notebooks hold view documents; no code of theirs is run as the site is built. Tests run them.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from explorers import frame, write_page
from tracelab.protocol.view_document import MIME_TYPE
from tracelab.render.html import document_html

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def page_of(notebook: dict[str, Any], out: Path) -> dict[str, Any]:
    """The notebook as the site shows it."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = _linked("".join(cell["source"]))
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            document = data.get(MIME_TYPE)
            if document is not None:
                address = "../" + write_page(out, document_html(document))
                output["data"] = {"text/html": frame(address, f"The graph of {document['name']}")}
                output["metadata"] = {}
    return notebook


def _linked(text: str) -> str:
    """Names of other notebooks as links."""
    return re.sub(r"`(\d\d_\w+)\.ipynb`", r"[\1](\1.ipynb)", text)


def make(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "tutorials"
    folder.mkdir(exist_ok=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = page_of(json.loads(path.read_text(encoding="utf-8")), Path(app.outdir))
        text = json.dumps(notebook, ensure_ascii=False, indent=1)
        target = folder / path.name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
    shutil.copytree(NOTEBOOKS / "images", folder / "images", dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py"))


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", make)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
