"""The torch-function layer: Python-level reads that the dispatcher never gets.

Sizes become traced numbers here, conversions to Python values are noted, and calls that return early without
dispatching (`contiguous()` on a contiguous tensor) are recorded.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any

import torch
from torch import Tensor

from tracelab.capture.analysis.assertion_branches import only_checks
from tracelab.capture.analysis.constants import is_constant
from tracelab.capture.analysis.libraries import is_library
from tracelab.capture.analysis.static_sizes import MADE
from tracelab.capture.analysis.subscripts import taken_from_the_front
from tracelab.capture.analysis.text_uses import is_only_shown
from tracelab.capture.layers import (
    elementwise,
    gradients,
    hooks,
    indexing,
    integer_arguments,
    nested,
    properties,
    subclasses,
)
from tracelab.capture.layers.regions import note_use
from tracelab.capture.messages import ITERATION, WITHOUT_VALUE, conversion_message
from tracelab.capture.recording.arrays.conversions import in_call, index_of_arrays, tensor_of_array
from tracelab.capture.recording.arrays.outer_arrays import assume_outer_array
from tracelab.capture.recording.arrays.traced_array import TracedArray, read_all
from tracelab.capture.recording.recorder import Recorder, active, recording_paused
from tracelab.capture.recording.sym_numbers import traced_number
from tracelab.capture.recording.taken_out import note_taken_out
from tracelab.capture.recording.ways import freezes_nothing, taken_apart, taken_plain, told_where_it_comes_back
from tracelab.capture.values import SYMBOLIC, concrete, holds_number
from tracelab.compat.modes import default_device
from tracelab.compat.tensors import replaced_method, subclasses_are_asked
from tracelab.graph import intrinsics
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.ir import Node, Value
from tracelab.graph.source import is_inner

_properties: Any = Tensor
"""The class without its annotations, which hide descriptors behind the types of their values."""

Handler = Callable[[Recorder, tuple[Any, ...], dict[str, Any]], Any]


class FunctionMode(torch.overrides.TorchFunctionMode):
    """Sees every call of torch's Python API while a recording runs."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            if recorder is not None and recorder.region_inputs is not None:
                note_use(recorder, (args, kwargs))
            if recorder is not None and (holds_number(args) or (kwargs and holds_number(kwargs))):
                # Code that is not looked into may meet traced numbers in objects that it was given.
                args, kwargs = concrete(args), concrete(kwargs)
            return func(*args, **(kwargs or {}))
        if types and TracedArray in types:
            types = tuple(kind for kind in types if kind is not TracedArray)
            if func not in TAKES_ARRAYS:
                args, kwargs = in_call(func, args, kwargs or {})
        asked = subclasses_are_asked() if types else False
        if asked:
            found = subclasses.by_rules(self, func, types, args, kwargs)
            if found is not NotImplemented:
                return found
        if func in properties.MAKERS and (not kwargs or kwargs.get("device") is None):
            properties.assume_default_device(recorder, sys._getframe(1))
        handler = HANDLERS.get(func)
        if handler is None and type(func) is FunctionType:
            original = replaced_method(func)
            if original is not None:
                func, handler = original, HANDLERS.get(original)
        if handler is None:
            if asked:
                found = subclasses.by_rules(self, func, types, args, kwargs, of_torch=True)
                if found is not NotImplemented:
                    return _with_gradient(recorder, found, kwargs or {})
            if not kwargs:
                return func(*args)
            return _with_gradient(recorder, func(*args, **kwargs), kwargs)
        kwargs = kwargs or {}
        result = handler(recorder, args, kwargs)
        return _with_gradient(recorder, func(*args, **kwargs), kwargs) if result is NotImplemented else result


def _with_gradient(recorder: Recorder, result: Any, kwargs: dict[str, Any]) -> Any:
    """`torch.ones(2, requires_grad=True)`: operators know nothing of the keyword, so that it is a step of its own."""
    if kwargs.get("requires_grad") and isinstance(result, Tensor) and recorder.is_dynamic(result):
        return recorder.record_intrinsic(intrinsics.REQUIRES_GRAD, (result,), run=lambda: result)
    return result


def number_to_tensor(recorder: Recorder, number: Any) -> Tensor:
    """A traced number as a tensor without dimensions, still traced."""
    made: Tensor = recorder.record_intrinsic(intrinsics.NUMBER_TO_TENSOR, (number,))
    return made


def size_of(recorder: Recorder, tensor: Tensor, dim: int) -> Any:
    """The size of one dimension as a traced number; one node for each value and dimension."""
    value = recorder.value_of(tensor)
    dim = dim + tensor.dim() if dim < 0 else dim
    known = recorder.sizes.get((value, dim))
    if known is not None:
        return known
    # Asked first: it finds the round of a loop, which is the scope.
    source = recorder.source(sys._getframe(1))
    node = Node(intrinsics.SIZE.kind, intrinsics.SIZE.function, (value, dim), None, (), recorder.scope, source)
    made = Value("size", "int", node)
    node.outputs = (made,)
    recorder.nodes.append(node)
    recorder.paused = True
    try:
        number = tensor.size(dim)
    finally:
        recorder.paused = False
    if recorder.plain_sizes:
        recorder.assume(AssumptionKind.NUMBER, "int", made, number, sys._getframe(1))
        known = number
    else:
        known = traced_number(recorder, number, made)
    recorder.sizes[(value, dim)] = known
    return known


def _traces_sizes(recorder: Recorder, tensor: Any) -> bool:
    return isinstance(tensor, Tensor) and not tensor.is_nested and recorder.is_dynamic(tensor)


def _shape(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _whole_shape(recorder, args[0], sys._getframe(2))


def _whole_shape(recorder: Recorder, tensor: Any, caller: FrameType) -> Any:
    if not _traces_sizes(recorder, tensor):
        nested.assume_sizes(recorder, tensor, None, caller)
        return NotImplemented
    item = taken_from_the_front(caller)
    if item is None:
        properties.assume_dimensions(recorder, tensor, caller)
    elif item < tensor.dim():
        recorder.assume_rank_of(recorder.known(tensor), item + 1, caller)
    return torch.Size(_taken(recorder, [size_of(recorder, tensor, dim) for dim in range(tensor.dim())], caller))


def _taken(recorder: Recorder, sizes: list[Any], frame: FrameType) -> list[Any]:
    """In a cell, sizes that go to code that takes numbers alone are plain there: `frame.head(x.shape[0])`."""
    return taken_apart(recorder, sizes, frame) if recorder.graph.cell and not is_library(frame.f_code) else sizes


def _size(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    tensor = args[0]
    dim = args[1] if len(args) > 1 else kwargs.get("dim")
    if not _traces_sizes(recorder, tensor):
        nested.assume_sizes(recorder, tensor, dim, sys._getframe(2))
        return NotImplemented
    if dim is None:
        return _whole_shape(recorder, tensor, sys._getframe(2))
    dim = concrete(dim)
    if not isinstance(dim, int) or not -tensor.dim() <= dim < tensor.dim():
        return NotImplemented
    if dim < 0:
        properties.assume_dimensions(recorder, tensor, sys._getframe(1))
    else:
        recorder.assume_rank_of(recorder.known(tensor), dim + 1, sys._getframe(1))
    return _taken(recorder, [size_of(recorder, tensor, dim)], sys._getframe(2))[0]


def _numel(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    tensor = args[0]
    if not _traces_sizes(recorder, tensor):
        return NotImplemented
    return _taken(recorder, [recorder.record_intrinsic(intrinsics.NUMEL, (tensor,))], sys._getframe(2))[0]


def _length(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    # Python insists that len() gives a plain int, so that the trace is specialized here in any case.
    tensor = args[0]
    if not _traces_sizes(recorder, tensor) or tensor.dim() == 0:
        return NotImplemented
    return size_of(recorder, tensor, 0)


def convert(
    recorder: Recorder, kind: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """A conversion of a tensor to something that the graph cannot hold, noted at the caller's line."""
    with recording_paused(recorder):
        result = function(*args, **kwargs)
    shown = "" if kind in WITHOUT_VALUE else result
    # What is a constant already is no specialization.
    value = recorder.known(args[0])
    frame = sys._getframe(1)
    if value is not None and is_constant(value, written=recorder.constants):
        return result
    if kind != "bool" and recorder.graph.cell:
        at = recorder.source(frame)
        note_taken_out(recorder, result, args[0], at)
        later = functools.partial(properties.assume_content, recorder, kind, args[0], result, at=at)
        if freezes_nothing(recorder, frame, later):
            return result
    told_later = _reads_scale(frame) or (kind != "bool" and told_where_it_comes_back(recorder, shown, value, frame))
    if not told_later:
        recorder.warn(kind, conversion_message(kind, shown), shown, value, frame)
    properties.assume_content(recorder, kind, args[0], result, frame)
    return result


def _reads_scale(frame: FrameType | None) -> bool:
    """Whether a quantized module of torch reads its scale or zero point: a call is told if that has changed."""
    while frame is not None and is_inner(frame.f_code):
        if str(frame.f_globals.get("__name__", "")).startswith("torch.ao.nn.quantized"):
            return True
        frame = frame.f_back
    return False


def _conversion(kind: str, function: Callable[..., Any]) -> Handler:
    return lambda recorder, args, kwargs: convert(recorder, kind, function, args, kwargs)


def _truth(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`if tensor:`; an assertion is no specialization, but a call for which it fails is told."""
    frame = sys._getframe(2)
    if only_checks(frame):
        with recording_paused(recorder):
            result = Tensor.__bool__(args[0])
        recorder.assume_check("truth", recorder.known(args[0]), result, frame)
        return result
    return convert(recorder, "bool", Tensor.__bool__, args, kwargs)


def _index(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with recording_paused(recorder):
        result = Tensor.__index__(args[0])
    # Noted on the graph alone: the old tracer was silent about an index, and code is written against that.
    value = recorder.known(args[0])
    if freezes_nothing(recorder, sys._getframe(1)):
        return result
    recorder.warn("index", conversion_message("index", result), result, value, sys._getframe(1), silent=True)
    properties.assume_content(recorder, "index", args[0], result, sys._getframe(1))
    return result


def _contains(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    tensor, element = args
    if recorder.is_dynamic(tensor) and isinstance(element, (Tensor, int, float, *SYMBOLIC)):
        # What torch's own method does, step by step.
        return convert(recorder, "bool", Tensor.__bool__, ((tensor == element).any(),), kwargs)
    with recording_paused(recorder):
        result = Tensor.__contains__(*args, **kwargs)
    recorder.warn("bool", conversion_message("bool", result), result, recorder.known(args[0]), sys._getframe(1))
    return result


TAKES_ARRAYS = (torch.tensor, torch.as_tensor, torch.asarray, Tensor.__getitem__, Tensor.__setitem__)
"""What is shown arrays that were arguments; all else gets them as tensors, or as they are."""


def iterate_tensor(recorder: Recorder, tensor: Tensor) -> Any:
    """`iter(tensor)`: one value for each element of the first dimension, as many as there are now."""
    if tensor.dim() == 0:
        raise TypeError("iteration over a 0-d tensor")
    with recording_paused(recorder):
        rounds = tensor.size(0)
    given = recorder.value_of(tensor)
    # Of `torch.ones(4, 4)` in a function, too: the old tracer warned of it.
    made = not recorder.graph.cell and given.node is not None and given.node.name in MADE
    if (made or not recorder.static_sizes.holds_size(given, 0)) and not freezes_nothing(recorder, sys._getframe(1)):
        recorder.warn("iter", ITERATION.format(rounds), rounds, given, sys._getframe(1))
    return iter(torch.ops.aten.unbind.int(tensor, 0))


def _item(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`item()` gives a Python number; a whole number stays traced, as a size does."""
    tensor = args[0]
    if tensor.numel() != 1:
        return NotImplemented
    if tensor.is_complex():
        # Of which there are no traced numbers.
        return convert(recorder, "item", Tensor.item, args, kwargs)
    result = recorder.record_intrinsic(intrinsics.ITEM, (tensor,))
    if not hasattr(result, "node"):
        return result
    result.node.from_tensor = True
    return taken_plain(recorder, result, sys._getframe(2))


def _data(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return recorder.record_intrinsic(intrinsics.DATA, args)


def _set_data(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    recorder.followed.forget()
    return recorder.record_intrinsic(intrinsics.SET_DATA, args)


def _contiguous(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return torch.ops.aten.contiguous.default(*args, **kwargs)


def _to(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if len(args) == 2 and isinstance(args[1], Tensor) and not kwargs:
        return torch.ops.aten.to.other(*args)
    device = args[1] if len(args) == 2 else kwargs.get("device") if len(args) == 1 else None
    if isinstance(device, (str, torch.device)) and "dtype" not in kwargs:
        return _move(args[0], torch.device(device), {name: item for name, item in kwargs.items() if name != "device"})
    if len(args) == 1 and kwargs and kwargs.keys() <= _KEEPING:
        return torch.ops.aten.to.dtype_layout(args[0], **kwargs)
    return NotImplemented


_KEEPING = frozenset(("copy", "memory_format", "non_blocking"))
"""Options of `to` that keep the dtype and the device: torch's binding would write those of today into the call."""


def _cpu(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _move(args[0], torch.device("cpu"), kwargs) if len(args) == 1 else NotImplemented


def _move(tensor: Tensor, device: torch.device, kwargs: dict[str, Any]) -> Any:
    """To another device alone: torch's binding would write the dtype of today into the call."""
    if device.type in ("cpu", "meta") or (device.type == "cuda" and torch.cuda.is_initialized()):
        return torch.ops.aten.to.dtype_layout(tensor, device=device, **kwargs)
    return NotImplemented


def _deep_copy(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    tensor, memo = args
    copies = tensor.is_leaf and type(tensor) is Tensor and tensor.layout is torch.strided
    if not recorder.is_dynamic(tensor) or id(tensor) in memo or not copies:
        return NotImplemented
    made = tensor.detach().clone()
    asks = tensor.requires_grad
    known, frame = recorder.known(tensor), sys._getframe(1)
    recorder.assume(AssumptionKind.REQUIRES_GRAD, "requires_grad", known, asks, frame, subject="{}.requires_grad")
    if asks:
        made.requires_grad_()
    memo[id(tensor)] = made
    return made


def _shown(function: Callable[..., str]) -> Handler:
    """Printing a tensor reads it in many small steps, none of which is part of the run."""

    def handle(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with recording_paused(recorder):
            text = function(*args, **kwargs)
            # Frames of torch's lead from the text to who wanted it.
            frame = recorder.user_frame(sys._getframe(1))
            if recorder.is_dynamic(args[0]) and not is_only_shown(frame) and not freezes_nothing(recorder, frame):
                properties.assume_text(recorder, args[0], frame)
        return text

    return handle


def _get_item(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return indexing.get_item(recorder, args[0], index_of_arrays(args[1]))


def _set_item(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return indexing.set_item(recorder, args[0], index_of_arrays(args[1]), read_all(args[2]))


def _has_traced(item: Any) -> bool:
    if isinstance(item, (Tensor, torch.SymInt, torch.SymFloat, torch.SymBool)):
        return True
    return isinstance(item, (list, tuple)) and any(map(_has_traced, item))


def _has_floats(item: Any) -> bool:
    return type(item) in (float, complex) or (type(item) in (list, tuple) and any(map(_has_floats, item)))


def _from_data(intrinsic: intrinsics.Intrinsic) -> Handler:
    def handle(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        found = tensor_of_array(intrinsic.function, args, kwargs)
        if found is not NotImplemented:
            return found
        data = args[0] if args else kwargs.get("data")
        assume_outer_array(recorder, data, sys._getframe(1))
        if isinstance(data, Tensor):
            return _of_tensor(recorder, intrinsic, data, args, kwargs)
        if recorder.followed.waiting and isinstance(data, _PLAIN_DATA):
            followed, named = recorder.followed.taken(recorder, sys._getframe(0), args, kwargs)
            if named is not None and named is not kwargs:
                if named.get("dtype") is None and _has_floats(data):
                    properties.assume_default_dtype(recorder, sys._getframe(1))
                return _made_of_data(recorder, intrinsic, followed, named, (args, kwargs))
        if not _has_traced(data):
            if kwargs.get("dtype") is None and _has_floats(data):
                properties.assume_default_dtype(recorder, sys._getframe(1))
            return _without_data(recorder, intrinsic, args, kwargs)
        return recorder.record_intrinsic(intrinsic, args, kwargs)

    return handle


def _as_array(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    data = args[0] if args else kwargs.get("obj")
    if isinstance(data, Tensor) and len(args) <= 1 and not kwargs.get("requires_grad"):
        copies = bool(kwargs.get("copy"))
        return torch.ops.aten.to.dtype_layout(data, dtype=kwargs.get("dtype"), device=kwargs.get("device"), copy=copies)
    return tensor_of_array(torch.asarray, args, kwargs)


def _of_tensor(
    recorder: Recorder, intrinsic: intrinsics.Intrinsic, data: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """A tensor made of another one: torch would write the dtype and the device of today into the call."""
    if not recorder.is_dynamic(data) or len(args) > 1 or kwargs.keys() - {"data", "dtype", "device"}:
        return NotImplemented
    options = {"dtype": kwargs.get("dtype"), "device": kwargs.get("device")}
    if intrinsic is intrinsics.AS_TENSOR:
        return torch.ops.aten.to.dtype_layout(data, **options) if any(options.values()) else data
    return torch.ops.aten.to.dtype_layout(data.detach(), **options, copy=True)


def _without_data(
    recorder: Recorder, intrinsic: intrinsics.Intrinsic, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What code wrote out for the meta device: torch shows the dispatcher only tensors that have data."""
    device = kwargs.get("device")
    if device is None:
        device = default_device()
    if torch.device(device).type != "meta":
        return NotImplemented
    asked = kwargs.get("requires_grad", False)
    with recording_paused(recorder):
        made = intrinsic.function(*args, **{**kwargs, "requires_grad": False} if asked else kwargs)
    lifted: Tensor = torch.ops.aten.lift_fresh.default(made)
    return lifted.requires_grad_() if asked else lifted


def _made_of_data(
    recorder: Recorder, intrinsic: intrinsics.Intrinsic, args: Any, kwargs: Any, given: tuple[Any, Any]
) -> Any:
    """A tensor of Python data, whose dtype and device follow; `given` are the arguments that make it now."""
    plain_args, plain_kwargs = concrete(given)
    return recorder.record_intrinsic(
        intrinsic, args, kwargs, run=lambda: intrinsic.function(*plain_args, **plain_kwargs)
    )


def _new_tensor(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`x.new_tensor(data)` has the dtype and the device of `x`, whatever they are."""
    tensor, data = args[0], args[1] if len(args) == 2 else kwargs.get("data")
    if not recorder.is_dynamic(tensor) or not isinstance(data, _PLAIN_DATA) or len(args) > 2:
        return NotImplemented
    now = {"dtype": tensor.dtype, "device": tensor.device}
    frame = sys._getframe(2)
    follow = {name: recorder.followed.value_of(recorder, tensor, name, frame) for name in now}
    given = {name: item for name, item in kwargs.items() if name != "data" and item is not None}
    return _made_of_data(recorder, intrinsics.TENSOR, (data,), {**follow, **given}, ((data,), {**now, **given}))


_PLAIN_DATA = (bool, int, float, complex, list, tuple)

HANDLERS: dict[Any, Handler] = {
    **integer_arguments.handlers(),
    **elementwise.HANDLERS,
    **gradients.HANDLERS,
    **hooks.HANDLERS,
    **properties.HANDLERS,
    **nested.HANDLERS,
    _properties.shape.__get__: _shape,
    Tensor.size: _size,
    Tensor.numel: _numel,
    Tensor.nelement: _numel,
    torch.numel: _numel,
    Tensor.__len__: _length,
    Tensor.__bool__: _truth,
    Tensor.__int__: _conversion("int", Tensor.__int__),
    Tensor.__float__: _conversion("float", Tensor.__float__),
    Tensor.__complex__: _conversion("complex", Tensor.__complex__),
    Tensor.__index__: _index,
    Tensor.tolist: _conversion("list", Tensor.tolist),
    Tensor.numpy: _conversion("numpy", Tensor.numpy),
    Tensor.__array__: _conversion("numpy", _properties.__array__),
    Tensor.__contains__: _contains,
    Tensor.item: _item,
    _properties.data.__get__: _data,
    _properties.data.__set__: _set_data,
    Tensor.contiguous: _contiguous,
    Tensor.to: _to,
    Tensor.cpu: _cpu,
    Tensor.__getitem__: _get_item,
    Tensor.__setitem__: _set_item,
    Tensor.__deepcopy__: _deep_copy,
    Tensor.__repr__: _shown(Tensor.__repr__),
    Tensor.__format__: _shown(Tensor.__format__),
    Tensor.new_tensor: _new_tensor,
    torch.tensor: _from_data(intrinsics.TENSOR),
    torch.as_tensor: _from_data(intrinsics.AS_TENSOR),
    torch.asarray: _as_array,
}
