"""A graph as a `torch.fx.GraphModule`, built node by node: nothing is traced again."""

from __future__ import annotations

import keyword
import operator
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils import _pytree as pytree

from tracelab.compat.leaving import autocast_calls, structure_code
from tracelab.compat.modes import set_grad_enabled
from tracelab.errors import TracelabError
from tracelab.graph.aliasing import Aliasing
from tracelab.graph.graph import Graph
from tracelab.graph.intrinsics import AUTOCAST, intrinsic_of
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import (
    ARGUMENT,
    CONSTANT,
    CONSTRUCTS,
    DELETE,
    DICT_CONSTRUCT,
    ENTER_CONTEXT,
    ENTER_GRAD_MODE,
    EXIT_CONTEXT,
    EXIT_GRAD_MODE,
    LIST_CONSTRUCT,
    SET_ARRAY,
    SET_ATTRIBUTE,
    SET_ELEMENTS,
    SET_FIELD,
    SET_ITEMS,
    SET_KEYS,
    TO_ARRAY,
    UNPACKS,
)
from tracelab.graph.tree import namedtuple_class
from tracelab.graph.types import TensorType
from tracelab.interop.ways_out.arguments import Arguments, arguments_of, state_values
from tracelab.interop.ways_out.caches import WITHOUT, is_cache, registered
from tracelab.interop.ways_out.functions import CONTEXTS, fx_function
from tracelab.interop.ways_out.node_meta import NUMBER_TYPES, Fakes, module_stack, stack_trace
from tracelab.interop.ways_out.refusals import named, refused

_ARGUMENT_WRITES = frozenset({SET_FIELD, SET_ITEMS, SET_KEYS, SET_ELEMENTS, SET_ARRAY, DELETE})
_PLAIN = (bool, int, float, complex, str, type(None), torch.dtype, torch.device, torch.layout, torch.memory_format)


def graph_module(
    graph: Graph, state: Mapping[Value, Tensor], devices: Mapping[torch.device, torch.device] | None = None
) -> fx.GraphModule:
    """The graph as a graph module with these parameters, buffers and constants.

    Args:
        graph: The graph.
        state: The tensor of each parameter, buffer and constant.
        devices: Devices that the trace wrote down, and where a module that moved has them now.

    Returns:
        The graph module; it takes the arguments that the traced callable takes.

    Raises:
        ExportError: The graph holds what torch.fx has no node for.
    """
    return _Builder(graph, state, devices or {}).build()


class _Builder:
    def __init__(
        self, graph: Graph, state: Mapping[Value, Tensor], devices: Mapping[torch.device, torch.device]
    ) -> None:
        self.graph = graph
        self.state = state
        self.devices = devices
        self.fx = fx.Graph()
        self.items: dict[Value, Any] = {}
        """What each value is here: a node, or a structure of nodes and constants."""
        self.root = nn.Module()
        self.constants: dict[str, Any] = {}
        self.registered: dict[str, Value] = {}
        self.fakes = Fakes()
        self.numbers: dict[str, fx.Node] = {}
        self.modes: list[fx.Node] = []
        self.contexts: list[tuple[Node, fx.Node]] = []
        self.assigned: dict[str, tuple[Node, Any]] = {}
        self.attributes: dict[int, fx.Node] = {}
        self.now: Node | None = None

    def build(self) -> fx.GraphModule:
        arguments = arguments_of(self.graph)
        self.placeholders(arguments)
        for value in state_values(self.graph):
            self.tensor_attribute(value, value.path or value.name)
        for node in self.graph.nodes:
            self.now = node
            self.node(node)
        self.now = None
        self.leave_regions()
        results = [self.item(value) for value in self.graph.outputs]
        result = results[0] if len(results) == 1 else tuple(results) if results else None
        self.assign_buffers()
        self.output(result, arguments)
        self.fx.lint()
        name = self.graph.root.class_name or re.sub(r"\W", "_", self.graph.name) or "Traced"
        made = fx.GraphModule(self.root, self.fx, name if name.isidentifier() else "Traced")
        for path, item in self.constants.items():
            # A constant is no part of the module's state.
            made._buffers.pop(path, None)
            made.__dict__[path] = item
        return made

    # Inputs ------------------------------------------------------------------------------------------------

    def placeholders(self, arguments: Arguments) -> None:
        for given in arguments.leaves:
            node = self.fx.placeholder(self.fx_name(given.name))
            if given.value is not None:
                self.items[given.value] = node
                node.meta["val"] = self.fakes.of(given.value)
            else:
                node.meta["val"] = given.constant
                if given.place:
                    self.numbers[given.place] = node

    def fx_name(self, name: str) -> str:
        word = re.sub(r"\W+", "_", name).rstrip("_")
        return spelled(word if word.isidentifier() else f"_{word}")

    def tensor_attribute(self, value: Value, path: str) -> None:
        """A parameter or buffer under its own name; a tensor of no module as a constant."""
        if value not in self.state:
            raise TracelabError(
                f"the graph has no weights (`{path}`): load the program with torch.export.load, and give it to "
                "tracelab.from_exported"
            )
        tensor = self.state[value]
        if value.path and all(part for part in path.split(".")):
            path = spelled(path)
            if self.registered.setdefault(path, value) is not value:
                raise refused(
                    f"there are two tensors that code would call `{path}`",
                    None,
                    "one of them has a word of Python in its name: give it another one",
                )
            self.register(path, tensor)
        else:
            path = self.constant(tensor)
        self.items[value] = node = self.fx.get_attr(path)
        node.meta["val"] = self.fakes.of(value)

    def register(self, path: str, tensor: Tensor) -> None:
        owner = self.root
        *above, name = path.split(".")
        for part in above:
            child = owner._modules.get(part)
            if child is None:
                child = nn.Module()
                owner.add_module(part, child)
            owner = child
        if isinstance(tensor, nn.Parameter):
            owner.register_parameter(name, tensor)
        else:
            owner.register_buffer(name, tensor)

    def constant(self, item: Any) -> str:
        path = f"_tensor_constant{len(self.constants)}" if isinstance(item, Tensor) else f"_object{len(self.constants)}"
        self.constants[path] = item
        setattr(self.root, path, item)
        return path

    # Nodes -------------------------------------------------------------------------------------------------

    def node(self, node: Node) -> None:
        kind = node.kind
        if kind == CONSTANT:
            value = node.outputs[0]
            if value in self.state:
                self.items[value] = made = self.fx.get_attr(self.constant(self.state[value]))
                made.meta["val"] = self.fakes.of(value)
                self.mark(made, node)
            else:
                self.items[value] = None
        elif kind in CONSTRUCTS:
            self.items[node.outputs[0]] = assembled(node, [self.item(arg) for arg in node.args])
        elif kind in UNPACKS:
            self.unpack(node)
        elif kind == ENTER_GRAD_MODE:
            self.modes.append(self.call(node, torch.is_grad_enabled))
            self.call(node, set_grad_enabled, (self.item(node.args[0]),))
        elif kind == EXIT_GRAD_MODE:
            if self.modes:
                self.call(node, set_grad_enabled, (self.modes.pop(),))
        elif kind == ENTER_CONTEXT:
            self.enter(node)
        elif kind == EXIT_CONTEXT:
            if self.contexts:
                self.leave(node, *self.contexts.pop())
        elif kind == ARGUMENT:
            self.argument(node)
        elif kind in _ARGUMENT_WRITES:
            written = node.args[0].node.args[0] if isinstance(node.args[0], Value) and node.args[0].node else "it"
            raise refused(
                f"the trace writes to the argument `{written}`",
                node,
                "a program of torch's writes to tensors only: return what is written, and trace again",
            )
        elif kind == SET_ATTRIBUTE:
            self.assigned[node.attributes["name"]] = (node, self.item(node.args[0]))
        elif kind == TO_ARRAY:
            # A program gives tensors where the code gave arrays.
            self.items[node.outputs[0]] = self.item(node.args[0])
        else:
            self.operation(node)

    def operation(self, node: Node) -> None:
        if not callable(node.target):
            raise refused(f"nothing is known that runs {named(node)}", node, "leave it out, or trace the code again")
        self.fakes.compute(node, self.known)
        kwargs = {name: self.item(arg) for name, arg in (node.kwargs or {}).items()}
        made = self.call(node, fx_function(node), tuple(self.item(arg) for arg in node.args), kwargs)
        outputs = node.outputs
        several = len(outputs) > 1 or (node.schema is not None and len(node.schema.returns) > 1)
        if not several:
            if outputs:
                self.items[outputs[0]] = made
                self.describe(made, outputs[0])
            return
        made.meta["val"] = tuple(map(self.fakes.of, outputs))
        for index, value in enumerate(outputs):
            self.items[value] = self.part(node, made, index, value)

    def unpack(self, node: Node) -> None:
        whole = self.item(node.args[0])
        if isinstance(whole, (tuple, list)):
            self.items.update(zip(node.outputs, whole, strict=True))
            return
        if isinstance(whole, fx.Node):
            whole.meta["val"] = [self.fakes.of(value) for value in node.outputs]
        for index, value in enumerate(node.outputs):
            self.items[value] = self.part(node, whole, index, value)

    def part(self, node: Node, whole: fx.Node, index: int, value: Value) -> fx.Node:
        made = self.call(node, operator.getitem, (whole, index), name=value.name)
        self.describe(made, value)
        return made

    def argument(self, node: Node) -> None:
        place = node.args[0]
        if place not in self.numbers:
            if node.outputs[0].type in NUMBER_TYPES:
                raise refused(f"the number `{place}` of the arguments", node, "it is in no place that torch.fx finds")
            # An object that is only written to; the write is what is refused.
            self.items[node.outputs[0]] = None
            return
        self.items[node.outputs[0]] = self.numbers[place]

    def call(
        self,
        node: Node,
        target: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> fx.Node:
        wanted = name or (node.outputs[0].name if node.outputs else None)
        made = self.fx.create_node(
            "call_function", target, args, kwargs or {}, name=self.fx_name(wanted) if wanted else None
        )
        return self.mark(made, node)

    def mark(self, made: fx.Node, node: Node) -> fx.Node:
        made.meta["nn_module_stack"] = module_stack(node.scope or self.graph.root, self.graph.name)
        trace = stack_trace(node.source)
        if trace:
            made.meta["stack_trace"] = trace
        return made

    def describe(self, made: fx.Node, value: Value) -> None:
        made.meta["tracelab_value"] = value.name
        known = self.fakes.of(value)
        if known is not None:
            made.meta["val"] = known
        made.type = Tensor if isinstance(value.type, TensorType) else NUMBER_TYPES.get(str(value.type))

    # Regions -----------------------------------------------------------------------------------------------

    def enter(self, node: Node) -> None:
        args, kwargs = tuple(map(self.item, node.args)), {k: self.item(v) for k, v in (node.kwargs or {}).items()}
        entry = intrinsic_of(node.target)
        if entry is AUTOCAST and not kwargs:
            self.contexts.append((node, self.call(node, autocast_calls()[0], args)))
            return
        maker = CONTEXTS.get(entry.name if entry is not None else "") or fx_function(node)
        made = self.call(node, maker, args, kwargs)
        self.mark(self.fx.call_method("__enter__", (made,)), node)
        self.contexts.append((node, made))

    def leave(self, node: Node, entered: Node, made: fx.Node) -> None:
        if intrinsic_of(entered.target) is AUTOCAST:
            self.call(node, autocast_calls()[1], (made,))
        else:
            self.mark(self.fx.call_method("__exit__", (made, None, None, None)), node)

    def leave_regions(self) -> None:
        """Leave what the recorded code left open."""
        while self.contexts:
            entered, made = self.contexts.pop()
            self.leave(entered, entered, made)
        if self.modes:
            self.fx.call_function(set_grad_enabled, (self.modes[0],))

    # Arguments and results ---------------------------------------------------------------------------------

    def item(self, item: Any) -> Any:
        """An argument of the graph as one of torch.fx."""
        kind = type(item)
        if kind is Value:
            return self.items[item]
        if isinstance(item, torch.device):
            return self.devices.get(item, item)
        if isinstance(item, _PLAIN) or item is Ellipsis or isinstance(item, fx.Node):
            return item
        if isinstance(item, torch.Size):
            return list(item)
        if isinstance(item, tuple):
            parts = [self.item(child) for child in item]
            return kind(*parts) if hasattr(item, "_fields") else tuple(parts)
        if isinstance(item, list):
            return [self.item(child) for child in item]
        if isinstance(item, dict):
            return {key: self.item(child) for key, child in item.items()}
        if isinstance(item, slice):
            return slice(self.item(item.start), self.item(item.stop), self.item(item.step))
        return self.object(item)

    def object(self, item: Any) -> fx.Node:
        """Something that code cannot spell, kept as an attribute."""
        node = self.attributes.get(id(item))
        if node is None:
            node = self.attributes[id(item)] = self.fx.get_attr(self.constant(item))
        return node

    def known(self, item: Any) -> Any:
        """An argument with fake tensors for tensors."""
        if type(item) is Value:
            found = self.fakes.of(item)
            if found is None:
                raise_unknown()
            return found
        if isinstance(item, (tuple, list)) and not hasattr(item, "_fields"):
            return type(item)(self.known(child) for child in item)
        if isinstance(item, dict):
            return {key: self.known(child) for key, child in item.items()}
        return item

    def assign_buffers(self) -> None:
        """Write buffers that the code made anew: torch.fx has only names for them."""
        if not self.assigned:
            return
        aliasing = Aliasing(self.graph)
        for path, (node, item) in self.assigned.items():
            value = next((value for value in state_values(self.graph) if value.path == path), None)
            old = self.state.get(value) if value is not None else None
            if value is None or old is None:
                try:
                    old = next(t for v, t in self.state.items() if v.path == path)
                except StopIteration:
                    raise refused(
                        f"the trace sets `{path}`, whose old tensor it does not read",
                        node,
                        "register a buffer of that name before the trace, and write to it in place (`copy_`)",
                    ) from None
            new = node.args[0]
            made = new.type if isinstance(new, Value) else None
            if not isinstance(made, TensorType) or made.shape != tuple(old.shape) or made.dtype != old.dtype:
                raise refused(
                    f"the trace sets the buffer `{path}` to a tensor of another shape or dtype",
                    node,
                    "a program's buffers keep theirs: return the tensor instead, and trace again",
                )
            self.refuse_old_tensor(path, node, aliasing)
            target = self.items[value] if value in self.items else self.fx.get_attr(spelled(path))
            self.mark(self.fx.call_function(torch.ops.aten.copy_.default, (target, item)), node)

    def refuse_old_tensor(self, path: str, node: Node, aliasing: Aliasing) -> None:
        """A result that holds the buffer's old tensor would hold the new numbers: the buffer is written at the end."""
        old = [known for known in self.state if known.path == path]
        kept = [*self.graph.outputs]
        kept += [given for other, _ in self.assigned.values() for given in other.args if isinstance(given, Value)]
        if any(aliasing.may_share(one, each) for one in old for each in kept):
            raise refused(
                f"the trace sets the buffer `{path}` and still gives its old tensor",
                node,
                "a program writes to the buffer in place: return a clone of the old tensor, and trace again",
            )

    def output(self, result: Any, arguments: Arguments) -> None:
        leaves, spec = pytree.tree_flatten(result)
        if any(is_cache(leaf) and registered(leaf) for leaf in leaves):
            leaves, spec = pytree.tree_flatten(result)
        for leaf in leaves:
            if is_cache(leaf):
                raise refused(f"it returns a {type(leaf).__name__}, which torch does not take apart", None, WITHOUT)
            if not isinstance(leaf, (fx.Node, *_PLAIN)):
                raise refused(
                    f"it returns a {type(leaf).__name__}, which torch's pytrees do not take apart",
                    None,
                    "register the class by torch.export.register_dataclass or "
                    "torch.utils._pytree.register_pytree_node, or return its tensors in a tuple or dict",
                )
        if arguments.plain and _is_builtin(result):
            self.fx.output(result)
            return
        self.fx.output(leaves)
        self.fx.set_codegen(structure_code(list(arguments.names), arguments.spec, spec))


def spelled(path: str) -> str:
    """The path as code can say it: words of Python, which may be names of modules, get a line at their end."""
    return ".".join(f"{part}_" if keyword.iskeyword(part) else part for part in path.split("."))


def raise_unknown() -> None:
    raise ValueError("not known")


def assembled(node: Node, parts: list[Any]) -> Any:
    """The list, tuple or dict that a node makes, of the class that it has."""
    target: Any = node.target
    if node.kind == LIST_CONSTRUCT:
        return parts if target is None else target(parts)
    if node.kind == DICT_CONSTRUCT:
        pairs = dict(zip(parts[::2], parts[1::2], strict=True))
        if target is None:
            return pairs
        if all(isinstance(key, str) for key in pairs):
            return target(**pairs)
        return target(pairs)
    if "fields" in node.attributes:
        return namedtuple_class(node.attributes["class"], node.attributes["fields"], target)(*parts)
    return tuple(parts) if target is None else target(tuple(parts))


def _is_builtin(item: Any) -> bool:
    """Whether it nests in tuples, lists and dicts alone, as torch.fx writes them."""
    if isinstance(item, fx.Node) or type(item) in _PLAIN or isinstance(item, _PLAIN):
        return True
    if type(item) in (tuple, list):
        return all(map(_is_builtin, item))
    return type(item) is dict and all(isinstance(key, str) for key in item) and all(map(_is_builtin, item.values()))
