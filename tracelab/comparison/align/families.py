"""Which operators of two vocabularies do the same work: `aten::linear` and `onnx::Gemm`, `prim::view` and `Reshape`."""

from __future__ import annotations

import re
from functools import cache

from tracelab.graph.ir import Node

_FAMILIES = (
    {"linear", "addmm", "mm", "bmm", "mv", "matmul", "baddbmm", "einsum", "gemm"},
    {"add", "linear", "addmm", "baddbmm"},
    {"convolution", "conv", "convtranspose"},
    {"view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "depthtospace", "pixelshuffle"},
    {"transpose", "permute", "t", "movedim", "swapaxes"},
    {"embedding", "gather", "gathernd", "gatherelements", "index", "indexselect", "select"},
    {"cat", "concat", "stack"},
    {"avgpool", "averagepool", "globalaveragepool", "mean"},
    {"maxpool", "globalmaxpool", "amax", "max"},
    {"clamp", "clip", "hardtanh", "relu6"},
    {"where", "maskedfill"},
    {"to", "cast", "type"},
    {"slice", "narrow", "split", "chunk"},
    {"pow", "square", "mul"},
    {"div", "reciprocal"},
    {"amin", "min"},
    {"rmsnorm", "layernorm", "simplifiedlayernorm", "skiplayernorm"},
    {"attention", "multiheadattention", "scaleddotproductattention"},
    {"upsample", "resize", "interpolate", "upsamplebilinear", "upsamplenearest"},
    {"invert", "neg"},
)
_PREFIX = re.compile(r"^(native|reduce|fused|adaptive|quicklinear)(?=[a-z]{3})")
_DIMENSIONS = re.compile(r"[123]d$")


def alike(mine: Node, theirs: Node) -> bool:
    """Whether two operators may stand for each other, by their names or by the operator that one was made of.

    >>> graph, _ = tracelab.trace_graph(torch.nn.Linear(2, 2), torch.ones(1, 2))
    >>> alike(graph.nodes[0], graph.nodes[0])
    True
    """
    return any(_share(one, other) for one in _names(mine) for other in _names(theirs))


def _names(node: Node) -> tuple[str, ...]:
    """The names to go by: the operator's, and that of which an exporter made it."""
    origin = str(node.attributes.get("origin", "")).rpartition(": ")[2]
    return tuple(dict.fromkeys(filter(None, (plain_name(node.kind), plain_name(origin)))))


@cache
def plain_name(kind: str) -> str:
    """The name of an operator without what vocabularies write otherwise: `LayerNormalization` is `layernorm`."""
    name = kind.rpartition("::")[2].partition(".")[0].replace("_", "").lower().replace("normalization", "norm")
    return _DIMENSIONS.sub("", _PREFIX.sub("", name))


@cache
def _share(one: str, other: str) -> bool:
    return one == other or any(one in family and other in family for family in _FAMILIES)
