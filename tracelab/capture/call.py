"""One call of a Python callable, recorded: its arguments become the graph's inputs, by the names that it gives them."""

from __future__ import annotations

import functools
import inspect
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from types import FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor, nn

from tracelab.capture.analysis.identity_comparisons import asks_for_identity
from tracelab.capture.analysis.number_classes import compares_number_classes
from tracelab.capture.failures import TraceError, keep_failure, last_failure
from tracelab.capture.messages import warnings_suppressed
from tracelab.capture.outside.reached import reaches
from tracelab.capture.record import record
from tracelab.capture.recording.arguments import Arguments
from tracelab.capture.recording.changed_arguments import Changed
from tracelab.capture.recording.random_numbers import random_numbers_kept
from tracelab.capture.recording.recorder import Recorder
from tracelab.capture.values import leaf_copy
from tracelab.compat.modes import innermost_transform
from tracelab.errors import InputError
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.graph import Graph
from tracelab.graph.input_names import input_names
from tracelab.graph.ir import Value
from tracelab.graph.objects import is_object
from tracelab.graph.registered import registered
from tracelab.graph.structure import InputTree
from tracelab.graph.taking_apart import TakingApart
from tracelab.graph.tree import Tree

CELL = "__cell_file__"
"""The attribute of a function that runs a cell which has the file name of the cell."""


class CallArguments:
    """The arguments of one call."""

    def __init__(self, example_inputs: Any, example_kwarg_inputs: Mapping[str, Any] | None) -> None:
        if example_inputs is None and example_kwarg_inputs is None:
            raise InputError("example_inputs are missing: give the tensors to run the function on, or () for none")
        if example_inputs is None:
            self.args: tuple[Any, ...] = ()
        elif isinstance(example_inputs, (Tensor, Mapping)) or hasattr(example_inputs, "_fields"):
            self.args = (example_inputs,)
        elif type(example_inputs) in (tuple, list):
            self.args = tuple(example_inputs)
        elif (
            isinstance(example_inputs, (tuple, list))
            or is_object(example_inputs)
            or registered(type(example_inputs)) is not None
        ):
            self.args = (example_inputs,)
        else:
            raise InputError(
                f"example_inputs is of type {type(example_inputs).__name__}: give a tensor, or a tuple of the arguments"
            )
        self.kwargs = dict(example_kwarg_inputs or {})
        self.is_list = type(example_inputs) is list
        self.follows_numbers = True
        """Whether numbers among the arguments are followed; no, where the code cannot do with traced ones."""
        self.follows_sizes = True
        """Whether sizes are followed; no, where the code cannot do with traced ones."""
        self.has_numbers = False
        """Whether the code was given some, or took some out of tensors and raised."""
        self.is_checked = True
        """Whether the trace is compared with the code, which tells where a traced number is taken for no `int`."""
        self.follows_arrays = True
        """Whether arrays are inputs; no, where the code cannot do with what stands for one."""
        self.has_arrays = False
        self.given: dict[str, Any] = {}
        """The modules and optimizers among the arguments, by their place, once the call was recorded."""
        self.joins = False
        """Whether a plain list or dict that is given twice is one: where the code writes to it."""
        self.writes_to_shared = False
        """Whether the recording wrote to one that is given twice."""
        self.is_inner = False
        """Whether the code ran already, inside a call that stays one node: see `record`."""
        self.found: list[Value] = []
        """Tensors that an inner recording met, and are no arguments."""
        self.undo: Callable[[], None] | None = None
        """Puts back what a recording that failed had changed in Python's state."""
        self.pending: Changed | None = None
        """What the recording of this call changed in its arguments, which are still as they were."""

    @property
    def follows(self) -> tuple[bool, bool, bool]:
        """Whether numbers, arrays, and sizes are given to the code as traced ones."""
        return self.follows_numbers, self.follows_arrays, self.follows_sizes

    def change_arguments(self) -> None:
        """Leave the arguments as one plain call leaves them."""
        if self.pending is not None:
            self.pending.apply()
            self.pending = None


def record_call(
    func: Callable[..., Any],
    modules: Mapping[str, nn.Module],
    call: CallArguments,
    strict: bool = True,
    force_outplace: bool = False,
) -> tuple[Graph, Any, list[Tensor]]:
    """The graph of one call on copies of its arguments, what it returned, and the arguments' tensors (copies)."""
    try:
        return _recorded(func, modules, call, strict, force_outplace)
    except TraceError:
        if not call.has_arrays:
            raise
    # Code that is written in C takes only arrays themselves, and some write to them.
    call.follows_arrays = False
    return _recorded(func, modules, call, strict, force_outplace)


def record_inner(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Graph, list[Value]]:
    """The graph of a function that ran already inside a call that stays one node, and the tensors it found there.

    It leaves no trace: random numbers are drawn again, and it raises `TracelabError` before it writes to a tensor that
    is no argument.
    """
    call = CallArguments(args, kwargs)
    call.args = args
    call.is_inner = True
    failure = last_failure()
    with random_numbers_kept(args, kwargs), warnings_suppressed():
        try:
            graph, _, _ = record_call(func, {}, call, strict=False)
        finally:
            keep_failure(failure)
    return graph, call.found


Recorder.record_inner = staticmethod(record_inner)


def _recorded(
    func: Callable[..., Any], modules: Mapping[str, nn.Module], call: CallArguments, strict: bool, force_outplace: bool
) -> tuple[Graph, Any, list[Tensor]]:
    if innermost_transform() is not None:
        raise InputError(
            "a call inside of a transform of torch.func (vmap, grad) cannot be recorded: record it outside"
        )
    names = argument_names(func, call)
    leaves: list[Tensor] = []
    apart = TakingApart(leaves, call.follows_numbers, call.follows_arrays, call.joins)
    trees: list[Tree] = []
    labels: list[str] = []
    for name, item in zip(names, (*call.args, *call.kwargs.values()), strict=True):
        trees.append(apart.tree(item, name, False))
        labels += input_names(trees[-1], name)
    call.has_numbers = any(part.kind == "number" for tree in trees for part in tree.walk())
    if call.has_numbers and not call.is_checked and reaches(func, modules, compares_number_classes):
        call.follows_numbers = False
        return _recorded(func, modules, call, strict, force_outplace)
    tree = InputTree(names, trees, len(call.kwargs), _defaults(func, names, trees), *_left_out(func, names))
    call.given = tree.used_as_given()
    if "" not in modules:
        modules = {**{place: item for place, item in call.given.items() if isinstance(item, nn.Module)}, **modules}
    call.has_arrays = any(part.kind == "array" for tree in trees for part in tree.walk())
    clones = _clones(leaves, func, modules)
    arguments = Arguments(trees, clones)
    try:
        recording = record(
            func,
            (),
            dict.fromkeys(call.kwargs),
            list(zip(labels, clones, strict=True)),
            name=getattr(func, "__name__", type(func).__name__),
            modules=dict(modules),
            strict=strict,
            force_outplace=force_outplace,
            cell=getattr(func, CELL, ""),
            arguments=arguments,
            plain_items=not call.follows_numbers,
            plain_sizes=not call.follows_sizes,
            inner=call.is_inner,
        )
    except TraceError:
        call.has_numbers = call.has_numbers or arguments.took_numbers
        call.undo = arguments.undo
        raise
    graph = recording.graph
    call.found = recording.found
    graph.input_tree = tree
    asking = [*graph.nodes, *(node for _, node in graph.guard_nodes)]
    tree.note_places(asking)
    graph.assumptions += [
        Assumption(AssumptionKind.ARGUMENT, part.place, part.value)
        for tree in trees
        for part in tree.walk()
        if part.kind == "value" or (part.kind == "array" and part.value is not None)
    ]
    examples = [_clone(leaf) for leaf in leaves]
    call.pending = Changed(arguments, apart, leaves)
    times = Counter(map(id, apart.originals.values()))
    call.writes_to_shared = any(times[id(apart.originals[place])] > 1 for place, _ in arguments.changes)
    return graph, recording.result, examples


def _defaults(func: Callable[..., Any], names: list[str], trees: list[Tree]) -> OrderedDict[str, Any]:
    """What the arguments that are values of Python's are where a call leaves them out."""
    values = [name for name, tree in zip(names, trees, strict=True) if tree.kind in ("value", "number")]
    if not values:
        return OrderedDict()
    try:
        parameters = inspect.signature(func.forward if isinstance(func, nn.Module) else func).parameters
    except (TypeError, ValueError):
        return OrderedDict()
    found = ((name, parameters[name].default) for name in values if name in parameters)
    return OrderedDict((name, item) for name, item in found if item is not inspect.Parameter.empty)


def _left_out(func: Callable[..., Any], names: list[str]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The arguments by position of a Python function, and what those are that the call left out."""
    target, skipped = _with_names(func), 0
    if type(target) is MethodType:
        target, skipped = target.__func__, 1
    if type(target) is not FunctionType:
        return (), {}
    if hasattr(target, "__wrapped__") or hasattr(target, "__signature__"):
        return _signed_left_out(_with_names(func), names)
    code, defaults = target.__code__, target.__defaults__ or ()
    takes = code.co_varnames[skipped : code.co_argcount]
    by_name = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    if any(name not in takes and name not in by_name for name in names):
        return (), {}
    known = {
        **dict(zip(takes[len(takes) - len(defaults) :] if defaults else (), defaults, strict=False)),
        **(target.__kwdefaults__ or {}),
    }
    return takes, {name: item for name, item in known.items() if name not in names}


def _signed_left_out(target: Callable[..., Any], names: list[str]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The same of a function in a wrapper, whose signature is that of the one inside."""
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return (), {}
    takes = tuple(item.name for item in parameters if item.kind in _BY_POSITION)
    known = {item.name: item.default for item in parameters if item.kind in (*_BY_POSITION, item.KEYWORD_ONLY)}
    if any(name not in known for name in names):
        return (), {}
    return takes, {
        name: item for name, item in known.items() if name not in names and item is not inspect.Parameter.empty
    }


_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _clone(tensor: Tensor) -> Tensor:
    """A copy that the traced code may write to: the user's own tensor stays as it is."""
    if type(tensor) not in (Tensor, nn.Parameter) or tensor.is_nested or tensor.layout is not torch.strided:
        return tensor
    return leaf_copy(tensor)


def _clones(leaves: list[Tensor], func: Callable[..., Any], modules: Mapping[str, nn.Module]) -> list[Tensor]:
    """Copies for a recording; a tensor that is given twice is two, unless the code asks for that: `key is value`."""
    clones = [_clone(leaf) for leaf in leaves]
    kept: dict[int, Tensor] = {}
    for leaf, clone in zip(leaves, clones, strict=True):
        kept.setdefault(id(leaf), clone)
    if len(kept) == len(leaves) or not reaches(func, modules, asks_for_identity):
        return clones
    return [kept[id(leaf)] for leaf in leaves]


def _with_names(func: Any) -> Any:
    """What names the arguments: of a module its `forward`, of one that only hands them on that of the inner one."""
    if isinstance(func, functools.partial) and isinstance(func.func, nn.Module):
        return functools.partial(_with_names(func.func), *func.args, **func.keywords)
    if isinstance(func, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        return _with_names(func.module)
    if isinstance(func, nn.Module):
        inner = getattr(func, "_orig_mod", None)
        return _with_names(inner) if isinstance(inner, nn.Module) else func.forward
    return func


def argument_names(func: Callable[..., Any], call: CallArguments) -> list[str]:
    """The parameter that each argument binds to; `InputError` where the call does not fit the signature."""
    target = _with_names(func)
    plain = _positional_names(target, call)
    if plain is not None:
        return plain
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return [f"input_{index}" for index in range(len(call.args))] + list(call.kwargs)
    label = getattr(func, "__name__", type(func).__name__)
    try:
        bound = signature.bind(*call.args, **call.kwargs)
    except TypeError as error:
        wanted = ", ".join(str(parameter) for parameter in signature.parameters.values())
        hint = "; a list alone holds the positional arguments: for a list as one argument, give ([...],)"
        raise InputError(
            f"{label}({wanted}) does not take these example inputs ({len(call.args)} positional"
            f"{', ' + ', '.join(call.kwargs) if call.kwargs else ''}): {error}"
            f"{hint if call.is_list else ''}"
        ) from None
    names: list[str] = []
    for name in bound.arguments:
        parameter = signature.parameters[name]
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            names += [f"{name}_{index}" for index in range(len(bound.arguments[name]))]
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD or name in call.kwargs:
            continue
        else:
            names.append(name)
    return names + list(call.kwargs)


def _positional_names(target: Any, call: CallArguments) -> list[str] | None:
    """The same for arguments by position to a plain function; `inspect` takes longer than to record a small one."""
    skipped = 0
    if type(target) is MethodType:
        target, skipped = target.__func__, 1
    if type(target) is not FunctionType or call.kwargs or vars(target):
        return None
    code, count = target.__code__, skipped + len(call.args)
    needed = code.co_argcount - len(target.__defaults__ or ())
    if not needed <= count <= code.co_argcount or code.co_kwonlyargcount > len(target.__kwdefaults__ or ()):
        return None
    return list(code.co_varnames[skipped:count])
