"""Which values share storage, as the operators' schemas declare it."""

from __future__ import annotations

from typing import Any

from tracelab.graph.ir import Node, Value, collect_values

_Pairs = tuple[tuple[int, int, str], ...]


class Aliases:
    """For each value made by a view or an in-place operator, the value whose storage it shares."""

    def __init__(self) -> None:
        self.base: dict[Value, Value] = {}
        self.root: dict[Value, Value] = {}
        """The first value of each family that shares one storage."""
        self._known: dict[Any, _Pairs] = {}

    def add(self, node: Node, outputs: tuple[Value, ...] | list[Value]) -> None:
        """Note the outputs of the next node in execution order."""
        pairs = self._pairs(node)
        for position, index, name in pairs:
            item = node.args[index] if index < len(node.args) else (node.kwargs or {}).get(name)
            found: list[Value] = []
            collect_values(item, found)
            if not found:
                continue
            # A list of views (`chunk`) is shown as its members: all of them share the storage.
            made = outputs if len(pairs) == 1 and len(node.outputs) == 1 else outputs[position : position + 1]
            for value in made:
                if value.is_tensor and found[0].is_tensor:
                    self.base[value] = found[0]
                    self.root[value] = self.root.get(found[0], found[0])

    def root_of(self, value: Value) -> Value:
        """The value that owns the storage."""
        return self.root.get(value, value)

    def _pairs(self, node: Node) -> _Pairs:
        schema = node.schema
        if schema is None:
            return ()
        key = node.target
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _shared(schema)
        return known


def _shared(schema: Any) -> _Pairs:
    """Triples (output, argument, argument's name) that share storage."""
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
                break
    return tuple(pairs)
