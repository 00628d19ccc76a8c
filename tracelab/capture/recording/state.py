"""What one recording knows while it runs: which value stands for which tensor, where in the code we are, and warnings.

`Recorder` adds the recording of calls.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType
from typing import Any

import torch

from tracelab.capture.analysis.assertion_branches import Check, check_at
from tracelab.capture.analysis.name_snapshot import lines_around, names_around
from tracelab.capture.analysis.operands import LastOperand
from tracelab.capture.analysis.static_sizes import StaticSizes
from tracelab.capture.messages import OF_A_STORAGE, STORAGE, emit
from tracelab.capture.recording.followed import Followed
from tracelab.capture.recording.grad_modes import GradModes
from tracelab.capture.recording.listed_checks import assume_size_listed
from tracelab.capture.recording.ranks import Sources, rank_source
from tracelab.capture.recording.wrappers import Made, note_parts, ragged_size_value, wrapper_value
from tracelab.capture.values import PLAIN, SYMBOLIC, storage_of
from tracelab.compat.tensors import generator_address
from tracelab.graph.assumptions import ATTRIBUTE, Assumption, AssumptionKind
from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.graph import Graph
from tracelab.graph.intrinsics import AUTOGRAD_BACKWARD, BACKWARD, DEVICE, DTYPE, ITEM
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import CONSTANT, SET_GRAD
from tracelab.graph.scope import Scope
from tracelab.graph.source import INNER, Source, is_inner
from tracelab.graph.types import TensorType, tensor_type

_BACKWARDS = (BACKWARD.function, AUTOGRAD_BACKWARD.function)


class _TensorReference(weakref.ref):  # type: ignore[type-arg]
    """A weak reference that knows under which key it was filed."""

    __slots__ = ("key",)
    key: int


class RecordingState:
    """The state of one recording.

    `paused` is true while an operator or an opaque region runs: what happens then belongs to that node and is
    not recorded by itself.
    """

    see_generator: Callable[[Any, torch.Generator], None] = staticmethod(lambda recorder, generator: None)
    """Asked of each generator that a call is given: whether the traced code made it."""
    note_return: Callable[[Any, Source], None] = staticmethod(lambda recorder, source: None)
    """Told of each place at which an operator is called, while values that became Python's may come back."""

    record_inner: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], tuple[Graph, list[Value]]]
    """Records a function that ran already: see `call.record_inner`."""
    meet_numbers: Callable[[], None] = staticmethod(lambda: None)
    """Called before the first traced number is made."""
    watch_attributes: Callable[[Iterable[tuple[type, str]]], None] = staticmethod(lambda wanted: None)
    """Given the attributes of classes to note in `read_first`."""
    watch_missed: Callable[[], None] = staticmethod(lambda: None)
    """Called where attributes that inputs have not are to be noted in `missed`."""

    def __init__(self, graph: Graph, *, force_outplace: bool = False) -> None:
        self.graph = graph
        self.nodes = graph.nodes
        self.scope: Scope = graph.root
        self.paused = False
        self.in_code = True
        """Until the traced code has returned: what looks at its result is no part of it."""
        self.ended = False
        """After the recording: sizes that outlived it are plain numbers again, and nothing is recorded."""
        self.force_outplace = force_outplace
        self.static_sizes = StaticSizes(graph.nodes)
        self.names: dict[int, tuple[str, Role]] = {}
        """Parameters and buffers that are not used yet: id -> (path, role)."""
        self.module_paths: dict[int, str] = {}
        self.module_calls: dict[str, int] = {}
        self.called: dict[int, torch.nn.Module] = {}
        """Modules that ran, by id."""
        self.kept: list[Any] = []
        """Objects whose ids stand in the tables above."""
        self.generators: dict[int, tuple[torch.Generator, Value]] = {}
        """Generators that the traced code made, by their address: each call sees another wrapper of the same one."""
        self.outer_generators: dict[int, torch.Generator] = {}
        """Those that were there before."""
        self.objects: dict[int, tuple[Any, Value]] = {}
        """Objects that calls gave, and that are arguments of later ones: handles of hooks."""
        self.wrappers: dict[int, Made] = {}
        """Tensors of wrapping classes that the code made itself, and with what, by their ids."""
        self.capsules: dict[int, Any] = {}
        """Tensors that were handed on by DLPack and that nothing of torch's has taken, by the ids of their capsules."""
        self.parts: dict[int, tuple[torch.Tensor, Value, str]] = {}
        """Tensors that traced ones hold as attributes, by their ids, with the whole's value and their name in it."""
        self.is_inner = False
        """Whether the code ran already, inside a call that stays one node: it writes to its arguments alone."""
        self.storages: set[int | None] = set()
        """Where the memory lies of traced tensors that the code asked for their storages."""
        self.aliases: dict[Value, Value] = {}
        """Those among `constants` that share memory with a traced value, with that."""
        self.constants: list[Value] = []
        """Tensors that were found with no value: from before the recording, unless they were made unseen."""
        self.state_inputs: list[Value] = []
        self.data_inputs: list[tuple[Value, torch.Tensor]] = []
        """What a cell drew from its data, with copies: inputs beside the variables that it reads."""
        self.taken_out: dict[Source | None, Any] = {}
        """Of places in a cell, what was taken out of a tensor there: see `recording.taken_out`."""
        self.ways: dict[Source, Any] = {}
        """Of places in a cell at which a value became Python's: where it comes back."""
        self.plain_places: dict[Source, Any] = {}
        """Of places at which a number of a tensor became Python's: what it goes to."""
        self.plain_sizes = False
        """Whether sizes are plain numbers, and assumed: some code that is written in C takes no other."""
        self.plain_items = False
        """Whether all such numbers are plain, and assumed."""
        self.watched: dict[tuple[Any, ...], list[Any]] = {}
        """Places that such values go through."""
        self.rounds: Any = None
        """Which rounds of loops go on, in a cell."""
        self.draws: Any = None
        """What Python's own generators were as the recording began."""
        self.read_first: dict[tuple[int, str], bool] = {}
        """Of attributes of objects, by identity and name: whether the code read them before it set them."""
        self.missed: list[tuple[Value, str, Source | None]] = []
        """Attributes that the code looked for on an input in vain, and where."""
        self.hashed: dict[Value, Source | None] = {}
        """Inputs that the code put in a set or used as a key, and where."""
        self.sizes: dict[tuple[Value, int], Any] = {}
        self.numbers: list[weakref.ref[Any]] = []
        """All traced numbers that there were."""
        self.caches: list[Any] = []
        """Caches of `functools` that took traced numbers as keys."""
        self.region_inputs: dict[int, Value] | None = None
        """While an opaque region runs: the traced tensors that it uses."""
        self.boundary: CodeType | None = None
        """The code object of the frame that called the user's function: where the user's stack ends."""
        self.grad_modes = GradModes(torch.is_grad_enabled())
        self.default_dtype = torch.get_default_dtype()
        """That with which the recording began."""
        self.contexts: list[Any] = []
        """What made the regions that the code entered and has not left, innermost last."""
        self.failure: Exception | None = None
        """The error of the call that failed last, unless the code caught it."""
        self.gradients_asked: dict[Any, list[Any]] = {}
        """Parameters of which a line of the code asked whether they have gradients, by that line and the answer."""
        self._gradients_changed = False
        self._looked_at = 0
        self.ranked: set[Value] = set()
        self.least_ranks: dict[Value, Assumption] = {}
        """Values whose number of dimensions needs no more to be said."""
        self._rank_sources: Sources = {}
        self.operands = LastOperand()
        self.followed = Followed()
        self._values: dict[int, tuple[Any, Value]] = {}
        self._sources: dict[tuple[int, ...], Source] = {}
        self._warned: set[tuple[str, str, int, int]] = set()
        self._assumed: set[tuple[Value | None, str]] = set()

    # Values of tensors -----------------------------------------------------------------------------------

    def bind(self, tensor: torch.Tensor, value: Value) -> None:
        """From now on `tensor` is `value`."""
        key = id(tensor)
        reference = _TensorReference(tensor, self._forget)
        reference.key = key
        self._values[key] = (reference, value)
        if type(tensor) is not torch.Tensor and value.role in (Role.COMPUTED, Role.INPUT):
            note_parts(self, tensor, value)

    def _forget(self, reference: Any) -> None:
        entry = self._values.get(reference.key)
        if entry is not None and entry[0] is reference:
            del self._values[reference.key]

    def let_go(self) -> None:
        """Of the tensors: what knows when they go away holds this, and both would wait for the garbage collection."""
        self._values.clear()

    def bound(self) -> Iterator[tuple[torch.Tensor, Value]]:
        """The tensors that there are still, each with its value."""
        for reference, value in list(self._values.values()):
            tensor = reference()
            if tensor is not None:
                yield tensor, value

    def known(self, tensor: torch.Tensor) -> Value | None:
        """The value of a tensor that this recording has seen."""
        entry = self._values.get(id(tensor))
        return None if entry is None else entry[1]

    def made_at(self, tensor: torch.Tensor) -> Source | None:
        """Where the code made a tensor, or met it."""
        value = self.known(tensor)
        return None if value is None or value.node is None else value.node.source

    def value_of(self, tensor: torch.Tensor) -> Value:
        """The value of any tensor: an unseen one is a parameter, a buffer, or a constant."""
        entry = self._values.get(id(tensor))
        if entry is not None:
            return entry[1]
        named = self.names.get(id(tensor))
        type_ = tensor_type(tensor)
        if named is not None:
            path, role = named
            value = Value(path, type_, None, role, path)
            self.state_inputs.append(value)
        else:
            unseen = wrapper_value(self, tensor)
            if unseen is not None:
                return unseen
            value = Value("constant", type_, None, Role.CONSTANT)
            node = Node(CONSTANT, None, (), None, (value,), self.scope, self.source(sys._getframe(1)))
            self._warn_of_alias(tensor, value)
            self.constants.append(value)
            value.node = node
            self.nodes.append(node)
        self.graph.state[value] = tensor
        self.kept.append(tensor)
        self.bind(tensor, value)
        return value

    def _warn_of_alias(self, tensor: torch.Tensor, value: Value) -> None:
        """A constant that shares memory with a traced value was made from it by a way that tracing does not see."""
        if type(tensor) not in (torch.Tensor, torch.nn.Parameter) or tensor.layout is not torch.strided:
            return
        place = storage_of(tensor)
        if place is None:
            return
        for traced, other in self.bound():
            if other.role in (Role.COMPUTED, Role.INPUT) and storage_of(traced) == place:
                self.aliases[value] = other
                # Names are given when the recording ends, save those of inputs.
                what = f"%{other.name}" if other.node is None else f"a result of {other.node.kind}"
                self.warn(
                    "constant",
                    f"A tensor that shares memory with {what} was made in a way that tracing does not see, "
                    "which might cause the trace to be incorrect: it is a constant of the trace.",
                    "",
                    other,
                    sys._getframe(2),
                )
                return

    def note_object(self, item: Any, value: Value) -> None:
        """From now on this object is the value."""
        self.objects[id(item)] = item, value

    def object_value(self, item: Any) -> Value | None:
        """The value of an object that a recorded call gave."""
        entry = self.objects.get(id(item))
        return None if entry is None else entry[1]

    def is_dynamic(self, tensor: torch.Tensor) -> bool:
        """Whether the tensor may have another size when the graph runs again."""
        value = self.known(tensor)
        return value is not None and value.role in (Role.COMPUTED, Role.INPUT)

    def gradients_changed(self) -> bool:
        """Whether the code has computed or set gradients so far."""
        if not self._gradients_changed:
            fresh = self.nodes[self._looked_at :]
            self._looked_at = len(self.nodes)
            self._gradients_changed = any(node.kind == SET_GRAD or node.target in _BACKWARDS for node in fresh)
        return self._gradients_changed

    # Arguments -------------------------------------------------------------------------------------------

    def argument(self, item: Any, symbols: list[Any]) -> Any:
        """An argument as the graph holds it; traced numbers found on the way go to `symbols`."""
        type_ = type(item)
        if type_ in PLAIN:
            return item
        if isinstance(item, torch.Tensor):
            number = getattr(item, "_wrapped_number", None)
            if number is not None and isinstance(number, SYMBOLIC):
                symbols.append(number)
                return number.node.graph_value()
            return self.value_of(item)
        if isinstance(item, SYMBOLIC):
            if not hasattr(item.node, "graph_value"):
                return ragged_size_value(self, item)
            symbols.append(item)
            return item.node.graph_value()
        if type_ is list or type_ is torch.Size:
            return [self.argument(child, symbols) for child in item]
        if isinstance(item, tuple):
            children = [self.argument(child, symbols) for child in item]
            return type(item)(*children) if hasattr(item, "_fields") else tuple(children)
        if isinstance(item, dict):
            return {key: self.argument(child, symbols) for key, child in item.items()}
        if type_ is slice:
            return slice(*(self.argument(part, symbols) for part in (item.start, item.stop, item.step)))
        return self._rareargument(item)

    def _rareargument(self, item: Any) -> Any:
        if isinstance(item, torch.Generator):
            self.see_generator(self, item)
            made = self.generators.get(generator_address(item))
            return item if made is None else made[1]
        known = self.object_value(item)
        if known is not None:
            return known
        if isinstance(item, torch.UntypedStorage):
            self.warn("storage", STORAGE, "", None, sys._getframe(1))
            if item.data_ptr() in self.storages:
                self.assume_outside(
                    AssumptionKind.UNSEEN, OF_A_STORAGE, "this storage", lambda: "another one", sys._getframe(1), item
                )
        return item

    # Calls that raise ------------------------------------------------------------------------------------

    def fail(self, node: Node, error: Exception) -> None:
        """Keep the innermost call that raised, at its place in the partial graph."""
        if self.failure is error:
            return
        self.unfail()
        self.failure = error
        self.graph.failed = node
        self.nodes.append(node)

    def unfail(self, error: BaseException | None = None) -> None:
        """Take out a call whose error the code caught; it stays where `error` was raised on account of it."""
        failed = self.graph.failed
        if failed is None or (error is not None and _is_on_account_of(error, self.failure)):
            return
        self.failure = None
        self.graph.failed = None
        self._assume_that_it_fails(failed)
        # It is near the end: `remove` would look from the beginning.
        place = next(index for index in range(len(self.nodes) - 1, -1, -1) if self.nodes[index] is failed)
        del self.nodes[place]
        for warning in self.graph.warnings:
            warning.position -= warning.position > place

    def _assume_that_it_fails(self, failed: Node) -> None:
        """The code went on without a call, which may be possible for other sizes and dtypes."""
        for value in failed.inputs:
            if value.node is not None and value.node.target in (DTYPE.function, DEVICE.function):
                # What was read is given to it.
                read, tensor = value.node.name, value.node.inputs[0]
                self.followed.decide(tensor, read, failed.source)
            type_ = value.type
            if not isinstance(type_, TensorType) or value.role not in (Role.COMPUTED, Role.INPUT):
                continue
            subject = f"the shape of {{}}, for which the code caught that `{failed.name}` raises,"
            self.assume_at(AssumptionKind.SHAPE, "shape", value, tuple(type_.shape), failed.source, subject)
            self.assume_at(AssumptionKind.DTYPE, "dtype", value, type_.dtype, failed.source, "{}.dtype")
            if failed.name.startswith("view") and type_.stride is not None:
                strides = tuple(type_.stride)
                self.assume_at(AssumptionKind.CONTIGUITY, "strides", value, strides, failed.source, "{}.stride()")

    # Places ----------------------------------------------------------------------------------------------

    def sources(self) -> Iterable[Source]:
        """The places in the user's code that were noted so far."""
        return self._sources.values()

    def source(self, frame: FrameType | None) -> Source | None:
        """The user's frames above `frame`, as one shared `Source`."""
        key: list[int] = []
        stack: list[tuple[CodeType, int]] = []
        boundary = self.boundary
        while frame is not None:
            code = frame.f_code
            if code is boundary:
                break
            inner = INNER.get(id(code))
            if not (inner[1] if inner is not None else is_inner(code)):
                offset = frame.f_lasti
                key.append(id(code))
                key.append(offset)
                stack.append((code, offset))
            frame = frame.f_back
        if not stack:
            return None
        flat = tuple(key)
        source = self._sources.get(flat)
        if source is None:
            source = self._sources[flat] = Source(tuple(stack))
        if self.rounds is not None and self.in_code:
            self.scope = self.rounds.see(source, self.scope)
        return source

    def called_at(self, source: Source | None) -> None:
        """An operator is recorded at a place."""
        if self.watched and source is not None:
            self.note_return(self, source)

    def user_frame(self, frame: FrameType | None) -> FrameType | None:
        """The innermost frame of the user's at or above `frame`."""
        while frame is not None and is_inner(frame.f_code):
            if frame.f_code is self.boundary:
                return None
            frame = frame.f_back
        return frame

    def warn(
        self,
        kind: str,
        message: str,
        constant: object = "",
        value: Value | None = None,
        frame: FrameType | None = None,
        *,
        silent: bool = False,
        place: str = "",
        at: Source | None = None,
    ) -> None:
        """Note one place on which the trace is specialized; the same kind at the same place is noted once.

        A `silent` one is noted on the graph, and not shown as a Python warning. `at` is for a place that was left.
        """
        if at is None:
            frame = frame if frame is not None else sys._getframe(1)
        source = self.source(frame) if at is None else at
        key = (kind, source.file, source.line, source.column) if source is not None else (kind, place, 0, 0)
        if key in self._warned:
            return
        self._warned.add(key)
        warning = TraceDiagnostic(
            kind, message, source, value.node if value is not None else None, value, str(constant), len(self.nodes)
        )
        self.graph.warnings.append(warning)
        users = self.user_frame(frame)
        if source is not None and users is not None:
            warning.names = self._names_around(source, users)
        if source is not None:
            warning.text = "".join(lines_around(source))
        if not silent:
            emit(warning, users)

    def assume(
        self,
        kind: AssumptionKind,
        test: str,
        value: Value | None,
        constant: Any,
        frame: FrameType | None,
        *,
        subject: str = "",
    ) -> None:
        """Note a fact about a value that decides what is recorded; each fact is noted once, where it is first read."""
        if value is None:
            return
        if (value, test) not in self._assumed:
            source = self.source(frame)
            if source is None and not subject and kind in (AssumptionKind.NUMBER, AssumptionKind.BRANCH):
                subject = self._asked_in_torch(frame)
            self.assume_at(kind, test, value, constant, source, subject)
        elif (value, test) in self.followed.facts:
            self.followed.decide(value, test, self.source(frame))

    def _asked_in_torch(self, frame: FrameType | None) -> str:
        """What torch's own code read, where none of the user's runs: in a module of torch that was traced itself."""
        while frame is not None and frame.f_code is not self.boundary:
            package, _, part = str(frame.f_globals.get("__name__", "")).partition(".")
            # What is private in torch asks for others.
            if package == "torch" and part and not part.startswith("_"):
                return _in_torch(frame)
            frame = frame.f_back
        return ""

    def drop_needless(self, frame: FrameType, truth: bool, known: int) -> None:
        """A comparison was found: take out an assumption on the other side of its `and` or `or` that decides nothing.

        `known` is how many assumptions there were before it.
        """
        assumptions = self.graph.assumptions
        added = assumptions[known] if len(assumptions) > known else None
        needless = self.operands.needless(frame, truth, added)
        if needless is not None:
            self.graph.assumptions = [item for item in assumptions if item is not needless]

    def assume_check(self, test: str, value: Value | None, truth: bool, frame: FrameType, compares: str = "") -> None:
        """Note what a branch found that only decides if an error is raised."""
        if value is None or value.role not in (Role.COMPUTED, Role.INPUT) or _waits_for_device(value):
            return
        behind = check_at(frame, truth, compares)
        if behind is Check.GOES_ON:
            return
        if behind is Check.MAY_RAISE and test == "bool" and assume_size_listed(self, value, frame):
            return
        subject = ""
        if is_inner(frame.f_code):
            subject = _in_torch(frame)
        kind = AssumptionKind.CHECK if behind is Check.RAISES else AssumptionKind.BRANCH
        self.assume(kind, test, value, truth, frame, subject=subject)

    def assume_dimensions(self, value: Value | None, frame: FrameType | None) -> None:
        """Note how many dimensions a tensor has, of the one from which that follows."""
        if value is not None and value not in self.ranked:
            self.ranked.add(value)
            if value.role not in (Role.COMPUTED, Role.INPUT):
                return
            source = rank_source(value, self._rank_sources)
            if source is not None and (source, "dim") not in self._assumed and isinstance(source.type, TensorType):
                rank = len(source.type.shape)
                self.assume(AssumptionKind.DIMENSIONS, "dim", source, rank, frame, subject="{}.dim()")

    def assume_rank_of(self, value: Value | None, least: int, frame: FrameType | None) -> None:
        """Note that the code raises an error for a tensor of fewer dimensions, whatever operators it records."""
        if value is None or value.role not in (Role.COMPUTED, Role.INPUT) or value in self.ranked:
            return
        known = self.least_ranks.get(value)
        if known is not None and known.constant >= least:
            return
        if known is not None:
            known.constant, known.source = least, self.source(frame)
        elif rank_source(value, self._rank_sources) is not None:
            self.assume(AssumptionKind.DIMENSIONS, "at_least", value, least, frame, subject="{}.dim()")
            self.least_ranks[value] = self.graph.assumptions[-1]

    def assume_at(
        self, kind: AssumptionKind, test: str, value: Value, constant: Any, source: Source | None, subject: str
    ) -> None:
        if (value, test) not in self._assumed:
            self._assumed.add((value, test))
            self.graph.assumptions.append(Assumption(kind, subject, constant, source, value, test))
        else:
            self.followed.decide(value, test, source)

    def assume_again(self, item: Assumption) -> None:
        """Note a fact that another trace assumed, at its place there."""
        test = item.test if item.test != ATTRIBUTE else f"{ATTRIBUTE} {item.subject}"
        if item.value is not None and (item.value, test) not in self._assumed:
            self._assumed.add((item.value, test))
            self.graph.assumptions.append(item)
        elif item.value is not None:
            self.followed.decide(item.value, item.test, item.source)

    def first_assumed(self, value: Value, test: str) -> bool:
        """Whether a fact about a value is noted for the first time."""
        first = (value, test) not in self._assumed
        self._assumed.add((value, test))
        return first

    def first_asked(self, what: str, tensor: torch.Tensor) -> bool:
        """Whether the code asks this of a tensor outside the graph for the first time."""
        key = (None, f"{what} of {id(tensor)}")
        first = key not in self._assumed
        if first:
            self._assumed.add(key)
            self.kept.append(tensor)
        return first

    def assume_outside(
        self,
        kind: AssumptionKind,
        subject: str,
        constant: Any,
        probe: Callable[[], Any],
        frame: FrameType | None,
        owner: object = None,
    ) -> None:
        """Note a fact about what lies outside the graph, once for each owner."""
        key = (None, f"{subject} {id(owner)}")
        if key not in self._assumed:
            self._assumed.add(key)
            self.graph.assumptions.append(Assumption(kind, subject, constant, self.source(frame), probe=probe))

    def _names_around(self, source: Source, frame: FrameType) -> dict[str, Any]:
        inside, self.paused = self.paused, True
        try:
            return names_around(source, frame)
        finally:
            self.paused = inside


def _in_torch(frame: FrameType) -> str:
    code = frame.f_code
    return f"{Source(((code, frame.f_lasti),)).expression} in torch's `{code.co_qualname}`"


def _waits_for_device(number: Value) -> bool:
    """Whether a number is read from a tensor that another device holds, which no check waits for."""
    pending = [number]
    for value in pending:
        node = value.node
        if isinstance(value.type, TensorType) or node is None:
            continue
        if node.target is ITEM.function:
            return any(isinstance(item.type, TensorType) and item.type.device.type != "cpu" for item in node.inputs)
        pending += node.inputs
    return False


def _is_on_account_of(error: BaseException, reason: BaseException | None) -> bool:
    """Whether an error is the reason, was raised from it or while it was handled, or is a group that holds it."""
    pending, seen = [error], {id(error)}
    for found in pending:
        if found is reason:
            return True
        before = [found.__cause__ or found.__context__, *getattr(found, "exceptions", ())]
        fresh = [item for item in before if isinstance(item, BaseException) and id(item) not in seen]
        seen.update(map(id, fresh))
        pending += fresh
    return False
