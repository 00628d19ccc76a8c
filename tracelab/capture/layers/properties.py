"""What the code reads of a tensor beside its sizes: each is an assumption of the trace, or a number that follows.

A dtype, a device, the number of dimensions or whether gradients are asked for may decide a branch, or go into a call as
a constant: the recording is right for calls where the value that was read is like that again.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from tracelab.capture.analysis.assertion_branches import is_read_to_check
from tracelab.capture.recording.listed_checks import assume_listed
from tracelab.capture.recording.recorder import Recorder, active
from tracelab.capture.values import storage_of
from tracelab.compat.modes import default_device
from tracelab.compat.tensors import base_of, is_view
from tracelab.graph.aliasing import written_values
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.intrinsics import DIM, DTYPE, NBYTES, STORAGE_OFFSET, STRIDE
from tracelab.graph.ir import Role
from tracelab.graph.source import INNER, Source, is_inner

_properties: Any = Tensor
"""The class without its annotations, which hide descriptors behind the types of their values."""

Handler = Callable[[Recorder, tuple[Any, ...], dict[str, Any]], Any]

_default_dtype = torch.get_default_dtype
"""As it is while nothing is replaced."""

_MOST_VALUES = 10_000
"""A list or array of more values is not kept to be compared at each call."""


def assume_dimensions(recorder: Recorder, tensor: Tensor, frame: FrameType | None) -> None:
    """The number of dimensions was read, or counted from the end."""
    value = recorder.known(tensor)
    recorder.assume_dimensions(value, frame)


_CONTENT = {
    "bool": (AssumptionKind.BRANCH, "truth"),
    "int": (AssumptionKind.NUMBER, "whole"),
    "index": (AssumptionKind.NUMBER, "whole"),
    "float": (AssumptionKind.NUMBER, "real"),
    "complex": (AssumptionKind.NUMBER, "complex"),
    "item": (AssumptionKind.NUMBER, "item"),
    "list": (AssumptionKind.VALUES, "list"),
    "numpy": (AssumptionKind.VALUES, "array"),
}


def assume_content(
    recorder: Recorder,
    kind: str,
    tensor: Tensor,
    result: Any,
    frame: FrameType | None = None,
    at: Source | None = None,
) -> None:
    """What is in a tensor became a Python value; `at` is for a place that was left."""
    if kind not in _CONTENT or not (recorder.is_dynamic(tensor) or _is_found_state(recorder, tensor)):
        return
    what, test = _CONTENT[kind]
    if what is AssumptionKind.VALUES:
        if tensor.numel() > _MOST_VALUES:
            return
        result = result.copy() if test == "array" else result
    value = recorder.value_of(tensor)
    if at is not None:
        recorder.assume_at(what, test, value, result, at, "")
    else:
        recorder.assume(what, test, value, result, frame)


def _is_found_state(recorder: Recorder, tensor: Tensor) -> bool:
    """Whether a tensor was there before the recording, and is still as a call will find it: a buffer, a global."""
    value = recorder.known(tensor)
    if type(tensor) not in (Tensor, torch.nn.Parameter) or tensor.layout is not torch.strided or tensor.is_meta:
        return False
    if value is None:
        if id(tensor) not in recorder.names and active.session.epoch.made_since([tensor]):
            return False
    elif value.role is Role.CONSTANT and value not in recorder.constants:
        return False
    memory = tensor.untyped_storage().data_ptr()
    written = {each for node in recorder.nodes for each in written_values(node)}
    return not any(
        each in written and other.layout is torch.strided and other.untyped_storage().data_ptr() == memory
        for other, each in recorder.bound()
    )


def assume_text(recorder: Recorder, tensor: Tensor, frame: FrameType | None) -> None:
    """A tensor became text: what is in it may decide something."""
    if tensor.numel() <= _MOST_VALUES and tensor.layout is torch.strided and not (tensor.is_meta or tensor.is_nested):
        assume_content(recorder, "list", tensor, tensor.tolist(), frame)


def assume_default_dtype(recorder: Recorder, frame: FrameType | None) -> None:
    """A tensor was made of Python's floats: its dtype is the default one, unless the code itself set that."""
    dtype = torch.get_default_dtype()
    if dtype is recorder.default_dtype:
        recorder.assume_outside(AssumptionKind.MODE, "torch.get_default_dtype()", dtype, _default_dtype, frame)


MAKERS = frozenset(
    function
    for name in (
        "arange asarray as_tensor bartlett_window blackman_window empty empty_permuted empty_strided eye full "
        "hamming_window hann_window kaiser_window linspace logspace ones rand randint randn randperm range "
        "scalar_tensor sparse_coo_tensor sparse_csr_tensor tensor tril_indices triu_indices zeros"
    ).split()
    if (function := getattr(torch, name, None)) is not None
)
"""Functions that make a tensor on the default device, where they are told no other."""


def assume_default_device(recorder: Recorder, frame: FrameType | None) -> None:
    """A tensor was made on the default device."""
    recorder.assume_outside(AssumptionKind.MODE, "torch.get_default_device()", default_device(), default_device, frame)


def _read(kind: AssumptionKind, test: str, subject: str, now: Callable[[Any], Any]) -> Handler:
    def handle(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        tensor, frame = args[0], sys._getframe(2)
        # `x.type()` reads the dtype, `x.type(dtype)` makes another tensor.
        if len(args) > 1 or kwargs or not isinstance(tensor, Tensor) or is_read_to_check(frame):
            return NotImplemented
        if recorder.is_dynamic(tensor):
            recorder.assume(kind, test, recorder.known(tensor), now(tensor), sys._getframe(1), subject=subject)
        elif test in ("dtype", "device"):
            recorder.followed.see_state(recorder, test, tensor, now(tensor), frame)
        return NotImplemented

    return handle


_DTYPES = tuple(dict.fromkeys(item for item in vars(torch).values() if isinstance(item, torch.dtype)))
_RANKS = range(65)
"""As many dimensions as tensors have."""


def _passes(recorder: Recorder, tensor: Tensor, read: Any, candidates: Any, frame: FrameType) -> bool:
    return recorder.is_dynamic(tensor) and assume_listed(recorder, tensor, read, candidates, frame)


def _followed(test: str, now: Callable[[Any], Any]) -> Handler:
    """What may go into calls alone, which then follow."""

    def handle(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        tensor, frame = args[0], sys._getframe(2)
        if not isinstance(tensor, Tensor) or (test == "dtype" and _passes(recorder, tensor, DTYPE, _DTYPES, frame)):
            return NotImplemented
        if not is_read_to_check(frame):
            recorder.followed.see(recorder, test, tensor, now(tensor), frame)
        return NotImplemented

    return handle


_DTYPE = _read(AssumptionKind.DTYPE, "dtype", "{}.dtype", lambda tensor: tensor.dtype)
_DEVICE = _read(AssumptionKind.DEVICE, "device", "{}.device", lambda tensor: tensor.device)


def _dimensions(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    tensor = args[0]
    value = recorder.known(tensor)
    if value is None or value in recorder.ranked:
        return tensor.dim()
    frame = sys._getframe(2)
    # Torch's layers look at each of their inputs: this is asked most often.
    known = INNER.get(id(frame.f_code))
    if not (known is not None and known[1]) and _passes(recorder, tensor, DIM, _RANKS, frame):
        return tensor.dim()
    if not is_read_to_check(frame):
        recorder.assume_dimensions(value, sys._getframe(1))
    return tensor.dim()


_LAYOUT = _read(AssumptionKind.LAYOUT, "layout", "{}.layout", lambda tensor: tensor.layout)
_FLOATING = _read(AssumptionKind.DTYPE, "floating", "{}.is_floating_point()", lambda tensor: tensor.is_floating_point())
_COMPLEX = _read(AssumptionKind.DTYPE, "complex_dtype", "{}.is_complex()", lambda tensor: tensor.is_complex())
_GRADIENT = _read(
    AssumptionKind.REQUIRES_GRAD, "requires_grad", "{}.requires_grad", lambda tensor: tensor.requires_grad
)


def _asks_for_gradients(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Of a parameter too, which may be frozen between two calls."""
    tensor = args[0]
    frame = sys._getframe(2)
    if recorder.is_dynamic(tensor) or is_inner(frame.f_code):
        return _GRADIENT(recorder, args, kwargs)
    named = recorder.names.get(id(tensor))
    known = recorder.known(tensor)
    path = named[0] if named is not None else known.path if known is not None else ""
    # Of a module that has not run yet, the names are not known.
    subject = f"{path}.requires_grad" if path else ""
    if recorder.first_asked("requires_grad", tensor):
        now = tensor.requires_grad
        probe = functools.partial(_gradients_of, weakref.ref(tensor), now)
        recorder.graph.assumptions.append(
            Assumption(AssumptionKind.REQUIRES_GRAD, subject, now, recorder.source(frame), probe=probe)
        )
    return NotImplemented


def _gradients_of(reference: Any, gone: bool) -> bool:
    tensor = reference()
    return gone if tensor is None else tensor.requires_grad


_LEAF = _read(AssumptionKind.REQUIRES_GRAD, "leaf", "{}.is_leaf", lambda tensor: tensor.is_leaf)


_CONJUGATE = _read(AssumptionKind.LAYOUT, "conjugate", "{}.is_conj()", lambda tensor: tensor.is_conj())
_NEGATIVE = _read(AssumptionKind.LAYOUT, "negative", "{}.is_neg()", lambda tensor: tensor.is_neg())
_MEMORY = _read(
    AssumptionKind.NUMBER,
    "memory",
    "{}.untyped_storage().nbytes()",
    lambda tensor: tensor.untyped_storage().nbytes(),
)
_ASKED_OF_MEMORY = frozenset({"nbytes", "size", "len", "element_size"})


def _of_input(kind: AssumptionKind, test: str, subject: str, now: Callable[[Any], Any]) -> Handler:
    """What holds of inputs as they are given; of what the code makes it is the same at each call."""
    read = _read(kind, test, subject, now)

    def handle(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        value = recorder.known(args[0]) if isinstance(args[0], Tensor) else None
        return read(recorder, args, kwargs) if value is not None and value.role is Role.INPUT else NotImplemented

    return handle


_INFERENCE = _of_input(AssumptionKind.MODE, "inference", "{}.is_inference()", lambda tensor: tensor.is_inference())
_VIEW = _of_input(AssumptionKind.LAYOUT, "view", "{}._is_view()", is_view)


def _memory(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """How large the memory is; where it lies decides nothing."""
    frame = recorder.user_frame(sys._getframe(2))
    asked = frame is not None and _ASKED_OF_MEMORY.intersection(frame.f_code.co_names)
    plain = isinstance(args[0], Tensor) and args[0].layout is torch.strided and not args[0].is_nested
    if plain and recorder.is_dynamic(args[0]):
        recorder.storages.add(storage_of(args[0]))
    return _MEMORY(recorder, args, kwargs) if asked and plain else NotImplemented


_LAST_CHANNELS = {torch.channels_last: "channels_last", torch.channels_last_3d: "channels_last_3d"}


def _contiguous(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if len(args) == 1 and not kwargs and recorder.is_dynamic(args[0]):
        recorder.assume(
            AssumptionKind.CONTIGUITY,
            "contiguous",
            recorder.known(args[0]),
            args[0].is_contiguous(),
            sys._getframe(1),
            subject="{}.is_contiguous()",
        )
    elif recorder.is_dynamic(args[0]):
        wanted: Any = args[1] if len(args) > 1 else kwargs.get("memory_format")
        test = _LAST_CHANNELS.get(wanted)
        if test is not None:
            found = args[0].is_contiguous(memory_format=wanted)
            subject = f"{{}}.is_contiguous(memory_format={wanted})"
            value, frame = recorder.known(args[0]), sys._getframe(1)
            recorder.assume(AssumptionKind.CONTIGUITY, test, value, found, frame, subject=subject)
    return NotImplemented


def _follows(recorder: Recorder, tensor: Any) -> bool:
    return (
        isinstance(tensor, Tensor)
        and recorder.is_dynamic(tensor)
        and tensor.layout is torch.strided
        and not tensor.is_nested
    )


def _stride(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Strides follow, as sizes do."""
    tensor = args[0]
    if not _follows(recorder, tensor):
        return NotImplemented
    dim = args[1] if len(args) > 1 else kwargs.get("dim")
    if dim is None:
        assume_dimensions(recorder, tensor, sys._getframe(1))
        return tuple(recorder.record_intrinsic(STRIDE, (tensor, at)) for at in range(tensor.dim()))
    if not isinstance(dim, int) or not -tensor.dim() <= dim < tensor.dim():
        return NotImplemented
    return recorder.record_intrinsic(STRIDE, (tensor, dim))


def _number(intrinsic: Any) -> Handler:
    def handle(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if _follows(recorder, args[0]):
            return recorder.record_intrinsic(intrinsic, args[:1])
        if intrinsic is NBYTES and isinstance(args[0], Tensor) and not recorder.is_dynamic(args[0]):
            recorder.followed.see_state(recorder, "dtype", args[0], args[0].dtype, sys._getframe(2))
        return NotImplemented

    return handle


def _made_alike(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`x.new(2)` is of the dtype and on the device of `x`, which torch writes into the call."""
    if recorder.is_dynamic(args[0]):
        value, frame = recorder.known(args[0]), sys._getframe(1)
        recorder.assume(AssumptionKind.DTYPE, "dtype", value, args[0].dtype, frame, subject="{}.dtype")
        recorder.assume(AssumptionKind.DEVICE, "device", value, args[0].device, frame, subject="{}.device")
    return NotImplemented


HANDLERS: dict[Any, Handler] = {
    _properties.dtype.__get__: _followed("dtype", lambda tensor: tensor.dtype),
    Tensor.type: _DTYPE,
    Tensor.element_size: _DTYPE,
    _properties.itemsize.__get__: _DTYPE,
    Tensor.is_floating_point: _FLOATING,
    torch.is_floating_point: _FLOATING,
    Tensor.is_complex: _COMPLEX,
    torch.is_complex: _COMPLEX,
    Tensor.is_signed: _DTYPE,
    # These give back a real tensor itself, which no operator tells.
    Tensor.conj: _COMPLEX,
    torch.conj: _COMPLEX,
    Tensor.new: _made_alike,
    _properties.device.__get__: _followed("device", lambda tensor: tensor.device),
    Tensor.get_device: _DEVICE,
    _properties.is_cuda.__get__: _DEVICE,
    _properties.is_cpu.__get__: _DEVICE,
    _properties.is_meta.__get__: _DEVICE,
    _properties.is_mps.__get__: _DEVICE,
    Tensor.dim: _dimensions,
    Tensor.ndimension: _dimensions,
    _properties.ndim.__get__: _dimensions,
    _properties.layout.__get__: _LAYOUT,
    _properties.is_sparse.__get__: _LAYOUT,
    _properties.requires_grad.__get__: _asks_for_gradients,
    _properties.is_leaf.__get__: _LEAF,
    Tensor.is_contiguous: _contiguous,
    Tensor.is_conj: _CONJUGATE,
    torch.is_conj: _CONJUGATE,
    Tensor.is_neg: _NEGATIVE,
    torch.is_neg: _NEGATIVE,
    Tensor.is_inference: _INFERENCE,
    torch.is_inference: _INFERENCE,
    is_view: _VIEW,
    base_of.__get__: _VIEW,
    Tensor.untyped_storage: _memory,
    Tensor.storage: _memory,
    Tensor.stride: _stride,
    Tensor.storage_offset: _number(STORAGE_OFFSET),
    _properties.nbytes.__get__: _number(NBYTES),
}
