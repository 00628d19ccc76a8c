"""What a traced function returned, as values of the graph."""

from __future__ import annotations

import functools
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import torch

from tracelab.capture.recording.dict_arguments import DictArgument
from tracelab.capture.recording.recorder import Recorder, active, recording_paused
from tracelab.capture.recording.taken_out import TakenOut, taken_out
from tracelab.capture.values import SYMBOLIC
from tracelab.errors import InputError, TracelabError
from tracelab.graph.arrays import ArrayStandIn
from tracelab.graph.graph import Graph
from tracelab.graph.intrinsics import TO_ARRAY, Intrinsic
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import CONSTANT, DICT_CONSTRUCT, LIST_CONSTRUCT, TUPLE_CONSTRUCT
from tracelab.graph.objects import by_fields, fields_of
from tracelab.graph.output_names import CONTAINER, is_container
from tracelab.graph.own_attributes import maker_of
from tracelab.graph.passes.simplify import needed_nodes
from tracelab.graph.registered import registered, structure_of
from tracelab.graph.tree import is_namedtuple
from tracelab.graph.types import type_of_constant

_PLAIN_DICTS = (dict, OrderedDict, defaultdict, DictArgument)
_ONLY_TENSORS = (
    "Only tensors and (possibly nested) tuples, lists and dicts of tensors can be output from traced functions, but "
    "{where} is {what}: {instead}, or trace a function that takes the tensors out of it"
)


def record_output(recorder: Recorder, result: Any, strict: bool, structure: Structure | None = None) -> Value:
    """The value of what was returned; structure becomes `prim::TupleConstruct` and its like."""
    value = (structure or Structure(recorder)).value(result, strict, "the result")
    recorder.in_code = False
    return cast(Value, value)


def was_taken_out(item: Any) -> bool:
    """Whether this thread's cell took it out of a tensor, and it is as that tensor gives it now."""
    recorder = active.recorder
    return recorder is not None and taken_out(recorder, item) is not None


def refuse_no_result(graph: Graph) -> None:
    """Refuse code that returns nothing, unless it changes something: a training step, `cache.update(x)`."""
    kept = (graph.nodes[index] for index in needed_nodes(graph))
    made = graph.outputs[0].node if graph.outputs else None
    if all(node is made or node.traits.opens or node.traits.closes for node in kept):
        raise _unfit("the result", "None, and the code changes nothing")


class Structure:
    """The nodes that put a result together; each object is made once.

    `argument_of` gives the value of an object that is one of the arguments.
    """

    def __init__(self, recorder: Recorder, argument_of: Callable[[Any], Value | None] = lambda item: None) -> None:
        self.recorder = recorder
        self.argument_of = argument_of
        self.made: dict[int, Value | None] = {}
        """What was made of each object, by its id; None while that is being made."""
        self.depth = 0

    def value(self, item: Any, strict: bool, where: str) -> Any:
        """The value of a result or a part of one; Python's own values inside of a result stand for themselves."""
        if isinstance(item, torch.Tensor):
            return self.recorder.value_of(item)
        if isinstance(item, SYMBOLIC):
            value = item.node.graph_value()
            if isinstance(value, Value) or self.depth:
                return value
            raise _unfit(where, f"{item} ({type(item.node.number).__name__})")
        if isinstance(item, ArrayStandIn):
            return self._array(item)
        out = taken_out(self.recorder, item)
        if out is not None:
            return self._taken_out(out)
        argument = self.argument_of(item)
        if argument is not None and not (strict and (type(item) is list or type(item) in _PLAIN_DICTS)):
            return argument
        fields = None if isinstance(item, (tuple, list)) else fields_of(item)
        if fields is None and registered(type(item)) is not None:
            return self._registered(item, where)
        if isinstance(item, (tuple, list, deque, Mapping)) or fields is not None:
            return self._nested(item, fields, strict, where)
        if item is None and (self.depth or not strict):
            return _add(self.recorder, CONSTANT, (), "NoneType").outputs[0]
        if self.depth and not isinstance(item, (Iterator, set, frozenset)):
            return item
        raise _unfit(where, _described(item))

    def _array(self, item: ArrayStandIn) -> Value:
        """An argument itself, or an array that was computed of some."""
        argument = self.argument_of(item)
        if argument is not None:
            return argument
        return self._taken(TO_ARRAY, item.tensor, "ndarray", "array")

    def _taken_out(self, out: TakenOut) -> Value:
        if out.value is not None or out.tensor is None:
            return cast(Value, out.value)
        kind = type(out.item).__name__
        name = {"ndarray": "array", "list": "list"}.get(kind, "item")
        if id(out.item) not in self.made:
            self.made[id(out.item)] = self._taken(out.intrinsic, out.tensor, kind, name)
        return cast(Value, self.made[id(out.item)])

    def _taken(self, intrinsic: Intrinsic, tensor: torch.Tensor, type_: str, name: str) -> Value:
        node = _add(self.recorder, intrinsic.kind, (self.recorder.value_of(tensor),), type_)
        node.target = intrinsic.function
        node.outputs[0].name = name
        return node.outputs[0]

    def _nested(self, item: Any, fields: dict[str, Any] | None, strict: bool, where: str) -> Value:
        if id(item) in self.made:
            known = self.made[id(item)]
            if known is None:
                raise TracelabError(f"{where} is inside of itself: return what it holds instead")
            return known
        self.made[id(item)] = None
        self.depth += 1
        try:
            if isinstance(item, tuple):
                value = self._tuple(item, strict, where)
            elif isinstance(item, (list, deque)):
                value = self._list(item, strict, where)
            elif isinstance(item, dict) or fields is None:
                value = self._dict(item, strict, where)
            else:
                value = self._object(item, fields, where)
        finally:
            self.depth -= 1
            del self.made[id(item)]
        self.made[id(item)] = value
        return value

    def _tuple(self, item: tuple[Any, ...], strict: bool, where: str) -> Value:
        parts = [self.value(child, strict, f"{where}[{index}]") for index, child in enumerate(item)]
        types = ", ".join(str(part.type) if isinstance(part, Value) else type_of_constant(part) for part in parts)
        node = _add(self.recorder, TUPLE_CONSTRUCT, tuple(parts), f"({types})")
        if is_namedtuple(item):
            node.target = type(item)
            node.set_attribute("fields", list(type(item)._fields))  # type: ignore[attr-defined]
            node.set_attribute("class", type(item).__name__)
        elif type(item) is not tuple:
            self._of_own_class(node, item, tuple(item), where)
        return node.outputs[0]

    def _list(self, item: list[Any] | deque[Any], strict: bool, where: str) -> Value:
        if strict:
            for index, child in enumerate(item):
                if not isinstance(child, torch.Tensor):
                    what = f"{_described(child)} inside a list"
                    raise _unfit(f"{where}[{index}]", what, "pass strict=False to say that this is meant")
            self.recorder.warn(
                "output",
                f"Encountering a list at the output of the tracer might cause the trace to be incorrect: the trace is "
                f"specialized on its length ({len(item)}). Return a tuple, or pass strict=False to say that this is "
                "meant.",
                len(item),
            )
        parts = [self.value(child, strict, f"{where}[{index}]") for index, child in enumerate(item)]
        node = _add(self.recorder, LIST_CONSTRUCT, tuple(parts), "Tensor[]")
        if type(item) is deque:
            _of_class(node, functools.partial(deque, maxlen=item.maxlen), "deque")
        elif type(item) is not list:
            self._of_own_class(node, item, list(item), where)
        return node.outputs[0]

    def _dict(self, item: Mapping[Any, Any], strict: bool, where: str) -> Value:
        if isinstance(item, DictArgument):
            item.note_all()
        if strict and type(item) in _PLAIN_DICTS:
            raise TracelabError(
                "Encountering a dict at the output of the tracer might cause the trace to be incorrect: the trace is "
                "specialized on its keys. Return a tuple or named tuple, pass strict=False to say that this is meant, "
                f"or trace a function that takes out what you want: lambda *args: f(*args)[{_first_tensor(item)!r}]."
            )
        inside = strict and type(item) in _PLAIN_DICTS
        parts: list[Any] = []
        for key, child in item.items():
            parts.append(self.recorder.value_of(key) if isinstance(key, torch.Tensor) else key)
            label = "a tensor key" if isinstance(key, torch.Tensor) else repr(key)
            parts.append(self.value(child, inside, f"{where}[{label}]"))
        node = _add(self.recorder, DICT_CONSTRUCT, tuple(parts), "Dict(str, Tensor)")
        if type(item) is defaultdict:
            _of_class(node, functools.partial(defaultdict, item.default_factory), "defaultdict")
        elif type(item) not in (dict, DictArgument):
            self._of_own_class(node, item, dict(item.items()), where)
        return node.outputs[0]

    def _of_own_class(self, node: Node, item: Any, plain: Any, where: str) -> None:
        """What makes it of a plain one, with its attributes; what its constructor computes belongs to no node."""
        try:
            with recording_paused(self.recorder):
                maker = maker_of(item, plain, where)
        except InputError as error:
            raise TracelabError(str(error)) from None
        _of_class(node, maker, type(item).__name__)

    def _registered(self, item: Any, where: str) -> Value:
        structure = structure_of(type(item))
        assert structure is not None
        found, context = structure.taken_apart(item)
        self.depth += 1
        parts = [self.value(part, False, f"{where}[{index}]") for index, part in enumerate(found)]
        self.depth -= 1
        node = _add(self.recorder, LIST_CONSTRUCT, tuple(parts), type(item).__name__)
        _of_class(node, functools.partial(structure, context=context), type(item).__name__)
        return node.outputs[0]

    def _object(self, item: Any, fields: dict[str, Any], where: str) -> Value:
        parts: list[Any] = []
        for name, child in fields.items():
            parts += (name, self.value(child, False, f"{where}.{name}"))
        node = _add(self.recorder, DICT_CONSTRUCT, tuple(parts), type(item).__name__)
        _of_class(node, by_fields(item.__class__))
        if is_container(item.__class__):
            node.set_attribute(CONTAINER, True)
        return node.outputs[0]


def _unfit(where: str, what: str, instead: str = "return a tensor instead") -> TracelabError:
    return TracelabError(_ONLY_TENSORS.format(where=where, what=what, instead=instead))


def _described(item: Any) -> str:
    if item is None:
        return "None"
    text = repr(item)
    return f"{text if len(text) < 40 else text[:37] + '...'} ({type(item).__name__})"


def _of_class(node: Node, maker: Any, name: str = "") -> None:
    """A class of its own, or what makes objects of it."""
    node.target = maker
    node.set_attribute("class", name or maker.__name__)


def _first_tensor(item: Mapping[Any, Any]) -> Any:
    return next((key for key, child in item.items() if isinstance(child, torch.Tensor)), "…")


def _add(recorder: Recorder, kind: str, args: tuple[Any, ...], type_: str) -> Node:
    node = Node(kind, None, args, None, (), recorder.graph.root)
    node.outputs = (Value(node.name.lower().removesuffix("construct"), type_, node),)
    recorder.nodes.append(node)
    return node
