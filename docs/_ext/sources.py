"""Where the source of a page is in the repository: the icons *Edit* and *View* of a page lead there.

A tutorial is a notebook of `notebooks/`, copied as the site is built. A page that only includes a file is that file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]


def source_of(docname: str) -> str | None:
    """The path of a page's source in the repository, where it is not `docs/PAGE.md`."""
    if docname.startswith("tutorials/"):
        return f"notebooks/{docname.removeprefix('tutorials/')}.ipynb"
    page = ROOT / "docs" / f"{docname}.md"
    if not page.exists():
        return None
    included = re.fullmatch(r"```\{include\} (\S+)\n(?::[\w-]+:.*\n)*```\s*", page.read_text(encoding="utf-8"))
    return included and (page.parent / included[1]).resolve().relative_to(ROOT.resolve()).as_posix()


def point(app: Sphinx, pagename: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    path = source_of(pagename)
    if path is not None:
        options = app.config.html_theme_options
        repository, branch = options["source_repository"].rstrip("/"), options["source_branch"]
        context["theme_source_edit_link"] = f"{repository}/edit/{branch}/{path}"
        context["theme_source_view_link"] = f"{repository}/blob/{branch}/{path}"


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", point)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
