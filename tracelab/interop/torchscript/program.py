"""TorchScript as graphs: submodules are followed, so that the module tree is that of the program."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import torch

from tracelab.compat import script
from tracelab.errors import TorchVersionError, TracelabError, TracelabFileError
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value, collect_values, unique_names
from tracelab.graph.kinds import CALL_FUNCTION, CALL_METHOD, CONSTANT, GET_ATTRIBUTE, IF, LOOP, SET_ATTRIBUTE, UNPACKS
from tracelab.graph.scope import Scope
from tracelab.graph.structure import InputTree
from tracelab.graph.tree import Tree
from tracelab.graph.types import TensorType
from tracelab.interop.nesting import structured
from tracelab.interop.stacks import is_library
from tracelab.interop.torchscript import values as scripts
from tracelab.interop.torchscript.archive import looked_through
from tracelab.interop.torchscript.pickles import ENUM_HELD, USE_THE_SCRIPT
from tracelab.storage import validation
from tracelab.storage.container import PathOrFile
from tracelab.storage.graph_json.read import check_call
from tracelab.storage.graph_json.sources import StoredSource
from tracelab.storage.graph_json.targets import Refusal, ScriptFiles, TargetReader

_PLACE = re.compile(r"# (.+):(\d+):(\d+)\s*$")
_ENUM = re.compile(r"Unknown reference to ScriptClass [\w.]*?(\w+)\. ")
_DEEPEST = 200
_MOST_STEPS = 1_000_000
"""Instructions of a script once its calls are followed."""
_FEW_STEPS = 20_000
_TIMES = 50
"""How many times as many as a file has statements there may be, where that is not few."""
_DAMAGE = (RuntimeError, ValueError, LookupError, TypeError, RecursionError, MemoryError)
"""What torch's reader raises for a damaged file."""

FindFunction = Callable[[str], Any]
"""Gives the script function of a qualified name, or None."""


def read_torchscript(file: PathOrFile, trust: bool = False, allow: Collection[str] = frozenset()) -> Graph:
    """The graph of a TorchScript file's `forward` or only method, from a path or a binary file object.

    `torch.jit.load`'s own reader, which is C++, reads the file: it unpickles tensors and TorchScript classes only,
    and no Python code runs. Where one of these classes has code that runs as it is read, the file is refused, unless
    `trust` says that it may. The weights are read with it, on the CPU.

    Raises:
        TracelabFileError: It cannot be read.
        OSError: It cannot be opened.
    """
    most = _MOST_STEPS
    try:
        if not trust:
            content, statements = looked_through(file)
            most = min(most, max(_FEW_STEPS, _TIMES * statements))
            module, find = script.read(content)
        elif isinstance(file, (str, os.PathLike)):
            with open(file, "rb"):
                # A file that cannot be opened is an `OSError`, and no sentence of the C++ reader's.
                path = os.fspath(file)
            module, find = script.read(path)
        else:
            module, find = script.read(file.read())
        loaded = script.wrapped(module)
    except (TorchVersionError, TracelabFileError):
        raise
    except _DAMAGE as error:
        raise _unreadable(error) from error
    try:
        # torch reads the places of the code when they are asked for.
        with validation.reading("TorchScript"):
            names = frozenset([allow] if isinstance(allow, str) else allow)
            return _graph_of(loaded, find, own=trust, most=most, allow=names)
    except (TorchVersionError, TracelabFileError):
        raise
    except TracelabError as error:
        raise TracelabFileError(str(error)) from error
    except _DAMAGE as error:
        raise _unreadable(error) from error


def _unreadable(error: BaseException) -> TracelabFileError:
    enum = _ENUM.search(str(error))
    if enum is not None:
        return TracelabFileError(f"the TorchScript file is not read: {ENUM_HELD} `{enum[1][:60]}`, {USE_THE_SCRIPT}")
    reason = str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
    if "INTERNAL ASSERT" in str(error) or "report a bug" in str(error):
        reason = "torch's reader gives up on it, as on a file that torch did not write"
    return TracelabFileError(f"the TorchScript file cannot be read: {reason}")


def from_torchscript(module_or_function: Any, method: str = "forward") -> Graph:
    """The graph of a method of a script module, or of a script function (`torch.jit.script`, `torch.jit.trace`).

    Submodules and functions are followed. A `prim::If` whose condition is known (`self.training`, `bias is not None`)
    is its taken branch; any other `prim::If`, and each `prim::Loop`, is one node that shows and refuses to run, with
    its text in the attribute `blocks`. One that only raises (a check of a size) runs. A graph without the others runs
    by `to_callable()`.

    Args:
        module_or_function: What `torch.jit.script`, `torch.jit.trace` or `torch.jit.load` returned.
        method: Which method of a module; of one without `forward` that has one method only, that one by default.

    Returns:
        The graph.

    Raises:
        TracelabError: It is not TorchScript, or the module has no such method.

    >>> graph = tracelab.from_torchscript(torch.jit.script(torch.nn.ReLU()))
    >>> graph.to_callable()(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if script.is_function(module_or_function):
        return _graph_of(module_or_function, script.python_function)
    if not script.is_module(module_or_function):
        raise TracelabError(
            f"from_torchscript needs a script module or function, but got {type(module_or_function).__name__}: "
            "give what torch.jit.script, torch.jit.trace or torch.jit.load returned"
        )
    return _graph_of(module_or_function, _finder(module_or_function), method=method)


def _finder(module: Any) -> FindFunction:
    """A loaded module's functions live in a unit of its own, which only a copy of it gives away."""
    copied: list[FindFunction] = []

    def find(name: str) -> Any:
        found = None
        if not copied:
            found = script.python_function(name)
        if found is None:
            if not copied:
                buffer = io.BytesIO()
                script.save(module, buffer)
                copied.append(script.read(buffer.getvalue())[1])
            found = copied[0](name)
        return found

    return find


def _graph_of(
    target: Any,
    find: FindFunction,
    own: bool = True,
    method: str = "forward",
    most: int = _MOST_STEPS,
    allow: frozenset[str] = frozenset(),
) -> Graph:
    is_module = script.is_module(target)
    method = _method_of(target, method) if is_module else ""
    name = target.original_name if is_module else target.name
    graph = Graph(name)
    graph.root.class_name = name if is_module else ""
    code = script.method_graph(target, method) if is_module else target.graph
    reader = _Reader(graph, find, own, most, allow)
    frame = _Frame(graph.root, None)
    values = list(code.inputs())
    if is_module:
        frame.items[values[0].debugName()] = _Module(script.unwrapped(target), "")
        values = values[1:]
    for item in values:
        value = Value(_plain_name(item.debugName(), "input"), scripts.type_of(item), None, Role.INPUT)
        frame.items[item.debugName()] = value
        graph.inputs.append(value)
    plain = all(str(item.type().kind()) == "TensorType" for item in values)
    results = reader.block(code, frame)
    result = results[0] if len(results) == 1 else tuple(results)
    graph.outputs = [structured(graph, result)]
    used: dict[Value, None] = dict.fromkeys(value for node in graph.nodes for value in node.inputs)
    used.update(dict.fromkeys(graph.outputs))
    graph.inputs += [value for value in used if value.role not in (Role.COMPUTED, Role.INPUT) and value.node is None]
    graph.state = {value: tensor for value, tensor in graph.state.items() if value in used}
    unique_names(graph.values())
    if plain:
        graph.input_tree = InputTree([value.name for value in graph.user_inputs], [Tree("tensor") for _ in values])
    return graph


_FIRST_FORM = "forward__0"


def _method_of(module: Any, method: str) -> str:
    if script.has_method(module, method):
        return method
    names = script.method_names(module)
    if method == "forward":
        # Of several forms of one method (`nn.LSTM` has one for packed sequences) the first is that of plain tensors.
        if _FIRST_FORM in names:
            return _FIRST_FORM
        public = [name for name in names if not name.startswith("_")]
        names = public or names
        if len(names) == 1:
            return names[0]
    has = f"the script module {module.original_name} has no method `{method}`"
    if not names:
        raise TracelabError(f"{has}, nor any other: it holds tensors and no code")
    others = ", ".join(f"`{name[:60]}`" for name in names[:8])
    raise TracelabError(
        f"{has}, but has {others}: tracelab.from_torchscript(torch.jit.load(file), method={names[0][:60]!r}) gives one"
    )


def _plain_name(debug_name: str, otherwise: str) -> str:
    """`y` of `y.49`; numbers say nothing."""
    base = debug_name.partition(".")[0]
    return otherwise if base.isdigit() or not base else base


@dataclass(slots=True)
class _Module:
    """A module that a script names: what it is, and its path from the root."""

    module: Any
    path: str


@dataclass(slots=True)
class _Frame:
    """One call that is being followed: what its names stand for."""

    scope: Scope
    caller: StoredSource | None
    path: str = ""
    depth: int = 0
    items: dict[str, Any] = field(default_factory=dict)

    def inner(self) -> _Frame:
        return _Frame(self.scope, self.caller, self.path, self.depth, dict(self.items))


class _Reader:
    def __init__(self, graph: Graph, find: FindFunction, own: bool, most: int, allow: frozenset[str]) -> None:
        self.graph = graph
        self.find = find
        self.left = self.most = most
        self.sizes = scripts.Sizes()
        self.targets = TargetReader(ScriptFiles(), allow, numbers=True, own=own)
        self.tensors: dict[int, Value] = {}
        self.written: dict[tuple[str, str], Any] = {}
        self.calls: dict[str, int] = {}
        self.lists: dict[int, tuple[Any, Value]] = {}
        """Lists that became values, by identity; kept, so that no other object gets the same."""

    def block(self, block: Any, frame: _Frame) -> list[Any]:
        """Follow the nodes of a graph or block; gives what it returns."""
        for node in block.nodes():
            self.left -= 1
            if self.left < 0:
                raise TracelabError(f"the script has more than {self.most:,} instructions once its calls are followed")
            self.node(node, frame)
        return [self.item(value, frame) for value in block.outputs()]

    def item(self, value: Any, frame: _Frame) -> Any:
        item = frame.items[value.debugName()]
        return self.lists[id(item)][1] if id(item) in self.lists else item

    def keep_lists(self, node: Any, frame: _Frame) -> None:
        """Make a value of each list that a block changes: what it holds afterwards is not known."""
        for block in node.blocks():
            for step in block.nodes():
                item = frame.items.get(step.inputsAt(0).debugName()) if step.kind() in scripts.CHANGES_A_LIST else None
                if isinstance(item, (list, dict)) and id(item) not in self.lists:
                    self.lists[id(item)] = (item, structured(self.graph, item))
                self.keep_lists(step, frame)

    def bind(self, node: Any, items: list[Any], frame: _Frame) -> None:
        for value, item in zip(node.outputs(), items, strict=True):
            frame.items[value.debugName()] = item

    def node(self, node: Any, frame: _Frame) -> None:
        kind = node.kind()
        if kind == CONSTANT:
            self.bind(node, [self.constant(node, frame)], frame)
            return
        if kind == GET_ATTRIBUTE:
            owner = self.item(node.input(), frame)
            if isinstance(owner, _Module):
                self.bind(node, [self.attribute(owner, node.s("name"))], frame)
                return
        args = [self.item(value, frame) for value in node.inputs()]
        if kind == SET_ATTRIBUTE and isinstance(args[0], _Module) and self.set_attribute(node, args, frame):
            return
        if kind == CALL_METHOD and isinstance(args[0], _Module):
            self.bind(node, self.call_method(node, args, frame), frame)
            return
        if kind == CALL_FUNCTION and self.call_function(node, args, frame):
            return
        if kind == IF and isinstance(args[0], bool):
            taken = list(node.blocks())[0 if args[0] else 1]
            self.bind(node, self.block(taken, frame), frame)
            return
        if kind == IF and scripts.is_choice(node):
            self.choose(node, args, frame)
            return
        if kind not in (IF, LOOP):
            known = scripts.known(node, args)
            if known is not None:
                self.sizes.check(known)
                self.bind(node, known, frame)
                return
        self.add(node, args, frame)

    def choose(self, node: Any, args: list[Any], frame: _Frame) -> None:
        """An `and`, an `or` or a choice between numbers: both sides cannot fail, so both are worked out."""
        sides = [self.block(block, frame) for block in node.blocks()]
        made = Node(IF, scripts.choice, (args[0], *sides[0], *sides[1]), None, (), frame.scope)
        made.source = self.source(node, frame)
        made.outputs = (Value("If", scripts.type_of(node.output()), made),)
        self.graph.nodes.append(made)
        self.bind(node, list(made.outputs), frame)

    def constant(self, node: Any, frame: _Frame) -> Any:
        output = node.output()
        if str(output.type().kind()) == "FunctionType":
            return scripts.Function(output.type().annotation_str, node.s("name"))
        item = output.toIValue()
        if not isinstance(item, torch.Tensor):
            return item
        made = Node(CONSTANT, None, (), None, (), frame.scope, self.source(node, frame))
        type_ = TensorType(item.dtype, tuple(item.shape), _strides(item), item.device, item.requires_grad)
        made.outputs = (Value(_plain_name(output.debugName(), "constant"), type_, made, Role.CONSTANT),)
        self.graph.nodes.append(made)
        self.graph.state[made.outputs[0]] = item
        return made.outputs[0]

    def attribute(self, owner: _Module, name: str) -> Any:
        key = (owner.path, name)
        if key in self.written:
            return self.written[key]
        path = f"{owner.path}.{name}" if owner.path else name
        found = owner.module.getattr(name)
        if script.is_cpp_module(found) or script.is_module(found):
            return _Module(script.unwrapped(found), path)
        if isinstance(found, torch.Tensor):
            return self.state(found, path)
        return found

    def state(self, tensor: torch.Tensor, path: str) -> Value:
        value = self.tensors.get(id(tensor))
        if value is None:
            role = Role.PARAMETER if isinstance(tensor, torch.nn.Parameter) or tensor.requires_grad else Role.BUFFER
            type_ = TensorType(tensor.dtype, tuple(tensor.shape), _strides(tensor), tensor.device, tensor.requires_grad)
            value = self.tensors[id(tensor)] = Value(path, type_, None, role, path)
            self.graph.state[value] = tensor
        return value

    def set_attribute(self, node: Any, args: list[Any], frame: _Frame) -> bool:
        owner, item = args
        name = node.s("name")
        path = f"{owner.path}.{name}" if owner.path else name
        self.written[(owner.path, name)] = item
        if isinstance(item, Value) and str(list(node.inputs())[1].type().kind()) == "TensorType":
            made = Node(SET_ATTRIBUTE, None, (item,), None, (), frame.scope, self.source(node, frame), {"name": path})
        else:
            # What is not a tensor stays on the script module: the graph shows it, and does not do it.
            made = Node(SET_ATTRIBUTE, None, (), None, (), frame.scope, self.source(node, frame), {"name": path})
            made.kind = "python::SetAttr"
            reason = f"the graph sets `{path}`, which is not a tensor: run the script itself"
            made.target = Refusal("SetAttr", reason, scripts.stored("SetAttr"))
        self.graph.nodes.append(made)
        return True

    def call_method(self, node: Any, args: list[Any], frame: _Frame) -> list[Any]:
        owner: _Module = args[0]
        method = node.s("name")
        scope = frame.scope
        if owner.path != frame.path:
            call = self.calls.get(owner.path, 0)
            self.calls[owner.path] = call + 1
            scope = Scope(owner.path, scripts.class_name(owner.module), scope, call)
        code = script.method_graph(owner.module, method)
        return self.follow(code, args, _Frame(scope, self.source(node, frame), owner.path, frame.depth + 1), node)

    def call_function(self, node: Any, args: list[Any], frame: _Frame) -> bool:
        function = args[0]
        found = self.find(function.name) if isinstance(function, scripts.Function) else None
        if found is None:
            return False
        inner = _Frame(frame.scope, self.source(node, frame), frame.path, frame.depth + 1)
        self.bind(node, self.follow(found.graph, args[1:], inner, node), frame)
        return True

    def follow(self, code: Any, args: list[Any], frame: _Frame, node: Any) -> list[Any]:
        if frame.depth > _DEEPEST:
            raise TracelabError("the script calls itself: it cannot be shown as one graph")
        for value, item in zip(code.inputs(), args, strict=True):
            frame.items[value.debugName()] = item
        results = self.block(code, frame)
        return results if len(results) == len(list(node.outputs())) else [tuple(results)]

    def source(self, node: Any, frame: _Frame) -> StoredSource | None:
        """The node's place in the user's code: its own, or that of the call that led into a library."""
        match = _PLACE.search(str(node).strip().partition("\n")[0])
        if match is None or is_library(match[1]) or match[1].startswith("<"):
            return frame.caller
        line, column = int(match[2]), int(match[3])
        return StoredSource((match[1], "", line, line, column, column), scripts.line_of(node, match[1]), frame.caller)

    def add(self, node: Any, args: list[Any], frame: _Frame) -> None:
        """One node of the graph for what is no structure and no call."""
        kind = node.kind()
        made = Node(kind, None, (), None, (), frame.scope, self.source(node, frame))
        if kind in UNPACKS:
            made.args = (scripts.copied(args[0]),)
        elif list(node.blocks()):
            self.keep_lists(node, frame)
            used: list[Value] = []
            collect_values([item for item in args if not isinstance(item, _Module)], used)
            self.used_by_blocks(node, frame, used)
            made.args = (*[scripts.copied(arg) for arg in args if type(arg) is not Value and not _is_own(arg)],)
            made.args = (*dict.fromkeys(used), *made.args)
            made.set_attribute("blocks", scripts.without_places(str(node)))
            reason = f"{kind} is control flow of TorchScript, which a graph shows as one node: run the script itself"
            made.target = scripts.guard(node) or Refusal(made.name, reason, scripts.stored(made.name))
        else:
            self.operator(made, node, args)
        outputs = []
        for value in node.outputs():
            outputs.append(
                Value(_plain_name(value.debugName(), made.name.strip("_") or "value"), scripts.type_of(value), made)
            )
        made.outputs = tuple(outputs)
        if kind == "aten::add" and node.schema().startswith("aten::add.t("):
            self.sizes.lengths[outputs[0]] = self.sizes.join(args)
        self.graph.nodes.append(made)
        self.bind(node, list(outputs), frame)

    def operator(self, made: Node, node: Any, args: list[Any]) -> None:
        kind = node.kind()
        lost = next((arg for arg in args if _is_own(arg)), None)
        if lost is not None:
            made.args = tuple(scripts.copied(arg) for arg in args if not _is_own(arg))
            name = getattr(lost, "short", "") or getattr(lost, "path", "") or kind
            made.set_attribute("name", str(name))
            reason = f"{kind} of {name} is TorchScript's own: run the script itself"
            made.target = Refusal(made.name, reason, scripts.stored(made.name))
            return
        schema = node.schema()
        name = schema.partition("(")[0] if schema != "(no schema)" else ""
        python = scripts.PYTHON.get(name)
        if python is not None:
            made.target = python
            made.args = tuple(map(scripts.copied, args))
            return
        if not name:
            made.args = tuple(map(scripts.copied, args))
            reason = f"{kind} is no operator that Python can call: run the script itself"
            made.target = Refusal(made.name, reason, scripts.stored(made.name))
            return
        made.overload = name.partition(".")[2]
        made.target = self.targets.read({"operator": name}, kind)
        scripts.give_arguments(made, args)
        check_call(made)
        scripts.on_numbers(made)

    def used_by_blocks(self, node: Any, frame: _Frame, used: list[Value]) -> None:
        """Append what the blocks of a node read from outside of them, parameters of modules too."""
        inner = frame.inner()
        for block in node.blocks():
            made = {value.debugName() for value in block.inputs()}
            for name in made:
                inner.items[name] = None
            for step in block.nodes():
                for value in step.inputs():
                    item = self.item(value, inner) if value.debugName() in inner.items else None
                    if isinstance(item, _Module):
                        if step.kind() == CALL_METHOD:
                            self.parameters(item, used)
                    else:
                        collect_values(item, used)
                if step.kind() == GET_ATTRIBUTE and isinstance(inner.items.get(step.input().debugName()), _Module):
                    self.bind(step, [self.attribute(inner.items[step.input().debugName()], step.s("name"))], inner)
                else:
                    self.bind(step, [None for _ in step.outputs()], inner)
                if list(step.blocks()):
                    self.used_by_blocks(step, inner, used)
            for value in block.outputs():
                collect_values(inner.items.get(value.debugName()), used)

    def parameters(self, owner: _Module, used: list[Value]) -> None:
        wrapped = script.wrapped(owner.module)
        for tables in (wrapped.named_parameters(), wrapped.named_buffers()):
            for name, tensor in tables:
                used.append(self.state(tensor, f"{owner.path}.{name}" if owner.path else name))


def _is_own(item: Any) -> bool:
    return isinstance(item, (_Module, scripts.Function)) or script.is_object(item)


def _strides(tensor: torch.Tensor) -> tuple[int, ...] | None:
    return tuple(tensor.stride()) if tensor.layout is torch.strided else None
