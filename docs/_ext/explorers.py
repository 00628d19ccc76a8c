"""The directive `explorer`: a live explorer in a page, made of a few lines of code as the site is built.

    ```{explorer} A title that says what the picture shows
    :height: 420
    :hide-code:
    model, x = …
    tracelab.trace(model, x)
    ```

The last line is what is shown. It becomes one HTML file of its own, in a frame; without a frame a link leads to it.
"""

from __future__ import annotations

import ast
import hashlib
import html
import linecache
import warnings
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FOLDER = "_explorers"


def value_of(code: str, file: str) -> Any:
    """What the last expression of some code gives; its lines are known to tracebacks and to traces under `file`."""
    tree = ast.parse(code, file)
    last = tree.body.pop()
    if not isinstance(last, ast.Expr):
        raise ValueError("the last line of an explorer must be what it shows")
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    names: dict[str, Any] = {"__name__": "page"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(tree, file, "exec"), names)
        return eval(compile(ast.Expression(last.value), file, "eval"), names)


def write_page(out: Path, page: str) -> str:
    """Write an explorer's page under the site; its name is that of its content."""
    name = hashlib.sha256(page.encode()).hexdigest()[:16] + ".html"
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(page, encoding="utf-8")
    return f"{FOLDER}/{name}"


def frame(address: str, title: str, height: int = 420) -> str:
    """The markup of a frame with an explorer, and of the link to it."""
    title, address = html.escape(title, quote=True), html.escape(address, quote=True)
    return (
        f'<figure class="explorer"><iframe src="{address}" title="{title}" loading="lazy" height="{height}"></iframe>'
        f'<figcaption>{title} · <a href="{address}">full page</a></figcaption></figure>'
    )


class Explorer(SphinxDirective):
    """See the module."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = {"height": directives.positive_int, "hide-code": directives.flag}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        code = "\n".join(self.content) + "\n"
        try:
            page = value_of(code, "this page").to_html()
        except Exception as error:
            raise self.error(f"the explorer of {self.env.docname} was not made: {error!r}") from error
        up = "../" * self.env.docname.count("/")
        if self.env.app.builder.name == "dirhtml":
            up += "../"
        address = up + write_page(Path(self.env.app.outdir), page)
        made: list[nodes.Node] = []
        if "hide-code" not in self.options:
            made.append(nodes.literal_block(code, code, language="python"))
        markup = frame(address, self.arguments[0], self.options.get("height", 420))
        made.append(nodes.raw("", markup, format="html"))
        return made


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("explorer", Explorer)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
