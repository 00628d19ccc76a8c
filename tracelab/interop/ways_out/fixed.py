"""What an exported program takes only as it was in the example, while the trace takes more."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx
from torch.export import Dim, ExportedProgram

from tracelab.compat.recurrent import RECURRENT, any_length
from tracelab.compat.symbolic import SizesOnly
from tracelab.errors import InputError
from tracelab.graph.graph import Graph
from tracelab.graph.kinds import ARGUMENT
from tracelab.interop.ways_out.arguments import Arguments, Given
from tracelab.interop.ways_out.running import Interpreter, quietly

FIXED = "tracelab_fixed"
"""Where a program's graph module keeps, in `meta`, what it fixes and the trace does not."""
_MOST_RUNS = 12
_MOST_LISTED = 6
Place = tuple[int, int]
"""A size: the number of the leaf among the arguments, and that of the dimension (-1 for a number)."""
Sizes = Mapping[Place, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """The sizes that were to be dynamic, and which node was running when one became a number."""

    leaves: Sequence[Any]
    """What `torch.export` was asked for of each leaf."""
    by: Mapping[Place, fx.Node]


class Watch:
    """Notes during an export which node makes a number of a size."""

    def __init__(self) -> None:
        self.by: dict[Place, fx.Node] = {}
        self._open: dict[Place, Any] = {}
        self._known = -1

    def begin(self, leaves: Sequence[Any]) -> None:
        """Look at the arguments, as torch gives them to what it exports."""
        for at, leaf in enumerate(leaves):
            sizes = enumerate(leaf.shape) if isinstance(leaf, Tensor) else [(-1, leaf)]
            for dim, size in sizes:
                if isinstance(size, torch.SymInt):
                    self._open[at, dim] = size

    def after(self, node: fx.Node) -> None:
        """Look again, once a node has run."""
        first = next(iter(self._open.values()), None)
        if first is None:
            return
        known = len(first.node.shape_env.replacements)
        if known == self._known:
            return
        self._known = known
        for place in [place for place, size in self._open.items() if is_number(size)]:
            del self._open[place]
            self.by[place] = node


def is_number(size: Any) -> bool:
    """Whether a size is a number by now."""
    return not isinstance(size, torch.SymInt) or bool(size.node.expr.is_number)


def input_values(program: ExportedProgram) -> list[Any]:
    """What each argument of the user's is in the program, in order."""
    by_name = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    return [by_name[name].meta.get("val") if name in by_name else None for name in program.graph_signature.user_inputs]


def open_sizes(program: ExportedProgram) -> set[Place]:
    """The sizes and numbers that the program leaves open by now."""
    return {
        (at, dim)
        for at, value in enumerate(input_values(program))
        for dim, size in (enumerate(value.shape) if isinstance(value, Tensor) else [(-1, value)])
        if isinstance(size, torch.SymInt) and not is_number(size)
    }


def fixed_by_export(
    program: ExportedProgram, graph: Graph, module: fx.GraphModule, arguments: Arguments, asked: Asked
) -> list[str]:
    """For each size and number that torch fixed and the trace did not, what it is and what fixed it."""
    open_ = open_sizes(program)
    sizes: dict[Place, int] = {}
    numbers: list[str] = []
    for at, (given, wanted) in enumerate(zip(arguments.leaves, asked.leaves, strict=True)):
        if given.value is None:
            if given.is_number and (at, -1) not in open_ and not _is_decided(graph, given):
                numbers.append(_of_number(given, asked.by.get((at, -1))))
        elif isinstance(wanted, Mapping):
            shape = given.value.type.shape  # type: ignore[union-attr]
            sizes.update(
                {
                    (at, dim): shape[dim]
                    for dim, how in wanted.items()
                    if how and how is Dim.AUTO and (at, dim) not in open_
                }
            )
    free = _left_free(sizes, lambda other: _runs(module, arguments, other))
    told = [of_size(arguments, place, sizes[place], _by(asked.by.get(place), sizes[place])) for place in free]
    return [*told, *numbers]


def fixed_as_written(program: ExportedProgram, arguments: Arguments, before: set[Place]) -> list[str]:
    """For each size that was open before the program was written in another form, what it is there."""
    lost = sorted(before - open_sizes(program))
    if not lost:
        return []
    slow = [node for node in program.graph.nodes if _is_recurrent(node)]
    by = f"{where(slow[0])} is written step by step" if slow else "the other form needs a number"
    values = input_values(program)
    sizes = {(at, dim): values[at].shape[dim] if dim >= 0 else values[at] for at, dim in lost}
    return [of_size(arguments, place, int(size.node.expr), by) for place, size in sizes.items()]


def _is_recurrent(node: fx.Node) -> bool:
    return str(node.target).removeprefix("aten.").partition(".")[0] in RECURRENT


def sentence(what: str, told: Sequence[str]) -> str:
    """One sentence about all of them; empty where there is none."""
    if not told:
        return ""
    more = f"; and {len(told) - _MOST_LISTED} more" if len(told) > _MOST_LISTED else ""
    return f"{what} keeps what the trace leaves open: {'; '.join(told[:_MOST_LISTED])}{more}"


def of_size(arguments: Arguments, place: Place, size: int, by: str) -> str:
    """`size 1 of `x` stays 5 (aten.gru.input at net.py:3)`."""
    if place[1] < 0:
        return f"the argument `{arguments.leaves[place[0]].place}` stays {size} ({by})"
    return f"size {place[1]} of `{arguments.leaves[place[0]].name}` stays {size} ({by})"


def where(node: fx.Node) -> str:
    """`aten.gru.input at net.py:3`."""
    line = next((part for part in reversed((node.stack_trace or "").splitlines()) if "File " in part), "")
    words = [part.strip() for part in line.split(",")[:2]]
    name = str(node.target) if node.op == "call_function" else node.name
    if len(words) < 2:
        return name
    file = words[0].removeprefix('File "').rstrip('"').rpartition("/")[2]
    return f"{name} at {file}:{words[1].removeprefix('line ')}"


def _is_decided(graph: Graph, given: Given) -> bool:
    """Whether the trace itself takes for granted what the number is."""
    asked = {
        value for node in graph.nodes if node.kind == ARGUMENT and node.args[0] == given.place for value in node.outputs
    }
    return any(item.value in asked for item in graph.assumptions if item.value is not None)


def _of_number(given: Given, by: fx.Node | None) -> str:
    kind = type(given.constant).__name__
    way_out = "give it as a tensor of no dimensions" if kind == "float" else "export once for each"
    reason = where(by) if by is not None and by.op == "call_function" else f"torch.export holds a {kind}: {way_out}"
    return f"the argument `{given.place or given.name}` stays {given.constant!r} ({reason})"


def _by(node: fx.Node | None, size: int) -> str:
    if node is not None:
        return where(node)
    if size < 2:
        return f"torch.export holds a size of {size}: trace with an example of 2 or more"
    return "a condition of torch's on sizes"


def _left_free(sizes: dict[Place, int], runs: Callable[[Sizes], bool]) -> list[Place]:
    """The sizes with another number of which the trace still runs."""
    found: list[Place] = []
    tries = 0
    for group in _groups(sizes):
        if tries >= _MOST_RUNS:
            break
        if any(place in found for place in group):
            continue
        tries += 1
        if runs({place: sizes[place] + 1 if sizes[place] else 2 for place in group}):
            found += group
    return sorted(found)


def _groups(sizes: dict[Place, int]) -> Iterator[list[Place]]:
    """Equal sizes together, as they often have to be, and then each by itself."""
    equal: dict[int, list[Place]] = {}
    for place, size in sizes.items():
        equal.setdefault(size, []).append(place)
    yield from equal.values()
    for places in equal.values():
        if len(places) > 1:
            yield from ([place] for place in places)


class _WithoutData(Interpreter):
    """Runs a graph on sizes alone: tensors of the module are neither read nor written."""

    def __init__(self, module: fx.GraphModule, sizes: SizesOnly) -> None:
        super().__init__(module)
        self.sizes = sizes
        self.known: dict[str, Any] = {}

    def fetch_attr(self, target: str) -> Any:
        if target not in self.known:
            found = super().fetch_attr(target)
            self.known[target] = self.sizes.fixed(found) if isinstance(found, Tensor) else found
        return self.known[target]

    def run_node(self, n: fx.Node) -> Any:
        made, then = super().run_node(n), n.meta.get("val")
        if isinstance(made, (list, tuple)) and isinstance(then, (list, tuple)) and len(made) != len(then):
            raise InputError("the graph takes apart what has another length now")
        return made


def _runs(module: fx.GraphModule, arguments: Arguments, sizes: Sizes) -> bool:
    """Whether the graph runs on these sizes, without data."""
    only = SizesOnly()

    def leaf(at: int, given: Given) -> Any:
        if given.value is None:
            return given.constant
        kind: Any = given.value.type
        shape = [sizes.get((at, dim), size) for dim, size in enumerate(kind.shape)]
        return only.empty(shape, torch.empty(shape, device="meta").stride(), kind.dtype, kind.device)

    log = logging.root.manager
    before, log.disable = log.disable, logging.CRITICAL
    try:
        leaves = [leaf(at, given) for at, given in enumerate(arguments.leaves)]
        with quietly(), any_length(), torch.no_grad(), only.running():
            _WithoutData(module, only).run(*leaves, enable_io_processing=False)
    except Exception:
        return False
    finally:
        log.disable = before
    return True
