"""Which values may share memory, and which nodes may write into it: the one alias analysis.

Passes, runs, checks and pictures ask here. What a node does is read from three places: the operator's schema, the
table of kinds, and a few operators of torch that do more than their schema says. Where nothing is known, everything is
possible: an output of an opaque call may share memory with any of its inputs.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import torch

from tracelab.compat.operators import is_composite
from tracelab.graph.data import GraphData
from tracelab.graph.intrinsics import AUTOGRAD_BACKWARD, AUTOGRAD_GRAD, BACKWARD
from tracelab.graph.ir import Node, Value, collect_values
from tracelab.graph.kinds import EVERY, Group

_STATISTICS = ("running_mean", "running_var")
"""Arguments that norms write into, although not every schema says so."""

_TRAINING = ("training", "use_input_stats")
"""Arguments that say whether they do; the operators below have none, and always do."""

_UPDATES_STATISTICS = frozenset(
    {"aten::batch_norm_update_stats", "aten::batch_norm_gather_stats", "aten::batch_norm_gather_stats_with_counts"}
)

_NEW_STORAGE = frozenset(
    """
    batch_norm bilinear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d cosine_similarity
    cross_entropy_loss embedding_bag group_norm gru gru_cell instance_norm layer_norm linear log_softmax lstm lstm_cell
    matmul max_pool1d max_pool2d max_pool3d rms_norm rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell
    scaled_dot_product_attention silu softmax
    """.split()
)
"""Operators that torch composes of others, and that always give new storage."""

_DROPOUT = frozenset({"aten::dropout", "aten::feature_dropout", "aten::alpha_dropout", "aten::feature_alpha_dropout"})

_UNDECLARED = {
    "aten::_unsafe_view": (0,),
    "aten::unsafe_split": (0,),
    "aten::unsafe_split_with_sizes": (0,),
    "aten::lift": (0,),
    "aten::set_": (EVERY,),
    "aten::_make_dual": (EVERY,),
    "aten::_nested_view_from_jagged": (EVERY,),
    "aten::sparse_compressed_tensor": (EVERY,),
    "aten::_sparse_coo_tensor_with_dims_and_tensors": (EVERY,),
    "_c10d_functional::wait_tensor": (0,),
}
"""Operators whose result shares memory with these arguments although their schema does not say so."""

_BACKWARD = (BACKWARD, AUTOGRAD_BACKWARD, AUTOGRAD_GRAD)

_COLLECTIVES = ("c10d::", "_c10d_functional::")
"""Namespaces of communication: one rank must not leave out what another waits for."""

_MAY_ALIAS = getattr(torch.Tag, "maybe_aliasing_or_mutating", None)
"""Torch's own mark for them."""

_WITHOUT_MEMORY = frozenset("int float bool complex str int[] float[] NoneType Generator Device".split())
"""Types of values that hold no tensor."""


class Aliasing:
    """The memory that each value of a graph shares, and the nodes that may write into it.

    Values that may share memory, directly or by way of others, form one family. `escaped` families are also held
    outside the graph: by a parameter, an input, a gradient, or by code that the graph does not look into.

    >>> graph, _ = tracelab.trace_graph(lambda x: x.clone()[0].zero_(), torch.ones(2, 2))
    >>> clone, row, zeroed = (node.output for node in graph.nodes)
    >>> memory = Aliasing(graph)
    >>> memory.may_share(clone, zeroed), memory.may_share(graph.inputs[0], zeroed)
    (True, False)
    """

    def __init__(self, graph: GraphData) -> None:
        self._family: dict[Value, Value] = {}
        held: list[Value] = []
        handled: list[Value] = []
        writes: list[tuple[int, Value]] = []
        for index, node in enumerate(graph.nodes):
            for made, given in shared_memory(node):
                self._join(made, given)
            writes += ((index, value) for value in written_values(node))
            traits = node.traits
            if traits.escapes or traits.group is Group.STATE:
                tensors = [value for value in (*node.inputs, *node.outputs) if holds_memory(value)]
                handled += tensors
                if traits.escapes:
                    held += tensors
        self._escaped = {self.family(value) for value in (*graph.inputs, *graph.state, *held)}
        self._handled = {self.family(value) for value in handled}
        self._writes: dict[Value, list[int]] = {}
        for index, value in writes:
            self._writes.setdefault(self.family(value), []).append(index)

    def _join(self, one: Value, other: Value) -> None:
        first, second = self.family(one), self.family(other)
        if first is not second:
            self._family[first] = second

    def family(self, value: Value) -> Value:
        """One value that stands for all which may share memory with this one."""
        found = value
        while (above := self._family.get(found)) is not None:
            found = above
        while value is not found:
            self._family[value], value = found, self._family[value]
        return found

    def may_share(self, one: Value, other: Value) -> bool:
        """Whether the two may share memory."""
        return self.family(one) is self.family(other)

    def escaped(self, value: Value) -> bool:
        """Whether something outside the graph may hold the value's memory, so that each write to it counts."""
        return self.family(value) in self._escaped

    def handled(self, value: Value) -> bool:
        """Whether the tensor itself counts, beside its numbers.

        Other code is given it or gives it, or it is marked: as one that needs a gradient, say.
        """
        return self.family(value) in self._handled

    def writers(self, value: Value) -> list[int]:
        """Indices of the nodes that may write into the value's memory, in order; one that writes twice stands twice."""
        return self._writes.get(self.family(value), [])

    def written(self, value: Value, first: int = 0, stop: int | None = None) -> bool:
        """Whether a node from `first` up to, not including, `stop` may write into the value's memory."""
        return any(first <= index and (stop is None or index < stop) for index in self.writers(value))


def written_values(node: Node) -> list[Value]:
    """The values whose memory a node may change, declared or not.

    Args:
        node: Any node: an operator, in place or with `out=`, or a call of Python code.

    Returns:
        Those among its inputs, in the order of its schema; empty for a node that writes into none.

    >>> graph = tracelab.trace(lambda x: x.clone().add_(1), torch.ones(2)).graph
    >>> [[value.name for value in written_values(node)] for node in graph.nodes]
    [[], ['clone']]
    """
    if node.schema is None:
        # A Python operator may have been seen to leave its arguments as they were.
        seen = node.attributes.get("inplace") is False
        return [] if seen else [value for value in _at(node, node.traits.writes) if holds_memory(value)]
    if node.kind.startswith(_COLLECTIVES[0]):
        return [value for value in node.inputs if holds_memory(value)]
    found: list[Value] = []
    for index, name in _declared_writes(node.target):
        collect_values(_argument(node, index, name), found)
    statistics, switch = _undeclared_writes(node.target)
    if statistics and (switch is None or _argument(node, *switch) is not False):
        for index, name in statistics:
            collect_values(_argument(node, index, name), found)
    return found


def writer_of(graph: GraphData, value: Value) -> Node | None:
    """The first node that may write into a value, or into what shares its memory; None where none does."""
    return next((graph.nodes[index] for index in Aliasing(graph).writers(value)), None)


def has_effect(node: Node) -> bool:
    """Whether a node does more than make its outputs, even where nothing can see what it writes to.

    It enters a region, sets state, communicates, draws random numbers, checks something, or runs code that may do
    anything.
    """
    return node.traits.effect or is_random(node) or node.kind.startswith(_COLLECTIVES) or _only_acts(node)


def is_random(node: Node) -> bool:
    """Whether it draws random numbers, on which those depend that are drawn after it."""
    return node.schema is not None and not is_idle_dropout(node) and _draws(node.target)


def is_idle_dropout(node: Node) -> bool:
    """Whether it is a dropout outside of training, which drops nothing."""
    return node.kind in _DROPOUT and node.schema is not None and _argument(node, 2, "train") is False


def runs_backward(node: Node) -> bool:
    """Whether it runs a backward pass through what it is given."""
    return any(node.target is entry.function for entry in _BACKWARD)


def _only_acts(node: Node) -> bool:
    """Whether an operator neither returns nor writes anything: it is called for what else it does, an assertion say."""
    return node.schema is not None and not node.schema.returns and not _declared_writes(node.target)


def shared_memory(node: Node) -> Iterator[tuple[Value, Value]]:
    """Pairs of values that may share memory once the node has run: an output and an input, or two inputs."""
    outputs = [value for value in node.outputs if holds_memory(value)]
    if node.schema is None:
        traits = node.traits
        given = [value for value in _at(node, traits.shares) if holds_memory(value)]
        if traits.opaque or traits.group is Group.STATE:
            # One may have been put into the place of the other.
            outputs += given[:1]
        yield from ((made, value) for made in outputs for value in given if made is not value)
        return
    declared = declared_aliases(node)
    yield from ((made, value) for made, values in declared for value in values)
    if node.kind in _UNDECLARED:
        given = _at(node, _UNDECLARED[node.kind])
    elif node.kind.startswith(_COLLECTIVES[0]) or (not declared and outputs and may_return_input(node.target)):
        given = list(node.inputs)
    else:
        return
    yield from ((made, value) for made in outputs for value in given if holds_memory(value))


def declared_aliases(node: Node) -> list[tuple[Value, list[Value]]]:
    """Each output that shares memory by the operator's schema, with the values whose memory that is."""
    found = []
    for position, index, name in _declared_aliases(node.target) if node.schema is not None else ():
        values: list[Value] = []
        if position < len(node.outputs):
            collect_values(_argument(node, index, name), values)
        if values:
            found.append((node.outputs[position], values))
    return found


def makes_new_storage(node: Node) -> bool:
    """Whether an operator's results are certain to lie in memory of their own."""
    if node.schema is None or node.kind in _UNDECLARED or _declared_aliases(node.target):
        return False
    return not may_return_input(node.target)


@functools.cache
def may_return_input(target: Any) -> bool:
    """Whether an operator without aliases in its schema may all the same give back one of its inputs.

    By torch's contract one with a kernel of its own gives new storage. One that torch composes of others may not:
    `dropout` outside of training is its input. Nor may TorchScript's own operators, on lists say.
    """
    schema = target._schema
    if schema.name.rpartition("::")[2] in _NEW_STORAGE:
        return False
    if _MAY_ALIAS in getattr(target, "tags", ()):
        return True
    name = schema.name + (f".{schema.overload_name}" if schema.overload_name else "")
    try:
        return is_composite(name)
    except RuntimeError:
        return True


@functools.lru_cache(maxsize=4096)
def is_view(target: Any) -> bool:
    """Whether an operator's outputs only show what its inputs hold, as its schema declares."""
    schema = target._schema
    returns = schema.returns
    return (
        not schema.is_mutable
        and bool(returns)
        and all(item.alias_info is not None and not item.alias_info.is_write for item in returns)
    )


def holds_memory(value: Value) -> bool:
    """Whether the value is, or may hold, a tensor."""
    return value.is_tensor or value.type not in _WITHOUT_MEMORY


def _argument(node: Node, index: int, name: str) -> Any:
    return node.args[index] if index < len(node.args) else (node.kwargs or {}).get(name)


def _at(node: Node, positions: tuple[int, ...]) -> list[Value]:
    if EVERY in positions or (positions and max(positions) >= len(node.args)):
        # What is given by keyword is not looked for.
        return list(node.inputs)
    found: list[Value] = []
    for index in positions:
        collect_values(node.args[index], found)
    return found


@functools.lru_cache(maxsize=4096)
def _draws(target: Any) -> bool:
    return torch.Tag.nondeterministic_seeded in getattr(target, "tags", ())


@functools.lru_cache(maxsize=4096)
def _declared_writes(target: Any) -> tuple[tuple[int, str], ...]:
    """Position and name of each argument that an operator writes into."""
    return tuple(
        (index, argument.name)
        for index, argument in enumerate(target._schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    )


@functools.lru_cache(maxsize=4096)
def _undeclared_writes(target: Any) -> tuple[tuple[tuple[int, str], ...], tuple[int, str] | None]:
    """The running statistics that an operator updates unsaid, and the argument that says whether it does."""
    places = {argument.name: index for index, argument in enumerate(target._schema.arguments)}
    statistics = tuple(
        (places[name], name)
        for name in _STATISTICS
        if name in places and target._schema.arguments[places[name]].alias_info is None
    )
    switch = next(((places[name], name) for name in _TRAINING if name in places), None)
    if not statistics or (switch is None and target._schema.name not in _UPDATES_STATISTICS):
        return (), None
    return statistics, switch


@functools.lru_cache(maxsize=4096)
def _declared_aliases(target: Any) -> tuple[tuple[int, int, str], ...]:
    """Triples (output, argument, argument's name) that share memory."""
    schema = target._schema
    pairs = []
    for position, output in enumerate(schema.returns):
        if output.alias_info is None:
            continue
        wanted = set(output.alias_info.before_set)
        for index, argument in enumerate(schema.arguments):
            given = argument.alias_info
            if given is None:
                continue
            # `chunk(Tensor(a -> *) self) -> Tensor(a)[]`: torch gives no letters for the members of a list.
            if wanted & set(given.before_set) or (not wanted and "*" in given.after_set):
                pairs.append((position, index, argument.name))
    return tuple(pairs)
