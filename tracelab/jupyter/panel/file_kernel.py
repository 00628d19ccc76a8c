"""What the file viewer's short-lived kernel is asked: the picture of a graph file that holds none itself."""

from __future__ import annotations

from tracelab.api.files import read
from tracelab.errors import TracelabError
from tracelab.graph.graph import Graph
from tracelab.jupyter.panel.panel import Answer
from tracelab.protocol.view_document import ViewDocument
from tracelab.render.view_document.cases_document import cases_document
from tracelab.render.view_document.document import view_document


def document_of(path: str) -> Answer:
    """The view document of a `.tlab`, torch.export, TorchScript or ONNX file, or `error` with one sentence.

    No code of the file runs and nothing of it is unpickled by Python.

    >>> document_of("missing.tlab").content["error"]
    'the file cannot be read: No such file or directory'
    """
    try:
        return Answer({"document": _document(path)})
    except TracelabError as error:
        return Answer({"error": str(error)})
    except OSError as error:
        return Answer({"error": f"the file cannot be read: {error.strerror or type(error).__name__}"})
    except MemoryError:
        return Answer({"error": "the file is too large for this machine's memory"})


def _document(path: str) -> ViewDocument:
    found = read(path)
    if isinstance(found, Graph):
        return view_document(found)
    return cases_document(found.graph, [case.graph for case in found.cases])


__all__ = ["document_of"]
