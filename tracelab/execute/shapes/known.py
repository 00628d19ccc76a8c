"""The shapes of what was traced, kept with it: worked out once, and again after an edit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tracelab.execute.beside import kept_beside
from tracelab.execute.run.program import Program, program_of
from tracelab.execute.shapes.breaks import Breaks
from tracelab.execute.shapes.shapes import Shapes, shapes_of
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value

Names = Mapping[str, tuple[str | None, ...]]


@dataclass(slots=True)
class _Kept:
    """Shapes, what they were worked out from, and whether somebody asked for them by name."""

    shapes: Shapes
    made_of: tuple[Any, ...]
    told: bool


def _kept(traced: Any) -> dict[str, _Kept]:
    return kept_beside(traced, "shapes")


def known_shapes(
    traced: Any,
    names: Names | None = None,
    method: str = "forward",
    *,
    told: bool = True,
    breaks: Breaks | None = None,
) -> Shapes:
    """The shapes of what was traced; where they are known already, those.

    Args:
        traced: A traced function or module.
        names: Names for the sizes of inputs; None takes those that were given last.
        method: Which traced method of a module.
        told: A person asked: pictures that are saved from now on have the names.
        breaks: When to rest, in a thread of its own.
    """
    program = program_of(traced, method)
    made_of = _made_of(program)
    kept = _kept(traced).get(method)
    fits = kept is not None and kept.made_of == made_of
    if kept is not None and fits and (names is None or dict(names) == kept.shapes.given):
        kept.told = kept.told or told
        _tell(program.graph, kept)
        return kept.shapes
    if kept is not None and fits:
        # Other names for the same sizes.
        shapes = shapes_of(program, names, kept.shapes.found)
    else:
        shapes = shapes_of(program, names, breaks=breaks)
    if _made_of(program) == made_of:
        _kept(traced)[method] = _Kept(shapes, made_of, told)
        _tell(program.graph, _kept(traced)[method])
    return shapes


def _tell(graph: Graph, kept: _Kept) -> None:
    """What a person asked for is printed with the graph, too."""
    if kept.told:
        graph.size_names = graph.nodes.version, kept.shapes.by_name()


def told_shapes(traced: Any, method: str = "forward") -> Shapes | None:
    """The shapes that a person asked for, of what is as it was then; None where nobody did."""
    kept = _kept(traced).get(method)
    if kept is None or not kept.told or kept.made_of != _made_of(program_of(traced, method)):
        return None
    return kept.shapes


def told_names(cases: Iterable[Any]) -> Callable[[Graph], dict[Value, tuple[str, ...]] | None]:
    """By the graphs of recordings: sizes by name, where a person asked for them."""
    by_graph = {id(case.graph): case for case in cases}

    def names_of(graph: Graph) -> dict[Value, tuple[str, ...]] | None:
        case = by_graph.get(id(graph))
        shapes = None if case is None else told_shapes(case)
        return None if shapes is None else shapes.by_name()

    return names_of


def _made_of(program: Program) -> tuple[Any, ...]:
    """The graph, how often it was edited, and the sizes of its state."""
    graph = program.graph
    return (id(graph), graph.nodes.version, tuple(tuple(tensor.shape) for tensor in program.state.values()))
