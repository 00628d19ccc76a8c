"""A graph as a `torch.export.ExportedProgram`: torch exports the graph module, with its sizes as symbols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from torch.fx.traceback import preserve_node_meta
from torch.utils import _pytree as pytree

from tracelab.compat.functorch import is_wrapped
from tracelab.compat.leaving import assert_scalar, check_condition, structures_of
from tracelab.compat.recurrent import any_length
from tracelab.compat.tensors import is_fake
from tracelab.errors import InputError
from tracelab.graph.aliasing import runs_backward
from tracelab.graph.assumptions import Assumption, AssumptionKind, shown
from tracelab.graph.callables.higher_order import run_region
from tracelab.graph.graph import Graph
from tracelab.graph.intrinsics import DIM, NUMEL, RANDOM_STATE, SIZE, STORAGE_OFFSET, STRIDE, intrinsic_of
from tracelab.graph.ir import Node, Value, unique_names
from tracelab.graph.kinds import ARGUMENT, PYTHON_CALL
from tracelab.graph.passes import dce
from tracelab.interop.ways_out.arguments import Arguments, arguments_of, examples
from tracelab.interop.ways_out.dims import Dims, dynamic_sizes
from tracelab.interop.ways_out.fixed import FIXED, Asked, Watch, fixed_by_export, where
from tracelab.interop.ways_out.fx_graph import graph_module
from tracelab.interop.ways_out.node_meta import NUMBER_TYPES
from tracelab.interop.ways_out.refusals import ExportError, named, reason_of, refused
from tracelab.interop.ways_out.running import Interpreter, quietly
from tracelab.interop.ways_out.symbols import sizes_of_example

NOTE = "tracelab_assumptions"
"""Where a program's graph module keeps, in `meta`, what it takes for granted beside sizes."""

ON_SIZES = frozenset(
    {
        AssumptionKind.BRANCH,
        AssumptionKind.CHECK,
        AssumptionKind.NUMBER,
        AssumptionKind.LENGTH,
        AssumptionKind.SHAPE,
    }
)


def exported_program(
    graph: Graph,
    state: Mapping[Value, Tensor],
    devices: Mapping[torch.device, torch.device] | None = None,
    dims: Dims | None = None,
) -> ExportedProgram:
    """The graph as an exported program.

    Args:
        graph: The graph.
        state: The tensor of each parameter, buffer and constant.
        devices: Devices that the trace wrote down, and where a module that moved has them now.
        dims: Names of sizes by argument; None for every size that the graph does not fix.

    Returns:
        The program; its graph module's `meta["tracelab_assumptions"]` has the sentences of what it takes for granted.

    Raises:
        ExportError: torch cannot express the graph.
        InputError: `dims` names no argument, or a size that the graph fixes.
    """
    for node in graph.nodes:
        if runs_backward(node):
            raise refused(
                f"{named(node)} computes gradients",
                node,
                "an exported program does not: export a trace of the forward pass, or compute them by torch.func",
            )
        if node.kind == PYTHON_CALL and not _is_traced_again(node, graph):
            raise refused(
                f"{named(node)} runs Python code",
                node,
                "a program would hold what it did once: write it with operators of torch, or register it by "
                "torch.library.custom_op",
            )
    given, graph = graph, graph.copy()
    twins = dict(zip(given.inputs, graph.inputs, strict=True))
    for old, new in zip(given.nodes, graph.nodes, strict=True):
        twins.update(zip(old.outputs, new.outputs, strict=True))
    state = {twins[value]: tensor for value, tensor in state.items() if value in twins}
    checks = _sizes_checked(graph)
    arguments = arguments_of(graph)
    module = graph_module(graph, state, devices)
    _check_sizes(module, checks)
    for node in module.graph.nodes:
        if "nn_module_stack" in node.meta:
            # Torch writes the prefix itself.
            stack = node.meta["nn_module_stack"]
            node.meta["nn_module_stack"] = {key.removeprefix("L__self__"): entry for key, entry in stack.items()}
    runner = _runner(module, arguments)
    args, kwargs = examples(arguments, devices or {})
    leaves = dynamic_sizes(graph, arguments, dims)
    shapes = _by_argument(arguments, leaves)
    try:
        with quietly(), any_length():
            program = torch.export.export(runner, args, kwargs, dynamic_shapes=shapes, strict=False)
    except Exception as error:
        now = runner.__dict__["now"]
        region = next((node for node in given.nodes if node.target is run_region), None)
        if region is not None and (now is None or now.op == "output"):
            raise _of_region("torch.export cannot express what", region) from error
        raise _explained(error, runner) from error
    _refuse_lost(program, given)
    _fill_in(program.graph_module)
    program.graph_module.meta[NOTE] = [str(item) for item in values_assumed(given)]
    asked = Asked(leaves, runner.__dict__["watch"].by)
    program.graph_module.meta[FIXED] = fixed_by_export(program, given, module, arguments, asked)
    return program


def _is_traced_again(node: Node, graph: Graph) -> bool:
    """Whether torch looks into it as it exports: a region of `torch.func`, `torch.cond` or the like."""
    if node.target is run_region or _is_unused_state(node, graph):
        return True
    owner = getattr(node.target, "__self__", None)
    return isinstance(owner, type) and issubclass(owner, torch.autograd.Function)


def _is_unused_state(node: Node, graph: Graph) -> bool:
    """Whether it reads the state of random numbers for nothing, as checkpoints do without gradients."""
    reads = node.target is RANDOM_STATE["get_rng_state"].function
    return reads and not node.users and not any(value in graph.outputs for value in node.outputs)


def _refuse_lost(program: ExportedProgram, graph: Graph) -> None:
    """Refuse a program where torch lost what a region computed: it holds a tensor without data instead."""
    if any(is_fake(item) or is_wrapped(item) for item in program.constants.values()):
        node = next((node for node in graph.nodes if node.target is run_region), None)
        raise _of_region("torch.export loses what", node)


def _of_region(what: str, node: Node | None) -> ExportError:
    return refused(
        f"{what} {named(node) if node is not None else 'a function'} computes",
        node,
        "write it with operators of torch (torch.func.jvp and jacfwd are kept, derivatives of grad and jacrev are not)",
    )


class Runner(nn.Module):
    """Runs a graph module node by node, so that torch knows of each node where it comes from."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__()
        self.__dict__["graph_module"] = module
        self.__dict__["now"] = None
        self.__dict__["watch"] = Watch()

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        leaves = pytree.arg_tree_leaves(*args, **kwargs)
        self.__dict__["watch"].begin(leaves)
        with preserve_node_meta():
            return _Interpreter(self).run(*leaves, enable_io_processing=False)


class _Interpreter(Interpreter):
    def __init__(self, runner: Runner) -> None:
        # The interpreter takes attributes from the module that is exported: torch knows these tensors by its names.
        graph: fx.Graph = runner.__dict__["graph_module"].graph
        super().__init__(runner, graph=graph)
        self.runner = runner

    def run_node(self, n: fx.Node) -> Any:
        self.runner.__dict__["now"] = n
        made = super().run_node(n)
        self.runner.__dict__["watch"].after(n)
        return made


def _runner(module: fx.GraphModule, arguments: Arguments) -> Runner:
    """A module with the parameters of the graph module, whose `forward` has the arguments of the traced callable."""
    cls = type(type(module).__name__, (Runner,), {"forward": _forward(arguments, module)})
    runner: Runner = cls(module)
    for name, parameter in module._parameters.items():
        runner.register_parameter(name, parameter)
    for name, buffer in module._buffers.items():
        runner.register_buffer(name, buffer)
    for name, child in module._modules.items():
        runner.add_module(name, child)
    for node in module.graph.find_nodes(op="get_attr"):
        if "." not in node.target and not hasattr(runner, node.target):
            runner.__dict__[node.target] = getattr(module, node.target)
    runner.eval()
    return runner


def _forward(arguments: Arguments, module: fx.GraphModule) -> Callable[..., Any]:
    """A function with the argument names of the traced callable."""
    count = len(arguments.names) - arguments.keyword_only
    positional, keywords = arguments.names[:count], arguments.names[count:]
    parameters = ", ".join(["self", *positional, *(["*", *keywords] if keywords else [])])
    given = f"({', '.join(positional)}{',' if positional else ''})"
    named = ", ".join(f"{name!r}: {name}" for name in keywords)
    spec = getattr(structures_of(module.graph), "out_spec", None)
    namespace = {"put": (lambda leaves: pytree.tree_unflatten(leaves, spec)) if spec is not None else lambda item: item}
    exec(f"def forward({parameters}):\n    return put(self._run({given}, {{{named}}}))\n", namespace)
    return namespace["forward"]


def _by_argument(arguments: Arguments, leaves: list[Any]) -> dict[str, Any]:
    """What is told of each leaf as a call would give it, by the names of the arguments."""
    args, kwargs = pytree.tree_unflatten(leaves, arguments.spec)
    count = len(arguments.names) - arguments.keyword_only
    return {**dict(zip(arguments.names[:count], args, strict=True)), **kwargs}


# Sizes -----------------------------------------------------------------------------------------------------


Checks = list[tuple[Value, Assumption]]
"""What decides on sizes, and what it was."""


def _sizes_checked(graph: Graph) -> Checks:
    """Leave in the graph what its results need and what decides on sizes; gives the latter."""
    for node in list(graph.nodes):
        if _is_unused_state(node, graph):
            graph.erase_node(node)
    dce(graph)
    for position, node in reversed(graph.guard_nodes):
        if all(map(of_sizes, node.outputs)):
            graph.nodes.insert(min(position, len(graph.nodes)), node)
    graph.guard_nodes = []
    # What only assumptions need shares its names with other nodes.
    unique_names(graph.values())
    made = {value for node in graph.nodes for value in node.outputs}
    return [
        (item.value, item)
        for item in graph.assumptions
        if item.value in made and item.value is not None and item.test in ("bool", "int") and _is_checked(item)
    ]


def of_sizes(value: Value) -> bool:
    """Whether a number follows from sizes and numbers of the arguments alone."""
    node = value.node
    if node is None or value.type not in NUMBER_TYPES or node.schema is not None:
        return False
    entry = intrinsic_of(node.target)
    if node.kind == ARGUMENT or entry in _READ_OFF:
        return True
    return entry is not None and bool(node.inputs) and all(map(of_sizes, node.inputs))


_READ_OFF = (SIZE, NUMEL, DIM, STRIDE, STORAGE_OFFSET)


def _is_checked(item: Assumption) -> bool:
    """Whether the program itself looks whether it holds."""
    if item.kind not in ON_SIZES or item.value is None:
        return False
    return item.test == "len" or (item.test in ("bool", "int") and of_sizes(item.value))


def _check_sizes(module: fx.GraphModule, checks: Checks) -> None:
    """Let the program take only sizes for which the code goes the recorded way."""
    by_name = {node.meta["tracelab_value"]: node for node in module.graph.nodes if "tracelab_value" in node.meta}
    for value, item in checks:
        node = by_name.get(value.name)
        if node is None:
            continue
        with module.graph.inserting_after(node):
            made = module.graph.call_function(_holds, (node, item.constant, str(item)))
        made.meta.update({key: node.meta[key] for key in ("nn_module_stack", "stack_trace") if key in node.meta})


def _holds(now: Any, then: Any, sentence: str) -> None:
    """What decides on sizes is as it was at the trace: torch turns this into a condition on the inputs."""
    if isinstance(now, (torch.SymInt, torch.SymBool, torch.SymFloat)):
        kept: Any = now == then if not isinstance(then, bool) else now if then else torch.sym_not(now)
        check_condition(kept, sentence)
        if isinstance(kept, torch.SymBool) and _differs_at_one(kept):
            # Torch takes every symbol for 2 or more, and does not look at a call whether it is.
            assert_scalar(kept, sentence)
    elif now != then:
        raise InputError(f"an example does not go the way that was recorded: {sentence}")


def _differs_at_one(condition: torch.SymBool) -> bool:
    """Whether a condition that holds for the example does not for a size of 1."""
    expression, hints = condition.node.expr, sizes_of_example(condition.node.shape_env)
    symbols = list(getattr(expression, "free_symbols", ()))
    if not all(symbol in hints for symbol in symbols):
        return False
    for one in symbols:
        found = expression.subs({symbol: 1 if symbol is one else hints[symbol] for symbol in symbols})
        if found == False:  # noqa: E712 (sympy's own False)
            return True
    return False


def _fill_in(module: fx.GraphModule) -> None:
    """Give nodes that torch put in, such as sizes, the place of their first user."""
    empty = "_empty_nn_module_stack_from_metadata_hook"
    for node in reversed(module.graph.nodes):
        if node.op == "get_attr" and isinstance(inner := getattr(module, str(node.target), None), fx.GraphModule):
            _fill_in(inner)
        if node.op != "call_function":
            continue
        sources = [user.meta for user in node.users if user.op == "call_function"]
        stack = node.meta.get("nn_module_stack")
        if not stack or empty in stack:
            node.meta["nn_module_stack"] = next(
                (meta["nn_module_stack"] for meta in sources if meta.get("nn_module_stack")), {"L__self__": ("", "")}
            )
            node.meta.pop("stack_trace", None)
        if not node.meta.get("stack_trace"):
            trace = next((meta["stack_trace"] for meta in sources if meta.get("stack_trace")), None)
            trace = trace or next(
                (n.meta["stack_trace"] for n in node.all_input_nodes if n.meta.get("stack_trace")), None
            )
            if trace:
                node.meta["stack_trace"] = trace


# Notes -----------------------------------------------------------------------------------------------------


def values_assumed(graph: Graph) -> list[Assumption]:
    """What the program takes for granted and cannot check: values of tensors, modes, Python state."""
    return [item for item in graph.assumptions if item.kind in _OF_VALUES and not _is_checked(item)]


_OF_VALUES = ON_SIZES | {
    AssumptionKind.VALUES,
    AssumptionKind.STATE,
    AssumptionKind.ENVIRONMENT,
    AssumptionKind.RANDOM,
    AssumptionKind.UNSEEN,
    AssumptionKind.VARIABLE,
    AssumptionKind.GRAD,
}


def warning_of(graph: Graph, what: str = "") -> str:
    """One sentence with the lines of what the program takes for granted; empty where that is nothing.

    Args:
        graph: The graph.
        what: What was made of it that checks nothing; the exported program, which checks sizes, where it is empty.
    """
    items = [item for item in graph.assumptions if item.kind in _OF_VALUES] if what else values_assumed(graph)
    if not items:
        return ""
    listed = "; ".join(f"{item.line or 'a library'}: {item.about} is {shown(item.constant)}" for item in items[:8])
    more = f"; and {len(items) - 8} more" if len(items) > 8 else ""
    if what:
        return f"{what} goes one way for all inputs: {listed}{more}. It does not look whether that holds"
    return (
        f"the exported program goes one way for all values: {listed}{more}. It does not look whether that holds; "
        f"graph_module.meta[{NOTE!r}] lists it"
    )


# Errors ----------------------------------------------------------------------------------------------------


def _explained(error: Exception, runner: Runner) -> ExportError:
    now: fx.Node | None = runner.__dict__["now"]
    place = ""
    if now is None or now.op == "output":
        # Torch found it as it went over the whole.
        graph: fx.Graph = runner.__dict__["graph_module"].graph
        calls = [node for node in graph.nodes if node.op == "call_function"]
        now = next((node for node in calls if str(node.target) in str(error)), None)
    if now is not None:
        name, _, line = where(now).partition(" at ")
        place = f" at `{name}` (%{now.name}){f', {line}' if line else ''}"
    return ExportError(
        f"torch.export cannot express this trace{place}: {reason_of(error)}; fix the sizes that matter by "
        "`dims`, or replace that operator and trace again"
    )
