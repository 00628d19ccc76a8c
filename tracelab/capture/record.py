"""`record`: run a callable once and give its graph."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from tracelab.capture.analysis.concretize import concretize_function, concretize_modules, plain_numbers
from tracelab.capture.analysis.dead_sizes import drop_unused_numbers
from tracelab.capture.analysis.outlived import have_outlived, make_outlived_plain
from tracelab.capture.failures import failure_of, keep_failure
from tracelab.capture.module_state import ModuleState, record_rebinding
from tracelab.capture.naming import name_values
from tracelab.capture.outside.kept import put_back
from tracelab.capture.outside.state import OutsideState
from tracelab.capture.outside.unseen import note_unseen
from tracelab.capture.outside.variables import note_variables
from tracelab.capture.progress import progress_of
from tracelab.capture.recording.apart import assume_apart, assume_identity
from tracelab.capture.recording.arguments import Arguments
from tracelab.capture.recording.classes import assume_classes
from tracelab.capture.recording.input_attributes import assume_attributes, attributes_of_inputs, may_miss_attributes
from tracelab.capture.recording.outputs import Structure, record_output, refuse_no_result
from tracelab.capture.recording.recorder import Recorder, active
from tracelab.capture.rounds import Rounds
from tracelab.capture.scopes import note_training, register_module
from tracelab.capture.session import Session
from tracelab.graph.assumptions import without_implied, without_needed
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Role, Value
from tracelab.graph.lint import verified
from tracelab.graph.types import tensor_type
from tracelab.graph.user_frames import user_frames


@dataclass(slots=True)
class Recording:
    """A finished recording: its graph, and what the function returned."""

    graph: Graph
    result: Any
    data: list[torch.Tensor]
    """Copies of what a cell drew from its data: the last of the graph's inputs."""
    found: list[Value]
    """Tensors that were there before the recording, and are no inputs."""


def is_tracing() -> bool:
    """Whether this thread is recording."""
    return active.recorder is not None


def asked_whether_tracing() -> bool:
    """Whether the code that this thread recorded last asked `torch.jit.is_tracing`, and was told that it is."""
    return active.was_asked


@contextmanager
def told_that_it_is_traced() -> Iterator[None]:
    """Code that is recorded is told that it is traced, as libraries then generalise.

    Only where a check follows: what code does where it believes to be traced may be something else than in Python.
    """
    before, active.says_tracing = active.says_tracing, True
    try:
        yield
    finally:
        active.says_tracing = before


def record(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    inputs: list[tuple[str, torch.Tensor]],
    *,
    name: str = "forward",
    modules: dict[str, torch.nn.Module] | None = None,
    strict: bool = True,
    force_outplace: bool = False,
    cell: str = "",
    variables: Mapping[str, Any] | None = None,
    names: list[str] | None = None,
    arguments: Arguments | None = None,
    plain_items: bool = False,
    plain_sizes: bool = False,
    inner: bool = False,
) -> Recording:
    """Call `function(*args, **kwargs)` once and record it.

    With `inner`, it is a function that was called already inside a call that stays one node, and is recorded for its
    graph alone: it raises `TracelabError` before it would write to a tensor that is no argument.

    With `plain_items`, numbers that the code takes out of tensors are plain, and assumed; with `plain_sizes`, sizes.

    Where `arguments` are given, what they build comes before `args`, and under the names in `kwargs`.

    `inputs` names the tensors among the arguments that become the graph's inputs, in order. `modules` maps
    path prefixes to modules whose parameters and submodules get their names from it; `""` is the root. `cell` is the
    file name of the notebook cell that `function` runs, if it runs one; of the `variables`, it reads those of these
    `names`, which are no inputs.
    Raises `TraceError`, with the partial graph, when the function raises.
    """
    active.was_asked = inner and active.was_asked
    graph = Graph(name)
    graph.cell = cell
    recorder = Recorder(graph, force_outplace=force_outplace)
    recorder.plain_items, recorder.plain_sizes = plain_items, plain_sizes
    recorder.is_inner = inner
    if cell:
        recorder.rounds = Rounds(graph.root, cell)
    state = ModuleState()
    for prefix, module in (modules or {}).items():
        state.remember(module, prefix)
        register_module(recorder, module, prefix)
        if prefix == "":
            graph.root.class_name = type(module).__name__
            graph.root.name = type(module).__name__
    given = [(tensor, Value(label, tensor_type(tensor), None, Role.INPUT)) for label, tensor in inputs]
    user_inputs = [value for _, value in given]
    for tensor, value in reversed(given):
        # One that is given twice is the first.
        recorder.bind(tensor, value)
    attributes = attributes_of_inputs(recorder, given)
    outside = OutsideState(function, state.modules, "" in (modules or {}))
    recorder.draws = outside.draws
    recorder.boundary = _call.__code__
    recorder.progress = None if inner else progress_of(graph.root.class_name or name)

    def release() -> None:
        recorder.names.clear()
        if have_outlived(recorder):
            concretize_modules((modules or {}).values())
            concretize_function(function)
            make_outlived_plain(recorder)

    if arguments is not None:
        built = arguments.build(recorder)
        named = len(built) - len(kwargs)
        args, kwargs = (*built[:named],), dict(zip(kwargs, built[named:], strict=True))
        del built
    session = Session(recorder, release)
    # No context manager, and `end` thrice: an interrupt may come before or in any call, and one may follow another.
    try:
        session.begin()
        recorder.watch_attributes(outside.found.watched())
        if may_miss_attributes(outside.found.functions):
            recorder.watch_missed()
        try:
            result = _call(function, args, kwargs)
        except Exception as error:
            session.completed = True
            recorder.unfail(error)
            if arguments is not None:
                arguments.took_numbers = bool(recorder.plain_places)
                arguments.undo = functools.partial(put_back, outside.found.tables)
            itself = recorder.failure is error
            error.__traceback__ = user_frames(error.__traceback__)
            raise failure_of(error, finish(recorder, user_inputs), itself) from error
        recorder.unfail()
        recorder.followed.settle(recorder)
        args, kwargs = (), {}
        record_rebinding(recorder, state, owned="" in (modules or {}))
        structure = Structure(recorder) if arguments is None else Structure(recorder, arguments.value_of)
        returned = record_output(recorder, result, strict and result is not None, structure)
        if arguments is not None:
            arguments.record_changes(recorder, structure, outside.found.functions)
        note_training(recorder, (modules or {}).get(""))
        outside.note(recorder)
        if variables is not None:
            note_variables(recorder, variables, names or [])
        note_unseen(recorder, session.epoch)
        assume_apart(recorder, user_inputs)
        assume_identity(recorder, given, outside.found.functions)
        assume_classes(recorder, given, outside.found.functions, outside.found.dispatched, result)
        assume_attributes(recorder, attributes, outside.found.functions)
        result = plain_numbers(result, set())
        session.completed = True
    except KeyboardInterrupt as error:
        recorder.paused = True
        _keep_partial(recorder, user_inputs, error)
        raise
    finally:
        try:
            session.end()
        except BaseException:
            try:
                session.end()
            except BaseException:
                session.end()
                raise
            raise
        if recorder.progress is not None:
            recorder.progress.close()
    graph.outputs = [returned] if returned is not None else []
    data = [tensor for _, tensor in recorder.data_inputs]
    graph = verified(finish(recorder, user_inputs))
    if strict and result is None and not cell:
        refuse_no_result(graph)
    recorder.let_go()
    return Recording(graph, result, data, recorder.constants)


def _keep_partial(recorder: Recorder, user_inputs: list[Value], error: KeyboardInterrupt) -> None:
    """What ran before an interrupt is a graph, too, unless it came while a node was being written."""
    try:
        keep_failure(finish(recorder, user_inputs))
    except Exception:
        return
    error.add_note("the trace was interrupted; tracelab.last_failure() is the graph of what ran before")


def _call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    # The frame that ends the user's stack: see Recorder.boundary.
    return function(*args, **kwargs)


def finish(recorder: Recorder, user_inputs: list[Value]) -> Graph:
    """Order the inputs, take out size reads that nobody used, and name the values."""
    graph = recorder.graph
    graph.inputs = user_inputs + [value for value, _ in recorder.data_inputs] + recorder.state_inputs
    graph.assumptions = without_implied(graph.assumptions, graph.inputs, graph.nodes)
    drop_unused_numbers(graph)
    graph.assumptions = without_needed(graph.assumptions, [*graph.nodes, *(node for _, node in graph.guard_nodes)])
    name_values(graph)
    return graph
