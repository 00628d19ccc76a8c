"""What a recording did to copies of the arguments, done to the user's own: as one plain call leaves them."""

from __future__ import annotations

from typing import Any

import torch

from tracelab.capture.recording.arguments import Arguments
from tracelab.graph.arrays import WRITTEN, ArrayStandIn
from tracelab.graph.intrinsics import delete, set_field, set_items, set_keys
from tracelab.graph.objects import attributes_of, is_object
from tracelab.graph.taking_apart import TakingApart


class Changed:
    """The changes of one recording, to be made once."""

    def __init__(self, arguments: Arguments, apart: TakingApart, leaves: list[torch.Tensor]) -> None:
        self.arguments = arguments
        self.originals = apart.originals
        self.tensors = {id(clone): leaf for clone, leaf in zip(arguments.clones, leaves, strict=True)}
        inner = apart.inner | _in_changed(arguments)
        self.written = [
            (leaf, clone)
            for at, (leaf, clone) in enumerate(zip(leaves, arguments.clones, strict=True))
            if at in inner and clone is not leaf
        ]
        self._seen: dict[int, Any] = {}

    def apply(self) -> None:
        """Make them: in objects, in containers, and in tensors that objects hold."""
        if self.written:
            self._write()
        for clone, name, part in self.arguments.marks:
            setattr(self.tensors[id(clone)], name, self._own(part))
        for place, changes in self.arguments.changes:
            item = self.originals[place]
            for what, key, part in changes:
                self._change(item, what, key, part if what == "value" else self._own(part))

    @torch.no_grad()
    def _write(self) -> None:
        for tree, _, given in self.arguments.arrays:
            original = self.originals[tree.place]
            if tree.name == WRITTEN and original.flags.writeable:
                original[...] = given.tensor.detach().numpy()
        for leaf, clone in self.written:
            if leaf.shape != clone.shape:
                leaf.data = clone
            elif not leaf.is_meta and not torch.equal(leaf, clone):
                leaf.copy_(clone)

    def _change(self, item: Any, what: str, key: Any, part: Any) -> None:
        if what == "value":
            _refill(item, part)
        elif what == "items":
            set_items(item, part)
        elif what == "key":
            set_keys(item, {key: part})
        elif what == "field":
            set_field(item, key, part)
        elif what == "delete":
            delete(item, [key])

    def _own(self, item: Any) -> Any:
        """The user's own in place of a copy; what the code made is kept, with the user's own in it."""
        if isinstance(item, ArrayStandIn) and id(item) not in self.arguments.copies:
            return item.plain()
        if isinstance(item, torch.Tensor):
            return self.tensors.get(id(item), item)
        known = self.arguments.copies.get(id(item))
        if known is not None:
            return self.originals[known[1]]
        if id(item) in self._seen:
            return self._seen[id(item)]
        if type(item) is tuple:
            return tuple(map(self._own, item))
        if type(item) is list:
            self._seen[id(item)] = item
            item[:] = map(self._own, item)
        elif isinstance(item, dict):
            self._seen[id(item)] = item
            for key, part in list(item.items()):
                own = self._own(part)
                if own is not part:
                    item[key] = own
        elif is_object(item):
            self._seen[id(item)] = item
            for name, part in attributes_of(item).items():
                own = self._own(part)
                if own is not part:
                    object.__setattr__(item, name, own)
        return item


def _in_changed(arguments: Arguments) -> set[int]:
    """The tensors of arguments in which something was put or taken out."""
    places = {place for place, _ in arguments.changes}
    found: set[int] = set()
    first = 0
    for tree in arguments.trees:
        if any(part.place in places for part in tree.walk()):
            found.update(range(first, first + tree.size))
        first += tree.size
    return found


def _refill(item: Any, now: Any) -> None:
    """Leave an array or a set as the code left its copy."""
    if isinstance(item, set):
        item.clear()
        item.update(now)
    elif item.shape == now.shape:
        item[...] = now
