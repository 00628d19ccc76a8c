"""What the kernel answers about its traces, and what the server answers about a graph file."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

ANSWER_TYPE = "application/vnd.tracelab.answer+json"
"""Every answer is the value of a user expression, under this type."""
FILE_FORMAT = "tracelab.file"
"""What the server answers where a file holds no document of its own."""


class CheckResult(TypedDict):
    """The last check of a trace."""

    ok: bool
    text: str


class TraceRow(TypedDict):
    """A trace of the kernel."""

    key: str
    title: str
    names: list[str]
    traced: str
    ops: int
    parameters: int
    warnings: int
    cell: int | None
    """Execution count of the cell that made it; null where that is not known."""
    cell_id: str
    failed: NotRequired[str]
    """The kind of the node that raised."""
    check: NotRequired[CheckResult]


class WarningRow(TypedDict):
    """A warning in a file of Python; those in cells stand in the cells."""

    file: str
    name: str
    path: str | None
    """On the server; null where it is outside of the server's folder."""
    line: int
    """Lines count from 1, columns from 0."""
    column: int
    kind: str
    message: str
    constant: str
    """The value that the trace is specialized on, as text."""
    verdict: str
    """What a check found; empty where none was made."""
    traces: list[str]
    count: int


class SummaryAnswer(TypedDict):
    """What the panel lists."""

    traces: list[TraceRow]
    warnings: list[WarningRow]
    more_warnings: int
    folder: str


class OpenAnswer(TypedDict):
    """An explorer of a trace."""

    bundle: dict[str, Any]
    """Its MIME bundle."""
    explorer: str
    title: str


class CompareAnswer(TypedDict):
    """An explorer of a difference, or the sentence that there is none."""

    bundle: NotRequired[dict[str, Any]]
    explorer: NotRequired[str]
    same: NotRequired[str]
    title: str


class WrittenAnswer(TypedDict):
    """A file that was written, or one in its place that is not overwritten."""

    path: NotRequired[str]
    exists: NotRequired[str]


class Answers(TypedDict):
    """What is answered to each request."""

    summary: SummaryAnswer
    open: OpenAnswer
    compare: CompareAnswer
    release: dict[str, Any]
    save: WrittenAnswer
    export: WrittenAnswer


class FileAnswer(TypedDict):
    """What the server says of a file that holds no document of its own."""

    format: str
    """`tracelab.file`."""
    kind: NotRequired[str]
    """A kernel can read it: `tlab`, `export` or `script`."""
    error: NotRequired[str]
    """One sentence: it cannot be read."""


class ImportedDocument(TypedDict):
    """The picture of a graph file."""

    document: Any
    """Its view document, before it is checked."""


class UnreadableFile(TypedDict):
    """A graph file that cannot be read."""

    error: str
    """One sentence."""


ImportedFile = ImportedDocument | UnreadableFile
"""A graph file as a kernel read it."""
