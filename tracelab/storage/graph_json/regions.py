"""Regions in files: what runs one is a name of a fixed list, and each function that it is given is a graph.

Such a graph is of the same format as the one that it stands in, and holds no tensors: what it uses from outside is
given to it by the node. Its operators run where the same ones outside run, and nothing else does.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from tracelab.errors import TracelabError, TracelabFileError
from tracelab.execute.function import ReplayFunction
from tracelab.graph.callables.higher_order import (
    Lifted,
    OperatorCall,
    Piece,
    TransformCall,
    functions_in,
    run_region,
)
from tracelab.graph.callables.transforms import NEED_NO_FUNCTION, called, name_of
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value, collect_values
from tracelab.graph.kinds import PYTHON_CALL
from tracelab.graph.lint import GraphError, lint
from tracelab.storage import validation

DEEPEST = 20
"""How many regions may stand inside of each other."""
TOO_DEEP = f"more than {DEEPEST} regions inside of each other"


def is_region(node: Node) -> bool:
    """Whether the node runs functions that it is given, and a file can say how."""
    return node.target is run_region and name_of(node.args[0]) is not None


def why_not_kept(node: Node) -> str:
    """Why a region cannot run from a file; empty where it can."""
    if name_of(node.args[0]) is None:
        return f"files do not hold the functions that {node.attributes.get('name', node.name)} is given"
    for item in functions_in(node.args[1]):
        if item.piece is None:
            return f"the function {name_of_function(item)} that it is given is not recorded as a graph ({item.why_not})"
    return ""


def name_of_function(item: Lifted) -> str:
    """What a message calls the function."""
    return str(getattr(item, "__name__", None) or type(item.function).__name__)


def encode_region(node: Node, encode: Callable[[Any], Any]) -> dict[str, Any]:
    """What runs a region, as JSON."""
    target: Any = node.args[0]
    made: dict[str, Any] = {"region": name_of(target)}
    for word in ("options", "named"):
        if getattr(target, word, None):
            made[word] = encode(getattr(target, word))
    return made


def read_region(node: Node, item: dict[str, Any], decode: Callable[[Any, str], Any]) -> str:
    """Let a node call what the file names with the arguments that were read; gives why it cannot run, or nothing."""
    where = f"the region {node.kind[:60]}"
    name = validation.text(item["region"], where)
    if node.kind != PYTHON_CALL or len(node.args) != 2 or not all(type(part) is tuple for part in node.args):
        validation.bad(where, "is not of the form that a region has")
    options, named = decode(item.get("options", {"tuple": []}), where), decode(item.get("named", {"dict": []}), where)
    values: list[Value] = []
    collect_values((options, named), values)
    if values or type(options) is not tuple or type(named) is not dict or not all(type(key) is str for key in named):
        validation.bad(where, "has options of another form")
    target = called(name, options, named)
    args, held = node.args
    for function in functions_in(args):
        if function.piece is not None and any(place >= len(held) for place in function.piece.takes):
            validation.bad(where, "gives a function more than it holds")
    problem = "" if target is None else _misfit(target, args, node.kwargs or {})
    if problem:
        validation.bad(where, problem)
    if target is None:
        return f"this tracelab, with this torch, knows no region {name[:40]!r}"
    node.target, node.args = run_region, (target, args, held)
    return ""


def _misfit(target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """What is wrong with the arguments of a region; empty where they are of the form that it takes."""
    taken, given, named = target, args, kwargs
    if isinstance(target, TransformCall):
        taken, given, named = target.transform, (*args[:1], *target.options), target.named
    elif isinstance(target, OperatorCall):
        taken = type(target.operator).__call__
        given = (target.operator, *args)
    try:
        inspect.signature(taken).bind(*given, **named)
    except TypeError:
        return "is given other arguments than it takes"
    except ValueError:
        # A function in C does not say what it takes.
        return ""
    if not {"target", "args", "lifted"}.isdisjoint(kwargs):
        return "is given other arguments than it takes"
    if target not in NEED_NO_FUNCTION and not any(isinstance(item, Lifted) for item in args):
        return "is given no function"
    return ""


def encode_function(item: Lifted, inner: Callable[[Graph], dict[str, Any]]) -> dict[str, Any]:
    """A function as JSON; without a graph where none was recorded."""
    names = {"name": name_of_function(item), "qualname": str(getattr(item, "__qualname__", "") or "")}
    if item.piece is None:
        return {**names, "why": item.why_not}
    return {**names, "takes": list(item.piece.takes), "graph": inner(item.piece.graph)}


def read_function(item: Any, inner: Callable[[Any], Graph]) -> Lifted:
    """A function that runs the graph in the file."""
    where = "a function of a region"
    entry = validation.table(item, where)
    name = validation.text(validation.field(entry, "name", where), where)
    qualname = validation.text(entry.get("qualname", ""), where) or name
    if "graph" not in entry:
        function = Lifted(_Absent(name, qualname))
        function.why_not = validation.text(validation.field(entry, "why", where), where)
        return function
    graph = inner(entry["graph"])
    rows = validation.rows(validation.field(entry, "takes", where), where)
    takes = tuple(validation.integer(place, where) for place in rows)
    tree = graph.input_tree
    if graph.state or graph.failed is not None or tree is None or len(tree.names) < len(takes) + tree.keyword_only:
        validation.bad(where, "is not a whole graph without tensors of its own")
    if any(value.role is not Role.INPUT for value in graph.inputs):
        validation.bad(where, "has parameters of its own")
    try:
        lint(graph)
    except GraphError as error:
        raise TracelabFileError(f"not a sound .tlab file: {error}") from error
    bound = functools.partial(_bound, ReplayFunction(graph, name), takes)
    made = Lifted(_Absent(name, qualname), bound)
    made.piece = Piece(graph, takes)
    return made


def _bound(run: ReplayFunction, takes: tuple[int, ...], held: Sequence[Any]) -> Callable[..., Any]:
    first = [held[place] for place in takes]

    def call(*args: Any, **kwargs: Any) -> Any:
        return run(*first, *args, **kwargs)

    # torch's messages name it.
    call.__name__ = call.__qualname__ = run.__name__
    return call


class _Absent:
    """Stands for the function that the region was given, which is in no file."""

    def __init__(self, name: str, qualname: str) -> None:
        self.__name__, self.__qualname__ = name, qualname

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TracelabError(f"the function {self.__name__} runs in its region alone, with what that gives it")
