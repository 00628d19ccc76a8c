"""Readable Python code for a graph, and the function that it compiles to."""

from __future__ import annotations

import hashlib
import keyword
import linecache
import math
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import torch

from tracelab.errors import AssumptionError
from tracelab.execute.codegen import peephole
from tracelab.execute.codegen.guards import Guard, given_to, guards_of, steps
from tracelab.execute.codegen.names import (
    INFIX,
    binding,
    binding_arguments,
    native,
    overload_path,
    tensor_attribute,
    tensor_method,
)
from tracelab.execute.codegen.regions import Regions
from tracelab.execute.codegen.undo import Undo, UndoPlan
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import (
    ARGUMENT,
    CONSTANT,
    CONSTRUCTS,
    ENTER_CONTEXT,
    ENTER_GRAD_MODE,
    EXIT_CONTEXT,
    EXIT_GRAD_MODE,
    LIST_CONSTRUCT,
    REGIONS,
    SET_ATTRIBUTE,
    TUPLE_CONSTRUCT,
    UNPACKS,
)
from tracelab.graph.tree import namedtuple_class

_RESERVED = frozenset(
    (
        "torch regions Regions self inf nan slice forward set_buffer get_buffer inference_mode guards undo Undo "
        "AssumptionError len arguments"
    ).split()
)


class Code:
    """The code of one graph: `text`, and the objects that it names, in `namespace`.

    `optimized` code is made to run: it frees each value at its last use and takes the cheapest spelling of each call.
    `devices` maps names in the namespace to the devices that the trace wrote down, so that they can follow a
    module that moves.
    """

    def __init__(self, graph: Graph, *, optimized: bool) -> None:
        self.graph = graph
        self.namespace: dict[str, Any] = {
            "torch": torch,
            "inf": math.inf,
            "nan": math.nan,
            "Regions": Regions,
            "inference_mode": torch.inference_mode,
            "Undo": Undo,
            "AssumptionError": AssumptionError,
        }
        if graph.input_tree is not None:
            self.namespace["arguments"] = graph.input_tree.given
        self.devices: dict[str, torch.device] = {}
        self.constants: dict[str, Value] = {}
        self._names: dict[Value, str] = {}
        self._taken: set[str] = set(_RESERVED)
        self._objects: dict[int, str] = {}
        self._optimized = optimized
        self._last_uses = _last_uses(graph) if optimized else {}
        self.text = self.written()

    # Names -----------------------------------------------------------------------------------------------

    def _unique(self, wanted: str) -> str:
        # Python takes names that look alike (a ligature and its letters) for one.
        base = unicodedata.normalize("NFKC", re.sub(r"\W", "_", wanted))
        if not base.isidentifier() or keyword.iskeyword(base) or base == "__debug__":
            base = "_" + re.sub(r"\W", "_", wanted, flags=re.ASCII)
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name

    def name(self, value: Value) -> str:
        found = self._names.get(value)
        if found is None:
            found = self._names[value] = self._unique(value.name)
        return found

    def value_of(self, name: str) -> Value | None:
        """The value that the code calls so."""
        return next((value for value, known in self._names.items() if known == name), None)

    def _object(self, item: Any, hint: str) -> str:
        name = self._objects.get(id(item))
        if name is None:
            name = self._objects[id(item)] = self._unique(hint)
            self.namespace[name] = item
        return name

    # Writing ---------------------------------------------------------------------------------------------

    def written(
        self, inference: int = 0, *, guarded: bool = False, undo: UndoPlan | None = None, taking: bool = False
    ) -> str:
        """The code as text; that many of the first nodes run in torch's inference mode.

        `guarded` code checks the graph's assumptions, by an object `guards` in the namespace; with `undo` it puts back
        what it wrote before one that does not hold. With `taking`, a recording that runs takes them over.
        """
        graph = self.graph
        guards = guards_of(graph, taking) if guarded else []
        again = {node: number for number, (_, node) in enumerate(graph.guard_nodes)} if taking else {}

        def check(guard: Guard) -> str:
            return guard.taking_line(self.name) if taking else guard.line(self.name, self.operand)

        waiting: dict[Value | None, list[Guard]] = {}
        for guard in guards:
            waiting.setdefault(guard.assumption.value, []).append(guard)
        last_uses = _last_uses(graph, guarded) if guarded and self._optimized else self._last_uses
        names = [self.name(value) for value in graph.inputs]
        parameters = ", ".join(names)
        if len(parameters) > 100:
            parameters = "\n    " + ",\n    ".join(names) + ",\n"
        body: list[str] = []
        regions = any(node.kind in REGIONS for node in graph.nodes)
        outer = "        " if regions or undo else "    "
        first = outer + "    " if inference else outer
        # What lies outside is asked before the code changes any mode.
        head = [f'{outer}guards.violation = ""'] if guards else []
        head += [outer + check(guard) for guard in waiting.get(None, ())]
        for value in graph.inputs:
            body += [first + check(guard) for guard in waiting.get(value, ())]
        body += [first + line(self.name) for line in (undo.first if undo else ())]
        for step, (index, node) in enumerate(steps(graph, guarded)):
            indent = outer + "    " if index < inference else outer
            body += [indent + line(self.name) for line in (undo.before.get(node, ()) if undo else ())]
            line = self._line(node)
            if node in again and line:
                args = "".join(f", {self.operand(item)}" for item in node.args)
                line = f"{self.name(node.outputs[0])} = guards.again({again[node]}{args})"
            if line:
                body.append(indent + line)
            for value in node.outputs:
                body += [indent + check(guard) for guard in waiting.get(value, ())]
            dead = last_uses.get(step)
            if dead:
                body.append(f"{indent}del {', '.join(self.name(value) for value in dead)}")
        returned = ", ".join(self.operand(value) for value in graph.outputs)
        if body and body[0].startswith(outer + " "):
            body.insert(0, f"{outer}with inference_mode():")
        body = head + body
        body.append(f"{outer}return {returned}" if returned else f"{outer}return None")
        before = ["    regions = Regions()"] if regions else []
        before += ["    undo = Undo()"] if undo else []
        after = ["    except AssumptionError:", "        undo.restore()", "        raise"] if undo else []
        after += ["    finally:", "        regions.close()"] if regions else []
        if after:
            body = [*before, "    try:", *body, *after]
        if regions:
            # Ctrl-C may come as `close` begins.
            interrupted = ["    except KeyboardInterrupt:", "        regions.restore()", "        raise"]
            body = [before[0], "    try:", *("    " + line for line in body[1:]), *interrupted]
        return f"def forward({parameters}):\n" + "\n".join(body) + "\n"

    def _line(self, node: Node) -> str:
        kind = node.kind
        outputs = node.outputs
        if kind == CONSTANT:
            self._constant(node)
            return ""
        if kind == ENTER_GRAD_MODE:
            return f"regions.enter_grad_mode({node.args[0]})"
        if kind == EXIT_GRAD_MODE:
            return "regions.leave_grad_mode()"
        if kind == ENTER_CONTEXT:
            return f"regions.enter({self._call(node)})"
        if kind == EXIT_CONTEXT:
            return "regions.leave()"
        if kind == ARGUMENT:
            return f"{self.name(outputs[0])} = arguments[{node.args[0]!r}]"
        if kind == SET_ATTRIBUTE:
            return f"set_buffer({node.attributes['name']!r}, {self.operand(node.args[0])})"
        if kind in UNPACKS:
            names = ", ".join(self.name(value) for value in outputs)
            source = self.operand(node.args[0])
            return f"{names}{',' if len(outputs) == 1 else ''} = {source}" if outputs else f"() = {source}"
        call = self._construct(node) if kind in CONSTRUCTS else self._call(node)
        if not outputs:
            return call
        return f"{', '.join(self.name(value) for value in outputs)} = {call}"

    def _constant(self, node: Node) -> None:
        value = node.outputs[0]
        tensor = self.graph.state.get(value)
        if tensor is None:
            self._names[value] = "None"
            return
        name = self.name(value)
        # The module may have moved or copied it since the code was written first.
        self.namespace.setdefault(name, tensor)
        self.constants[name] = value

    def _construct(self, node: Node) -> str:
        if node.kind == LIST_CONSTRUCT:
            return self._of_class(node, f"[{', '.join(map(self.operand, node.args))}]")
        if node.kind == TUPLE_CONSTRUCT:
            inner = ", ".join(map(self.operand, node.args))
            if "fields" in node.attributes:
                name, fields = node.attributes["class"], node.attributes["fields"]
                return f"{self._object(namedtuple_class(name, fields, node.target), name)}({inner})"
            return self._of_class(node, f"({inner}{',' if len(node.args) == 1 else ''})")
        pairs = list(zip(node.args[::2], node.args[1::2], strict=True))
        if node.target is not None and all(isinstance(key, str) for key, _ in pairs):
            fields = ", ".join(f"{key}={self.operand(value)}" for key, value in pairs)
            if all(key.isidentifier() and not keyword.iskeyword(key) for key, _ in pairs):
                return f"{self._object(node.target, node.attributes['class'])}({fields})"
        inner = ", ".join(f"{self.operand(key)}: {self.operand(value)}" for key, value in pairs)
        return self._of_class(node, f"{{{inner}}}")

    def _of_class(self, node: Node, plain: str) -> str:
        """A tuple, list or dict of a class of its own, made from a plain one."""
        if node.target is None:
            return plain
        return f"{self._object(node.target, node.attributes['class'])}({plain})"

    def _call(self, node: Node) -> str:
        target = node.target
        args = node.args
        if getattr(target, "_schema", None) is not None and hasattr(target, "_overloadname"):
            return self._optimized_operator(node) if self._optimized else self._operator(node)
        sign = INFIX.get(target)  # type: ignore[arg-type]
        if sign is not None and len(args) == 2:
            return f"{self._receiver(args[0])} {sign} {self._receiver(args[1])}"
        attribute = tensor_attribute(node)
        if attribute is not None:
            return f"{self._receiver(args[0])}.{attribute}"
        method = tensor_method(node)
        if method is not None:
            return f"{self._receiver(args[0])}.{method}({self._arguments(args[1:], node.kwargs)})"
        if target is None:
            raise RuntimeError(f"the graph cannot run: tracelab knows no function that runs {node.kind}")
        name = getattr(target, "__name__", None) or node.name
        if name == "apply" and hasattr(target, "__self__"):
            return (
                f"{self._object(target.__self__, target.__self__.__name__)}.apply({self._arguments(args, node.kwargs)})"
            )
        return f"{self._object(target, str(name))}({self._arguments(args, node.kwargs)})"

    def _operator(self, node: Node) -> str:
        found = native(node.target)
        if found is None:
            return f"{overload_path(node.target)}({self._arguments(node.args, node.kwargs)})"
        style, name = found
        args, kwargs = binding_arguments(node)
        if style == "method":
            return f"{self._receiver(args[0])}.{name}({self._arguments(args[1:], kwargs)})"
        return f"{name}({self._arguments(args, kwargs)})"

    def _optimized_operator(self, node: Node) -> str:
        found = native(node.target) or peephole.around(node.target)
        if found is None:
            return (
                f"{self._object(node.target, node.kind.replace('::', '_'))}({self._arguments(node.args, node.kwargs)})"
            )
        if peephole.is_identity(node):
            return self.operand(node.args[0])
        index = peephole.row(node)
        if index is not None:
            return f"{self._receiver(node.args[0])}[{index}]"
        style, name = found
        args, kwargs = peephole.without_defaults(node.schema, *binding_arguments(node))
        if style == "method":
            sizes = peephole.spread(name, args[1:])
            return f"{self._receiver(args[0])}.{name}({self._arguments(sizes or args[1:], kwargs)})"
        return f"{self._object(binding(name), 'torch_' + name.rpartition('.')[2])}({self._arguments(args, kwargs)})"

    def _receiver(self, item: Any) -> str:
        text = self.operand(item)
        return f"({text})" if text.startswith("-") else text

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> str:
        parts = [self.operand(item) for item in args]
        parts.extend(f"{name}={self.operand(item)}" for name, item in (kwargs or {}).items())
        return ", ".join(parts)

    def operand(self, item: Any) -> str:
        """An argument as code."""
        type_ = type(item)
        if type_ is Value:
            return self.name(item)
        if item is None or type_ in (bool, int, str, float, complex):
            return repr(item)
        if type_ is list or type_ is torch.Size:
            return f"[{', '.join(map(self.operand, item))}]"
        if type_ is tuple:
            return f"({', '.join(map(self.operand, item))}{',' if len(item) == 1 else ''})"
        if type_ is dict:
            return f"{{{', '.join(f'{self.operand(key)}: {self.operand(child)}' for key, child in item.items())}}}"
        if type_ is slice:
            return f"slice({self.operand(item.start)}, {self.operand(item.stop)}, {self.operand(item.step)})"
        if isinstance(item, (torch.dtype, torch.layout, torch.memory_format)):
            return str(item)
        if isinstance(item, torch.device):
            return self._device(item)
        if isinstance(item, tuple) and hasattr(item, "_fields"):
            return f"{self._object(type(item), type(item).__name__)}({', '.join(map(self.operand, item))})"
        return self._object(item, re.sub(r"\W", "_", type_.__name__.lower()))

    def _device(self, device: torch.device) -> str:
        for name, known in self.devices.items():
            if known == device:
                return name
        name = self._unique(f"device_{str(device).replace(':', '_')}")
        self.devices[name] = device
        self.namespace[name] = device
        return name


def _last_uses(graph: Graph, guarded: bool = False) -> dict[int, list[Value]]:
    """For each step, the values that nothing after it needs; guards ask for theirs as soon as it is made."""
    needed = set(graph.outputs)
    dead: dict[int, list[Value]] = {}
    nodes = [node for _, node in steps(graph, guarded)]
    compared: dict[Node, list[Value]] = {}
    for item in graph.assumptions if guarded else ():
        if item.test == "itself" and item.value is not None and item.value.node is not None:
            compared.setdefault(item.value.node, []).append(given_to(item.value))
    for index in range(len(nodes) - 1, -1, -1):
        node = nodes[index]
        finished = []
        for value in dict.fromkeys((*node.inputs, *compared.get(node, ()), *node.outputs)):
            if value not in needed:
                needed.add(value)
                maker = value.node
                if maker is None or maker.kind != CONSTANT:
                    finished.append(value)
        if finished and node.kind != CONSTANT:
            dead[index] = finished
    return dead


def graph_code(graph: Graph) -> str:
    """The code that people read."""
    return Code(graph, optimized=False).text


def optimized_code(graph: Graph) -> Code:
    """The code that runs."""
    return Code(graph, optimized=True)


def compile_code(code: Code, text: str) -> Callable[..., Any]:
    """The function that `text` defines, in the namespace of `code`; tracebacks show its lines."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    filename = f"<tracelab {code.graph.name} {digest}>"
    exec(compile(text, filename, "exec"), code.namespace)
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    # A function that its own namespace held would wait for the garbage collection, and constants with it.
    function: Callable[..., Any] = code.namespace.pop("forward")
    return function


def state_inputs(graph: Graph) -> list[Value]:
    """The inputs that hold parameters, buffers and captured tensors."""
    return [value for value in graph.inputs if value.role is not Role.INPUT]
