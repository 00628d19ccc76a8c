"""`TracedArray`: what the traced code gets in place of an array that was an argument.

It is no array: C code could read one unseen. What is asked of it either is done with its tensor, which the graph
follows, or reads the whole array, on whose content the trace then depends.
"""

from __future__ import annotations

import dis
import functools
import sys
from types import FrameType
from typing import Any

import numpy
import torch

from tracelab.capture.recording.arrays import operations
from tracelab.capture.recording.arrays.dtypes import array_dtype, dtype_now, version_of
from tracelab.capture.recording.recorder import Recorder, active
from tracelab.capture.values import storage_of
from tracelab.compat.dispatch import set_watching
from tracelab.graph.arrays import ArrayStandIn
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.source import is_inner


class Given:
    """The array of one argument, with the tensor that is the input: whether its content was read, or written to."""

    __slots__ = ("read", "tensor", "writable", "written")

    def __init__(self, tensor: torch.Tensor, writable: bool) -> None:
        self.read = self.written = False
        self.tensor, self.writable = tensor, writable


class TracedArray(ArrayStandIn):
    """An array of the traced code; `given` are the arguments that its values come from, `owner` has its memory."""

    __slots__ = ("given", "owner", "recorder", "taken", "version")

    def __init__(
        self, recorder: Recorder, tensor: torch.Tensor, given: tuple[Given, ...], owner: Given | None = None
    ) -> None:
        self.tensor, self.recorder, self.given, self.owner = tensor, recorder, given, owner
        self.taken = False
        """Whether the code has it as a tensor."""
        self.version = version_of(tensor)

    # Ways to its content -----------------------------------------------------------------------------------

    @property
    def followed(self) -> bool:
        """Whether what is done now is recorded."""
        recorder = active.recorder
        return recorder is self.recorder and not recorder.paused and not recorder.ended

    def read(self) -> Any:
        """The array itself: from now on the trace depends on what is in it."""
        if self.recorder.ended:
            return self.plain()
        if self.version != version_of(self.tensor) and self.followed:
            # What was written to it may come from anywhere: it is told as of any tensor.
            found = self.tensor.numpy()
        else:
            for item in self.given:
                item.read = True
            found = self.plain()
        # What is written to it would be seen by nothing.
        found.flags.writeable = False
        return found

    def plain(self) -> Any:
        """The array, in the memory of the tensor; nothing is noted."""
        recorder = active.recorder
        if recorder is None:
            return self.tensor.detach().numpy()
        before, recorder.paused = recorder.paused, True
        set_watching(False)
        try:
            return self.tensor.detach().numpy()
        finally:
            recorder.paused = before
            set_watching(not before)

    def like(self, tensor: torch.Tensor, *others: Any) -> TracedArray:
        """An array that was computed from this one and others, in memory of its own."""
        more = [item for other in others if isinstance(other, TracedArray) for item in other.given]
        return TracedArray(self.recorder, tensor, tuple(dict.fromkeys((*self.given, *more))))

    def view(self, tensor: torch.Tensor) -> TracedArray:
        """One in the memory of this."""
        return TracedArray(self.recorder, tensor, self.given, self.owner)

    def contiguous(self) -> TracedArray:
        """What `numpy.ascontiguousarray` gives: a copy where it does not stand in memory in order."""
        made = self.tensor.contiguous()
        return self.view(made) if storage_of(made) == storage_of(self.tensor) else self.like(made)

    def kind(self) -> torch.dtype:
        """The dtype, which decides what is done."""
        recorder, frame = self.recorder, sys._getframe(1)
        for item in self.given:
            value = recorder.known(item.tensor)
            if value is not None:
                constant = value.type.dtype  # type: ignore[union-attr]
                recorder.assume(AssumptionKind.DTYPE, "dtype", value, constant, frame, subject="{}.dtype")
        return dtype_now(self.tensor)

    def as_tensor(self) -> torch.Tensor:
        """The tensor in its memory, as another one each time that it is asked for."""
        found = self.tensor.detach() if self.taken else self.tensor
        self.taken = True
        return found

    def note_written(self) -> None:
        """The code writes to it."""
        if self.owner is not None:
            if not self.owner.writable:
                raise ValueError("assignment destination is read-only")
            self.owner.written = True

    # What it is --------------------------------------------------------------------------------------------

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return TracedArray if is_inner(sys._getframe(1).f_code) else numpy.ndarray

    @property
    def dtype(self) -> Any:
        return array_dtype(self.kind())

    @property
    def shape(self) -> Any:
        return tuple(self.tensor.shape)

    @property
    def ndim(self) -> int:
        return self.tensor.dim()

    @property
    def T(self) -> Any:
        return self.transpose()

    @property
    def size(self) -> Any:
        return self.tensor.numel()

    def __len__(self) -> int:
        if _indexes(sys._getframe(1)):
            # torch asks whether it is a tuple of indices.
            raise TypeError("an array is one index")
        if not self.tensor.dim():
            raise TypeError("len() of unsized object")
        return int(self.tensor.shape[0])

    def __getattr__(self, name: str) -> Any:
        method = operations.METHODS.get(name)
        if method is not None and self.followed:
            return functools.partial(_method, self, name, method)
        return getattr(self.read(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN:
            object.__setattr__(self, name, value)
        else:
            setattr(self.read(), name, value)

    # NumPy's protocols -------------------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return numpy.array(self.read(), dtype, copy=bool(copy) or None)

    @property
    def __array_interface__(self) -> Any:
        return self.read().__array_interface__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options and self.followed:
            found = operations.arithmetic(ufunc, inputs)
            if found is not None:
                return self.like(found, *inputs)
        return getattr(ufunc, method)(*read_all(inputs), **read_all(options))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if self.followed:
            found = operations.function(self, function, args, kwargs)
            if found is not NotImplemented:
                return found
        return function(*read_all(args), **read_all(kwargs))

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return function(*read_all(args), **read_all(kwargs or {}))

    # Items -------------------------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Any:
        if self.followed and operations.is_view(key, self.tensor.dim()):
            return self.view(self.tensor[key])
        return self.read()[read_all(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        if not self.followed or not operations.is_place(key):
            raise TypeError(_WRITES)
        part = operations.assigned(value, self)
        self.note_written()
        self.tensor[key] = part

    def __iter__(self) -> Any:
        return iter([self[place] for place in range(len(self))])

    def __bytes__(self) -> bytes:
        content: bytes = self.read().tobytes()
        return content

    # What Python asks --------------------------------------------------------------------------------------

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.copy()

    def __hash__(self) -> int:
        raise TypeError("unhashable type: 'numpy.ndarray'")


_OWN = frozenset({*TracedArray.__slots__, *ArrayStandIn.__slots__})
_WRITES = operations.WRITES


def read_all(item: Any) -> Any:
    """The same arguments with the arrays themselves."""
    kind = type(item)
    if kind is TracedArray:
        return item.read()
    if kind in (tuple, list):
        return kind(map(read_all, item))
    if kind is dict:
        return {key: read_all(part) for key, part in item.items()}
    return item


def _indexes(frame: FrameType) -> bool:
    """Whether `x[array]` is what runs there."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in _INDEXING


_INDEXING = ("BINARY_SUBSCR", "STORE_SUBSCR", "BINARY_OP")


def _method(array: TracedArray, name: str, method: Any, *args: Any, **kwargs: Any) -> Any:
    if name == "astype":
        array.kind()
    found = method(array.tensor, *args, **kwargs)
    if found is NotImplemented:
        return getattr(array.read(), name)(*read_all(args), **read_all(kwargs))
    return array.like(found) if name in operations.COPIES else array.view(found)


def _asked(name: str) -> Any:
    """What Python looks up in the class."""

    def ask(array: TracedArray, *args: Any) -> Any:
        return getattr(array.read(), name)(*read_all(args))

    return ask


def _computed(name: str, ufunc: Any, turned: bool) -> Any:
    def compute(array: TracedArray, *others: Any) -> Any:
        if others and isinstance(others[0], torch.Tensor):
            # torch would multiply with the reciprocal.
            fits = turned and name != "__rtruediv__" and array.followed
            if fits and operations.fits(array.kind(), others[0]):
                return getattr(torch.Tensor, name)(array.tensor, others[0])
            return NotImplemented if turned else getattr(array.read(), name)(*others)
        inputs = (*others, array) if turned else (array, *others)
        return array.__array_ufunc__(ufunc, "__call__", *inputs)

    return compute


def _in_place(name: str, ufunc: Any) -> Any:
    def compute(array: TracedArray, other: Any) -> Any:
        found = operations.arithmetic(ufunc, (array, other)) if array.followed else None
        if found is None or dtype_now(found) is not array.kind() or found.dim() != array.ndim:
            raise TypeError(_WRITES)
        array.note_written()
        array.tensor.copy_(found)
        return array

    return compute


for _name, _ufunc in operations.OPERATORS.items():
    setattr(TracedArray, f"__{_name}__", _computed(f"__{_name}__", _ufunc, False))
    if _name not in operations.COMPARISONS and _ufunc.nin == 2:
        setattr(TracedArray, f"__r{_name}__", _computed(f"__r{_name}__", _ufunc, True))
        setattr(TracedArray, f"__i{_name}__", _in_place(f"__i{_name}__", _ufunc))
for _name in "bool int float complex index contains repr str format reduce_ex buffer divmod rdivmod".split():
    setattr(TracedArray, f"__{_name}__", _asked(f"__{_name}__"))
