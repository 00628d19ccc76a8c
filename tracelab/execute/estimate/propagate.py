"""A graph run on the meta device at several sizes at once.

Layers that repeat cost one call of each of their operators: a call whose arguments are like those of an earlier one is
known. What is found holds at the sizes that were given; `relations` lists the comparisons of sizes that pick what is
done, so that others can tell whether it holds there, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tracelab.compat.operators import OpOverload
from tracelab.compat.tensors import storage_address
from tracelab.errors import InputError
from tracelab.execute.codegen.guards import guards_of, steps
from tracelab.execute.estimate.costs import Grouped, bytes_moved, call_counted, is_unknown
from tracelab.execute.estimate.items import Flow, Plain, Spec, Unhashable, flows_in, key_of, mapped, spec_of
from tracelab.execute.measure.memory import instances_in, tensors_in
from tracelab.graph.assumptions import Assumption
from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import (
    ARGUMENT,
    CONSTANT,
    DICT_CONSTRUCT,
    ENTER_CONTEXT,
    EXIT_CONTEXT,
    LIST_CONSTRUCT,
    TUPLE_CONSTRUCT,
    UNPACKS,
    Group,
)
from tracelab.graph.source import short_place
from tracelab.graph.tree import Tree

_SIZE_TESTS = frozenset({"bool", "int", "float", "text", "len", "dim", "at_least", "shape"})
"""Questions of assumptions that sizes answer."""
_COMPARED = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "min", "max", "sym_ite"})
_WHOLE = 1 << 60
"""From here on, the end of a slice stands for the end of the dimension."""

Vector = tuple[int, ...]
"""A number for each of the sizes."""


@dataclass(slots=True)
class Storage:
    """One memory block: bytes at each size, and from which node to which it is needed, by number."""

    sizes: Vector
    born: int
    weight: bool = False
    died: int = -1


@dataclass(slots=True)
class Findings:
    """What a graph does at each of the sizes; nodes count from 0, those of `graph.nodes`."""

    count: int
    flops: list[Vector] = field(default_factory=list)
    moved: list[Vector] = field(default_factory=list)
    grouped: Counter[tuple[Grouped, ...]] = field(default_factory=Counter)
    """Weights by group that are read, at each of the sizes, and how often."""
    storages: list[Storage] = field(default_factory=list)
    joined: dict[int, list[int]] = field(default_factory=dict)
    """By the number of a node: the storages that it reads."""
    made: dict[int, list[int]] = field(default_factory=dict)
    """By the number of a node: the storages that it makes."""
    results: list[Any] = field(default_factory=list)
    """The graph's outputs, as items."""
    rows: list[tuple[Spec, ...]] = field(default_factory=list)
    cached: list[Flow] = field(default_factory=list)
    """The tensors of what the graph returns as a cache."""
    relations: set[tuple[Vector, Vector]] = field(default_factory=set)
    """Pairs of sizes of which it matters which one is greater."""
    broken: dict[int, Assumption] = field(default_factory=dict)
    """By the place of a size: an assumption of the trace that does not hold there."""
    unknown: dict[str, None] = field(default_factory=dict)
    """Kinds of nodes whose operations nobody has a formula for."""


class Unestimated(InputError):
    """The graph cannot go on without data."""

    broken: Assumption | None = None
    """An assumption that did not hold at the first of the sizes before that."""


@dataclass(slots=True)
class _Known:
    """What a call gives: a template of its results, in which memory is that of an argument, or new."""

    results: Any
    flops: Vector
    moved: Vector
    grouped: tuple[Grouped, ...] | None
    relations: list[tuple[Vector, Vector]]
    unknown: bool


class _New(tuple[int, ...]):
    """In a template: memory of so many bytes that the call makes."""


def propagate(
    graph: Graph,
    state: Mapping[Value, Tensor],
    inputs: list[tuple[Spec, ...]],
    dtype: torch.dtype | None,
    caches: frozenset[str],
) -> Findings:
    """Run the graph on inputs that are like this at each of the sizes.

    Args:
        graph: The graph.
        state: Its parameters, buffers and constants.
        inputs: For each of its tensors among the arguments, what it is like at each of the sizes.
        dtype: The floating dtype to which parameters and buffers are cast; None for that of the trace.
        caches: Keys under which results hold caches.

    Returns:
        What it found.

    Raises:
        InputError: The graph cannot run without data; the message names the operator and its line.
    """
    with torch.no_grad(), ExitStack() as regions:
        return _Run(graph, len(inputs[0]), dtype, caches, regions).whole(state, inputs)


class _Run:
    def __init__(
        self, graph: Graph, count: int, dtype: torch.dtype | None, caches: frozenset[str], regions: ExitStack
    ) -> None:
        self.graph = graph
        self.dtype = dtype
        self.caches = caches
        self.found = Findings(count)
        self.items: dict[Value, Any] = {}
        self.known: dict[Any, _Known] = {}
        self.row_numbers: dict[tuple[Spec, ...], int] = {}
        self.contexts: list[tuple[Node, ExitStack]] = []
        self.regions = regions
        self.zero: Vector = (0,) * count
        self.numbers = dict(_numbers(input_tree_of(graph).trees))

    def whole(self, state: Mapping[Value, Tensor], inputs: list[tuple[Spec, ...]]) -> Findings:
        graph, found = self.graph, self.found
        for value, specs in zip(graph.user_inputs, inputs, strict=True):
            self.items[value] = self.flow(specs, Storage(tuple(spec.bytes for spec in specs), -1))
        blocks: dict[int, int] = {}
        for value, tensor in state.items():
            self.items[value] = self._weight(tensor, blocks)
        waiting: dict[Value, list[Assumption]] = {}
        for guard in guards_of(graph):
            if guard.assumption.value is not None and guard.assumption.test in _SIZE_TESTS:
                waiting.setdefault(guard.assumption.value, []).append(guard.assumption)
        order = list(steps(graph, True))
        last = _last_steps(order)
        for value in graph.inputs:
            self._check(value, waiting)
        for place, (number, node) in enumerate(order):
            self._node(number, node)
            for value in node.outputs:
                self._check(value, waiting)
            for value in last.get(place, ()):
                self._touch(value, number)
        found.results = [self.items.get(value) for value in graph.outputs]
        for item in found.results:
            for flow in flows_in(item):
                found.storages[flow.storage].died = len(graph.nodes)
            found.cached += self._caches_in(item)
        return found

    # Items -----------------------------------------------------------------------------------------------

    def flow(self, specs: tuple[Spec, ...], storage: Storage | int) -> Flow:
        row = self.row_numbers.get(specs)
        if row is None:
            row = self.row_numbers[specs] = len(self.found.rows)
            self.found.rows.append(specs)
        if isinstance(storage, Storage):
            self.found.storages.append(storage)
            storage = len(self.found.storages) - 1
        return Flow(row, storage)

    def _weight(self, tensor: Tensor, blocks: dict[int, int]) -> Flow:
        count = self.found.count
        spec = spec_of(tensor, self.dtype)
        if tensor.layout is not torch.strided:
            raise InputError(f"a {tensor.layout} tensor among the state has no estimate: only dense ones have")
        key = storage_address(tensor.untyped_storage())
        known = blocks.get(key)
        if known is None:
            size = tensor.untyped_storage().nbytes() * spec.dtype.itemsize // tensor.element_size()
            made = self.flow((spec,) * count, Storage((size,) * count, -1, weight=True))
            blocks[key] = made.storage
            return made
        return self.flow((spec,) * count, known)

    def _touch(self, value: Value, number: int) -> None:
        for flow in flows_in(self.items.get(value)):
            storage = self.found.storages[flow.storage]
            storage.died = max(storage.died, number)

    def _check(self, value: Value, waiting: dict[Value, list[Assumption]]) -> None:
        for item in waiting.get(value, ()):
            for place in range(self.found.count):
                if place not in self.found.broken and not _holds(item, self._real(self.items[value], place, {})):
                    self.found.broken[place] = item

    def _caches_in(self, item: Any) -> Iterator[Flow]:
        if isinstance(item, dict):
            for key, child in item.items():
                yield from flows_in(child) if key in self.caches else self._caches_in(child)
        elif isinstance(item, (list, tuple)):
            for child in item:
                yield from self._caches_in(child)

    def _item(self, item: Any) -> Any:
        return mapped(item, lambda leaf: self.items[leaf] if isinstance(leaf, Value) else leaf)

    def _real(self, item: Any, place: int, made: dict[Any, Tensor]) -> Any:
        """The item at one of the sizes: tensors without data."""

        def real(leaf: Any) -> Any:
            if isinstance(leaf, Flow):
                tensor = made.get(leaf)
                if tensor is None:
                    tensor = made[leaf] = self.found.rows[leaf.row][place].tensor()
                return tensor
            if isinstance(leaf, Plain):
                return leaf.values[place]
            return torch.device("meta") if isinstance(leaf, torch.device) else leaf

        return mapped(item, real)

    # Nodes -----------------------------------------------------------------------------------------------

    def _node(self, number: int, node: Node) -> None:
        kind, traits = node.kind, node.traits
        if kind == CONSTANT:
            for value in node.outputs:
                self.items.setdefault(value, None)
        elif kind == ARGUMENT:
            # A number among the arguments is that of the trace.
            self.items[node.outputs[0]] = Plain((self.numbers[node.args[0]],) * self.found.count)
        elif kind in (LIST_CONSTRUCT, TUPLE_CONSTRUCT):
            children = [self._item(arg) for arg in node.args]
            self.items[node.outputs[0]] = children if kind == LIST_CONSTRUCT else tuple(children)
        elif kind == DICT_CONSTRUCT:
            pairs = zip(node.args[::2], node.args[1::2], strict=True)
            self.items[node.outputs[0]] = {_key(self._item(key)): self._item(child) for key, child in pairs}
        elif kind in UNPACKS:
            parts = self._item(node.args[0])
            parts = list(parts.values()) if isinstance(parts, dict) else parts
            if not isinstance(parts, (list, tuple)) or len(parts) != len(node.outputs):
                raise self._refused(node, "it takes apart another number of parts at other sizes")
            self.items.update(zip(node.outputs, parts, strict=True))
        elif kind == ENTER_CONTEXT:
            context = ExitStack()
            context.enter_context(self._called(node, self._item(node.args), self._item(node.kwargs or {}), 0)[0])
            self.regions.push(context)
            self.contexts.append((node, context))
        elif kind == EXIT_CONTEXT:
            self.contexts.pop()[1].close()
        elif not traits.region and (traits.group is not Group.STATE or node.outputs):
            self._call(number, node)

    def _call(self, number: int, node: Node) -> None:
        args, kwargs = self._item(node.args), self._item(node.kwargs or {})
        try:
            key: Any = (
                node.target,
                tuple(id(context) for context, _ in self.contexts),
                key_of(args),
                key_of(kwargs),
                _sharing(args),
            )
            known = self.known.get(key)
        except (Unhashable, TypeError):
            key = known = None
        if known is None:
            known = self._found_out(node, args, kwargs)
            if key is not None:
                self.known[key] = known
        given = list(dict.fromkeys(flow.storage for flow in flows_in([args, kwargs])))
        made: list[int] = []

        def result(leaf: Any) -> Any:
            if not isinstance(leaf, _Template):
                return leaf
            if not isinstance(leaf.memory, _New):
                return Flow(leaf.row, given[leaf.memory])
            self.found.storages.append(Storage(tuple(leaf.memory), number))
            made.append(len(self.found.storages) - 1)
            return Flow(leaf.row, made[-1])

        results = mapped(known.results, result)
        if len(node.outputs) == 1:
            self.items[node.outputs[0]] = results
        else:
            if not isinstance(results, (list, tuple)) or len(results) != len(node.outputs):
                results = [results] * len(node.outputs) if not node.outputs else [None] * len(node.outputs)
            self.items.update(zip(node.outputs, results, strict=True))
        found = self.found
        if known.flops != self.zero:
            found.flops.append(known.flops)
        if known.moved != self.zero:
            found.moved.append(known.moved)
        if known.grouped:
            found.grouped[known.grouped] += 1
        if known.unknown:
            found.unknown[node.kind if isinstance(node.target, OpOverload) else _shown(node)] = None
        found.relations.update(known.relations)
        for storage in made:
            found.storages[storage].died = max(found.storages[storage].died, number)
        found.joined[number], found.made[number] = given, made

    def _found_out(self, node: Node, args: Any, kwargs: Any) -> _Known:
        """Call it at each of the sizes."""
        templates, flops, moved, groups = [], [], [], []
        given = list(dict.fromkeys(flow.storage for flow in flows_in([args, kwargs])))
        for place in range(self.found.count):
            result, count, (size, group), origins = self._called(node, args, kwargs, place)
            templates.append(_template(result, origins, given))
            flops.append(count)
            moved.append(size)
            groups += [group] if group is not None else []
        results = self._merged(node, templates)
        target, kind = node.target, node.kind
        unknown = (
            (node.traits.opaque or isinstance(target, OpOverload))
            and next(instances_in(results, _Template), None) is not None
            and is_unknown(kind, target, max(flops))
        )
        relations = list(self._relations(node, args, kwargs))
        return _Known(results, tuple(flops), tuple(moved), tuple(groups) or None, relations, unknown)

    def _called(
        self, node: Node, args: Any, kwargs: Any, place: int
    ) -> tuple[Any, int, tuple[int, Grouped | None], dict[int, int]]:
        """Its result at one of the sizes, operations, bytes, and whose memory is where."""
        made: dict[Any, Tensor] = {}
        real_args, real_kwargs = self._real(args, place, made), self._real(kwargs, place, made)
        origins = {storage_address(tensor.untyped_storage()): flow.storage for flow, tensor in made.items()}
        before = {flow: tensor.shape for flow, tensor in made.items()}
        target: Any = node.target
        if target is None:
            raise self._refused(node, "nothing is known that runs it")
        if not made and isinstance(target, OpOverload) and real_kwargs.get("device") is None and _makes(target):
            real_kwargs["device"] = torch.device("meta")
        try:
            result, flops = call_counted(target, real_args, real_kwargs)
        except Exception as error:
            raise self._refused(node, f"{type(error).__name__}: {error}") from error
        for flow, tensor in made.items():
            if tensor.shape != before[flow]:
                raise self._refused(node, "it changes the shape of its argument in place")
        size = bytes_moved(node.kind, target, real_args, real_kwargs, result)
        # The arguments live until their memory was compared with that of the results.
        origins_of_results = {
            storage_address(tensor.untyped_storage()): origins.get(storage_address(tensor.untyped_storage()), -1)
            for tensor in tensors_in(result)
        }
        return result, flops, size, origins_of_results

    def _merged(self, node: Node, parts: list[Any]) -> Any:
        """One template of those at each of the sizes."""
        first = parts[0]
        if isinstance(first, (list, tuple, dict)) and not isinstance(first, _Part):
            if any(type(part) is not type(first) or len(part) != len(first) for part in parts):
                raise self._refused(node, "it gives another number of parts at other sizes")
            if isinstance(first, dict):
                return {key: self._merged(node, [part[key] for part in parts]) for key in first}
            merged = [self._merged(node, list(group)) for group in zip(*parts, strict=True)]
            return merged if isinstance(first, list) else tuple(merged)
        if isinstance(first, _Part):
            if any(not isinstance(part, _Part) or part.memory != first.memory for part in parts):
                raise self._refused(node, "whether it copies depends on the sizes")
            specs = tuple(part.spec for part in parts)
            row = self.flow(specs, -1).row
            return _Template(row, first.memory if first.memory >= 0 else _New(part.size for part in parts))
        return Plain(tuple(parts))

    def _relations(self, node: Node, args: Any, kwargs: Any) -> Iterator[tuple[Vector, Vector]]:
        name = node.name
        if name in _COMPARED:
            numbers = [self._vector(item) for item in args]
            if len(numbers) == 2 and numbers[0] is not None and numbers[1] is not None:
                yield numbers[0], numbers[1]
        elif name in ("slice", "narrow") and args and isinstance(args[0], Flow):
            dim = self._vector(args[1] if len(args) > 1 else kwargs.get("dim", 0))
            if dim is not None:
                sizes = tuple(spec.shape[dim[0]] for spec in self.found.rows[args[0].row])
                for item in (*args[2:4], kwargs.get("start"), kwargs.get("end"), kwargs.get("length")):
                    bound = self._vector(item)
                    if bound is not None and max(map(abs, bound)) < _WHOLE:
                        yield sizes, tuple(map(abs, bound))

    def _vector(self, item: Any) -> Vector | None:
        if isinstance(item, Plain):
            item = item.values
        elif type(item) is int:
            item = (item,) * self.found.count
        return item if isinstance(item, tuple) and all(type(n) is int for n in item) else None

    def _refused(self, node: Node, why: str) -> InputError:
        place = f" at {short_place(node.source)}" if node.source is not None else ""
        words = " ".join(why.split())
        error = Unestimated(f"{_shown(node)}{place} has no estimate: {words[:300]}")
        error.broken = self.found.broken.get(0)
        return error


class _Part:
    """A tensor among results at one size; `memory` counts the arguments' storages, -1 is new."""

    __slots__ = ("memory", "size", "spec")

    def __init__(self, spec: Spec, memory: int, size: int) -> None:
        self.spec, self.memory, self.size = spec, memory, size


@dataclass(frozen=True, slots=True)
class _Template:
    """A tensor among the results of a call that is known: its row, and its memory."""

    row: int
    memory: int | _New


def _template(result: Any, origins: dict[int, int], given: list[int]) -> Any:
    seen: dict[int, int] = {}

    def part(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf
        address = storage_address(leaf.untyped_storage())
        owner = origins[address]
        size = leaf.untyped_storage().nbytes() if leaf.is_meta else spec_of(leaf).bytes
        # Parts of one new block are counted once.
        share = size if address not in seen else 0
        seen[address] = size
        return _Part(spec_of(leaf), given.index(owner) if owner >= 0 else -1, share)

    return mapped(result, part)


def _sharing(args: Any) -> tuple[int, ...]:
    """Which of the arguments share memory: that of a result is told by it."""
    numbers: dict[int, int] = {}
    return tuple(numbers.setdefault(flow.storage, len(numbers)) for flow in flows_in(args))


def _makes(target: OpOverload) -> bool:
    return any(argument.name == "device" for argument in target._schema.arguments)


def _shown(node: Node) -> str:
    return str(node.attributes.get("name") or node.kind) if node.traits.opaque else node.kind


def _key(item: Any) -> Any:
    return item.values[0] if isinstance(item, Plain) else item


def _holds(item: Assumption, now: Any) -> bool:
    if item.test == "len":
        now = len(now)
    elif item.test == "text":
        now = repr(now)
    elif item.test == "at_least":
        return bool(now.dim() >= item.constant)
    elif item.test == "dim":
        now = now.dim()
    elif item.test == "shape":
        now = tuple(now.shape)
    constant = tuple(item.constant) if isinstance(item.constant, (list, tuple)) else item.constant
    return bool(now == constant or (now != now and constant != constant))


def _numbers(trees: list[Tree]) -> Iterator[tuple[str, Any]]:
    """The values of Python's among the arguments, by their places."""
    for tree in trees:
        yield tree.place, tree.value
        yield from _numbers(tree.children)


def _last_steps(order: list[tuple[int, Node]]) -> dict[int, list[Value]]:
    """The values that are used at each step for the last time."""
    last: dict[Value, int] = {}
    for place, (_, node) in enumerate(order):
        for value in (*node.inputs, *node.outputs):
            last[value] = place
    found: dict[int, list[Value]] = {}
    for value, place in last.items():
        found.setdefault(place, []).append(value)
    return found
