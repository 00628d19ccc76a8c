"""`estimate`: what a traced model costs at other sizes, without running it."""

from __future__ import annotations

import copy
import functools
import warnings
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from tracelab.api.other_dtype import main_dtype, names_dtype, recorded_in
from tracelab.capture.call import CallArguments, record_call
from tracelab.check.isolation import isolated
from tracelab.check.outputs import leaves
from tracelab.compat.modes import keeps_modes
from tracelab.errors import InputError, TracelabError
from tracelab.execute.beside import kept_beside
from tracelab.execute.estimate.estimate import Estimate, PhaseEstimate, uncounted
from tracelab.execute.estimate.interpolate import Point
from tracelab.execute.estimate.items import Spec
from tracelab.execute.estimate.phases import Phase
from tracelab.execute.estimate.propagate import Findings, Unestimated, propagate
from tracelab.execute.memory.memory_estimate import MemoryEstimate
from tracelab.execute.memory.predict import predicted_memory
from tracelab.execute.run.placement import checked_device
from tracelab.execute.run.program import Program, StepCode, state_of
from tracelab.graph.assumptions import Assumption
from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Role, Value
from tracelab.graph.types import TensorType

_CACHES = frozenset({"past_key_values", "cache_params", "mems"})
"""Under these keys models of transformers return what they keep for the next token."""


class Estimating:
    """`estimate` and `estimate_memory` of everything that was traced."""

    @keeps_modes
    def estimate(
        self,
        batch: int | None = None,
        length: int | None = None,
        dtype: str | torch.dtype | None = None,
        *,
        decode: bool = True,
        method: str = "forward",
    ) -> Estimate:
        """What it costs at a batch, a length and a dtype, from shapes alone: nothing is computed and no memory taken.

        The batch is the first dimension of the inputs, the length the second one of inputs of whole numbers (token
        ids, masks). The first call goes through the graph on the meta device, at a few sizes; others of its dtype are
        found from those, exactly, in milliseconds, or by going through it again where the sizes take other ways.

        FLOPs are those of matrix products, convolutions and attention by torch's formulas
        (`torch.utils.flop_counter`; two for each multiplication and addition): about `2 * parameters * tokens` and
        `4 * layers * heads * head_dim * length**2` for each row of a decoder. The peak of activations is the largest
        sum over what is alive at one node of the graph. The cache is what the model returns as one: for each token
        `2 * layers * kv_heads * head_dim` elements where it keeps keys and values. Each field of `Estimate` and
        `PhaseEstimate` says what it counts, and its unit.

        Args:
            batch: Rows of the inputs; None for those of the trace.
            length: Tokens of each row; None for those of the trace.
            dtype: The floating dtype of weights and inputs, such as `"bfloat16"`; None for that of the trace.
            decode: Whether one more token is estimated, too, for models that return a cache: the Python module is
                recorded once more for that, without data.
            method: Which traced method of a module.

        Returns:
            The figures, with units; `print` and notebooks show a table.

        Raises:
            InputError: A size is none, there is no such dimension, the graph cannot go without data, or it was
                recorded on sizes for which an assumption holds that does not hold for these.

        >>> traced = tracelab.trace(torch.nn.Linear(4, 3), torch.ones(2, 4))
        >>> traced.estimate(batch=10).prefill.flops
        240
        """
        book = _book(self, method, _floating(dtype))
        point = book.point(batch, length)
        return book.estimate(point, decode)

    @keeps_modes
    def estimate_memory(
        self,
        batch: int | None = None,
        length: int | None = None,
        dtype: str | torch.dtype | None = None,
        *,
        gradients: bool = False,
        device: str | torch.device = "cpu",
        method: str = "forward",
    ) -> MemoryEstimate:
        """What a call holds at each node, and at most, from shapes alone: nothing is computed and no memory taken.

        Each value lives from the node that makes it to the last that uses it; with gradients, what autograd saves for
        the backward pass lives until that has used it. Parts of operators and the work space of convolutions,
        attention and norms on the CPU are counted; that of oneDNN's LSTM is not.

        Args:
            batch: Rows of the inputs; None for those of the trace.
            length: Tokens of each row; None for those of the trace.
            dtype: The floating dtype of weights and inputs, such as `"bfloat16"`; None for that of the trace.
            gradients: Whether gradients are on, and the outputs' sum is differentiated by every parameter.
            device: Where it would run; torch picks other kernels on another device.
            method: Which traced method of a module.

        Returns:
            The estimate: `print` and notebooks show a table, `plot()` draws it over the run.

        Raises:
            InputError: A size is none, there is no such dimension, the graph cannot go without data, nothing has a
                gradient, or it was recorded on sizes for which an assumption holds that does not hold for these.

        >>> net = torch.nn.Sequential(torch.nn.Linear(256, 1024), torch.nn.GELU(), torch.nn.Linear(1024, 256))
        >>> traced = tracelab.trace(net, torch.ones(8, 256))
        >>> print(traced.estimate_memory(batch=512, gradients=True))
        Sequential, batch 512: 10.5 MiB at the most, forward and backward, on cpu
          weights              2.0 MiB
          inputs             512.0 KiB
          forward, at most     7.0 MiB  aten::linear, in 2
          backward, at most   10.5 MiB  the gradient of aten::linear, in 2
          left: outputs      512.0 KiB
          left: gradients      2.0 MiB
        """
        book = _book(self, method, _floating(dtype))
        return book.memory(book.point(batch, length), checked_device(device), gradients)


@dataclass(slots=True)
class _Book:
    """What is known of one graph in one dtype."""

    method: str
    name: str
    traced_graph: weakref.ref[Graph]
    version: int
    graph: Graph
    """That of the trace, or of its code in another dtype."""
    state: dict[Value, Tensor]
    dtype: torch.dtype
    cast: torch.dtype | None = None
    """The dtype to which inputs and state are cast; None where they have theirs already."""
    model: nn.Module | None = None
    """What decoding is recorded from."""
    examples: list[Tensor] = field(default_factory=list)
    batched: list[int] = field(default_factory=list)
    """Inputs whose first dimension is the batch."""
    lengthy: list[int] = field(default_factory=list)
    """Inputs whose second dimension is the length."""
    recorded: Point = ()
    prefill: Phase = field(init=False)
    decode: Phase | None = None
    notes: list[str] = field(default_factory=list)
    _asked_for_decode: bool = False
    _found: dict[tuple[Point, ...], Findings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        types = [value.type for value in self.graph.user_inputs]
        shapes = [type_.shape if isinstance(type_, TensorType) else () for type_ in types]
        batch = next((shape[0] for shape in shapes if shape), 0)
        self.batched = [place for place, shape in enumerate(shapes) if shape and shape[0] == batch]
        whole = [
            place
            for place, type_ in enumerate(types)
            if isinstance(type_, TensorType) and len(type_.shape) == 2 and not type_.dtype.is_floating_point
        ]
        length = shapes[whole[0]][1] if whole else 0
        self.lengthy = [place for place in whole if shapes[place][1] == length]
        self.recorded = (batch, length) if self.lengthy else (batch,) if self.batched else ()
        self.prefill = Phase(lambda points: (self.forward(points), frozenset()))

    # Sizes -----------------------------------------------------------------------------------------------

    def point(self, batch: int | None, length: int | None) -> Point:
        """The sizes that are asked for; `InputError` for what is none."""
        for name, size, there in (("batch", batch, self.batched), ("length", length, self.lengthy)):
            if size is None:
                continue
            if not isinstance(size, int) or isinstance(size, bool) or size < 1:
                raise InputError(f"{name}={size!r} is no size: give a whole number from 1")
            if not there:
                what = "with a first dimension" if name == "batch" else "of whole numbers with two dimensions"
                raise InputError(f"{name}={size} is for nothing: {self.name} has no input {what}")
        asked = (batch, length)[: len(self.recorded)]
        return tuple(then if size is None else size for size, then in zip(asked, self.recorded, strict=True))

    def inputs(self, points: list[Point]) -> list[tuple[Spec, ...]]:
        """What the inputs are like at each of the points."""
        found = []
        for place, value in enumerate(self.graph.user_inputs):
            type_ = value.type
            assert isinstance(type_, TensorType)
            dtype = self.cast if self.cast is not None and type_.dtype.is_floating_point else type_.dtype
            specs = []
            for point in points:
                shape = list(type_.shape)
                if place in self.batched:
                    shape[0] = point[0]
                if place in self.lengthy:
                    shape[1] = point[1]
                specs.append(Spec(tuple(shape), _strides(tuple(shape)), dtype))
            found.append(tuple(specs))
        return found

    # Phases ----------------------------------------------------------------------------------------------

    def forward(self, points: list[Point]) -> Findings:
        key = tuple(points)
        found = self._found.get(key)
        if found is None:
            if not self.graph.user_inputs:
                raise InputError(f"{self.name} has no input, and so no other size")
            self._found[key] = found = propagate(self.graph, self.state, self.inputs(points), self.cast, _CACHES)
        return found

    def estimate(self, point: Point, decode: bool) -> Estimate:
        try:
            costs, broken = self.prefill.at(point)
        except Unestimated as error:
            if error.broken is None:
                raise
            raise InputError(self.does_not_hold(point, error.broken)) from error
        if broken is not None:
            raise InputError(self.does_not_hold(point, broken))
        batch, length = (*point, 0, 0)[:2]
        prefill = PhaseEstimate(batch * (length or 1), costs.flops, costs.bytes_moved, costs.activations, costs.cache)
        step, unknown = None, dict(self.prefill.unknown)
        if decode and costs.cache and length:
            if not self._asked_for_decode:
                self._asked_for_decode = True
                self.decode = self._decoding()
            if self.decode is not None:
                more, broken = self.decode.at(point)
                unknown |= self.decode.unknown
                if broken is not None:
                    raise InputError(self.does_not_hold(point, broken))
                step = PhaseEstimate(batch, more.flops, more.bytes_moved, more.activations, more.cache)
        state = {id(tensor): (value, tensor) for value, tensor in self.state.items()}
        notes = [*self.notes, *([uncounted(list(unknown))] if unknown else [])]
        return Estimate(
            self.name,
            batch,
            length,
            str(self.dtype).removeprefix("torch."),
            sum(tensor.numel() for value, tensor in state.values() if value.role is Role.PARAMETER),
            sum(_size(tensor, self.cast) for _, tensor in state.values()),
            prefill,
            step,
            tuple(notes),
        )

    def memory(self, point: Point, device: torch.device, gradients: bool) -> MemoryEstimate:
        """What a call at these sizes holds; `InputError` where the trace is not for them."""
        if point != self.recorded:
            broken = self.forward([point]).broken.get(0)
            if broken is not None:
                raise InputError(self.does_not_hold(point, broken))
        state = self.state
        if self.cast is not None:
            state = {
                value: tensor.to(self.cast) if tensor.is_floating_point() else tensor for value, tensor in state.items()
            }
        program = Program(self.graph, self.name, StepCode(self.graph), state, {})
        specs = [specs[0] for specs in self.inputs([point])]
        sizes = [f"{name} {size:,}" for name, size in zip(("batch", "length"), point, strict=False)]
        title = ", ".join([self.name, *sizes])
        given = dict(zip(self.graph.user_inputs, specs, strict=True))
        return predicted_memory(program, given, device, gradients, title)

    def does_not_hold(self, point: Point, item: Assumption) -> str:
        sizes = ", ".join(f"{name}={size}" for name, size in zip(("batch", "length"), point, strict=False))
        where = f" ({item.line})" if item.line else ""
        return (
            f"the trace is not for {sizes}: it assumes that {item.about} is {item.constant!r}{where}; trace it on "
            "inputs of these sizes, which takes no memory on the meta device"
        )

    # Decoding --------------------------------------------------------------------------------------------

    def _decoding(self) -> Phase | None:
        """One more token, recorded from the Python module with the cache that it gave; None, with a note, else."""
        try:
            return self._decoding_recorded()
        except Exception as error:
            # Whatever the model says to a call with its own cache.
            words = " ".join(str(error).split())[:200]
            self.notes.append(f"decoding is not estimated: {type(error).__name__}: {words}")
            return None

    def _decoding_recorded(self) -> Phase:
        model, names = self.model, input_tree_of(self.graph).names
        if model is None or not self.examples:
            raise TracelabError("there is no Python module behind the trace, which was edited or loaded from a file")
        ids = self.examples[self.lengthy[0]]
        prompt = dict(zip(names, self.examples, strict=False))
        encoded = _has_encoder(model) and "decoder_input_ids" in prompt
        # What decodes with an encoder takes what that gave, and not its ids.
        token_name, kept = (
            ("decoder_input_ids", ("encoder_last_hidden_state",)) if encoded else (names[self.lengthy[0]], ())
        )
        if not encoded:
            prompt = {token_name: ids}
        with isolated([model]), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            returned = model(**prompt, use_cache=True)
            key, cache = next((key, returned[key]) for key in _CACHES if returned.get(key) is not None)
            tensors = [leaf for leaf in leaves(cache) if isinstance(leaf, Tensor)]
            states = tuple(returned[each] for each in kept)

            def step(token: Tensor, states: tuple[Tensor, ...], caches: tuple[Tensor, ...]) -> Any:
                held = {id(before): now for before, now in zip(tensors, caches, strict=True)}
                given = {"encoder_outputs": states} if encoded else {}
                return model(**{token_name: token, key: copy.deepcopy(cache, held)}, **given, use_cache=True)

            token = prompt[token_name][:, -1:]
            graph, _, _ = record_call(step, {"": model}, CallArguments((token, states, tuple(tensors)), None), False)
        shapes = [tuple(tensor.shape) for tensor in tensors]

        def find(points: list[Point]) -> tuple[Findings, frozenset[int]]:
            before = self.forward(points)
            given = [before.rows[flow.row] for flow in before.cached]
            check = self.forward([self.recorded])
            if [check.rows[flow.row][0].shape for flow in check.cached] != shapes:
                raise TracelabError("the cache of the trace is not that of the model")
            token = tuple(Spec((point[0], 1), (1, 1), ids.dtype) for point in points)
            hidden = [tuple(self._encoded(state, point) for point in points) for state in states]
            found = propagate(graph, graph.state, [token, *hidden, *given], self.cast, _CACHES)
            return found, frozenset(range(1 + len(hidden), 1 + len(hidden) + len(given)))

        return Phase(find)

    def _encoded(self, state: Tensor, point: Point) -> Spec:
        """What the encoder gave for each token, at a batch and a length."""
        names = input_tree_of(self.graph).names
        grows = any(not names[place].startswith("decoder_") for place in self.lengthy)
        shape = (point[0], point[1] if grows else state.shape[1], *state.shape[2:])
        floating = self.cast is not None and state.dtype.is_floating_point
        return Spec(shape, _strides(shape), self.cast if floating and self.cast is not None else state.dtype)


def _has_encoder(model: nn.Module) -> bool:
    """Whether a model has an encoder beside its decoder."""
    return bool(getattr(getattr(model, "config", None), "is_encoder_decoder", False))


def _book(traced: Any, method: str, dtype: torch.dtype | None) -> _Book:
    """What is known of a graph already; it is forgotten with what was traced, and with each edit."""
    graph, name, state = state_of(traced, method)
    name = name.removesuffix(".forward")
    books: dict[Any, _Book] = kept_beside(traced, "estimates")
    version = graph.nodes.version
    book = books.get((method, dtype))
    if book is None or book.traced_graph() is not graph or book.version != version:
        origin = traced._origin_of(method)
        known = origin is not None and origin.version == version and origin.examples is not None
        model = origin.modules.get("") if known and method == "forward" else None
        examples = list(origin.examples) if known else []
        traced_in = main_dtype(graph, state)
        made: Callable[..., _Book] = functools.partial(_Book, method, name, weakref.ref(graph), version)
        if dtype is None or dtype == traced_in:
            book = made(graph, state, traced_in, None, model, examples)
        elif not names_dtype(graph, traced_in):
            # Nothing that the graph wrote down stands against it.
            book = made(graph, state, dtype, dtype)
        else:
            other, model, examples = recorded_in(dtype, traced_in, graph, origin if known else None, name)
            book = made(other, other.state, dtype, None, model, examples)
        books[method, dtype] = book
    return book


def _floating(dtype: str | torch.dtype | None) -> torch.dtype | None:
    found = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if found is not None and not (isinstance(found, torch.dtype) and found.is_floating_point):
        found = None
    if dtype is not None and found is None:
        raise InputError(f"dtype={dtype!r} is no floating dtype: give a name such as 'bfloat16', or torch.bfloat16")
    return found


def _size(tensor: Tensor, dtype: torch.dtype | None) -> int:
    cast = dtype is not None and tensor.is_floating_point()
    return tensor.numel() * (dtype.itemsize if cast and dtype is not None else tensor.element_size())


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(torch.empty(shape, device="meta").stride())
