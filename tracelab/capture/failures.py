"""What leaves a trace whose code raised: the user's own error, with the line and the graph of what ran before."""

from __future__ import annotations

from contextlib import suppress
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

from tracelab.display import draw_under_traceback
from tracelab.errors import TracelabError
from tracelab.graph.graph import Graph
from tracelab.graph.source import short_place
from tracelab.graph.text.clashes import clash
from tracelab.graph.types import TensorType


class TraceError(TracelabError):
    """The traced code raised; `graph` holds what ran before, `graph.failed` the node that raised.

    It is of the class of the user's own error too, with that error's arguments and attributes: `except KeyError`
    around a trace works as around the call.
    """

    graph: Graph
    clash = ""
    """What clashes in the operator that raised, in words; empty where its arguments do not tell."""
    _text = ""

    def __init__(self, message: str, graph: Graph) -> None:
        super().__init__(message)
        self._text = message
        self.graph = graph

    def __str__(self) -> str:
        return self._text

    def __reduce__(self) -> Any:
        bases = type(self).__bases__
        own = bases[1] if type(self) is not TraceError and len(bases) > 1 else None
        held = {name: item for name, item in self.__dict__.items() if name not in ("_text", "graph")}
        # `obj` is what an attribute was missing of, which Python's own errors do not pickle either.
        fields = {} if own is None else {name: item for name, item in _fields(self, own).items() if name != "obj"}
        return _pickled, (own, self.args, self._text, self.graph, held, fields)


_OF_FAKE_TENSORS = frozenset({"DynamicOutputShapeException", "DataDependentOutputException"})
"""What torch raises where code asks for a value of a fake tensor."""

_last_failure: Graph | None = None


def last_failure() -> Graph | None:
    """The graph of what ran before the traced code raised last, or was interrupted.

    Returns:
        The graph, whose `failed` is the node that raised; None where no traced code has raised.

    Example:
        >>> def broken(x):
        ...     return {}[x.relu().dim()]
        >>> try:
        ...     tracelab.trace(broken, torch.ones(2))
        ... except KeyError:
        ...     print(len(tracelab.last_failure().nodes))
        1
    """
    return _last_failure


def keep_failure(graph: Graph | None) -> None:
    """From now on this is the graph of what ran before the last failure."""
    global _last_failure
    _last_failure = graph


def failure_of(error: Exception, graph: Graph, itself: bool) -> TraceError:
    """What leaves the trace; `itself` says that the error is the one of the call that failed, not one because of it."""
    keep_failure(graph)
    draw_under_traceback(_graph_in)
    why = clash(graph.failed, error) if itself and graph.failed is not None else ""
    said = _sentence(error, graph, itself, bool(why))
    raised = _both(error, f"{said}: {why} ({error})" if why else f"{said}: {error}", graph)
    raised.clash = why
    if isinstance(error, BaseExceptionGroup):
        # Of which Python shows the message alone.
        raised.add_note(said)
    raised.add_note("tracelab.last_failure() is the graph of what ran before")
    way_out = "" if why else _for_a_value(error, graph)
    if way_out:
        raised.add_note(way_out)
    return raised


def _graph_in(error: BaseException) -> Graph | None:
    """The graph that an error brings along, if it has something to show."""
    return error.graph if isinstance(error, TraceError) and error.graph.nodes else None


def _for_a_value(error: Exception, graph: Graph) -> str:
    """What to do where the code needs a value of tensors that have none; empty where that is not the matter."""
    failed = graph.failed
    if failed is not None and failed.kind == "aten::_grouped_mm" and "BF16" in str(error):
        return (
            "of tensors without data torch takes only bfloat16 here: build the model with dtype=torch.bfloat16, "
            'or call model.set_experts_implementation("batched_mm")'
        )
    if isinstance(error, AssertionError) and "convert all Tensors to FakeTensors" in str(error):
        return "trace fake tensors inside of the FakeTensorMode that they were made in: with mode: tracelab.trace(...)"
    if type(error).__name__ not in _OF_FAKE_TENSORS:
        types = [value.type for value in (graph.user_inputs if failed is None else failed.inputs)]
        without = any(isinstance(type_, TensorType) and type_.device.type == "meta" for type_ in types)
        if not without or not (isinstance(error, NotImplementedError) or "meta" in str(error)):
            return ""
    scope = failed.scope if failed is not None else None
    if scope is not None and scope.class_name.endswith("Experts"):
        way = 'call model.set_experts_implementation("grouped_mm"), which routes tokens without reading values'
    else:
        way = "trace a small model of the same classes with data"
    return f"the code asks for a value here, and meta and fake tensors have none: {way}"


def _sentence(error: Exception, graph: Graph, itself: bool, explained: bool) -> str:
    node = graph.failed
    place = f" at {short_place(node.source)}" if node is not None and node.source is not None else ""
    what = "" if node is None or explained else f" in {node.kind}" if itself else f" because {node.kind} failed"
    return f"the traced code raised {type(error).__name__}{what}{place}"


def _both(error: Exception, message: str, graph: Graph) -> TraceError:
    """A `TraceError` that is of the class of the user's error too."""
    cls: Any = type(error)
    if issubclass(TraceError, cls) or isinstance(error, TracelabError):
        return TraceError(message, graph)
    try:
        made = _made(cls, error.args)
    except Exception:
        # A class of the user's may refuse to be derived from, or made anew.
        return TraceError(message, graph)
    for name, item in _fields(error, cls).items():
        with suppress(AttributeError, TypeError):
            setattr(made, name, item)
    made.__dict__.update(error.__dict__)
    made.__notes__ = list(getattr(error, "__notes__", ()))
    made._text, made.graph = message, graph
    return made


def _made(cls: Any, args: tuple[Any, ...]) -> TraceError:
    both = type(cls)(cls.__name__, (TraceError, cls), {"__module__": cls.__module__, "__qualname__": cls.__qualname__})
    # Python lets only one of the two make it, which depends on what the class holds beside its arguments.
    try:
        made: TraceError = cls.__new__(both, *args)
    except TypeError:
        made = both.__new__(both, *args)
    made.args = args
    return made


def _fields(error: BaseException, cls: type) -> dict[str, Any]:
    """What an error holds beside its arguments and its `__dict__`: `errno`, `filename`, slots of a user's class."""
    found: dict[str, Any] = {}
    for base in cls.__mro__:
        if base is BaseException:
            break
        for name, item in vars(base).items():
            if isinstance(item, MemberDescriptorType | GetSetDescriptorType) and not name.startswith("__"):
                with suppress(AttributeError):
                    found.setdefault(name, getattr(error, name))
    return found


def _pickled(
    cls: Any, args: tuple[Any, ...], text: str, graph: Graph, held: dict[str, Any], fields: dict[str, Any]
) -> TraceError:
    made = TraceError(text, graph) if cls is None else _made(cls, args)
    for name, item in fields.items():
        with suppress(AttributeError, TypeError):
            setattr(made, name, item)
    made.__dict__.update(held)
    made._text, made.graph = text, graph
    return made
