"""What people see of a graph: the view document, text, and static pictures."""

from tracelab.render.picture.dot import dot_source, svg
from tracelab.render.text import summary_text
from tracelab.render.view_document.document import view_bytes, view_document

__all__ = ["dot_source", "summary_text", "svg", "view_bytes", "view_document"]
