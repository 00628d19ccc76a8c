"""What travels between an explorer and the kernel that can run its graph.

Numbers for nodes and values come as buffers of little-endian numbers beside the message; rows are those of the view
document, and -1 means "none".
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class RunHello(TypedDict):
    """A picture was put up: introduce the kernel, and repeat the last run."""

    type: Literal["run.hello"]


class RunPing(TypedDict):
    """Is the kernel still there?"""

    type: Literal["run.ping"]


class RunStart(TypedDict):
    """Run the graph."""

    type: Literal["run.start"]
    device: str
    inputs: list[str]
    """What a person wrote for each input: nothing, `random`, a shape, or a variable's name."""
    until: int
    """The node after which the run stops."""


class RunStop(TypedDict):
    """Stop the run."""

    type: Literal["run.stop"]


class RunFlops(TypedDict):
    """Count operations, without data."""

    type: Literal["run.flops"]


class RunView(TypedDict):
    """Draw a slice of a value of the last run."""

    type: Literal["run.view"]
    value: int
    axes: list[int] | None
    """The dimensions that run down and across; the last two where it is null."""
    index: list[int] | None
    """The place in each other dimension; 0 where it is null."""


class SizesAsk(TypedDict):
    """What are the sizes called? Asked once the picture is up."""

    type: Literal["sizes.ask"]


FigureForm = Literal["pdf", "tex"]


class FigureAsk(TypedDict):
    """Make a figure for print of what is on the screen."""

    type: Literal["figure.ask"]
    form: FigureForm
    opened: list[int]
    """The scopes whose groups are open."""
    inlined: list[int]
    """The scopes whose contents stand in the group around them."""
    repeats: bool
    """Repeated blocks are one."""
    symbolic: bool
    """Sizes have their names."""
    horizontal: bool
    """It runs from left to right."""


BrowserMessage = RunHello | RunPing | RunStart | RunStop | RunFlops | RunView | SizesAsk | FigureAsk
"""From the browser."""


class RunInput(TypedDict):
    """An input of the graph."""

    name: str
    type: str
    kept: bool
    """The tensor of the trace is at hand."""


class RunReady(TypedDict):
    """The kernel can run the graph."""

    type: Literal["run.ready"]
    devices: list[str]
    inputs: list[RunInput]


class RunBegin(TypedDict):
    """A run began."""

    type: Literal["run.begin"]
    device: str
    nodes: int
    """How many nodes it has at most."""


class RunProgress(TypedDict):
    """Some nodes ran.

    Buffers: node rows (int32); seconds, bytes allocated and peak bytes of each (float64); 0, 1 for an infinity or 2 for
    a NaN in each (uint8); value rows (int32); count, min, max, mean, std, zeros, NaNs and infinities of each (float64);
    `bins` bars of each (int32).
    """

    type: Literal["run.progress"]
    nodes: int
    values: int
    bins: int


State = Literal["finished", "stopped", "cancelled", "failed"]


class RunEnd(TypedDict):
    """How a run ended."""

    state: State
    message: str
    node: int
    """The node that raised."""
    nan: NotRequired[int]
    """The first node with a NaN."""
    nonfinite: NotRequired[int]
    """The first node with a NaN or an infinity."""
    stopped: NotRequired[int]
    """The first node that did not run."""
    device: NotRequired[str]


class RunEnded(RunEnd):
    """A run ended."""

    type: Literal["run.end"]


class RunOverlay(TypedDict):
    """Numbers to lay over the picture. Buffer: one for each node (float64), NaN where there is none."""

    type: Literal["run.overlay"]
    name: str
    unit: str


class Heatmap(TypedDict):
    """A slice of a tensor, made small."""

    value: int
    shape: list[int]
    dtype: str
    rows: int
    columns: int
    axes: tuple[int, int]
    index: list[int]
    step: tuple[int, int]
    """How many elements a cell stands for, down and across."""
    low: float | None
    high: float | None


class RunHeatmap(Heatmap):
    """A slice that was asked for. Buffer: its cells, row after row (float32)."""

    type: Literal["run.heatmap"]


class RunHeatmapError(TypedDict):
    """A slice that cannot be drawn."""

    type: Literal["run.heatmap_error"]
    value: int
    message: str
    """One sentence why."""


class RunFault(TypedDict):
    """What was asked for cannot be done."""

    type: Literal["run.error"]
    message: str


class RunPong(TypedDict):
    """The kernel is there."""

    type: Literal["run.pong"]


class SizesTold(TypedDict):
    """Sizes by name, of tensors in which some size may differ from call to call; none of those that are not known."""

    type: Literal["sizes.told"]
    case: int
    """Of which recording, where there are several."""
    sizes: list[tuple[int, list[str]]]
    """Value rows, each with a text for each size: `batch`, `64`, `length - 1`, `?`."""


class FigureMade(TypedDict):
    """A figure that was asked for. Buffer: the file, unless it could not be made."""

    type: Literal["figure.made"]
    form: FigureForm
    message: str
    """One sentence why not; empty where it was made."""


KernelMessage = (
    RunReady
    | RunBegin
    | RunProgress
    | RunEnded
    | RunOverlay
    | RunHeatmap
    | RunHeatmapError
    | RunFault
    | RunPong
    | SizesTold
    | FigureMade
)
"""From the kernel."""
