"""One JSON object from which every reader draws: the widget, the file viewer, SVG pictures and HTML pages.

It is the same bytes for the same trace: nothing in it is an id, an address, a time, or a path of the machine. Text is
stored once, in `strings`, and shapes in `shapes`. A table is an object of columns, lists of equal length. An integer
that names a row of a table counts from 0; -1 means "none".
"""

from __future__ import annotations

import enum
from typing import Annotated, Any, NotRequired, TypedDict

from tracelab.protocol.marks import Index, OneOf, Parent, Rows, Table

FORMAT = "tracelab.view"
VERSION = 2
MIME_TYPE = "application/vnd.tracelab.v1+json"
"""The same for all versions: a reader looks at `version`."""


class Role(enum.IntEnum):
    """What a value is to the graph."""

    COMPUTED = 0
    INPUT = 1
    PARAMETER = 2
    BUFFER = 3
    CONSTANT = 4


class Status(enum.IntEnum):
    """What a comparison found of a node, module or input."""

    SAME = 0
    ADDED = 1
    REMOVED = 2
    CHANGED = 3


StringIndex = Annotated[int, Index("strings")]
OptionalString = Annotated[int, Index("strings", optional=True)]
OptionalShape = Annotated[int, Index("shapes", optional=True)]
ScopeIndex = Annotated[int, Index("scopes")]
NodeIndex = Annotated[int, Index("nodes")]
OptionalNode = Annotated[int, Index("nodes", optional=True)]
ValueIndex = Annotated[int, Index("values")]
OptionalValue = Annotated[int, Index("values", optional=True)]
OptionalSource = Annotated[int, Index("sources", optional=True)]
OptionalFile = Annotated[int, Index("files", optional=True)]


class ScopeColumns(TypedDict):
    """The tree of module calls and function calls; row 0 is the root, the traced function or module itself."""

    parent: Annotated[list[int], Parent()]
    """A parent stands before its children."""
    name: list[OptionalString]
    """The last part of the module path: `layer1`, `0`, `conv1`; of a function `rotate_half()`."""
    class_name: list[OptionalString]
    """`BasicBlock`."""
    call: list[int]
    """0 for the first call of that module, 1 for the second."""
    functions: NotRequired[list[ScopeIndex]]
    """Scopes that are calls of Python functions; they are no part of the paths of modules in them."""
    phases: NotRequired[list[ScopeIndex]]
    """Those of them that are no calls, but parts of a training loop: `iteration`, `forward`, `optimizer step`."""


class NodeColumns(TypedDict):
    """The nodes, in execution order."""

    kind: list[StringIndex]
    """`aten::linear`."""
    scope: list[ScopeIndex]
    schema: list[OptionalString]
    """`aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor`."""
    source: list[OptionalSource]
    inputs: list[list[ValueIndex]]
    """Values that the node uses, in argument order, those inside of lists too."""
    outputs: list[list[ValueIndex]]
    arguments: list[list[tuple[StringIndex, StringIndex]]]
    """Every argument: its name in the schema, and text for people, in which values are written `%name`."""
    failed: NotRequired[OptionalNode]
    """The node that raised."""
    opaque: NotRequired[list[NodeIndex]]
    """Nodes that stand for a whole region, such as a call of Python."""
    sizes: NotRequired[list[tuple[NodeIndex, StringIndex]]]
    """Arithmetic on sizes, which is part of what uses it: each such node with its expression, `x.size(1) // 2`."""
    unused: NotRequired[list[NodeIndex]]
    """Nodes on which no output and nothing outside the graph depends."""
    constants: NotRequired[list[NodeIndex]]
    """Nodes that make positions, masks and other tensors from sizes and numbers alone."""
    markers: NotRequired[list[tuple[NodeIndex, OptionalNode]]]
    """Switches of modes and contexts, reads and writes of gradients; with a read what made or last changed it."""
    identities: NotRequired[list[tuple[NodeIndex, NodeIndex]]]
    """Nodes that give back the tensor that they take, as it is; with each what made it."""
    backward: NotRequired[list[NodeIndex]]
    """Nodes that work out gradients."""


class ValueColumns(TypedDict):
    """What the nodes compute, and the graph's inputs, parameters, buffers and constants."""

    name: list[StringIndex]
    """Unique in the graph: `x`, `weight.1`."""
    type: list[StringIndex]
    """`Tensor`, `int`, `Tensor[]`."""
    dtype: list[OptionalString]
    """`float32`."""
    shape: list[OptionalShape]
    device: list[OptionalString]
    """`cpu`, `cuda:0`."""
    node: list[OptionalNode]
    """The node that makes it."""
    role: list[Annotated[int, OneOf(Role)]]
    path: list[OptionalString]
    """The path of a parameter or buffer: `layer1.0.conv1.weight`."""
    alias: list[OptionalValue]
    """The value whose memory it shares."""
    strides: NotRequired[list[tuple[ValueIndex, OptionalShape]]]
    """Strides of the tensors whose elements do not lie densely, row after row."""
    sizes: NotRequired[list[tuple[ValueIndex, list[StringIndex]]]]
    """Sizes by name, of tensors in which some size may differ from call to call: `batch`, `64`, `length - 1`, `?`."""


class SourceColumns(TypedDict):
    """Places in the user's code, each one stack frame."""

    file: list[OptionalFile]
    line: list[int]
    """Lines count from 1, columns from 0."""
    end_line: list[int]
    column: list[int]
    end_column: list[int]
    function: list[OptionalString]
    caller: list[OptionalSource]
    """The frame that called this one."""


class SourceFile(TypedDict):
    """The lines of a file near the places of the graph."""

    name: str
    """A short path, or `this cell`."""
    lines: dict[str, str]
    """Text by line number."""


class QuickFix(TypedDict):
    """An edit after which the code is no longer specialized, in the file of the warning's source.

    All lines that it spans are in `files`.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    """The replacement."""
    reason: str
    """One sentence: why it may be made."""


class TraceDiagnostic(TypedDict):
    """A warning of the trace, on a node and on a source line."""

    kind: str
    """`bool`, `item`, `iteration`."""
    message: str
    node: OptionalNode
    source: OptionalSource
    constant: str
    """The value that the trace is specialized on, as text, or an empty string."""
    affects: list[ValueIndex]
    """Outputs of the graph that depend on it."""
    verdict: NotRequired[str]
    """What a check found, where one was made: a counterexample, or none in so many tries."""
    fix: NotRequired[QuickFix]


class Summary(TypedDict):
    """The graph in numbers."""

    ops: int
    parameters: int
    """Elements; each parameter counts once."""
    parameter_bytes: int
    warnings: int


ChangeRow = tuple[StringIndex, StringIndex, StringIndex]
"""What changed (`operator`, `argument dim`, `shape`, `input self`), before, and after."""


class DiffNodes(TypedDict):
    """What became of the nodes."""

    status: Annotated[list[Annotated[int, OneOf(Status)]], Rows("nodes")]
    changes: list[tuple[NodeIndex, list[ChangeRow]]]
    """`input` says that the node reads from one that was added, removed or moved; it may be the same itself."""
    follows: list[NodeIndex]
    """Nodes that changed only because what they read has another shape or dtype."""
    order: Annotated[list[OptionalNode], Rows("nodes")]
    """The place in the first graph; -1 for added nodes."""
    inputs: list[tuple[NodeIndex, list[ValueIndex]]]
    """What changed nodes used in the first graph."""


class DiffScopes(TypedDict):
    """What became of the modules."""

    status: Annotated[list[Annotated[int, OneOf(Status)]], Rows("scopes")]
    """Changed: renamed, moved, or of another class."""
    was: Annotated[list[OptionalString], Rows("scopes")]
    """Path and class before, as text."""
    former: list[tuple[ScopeIndex, StringIndex, StringIndex]]
    """Name and class in the first graph, of those that changed."""
    differences: Annotated[list[int], Rows("scopes")]
    """How many nodes in and below the module are not the same; those that follow do not count."""


class DiffValues(TypedDict):
    """What became of inputs, parameters and buffers."""

    status: list[tuple[ValueIndex, Annotated[int, OneOf(Status)]]]
    changes: list[tuple[ValueIndex, list[ChangeRow]]]


class DiffSection(TypedDict):
    """The difference of two graphs, in a document that holds the nodes of both, merged.

    A reader that does not know it draws the merged graph as it would draw any. Values that a removed node made are
    inputs of what read them before, so that the removed node hangs together with the rest. Lines never run against the
    order of the rows.
    """

    before: str
    """The name of the first graph."""
    after: str
    headline: str
    """`3 nodes added, 1 node changed`."""
    nodes: DiffNodes
    scopes: DiffScopes
    values: DiffValues
    outputs: list[ValueIndex]
    """The outputs of the first graph."""


class Overlay(TypedDict):
    """Numbers for nodes, such as the error of each."""

    name: str
    values: Annotated[list[float | str | None], Rows("nodes")]
    """`"nan"`, `"inf"` and `"-inf"` are written as text: JSON has no number for them."""


class TraceCase(TypedDict):
    """One of several recordings of what was traced."""

    label: str
    """What is different in it: `mask given`, `x.shape[0] > 1`."""
    document: NotRequired[Any]
    """Its view document; absent for the recording that the outer document shows."""


class ViewDocument(TypedDict):
    """The document."""

    format: str
    """`tracelab.view`."""
    version: int
    """A reader refuses what is newer than it knows."""
    name: str
    """What was traced."""
    torch: str
    """Major and minor version."""
    strings: Annotated[list[str], Table("strings")]
    shapes: Annotated[list[list[int]], Table("shapes")]
    scopes: Annotated[ScopeColumns, Table("scopes")]
    nodes: Annotated[NodeColumns, Table("nodes")]
    values: Annotated[ValueColumns, Table("values")]
    inputs: list[ValueIndex]
    """The user's inputs first, then the parameters and buffers that are used."""
    outputs: list[ValueIndex]
    output_names: NotRequired[list[OptionalString]]
    """What each output is called in the result: `past_key_values.0.keys`; where one has such a path."""
    sources: Annotated[SourceColumns, Table("sources")]
    files: Annotated[list[SourceFile], Table("files")]
    warnings: list[TraceDiagnostic]
    summary: Summary
    diff: NotRequired[DiffSection]
    overlays: NotRequired[list[Overlay]]
    cases: NotRequired[list[TraceCase]]
    """Where there are several recordings: each of them, in the order in which they were made."""
