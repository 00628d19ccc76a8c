"""torch.fx graph modules as graphs: symbolic traces, and graphs of ATen operators."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import fx, nn

from tracelab.compat.leaving import autocast_calls
from tracelab.compat.modes import set_grad_enabled
from tracelab.compat.operators import HigherOrderOperator, OpOverload, OpOverloadPacket, packet_name
from tracelab.errors import TracelabError
from tracelab.graph.graph import Graph
from tracelab.graph.input_names import input_names
from tracelab.graph.intrinsics import AUTOCAST, INTRINSICS, intrinsic_of
from tracelab.graph.ir import Node, Role, Value, unique_names
from tracelab.graph.kinds import (
    ARGUMENT,
    CALL_METHOD,
    CONSTANT,
    ENTER_CONTEXT,
    ENTER_GRAD_MODE,
    EXIT_CONTEXT,
    EXIT_GRAD_MODE,
    LIST_UNPACK,
    PYTHON_CALL,
)
from tracelab.graph.structure import InputTree
from tracelab.graph.tree import Tree
from tracelab.graph.types import TensorType, Type, type_of_constant
from tracelab.interop.export.symbolic import ARITHMETIC
from tracelab.interop.fx_arguments import argument_trees, result_of
from tracelab.interop.higher_order import Block, HigherOrder
from tracelab.interop.nesting import structured
from tracelab.interop.stacks import Scopes, Sources, plain_path
from tracelab.interop.ways_out.functions import CONTEXTS, INTRINSIC

_PLAIN = (type(None), bool, int, float, complex, str, torch.dtype, torch.device, torch.layout, torch.memory_format)
_NUMBERS = {int: "int", float: "float", bool: "bool", torch.SymInt: "int", torch.SymFloat: "float"}


def from_fx(module: fx.GraphModule) -> Graph:
    """The graph of a `torch.fx.GraphModule`, of a symbolic trace or of ATen operators; it runs by `to_callable()`.

    A `call_module` is one node `prim::CallMethod`, in the scope of its module; a Python function `prim::PythonOp`
    (`^add`); a tensor's method `aten::<name>`; an operator overload is itself. Shapes are those in the nodes' `val` or
    `tensor_meta`, where `ShapeProp`, `make_fx` or an export left any.

    Args:
        module: What `torch.fx.symbolic_trace` or `make_fx` returned.

    Returns:
        The graph.

    Raises:
        TracelabError: It is not a graph module, or holds what a graph does not.

    >>> graph = tracelab.from_fx(torch.fx.symbolic_trace(torch.nn.ReLU()))
    >>> graph.to_callable()(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if not isinstance(module, fx.GraphModule):
        raise TracelabError(
            f"from_fx needs a torch.fx.GraphModule, but got {type(module).__name__}: "
            "give what torch.fx.symbolic_trace or make_fx returned"
        )
    return _Reader(module).read()


class _Reader:
    def __init__(self, module: fx.GraphModule) -> None:
        self.module = module
        self.graph = Graph("forward")
        self.sources = Sources()
        self.scopes = Scopes(self.graph)
        self.items: dict[fx.Node, Any] = {}
        self.calls: dict[str, int] = {}
        self.tensors: dict[int, Value] = {}
        self.modes: set[fx.Node] = set()
        """Calls that ask for the gradient mode, to put it back."""
        self.contexts: dict[fx.Node, Node] = {}
        """Calls that make a region, with the node that enters it."""
        self.unpacked: dict[fx.Node, Node] = {}

    def read(self) -> Graph:
        graph = self.graph
        name = type(self.module).__name__
        graph.root.name = graph.root.class_name = "" if name == "GraphModule" else name
        nodes = self.module.graph.nodes
        structures = argument_trees(self.module)
        places = [part for tree in (structures[1] if structures else ()) for part in tree.walk() if not part.children]
        leaves = iter([part for part in places if part.kind in ("tensor", "number", "value", "none")])
        for node in nodes:
            if node.op == "placeholder":
                self.placeholder(node, next(leaves, None))
            elif node.op == "output":
                result = result_of(self.module, self.arguments(node.args[0], node))
                graph.outputs = [structured(graph, result)]
            else:
                self.node(node)
        graph.name = graph.root.name = graph.root.name or "forward"
        used = dict.fromkeys(value for node in graph.nodes for value in node.inputs)
        used.update(dict.fromkeys(graph.outputs))
        state = (Role.PARAMETER, Role.BUFFER, Role.CONSTANT)
        graph.inputs += [value for value in used if value.role in state and value.node is None]
        users = graph.user_inputs
        if structures is None:
            unique_names(graph.values())
            graph.input_tree = InputTree([value.name for value in users], [Tree("tensor") for _ in users])
            return graph
        names, trees, keywords = structures
        words = [word for tree, name in zip(trees, names, strict=True) for word in input_names(tree, name)]
        for value, word in zip(users, words, strict=True):
            value.name = word
        unique_names(graph.values())
        graph.input_tree = InputTree(names, trees, keywords)
        graph.input_tree.note_places(graph.nodes)
        return graph

    def placeholder(self, node: fx.Node, tree: Tree | None) -> None:
        if tree is not None and tree.kind in ("value", "none"):
            self.items[node] = tree.value
            return
        if tree is not None and tree.kind == "number":
            made = Node(ARGUMENT, None, (tree.place,), None, (), self.graph.root)
            made.outputs = (Value(node.name, _type(node), made),)
            self.items[node] = made.outputs[0]
            self.graph.nodes.append(made)
            return
        value = self.items[node] = Value(str(node.target).lstrip("*"), _type(node), None, Role.INPUT)
        if str(node.target).startswith("*"):
            raise TracelabError(f"the graph module takes `{node.target}`: trace a function with fixed arguments")
        self.graph.inputs.append(value)

    def node(self, node: fx.Node) -> None:
        if node.op == "get_attr":
            self.items[node] = self.attribute(str(node.target), node)
            return
        made = Node("", None)
        made.source = self.sources.of(node.meta.get("stack_trace") or node.stack_trace)
        stack = [(str(key), *_path_and_class(entry)) for key, entry in (node.meta.get("nn_module_stack") or {}).items()]
        args = tuple(self.arguments(arg, node) for arg in node.args)
        kwargs = {name: self.arguments(arg, node) for name, arg in node.kwargs.items()}
        if node.op == "call_module":
            self.call_module(made, node, stack)
        elif node.op == "call_method" and node.target in ("__enter__", "__exit__") and node.args[0] in self.contexts:
            self.context(node)
            return
        elif node.op == "call_method":
            self.call_method(made, str(node.target))
        elif node.op == "call_function":
            if node.target is operator.getitem and (self.picked(node, args) or self.part(node, args)):
                return
            if self.region(node, args, kwargs):
                return
            if isinstance(node.target, HigherOrderOperator) and self.grad_mode(node, args):
                return
            self.call_function(made, node, args)
        else:
            raise TracelabError(f"the graph module has a node of the kind {node.op!r}, which graphs do not hold")
        made.args, made.kwargs = args, kwargs or None
        if made.scope is None:
            made.scope = self.scopes.of(stack)
        self.make(made, node)

    def make(self, made: Node, node: fx.Node) -> None:
        value = node.meta.get("val")
        schema = made.schema
        if schema is not None and len(schema.returns) > 1:
            known = value if isinstance(value, (tuple, list)) else ()
            types = [_value_type(part) for part in known] or ["Tensor"] * len(schema.returns)
            made.outputs = tuple(Value(node.name, type_, made) for type_ in types)
            self.items[node] = list(made.outputs)
        elif schema is not None and not schema.returns:
            self.items[node] = None
        else:
            made.outputs = (Value(node.name, _type(node), made),)
            self.items[node] = made.outputs[0]
        self.graph.nodes.append(made)

    def call_module(self, made: Node, node: fx.Node, stack: list[tuple[str, str, str]]) -> None:
        path = str(node.target)
        found = self.module.get_submodule(path)
        call = self.calls.get(path, 0)
        self.calls[path] = call + 1
        made.kind = CALL_METHOD
        made.target = found
        made.set_attribute("name", type(found).__name__)
        if not stack or stack[-1][1] != path:
            stack = [*stack, (path, path, type(found).__name__)]
        stack[-1] = (f"{stack[-1][0]}@{call}", path, type(found).__name__)
        made.scope = self.scopes.of(stack)

    def call_method(self, made: Node, name: str) -> None:
        made.kind = f"aten::{name}"
        made.target = _Method(name)

    def call_function(self, made: Node, node: fx.Node, args: tuple[Any, ...]) -> None:
        target: Any = node.target
        if isinstance(target, OpOverload):
            arithmetic = ARITHMETIC.get(f"torch.ops.{target}")
            if arithmetic is not None:
                made.kind, made.target = arithmetic.kind, arithmetic.function
                return
            made.kind, made.target = target._schema.name, target
            made.overload = target._schema.overload_name
            return
        if isinstance(target, OpOverloadPacket):
            made.kind, made.target = packet_name(target), _Packet(target)
            return
        if isinstance(target, HigherOrderOperator):
            made.kind, made.target = PYTHON_CALL, HigherOrder(target, target.name(), 0)
            made.set_attribute("name", target.name())
            blocks = {item.__name__: item.text for item in args if isinstance(item, Block)}
            if blocks:
                made.set_attribute("blocks", blocks)
            return
        if target is torch.ops.aten.item.default:
            target = torch.Tensor.item
        target = getattr(target, INTRINSIC, target)
        name = getattr(target, "__name__", type(target).__name__)
        module = getattr(target, "__module__", "") or ""
        arithmetic = ARITHMETIC.get(f"{module}.{name}")
        numbers = all(not isinstance(arg, Value) or (not arg.is_tensor and arg.type != "Tensor") for arg in args)
        if arithmetic is not None and numbers and not node.kwargs:
            made.kind, made.target = arithmetic.kind, arithmetic.function
            return
        known = intrinsic_of(target)
        if known is not None and (numbers or known.name not in _ON_NUMBERS):
            made.kind, made.target = known.kind, known.function
            for key, item in (known.attributes or {}).items():
                made.set_attribute(key, item)
            return
        made.kind, made.target = PYTHON_CALL, _Function(target, name)
        made.set_attribute("name", name)

    def picked(self, node: fx.Node, args: tuple[Any, ...]) -> bool:
        """Take one of several results that an operator was recorded to give."""
        if isinstance(args[0], list) and isinstance(args[1], int):
            self.items[node] = args[0][args[1]]
            value = self.items[node]
            if isinstance(value, Value):
                value.name = node.name
            return True
        return False

    def part(self, node: fx.Node, args: tuple[Any, ...]) -> bool:
        """Take a list apart that an operator gives: one node does it for all parts."""
        whole: Any = node.args[0]
        known = whole.meta.get("val") if isinstance(whole, fx.Node) else None
        value = args[0]
        if not isinstance(value, Value) or value.type != "Tensor[]" or not isinstance(known, (list, tuple)):
            return False
        made = self.unpacked.get(whole)
        if made is None:
            made = self.unpacked[whole] = self.beside(node, LIST_UNPACK, (value,))
            made.outputs = tuple(Value(node.name, _value_type(item), made) for item in known)
        found = made.outputs[args[1]]
        found.name = node.name
        self.items[node] = found
        return True

    def beside(self, node: fx.Node, kind: str, args: tuple[Any, ...] = ()) -> Node:
        """A piece of structure, or the end of a region, where `node` stands."""
        made = Node(kind, None, args, None, ())
        made.source = self.sources.of(node.meta.get("stack_trace") or node.stack_trace)
        stack = [(str(key), *_path_and_class(entry)) for key, entry in (node.meta.get("nn_module_stack") or {}).items()]
        made.scope = self.scopes.of(stack)
        self.graph.nodes.append(made)
        return made

    def region(self, node: fx.Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Read where a gradient mode or a context begins or ends."""
        target: Any = node.target
        if target is torch.is_grad_enabled and all(user.target is _SET_MODE for user in node.users):
            self.modes.add(node)
            self.items[node] = None
        elif target is _SET_MODE:
            if isinstance(node.args[0], fx.Node) and node.args[0] in self.modes:
                self.beside(node, EXIT_GRAD_MODE)
            elif type(args[0]) is bool and any(
                isinstance(mode.prev, fx.Node) and mode.next is node for mode in self.modes
            ):
                self.beside(node, ENTER_GRAD_MODE, args)
            else:
                return False
        elif target is autocast_calls()[0]:
            made = self.contexts[node] = self.beside(node, ENTER_CONTEXT, args)
            made.target = AUTOCAST.function
        elif target is autocast_calls()[1] and node.args[0] in self.contexts:
            self.beside(node, EXIT_CONTEXT)
        elif target in _MAKERS or _is_context(target):
            made = self.contexts[node] = Node(ENTER_CONTEXT, _MAKERS.get(target, target), args, kwargs or None, ())
        else:
            return False
        self.items.setdefault(node, None)
        return True

    def context(self, node: fx.Node) -> None:
        made = self.contexts[node.args[0]]  # type: ignore[index]
        if node.target == "__exit__":
            self.beside(node, EXIT_CONTEXT)
            return
        entered = self.beside(node, ENTER_CONTEXT, made.args)
        entered.target, entered.kwargs = made.target, made.kwargs

    def grad_mode(self, node: fx.Node, args: tuple[Any, ...]) -> bool:
        """Write a `torch.no_grad()` block as a trace does: its nodes between two that set and restore the mode."""
        target: Any = node.target
        if target.name() != "wrap_with_set_grad_enabled" or not isinstance(args[1], Block):
            return False
        inner = self.module.get_submodule(str(node.args[1].target))  # type: ignore[union-attr]
        if not isinstance(inner, fx.GraphModule):
            return False
        self.graph.nodes.append(Node(ENTER_GRAD_MODE, None, (args[0],), None, (), self.graph.root))
        outer, given = self.module, iter(args[2:])
        self.module = inner
        for step in inner.graph.nodes:
            if step.op == "placeholder":
                self.items[step] = next(given)
            elif step.op == "output":
                self.items[node] = list(self.arguments(step.args[0], step))
            else:
                self.node(step)
        self.module = outer
        self.graph.nodes.append(Node(EXIT_GRAD_MODE, None, (), None, (), self.graph.root))
        return True

    def attribute(self, path: str, node: fx.Node) -> Any:
        found: Any = self.module
        for part in path.split("."):
            if not hasattr(found, part):
                raise TracelabError(f"the graph module reads `{path}`, which it does not have")
            found = getattr(found, part)
        if isinstance(found, fx.GraphModule):
            return Block(node.name, str(_Reader(found).read()), found)
        if isinstance(found, _PLAIN):
            return found
        if not isinstance(found, torch.Tensor):
            raise TracelabError(f"the graph module reads `{path}`, which is of type {type(found).__name__}, no tensor")
        value = self.tensors.get(id(found))
        if value is None and _is_constant(self.module, path):
            made = self.beside(node, CONSTANT)
            value = self.tensors[id(found)] = Value(node.name, _value_type(found), made, Role.CONSTANT)
            made.outputs = (value,)
            self.graph.state[value] = found
        elif value is None:
            role = Role.PARAMETER if isinstance(found, nn.Parameter) else Role.BUFFER
            value = self.tensors[id(found)] = Value(path, _value_type(found), None, role, path)
            self.graph.state[value] = found
        return value

    def arguments(self, item: Any, node: fx.Node) -> Any:
        if isinstance(item, fx.Node):
            return self.items[item]
        if isinstance(item, (tuple, list)):
            parts = [self.arguments(child, node) for child in item]
            if hasattr(item, "_fields"):
                return type(item)(*parts)
            return tuple(parts) if isinstance(item, tuple) else parts
        if isinstance(item, dict):
            return {key: self.arguments(child, node) for key, child in item.items()}
        if isinstance(item, slice):
            return slice(*(self.arguments(part, node) for part in (item.start, item.stop, item.step)))
        if isinstance(item, _PLAIN) or item is Ellipsis or callable(item) or isinstance(item, torch.Generator):
            return item
        raise TracelabError(f"the node `{node.name}` is given a {type(item).__name__}, which graphs do not hold")


_SET_MODE: Any = set_grad_enabled
_MAKERS: dict[Any, Any] = {maker: INTRINSICS[name].function for name, maker in CONTEXTS.items()}
"""What makes a region, as a graph calls it."""
_ON_NUMBERS = frozenset(
    {
        name
        for name, entry in INTRINSICS.items()
        if getattr(entry.function, "__module__", "") in ("_operator", "math", "builtins")
    }
)
"""Functions that a graph calls under an operator's name for numbers only."""


def _is_context(target: Any) -> bool:
    known = intrinsic_of(target)
    return known is not None and known.kind == ENTER_CONTEXT


def _is_constant(module: fx.GraphModule, path: str) -> bool:
    """Whether a tensor is neither a parameter nor a buffer of the module, but one that was written down."""
    return "." not in path and path not in module._parameters and path not in module._buffers


class _Method:
    """A method of its first argument, whatever that is when it runs."""

    __signature__ = inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)])

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(self, receiver: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(receiver, self.__name__)(*args, **kwargs)


class _Function:
    """A Python function of the symbolic trace, under its own name and with its own parameter names."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.function = function
        self.__name__ = name
        # What a `.tlab` file names it by, so that `allow` finds it again.
        self.__module__ = getattr(function, "__module__", None) or "builtins"
        self.__qualname__ = getattr(function, "__qualname__", None) or name
        try:
            self.__signature__ = inspect.signature(function)
        except (TypeError, ValueError):
            self.__signature__ = inspect.Signature()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


class _Packet(_Function):
    """An operator without its overload, which torch finds at each call."""

    def __init__(self, packet: OpOverloadPacket) -> None:
        super().__init__(packet, packet.__name__)


def _path_and_class(entry: Any) -> tuple[str, str]:
    path, class_ = entry
    return plain_path(str(path)), class_ if isinstance(class_, str) else f"{class_.__module__}.{class_.__qualname__}"


def _type(node: fx.Node) -> Type:
    if "val" in node.meta:
        return _value_type(node.meta["val"])
    meta = node.meta.get("tensor_meta")
    if meta is not None and hasattr(meta, "dtype"):
        return TensorType(meta.dtype, tuple(meta.shape), tuple(meta.stride), torch.device("cpu"), meta.requires_grad)
    return _NUMBERS.get(node.type, "Tensor")  # type: ignore[arg-type]


def _value_type(item: Any) -> Type:
    if isinstance(item, torch.Tensor):
        strides = tuple(map(_hint, item.stride())) if item.layout is torch.strided else None
        return TensorType(item.dtype, tuple(map(_hint, item.shape)), strides, item.device, item.requires_grad)
    if isinstance(item, (tuple, list)):
        return "Tensor[]"
    return _NUMBERS.get(type(item)) or type_of_constant(item)


def _hint(size: Any) -> int:
    """A size as it was in the example; -1 where a symbolic one has none."""
    if isinstance(size, int):
        return size
    hint = getattr(size.node, "hint", None)
    return hint if isinstance(hint, int) else -1
