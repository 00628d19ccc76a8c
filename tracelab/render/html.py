"""One HTML file with the explorer and a graph: opens anywhere, offline, from `file://`."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import pathlib
import re

from tracelab.errors import TracelabError
from tracelab.protocol.view_document import ViewDocument
from tracelab.render.packed import packed
from tracelab.render.view_document.document import encodable

_LONG = 400_000
"""Characters from which a document is packed, which a person cannot read then."""
_STATIC = pathlib.Path(__file__).parent / "static"


def document_html(document: ViewDocument) -> str:
    """A page that shows a view document.

    Text of the document cannot become markup: `<` is written as JSON's escape of it, and the page's content
    security policy lets no script run but the explorer's own. Raises `TracelabError` where the front end was not
    built.
    """
    try:
        template = (_STATIC / "page.html").read_text(encoding="utf-8")
        script = (_STATIC / "page.js").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise TracelabError(
            f"the explorer's page is not built: {error.filename} is missing; "
            "install tracelab from a wheel, or run `npm ci && npm run build:prod` in labextension/"
        ) from None
    data = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if len(data) > _LONG:
        data = json.dumps(packed(document))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = {
        "title": html.escape(encodable(document["name"])),
        "policy": f"'sha256-{digest}'",
        "document": data.replace("<", r"\u003c"),
        "script": script,
    }
    # One pass: what stands in the document is never taken for a place to fill.
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], template)
