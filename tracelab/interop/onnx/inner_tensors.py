"""Tensors in the inner graphs and functions of an ONNX model: they are in the model before onnxruntime sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracelab.errors import TracelabError
from tracelab.interop.onnx.tensors import DTYPES, external_bytes
from tracelab.storage import validation

_MOST = 2**31 - 1
"""Bytes of a model that onnxruntime takes."""
EXTERNAL = 1
"""Where a tensor says that its elements lie in another file."""


def bring_in(model: Any, folder: Path | None) -> int:
    """Put the elements that other files hold into the attributes and inner graphs of the model.

    Initializers of the model itself stay as they are: their reader opens them. Without a folder, nothing is opened.

    Returns:
        The bytes that were brought in.

    Raises:
        TracelabFileError: One of them lies outside of the folder, or is not there.
    """
    total = 0
    nodes = [*model.graph.node, *(node for item in model.functions for node in item.node)]
    attributes = [item for function in model.functions for item in function.attribute_proto]
    for tensor in (*_of_nodes(nodes), *_of_attributes(attributes)):
        if tensor.data_location != EXTERNAL or folder is None:
            continue
        where = f"the tensor {tensor.name[:60]!r} of an inner graph"
        dtype = DTYPES.get(tensor.data_type)
        if dtype is None:
            validation.bad(where, "lies in another file, and is of a type that torch has not")
        count = 1
        for size in tensor.dims:
            count *= validation.integer(int(size), f"a size of {where}")
        total += count * dtype.itemsize
        if total > _MOST:
            validation.bad("the graph", "has more than 2 GB in its inner graphs, which onnxruntime does not take")
        data = external_bytes(tensor, folder, where, count * dtype.itemsize)
        tensor.raw_data = bytes(data)
        tensor.data_location = 0
        del tensor.external_data[:]
    return total


def refuse_outside(node: Any, functions: Any) -> None:
    """Raise where a tensor would be taken from a file: onnxruntime would look in the current directory."""
    nodes = [node, *(inner for item in functions for inner in item.node)]
    attributes = [item for function in functions for item in function.attribute_proto]
    for tensor in (*_of_nodes(nodes), *_of_attributes(attributes)):
        if tensor.data_location == EXTERNAL:
            raise TracelabError(
                f"{node.op_type} needs the tensor {tensor.name[:60]!r}, whose elements lie in another file: "
                "read the model by its path"
            )


def _of_nodes(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        yield from _of_attributes(node.attribute)


def _of_attributes(attributes: Any) -> Iterator[Any]:
    # protobuf reads a hundred levels at most.
    for item in attributes:
        yield from (item.t, *item.tensors)
        for sparse in (item.sparse_tensor, *item.sparse_tensors):
            yield from (sparse.values, sparse.indices)
        for graph in (item.g, *item.graphs):
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            yield from _of_nodes(graph.node)
