"""The archive's table of tensors: which there are, what is special about each, and where its bytes lie.

Every tensor object has one row, so that what was tied is tied again. Tensors that share memory become views
of one stored tensor. Rows say what safetensors cannot: parameter or not, strides, device, complex, meta.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch

from tracelab.compat.tensors import is_fake
from tracelab.errors import TracelabFileError
from tracelab.storage import validation
from tracelab.storage.composites import put_together, take_apart
from tracelab.storage.graph_json.constants import device_of, dtype_of, short_name
from tracelab.storage.weights import STORED_DTYPES

_REAL_OF = {
    torch.complex32: torch.float16,
    torch.complex64: torch.float32,
    torch.complex128: torch.float64,
}


class TensorTable:
    """Collects the tensors of an archive; `finish` gives the rows, and the tensors to store by name."""

    def __init__(self) -> None:
        self._tensors: list[torch.Tensor] = []
        self._names: list[str] = []
        self._rows: dict[int, int] = {}
        self._made: dict[int, dict[str, Any]] = {}
        """Rows of tensors that are put together of others, with what they say of that."""

    def add(self, tensor: torch.Tensor, name: str) -> int:
        """The tensor's row; the same object has the same row.

        Raises `TracelabFileError`, with the name, for a tensor that files do not hold.
        """
        row = self._rows.get(id(tensor))
        if row is None:
            _check(tensor, name)
            apart = take_apart(tensor)
            if apart is not None:
                words, parts = apart
                # They stand before the whole.
                numbers = {word: self.add(part, f"{name}.{word}" if name else word) for word, part in parts.items()}
                self._made[len(self._tensors)] = {**words, "parts": numbers}
            row = self._rows[id(tensor)] = len(self._tensors)
            self._tensors.append(tensor)
            self._names.append(name)
        return row

    @property
    def held(self) -> list[torch.Tensor]:
        """The tensors by row."""
        return self._tensors

    def finish(self) -> tuple[list[dict[str, Any]], list[tuple[str, torch.Tensor]]]:
        rows = [_describe(tensor, self._made.get(row)) for row, tensor in enumerate(self._tensors)]
        stored: list[tuple[str, torch.Tensor]] = []
        taken: set[str] = set()
        with torch.no_grad():
            for members in self._clusters():
                name = _unused(self._names[members[0]], taken)
                stored.append((name, self._store(members, rows)))
                for member in members:
                    rows[member]["data"] = name
        return rows, stored

    def _clusters(self) -> list[list[int]]:
        """Rows that are stored together: those whose memory overlaps."""
        by_storage: dict[Any, list[int]] = defaultdict(list)
        for row, tensor in enumerate(self._tensors):
            if row in self._made or _is_shape_only(tensor):
                continue
            alone = tensor.numel() == 0 or tensor.is_conj() or tensor.is_neg()
            # Seen with another element type, shared memory is stored twice: such a view is not made again.
            key = (row,) if alone else (tensor.untyped_storage().data_ptr(), tensor.dtype, tensor.device)
            by_storage[key].append(row)
        clusters: list[list[int]] = []
        for rows in by_storage.values():
            end = -1
            for start, row in sorted((int(self._tensors[row].storage_offset()), row) for row in rows):
                if start >= end:
                    clusters.append([])
                clusters[-1].append(row)
                end = max(end, start + _extent(self._tensors[row]))
        return sorted(sorted(cluster) for cluster in clusters)

    def _store(self, members: list[int], rows: list[dict[str, Any]]) -> torch.Tensor:
        """The contiguous tensor that holds the members' elements; their rows say where each lies in it."""
        first = self._tensors[members[0]].detach()
        lazy = first.is_conj() or first.is_neg()
        if len(members) == 1 and (first.is_contiguous() or lazy or _extent(first) > first.numel()):
            return _real(first.resolve_conj().resolve_neg().contiguous())
        start = min(self._tensors[member].storage_offset() for member in members)
        end = max(self._tensors[member].storage_offset() + _extent(self._tensors[member]) for member in members)
        for member in members:
            tensor = self._tensors[member]
            rows[member]["stride"] = list(tensor.stride())
            rows[member]["offset"] = tensor.storage_offset() - start
        return _real(first.as_strided((end - start,), (1,), start))


class TensorsAside(TensorTable):
    """Collects the tensors of an archive into a list that is kept elsewhere: of any kind, since none is written."""

    def __init__(self, kept: list[torch.Tensor]) -> None:
        super().__init__()
        self._kept = kept

    def add(self, tensor: torch.Tensor, name: str) -> int:
        """The tensor's place in the list; the same object has the same place."""
        row = self._rows.setdefault(id(tensor), len(self._kept))
        if row == len(self._kept):
            self._kept.append(tensor)
        return row

    def finish(self) -> tuple[list[dict[str, Any]], list[tuple[str, torch.Tensor]]]:
        """Nothing is in the file."""
        return [], []


def _check(tensor: torch.Tensor, name: str) -> None:
    def refuse(what: str) -> None:
        raise TracelabFileError(f"cannot save {name or 'a tensor'}: {what}")

    if isinstance(tensor, (torch.nn.UninitializedParameter, torch.nn.UninitializedBuffer)):
        refuse("it is a lazy parameter without a shape yet: run the module once, and trace it again")
    plain = type(tensor) in (torch.Tensor, torch.nn.Parameter) or is_fake(tensor)
    if not plain and not isinstance(tensor, torch.nn.Buffer):
        refuse(f"files hold plain tensors, and it is a {type(tensor).__name__}")
    if tensor.is_nested or tensor.layout is not torch.strided or tensor.is_quantized:
        if take_apart(tensor) is None:
            kind = "nested" if tensor.is_nested else short_name(tensor.dtype if tensor.is_quantized else tensor.layout)
            refuse(f"files have no form for a tensor of this kind ({kind}): make it dense, and trace again")
        return
    if not _is_shape_only(tensor) and _REAL_OF.get(tensor.dtype, tensor.dtype) not in STORED_DTYPES:
        refuse(f"files have no room for the type {tensor.dtype}")


def _is_shape_only(tensor: torch.Tensor) -> bool:
    return tensor.is_meta or is_fake(tensor)


def _describe(tensor: torch.Tensor, made: dict[str, Any] | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "dtype": short_name(tensor.dtype),
        "shape": [] if tensor.is_nested else list(tensor.shape),
        "device": "meta" if _is_shape_only(tensor) else str(tensor.device),
        "parameter": isinstance(tensor, torch.nn.Parameter),
        "requires_grad": tensor.requires_grad,
    }
    if made is not None:
        return {**row, **made}
    if _is_shape_only(tensor):
        row["stride"] = list(tensor.stride())
    return row


def _extent(tensor: torch.Tensor) -> int:
    """How many elements of its memory a tensor spans."""
    if tensor.numel() == 0:
        return 0
    return 1 + sum((size - 1) * step for size, step in zip(tensor.shape, tensor.stride(), strict=True))


def _real(tensor: torch.Tensor) -> torch.Tensor:
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def _unused(name: str, taken: set[str]) -> str:
    # `__metadata__` is not a tensor's name in safetensors.
    base = name if name not in ("", "__metadata__") else "tensor"
    made, number = base, 1
    while made in taken:
        number += 1
        made = f"{base}#{number}"
    taken.add(made)
    return made


def read_tensors(item: Any, stored: dict[str, torch.Tensor], map_location: torch.device | None) -> list[torch.Tensor]:
    """The tensors again, on the devices they were saved from, or all on `map_location`.

    Raises `TracelabFileError` for rows that do not fit the stored tensors, and for a device that is not here.
    """
    moved: dict[tuple[str, torch.device], torch.Tensor] = {}
    used: set[str] = set()
    made: list[torch.Tensor] = []
    for entry in validation.rows(item, "tensors"):
        row = validation.table(entry, "a tensor")
        made.append(_read(row, made, stored, map_location, moved, used))
    if used != set(stored):
        extra = min(set(stored) - used)
        validation.bad("weights.safetensors", f"holds {extra[:60]!r}, which the graph does not use")
    return made


def _read(
    row: dict[str, Any],
    before: list[torch.Tensor],
    stored: dict[str, torch.Tensor],
    map_location: torch.device | None,
    moved: dict[tuple[str, torch.device], torch.Tensor],
    used: set[str],
) -> torch.Tensor:
    where = "a tensor"
    dtype = dtype_of(validation.field(row, "dtype", where), where)
    shape = [validation.integer(size, where) for size in validation.rows(validation.field(row, "shape", where), where)]
    stride = None
    if "stride" in row:
        stride = [validation.integer(step, where) for step in validation.rows(row["stride"], where, len(shape))]
    device = device_of(validation.field(row, "device", where), where)
    parameter = validation.boolean(validation.field(row, "parameter", where), where)
    requires_grad = validation.boolean(validation.field(row, "requires_grad", where), where)
    if requires_grad and not (dtype.is_floating_point or dtype.is_complex):
        validation.bad(where, f"of type {short_name(dtype)} cannot require gradients")
    if "made" in row:
        numbers = validation.table(validation.field(row, "parts", where), where)
        parts = {word: before[validation.index(number, where, len(before))] for word, number in numbers.items()}
        tensor = put_together(row, parts, shape)
    elif device.type == "meta":
        tensor = _meta(shape, stride, dtype)
    else:
        name = validation.text(validation.field(row, "data", where), where)
        if name not in stored:
            validation.bad("weights.safetensors", f"lacks {name[:60]!r}: the weights do not match the graph")
        used.add(name)
        target = map_location or device
        key = (name, target)
        if key not in moved:
            moved[key] = _to_device(stored[name], target)
        tensor = _view(moved[key], name, dtype, shape, stride, row)
    if parameter:
        return torch.nn.Parameter(tensor, requires_grad=requires_grad)
    # Two rows of the same bytes are two tensors.
    return tensor.detach().requires_grad_(requires_grad)


def _meta(shape: list[int], stride: list[int] | None, dtype: torch.dtype) -> torch.Tensor:
    try:
        if stride is None:
            return torch.empty(shape, dtype=dtype, device="meta")
        return torch.empty_strided(shape, stride, dtype=dtype, device="meta")
    except (RuntimeError, ValueError, TypeError) as error:
        validation.bad("a tensor", f"cannot be made: {str(error).splitlines()[0]}")


def _view(
    whole: torch.Tensor,
    name: str,
    dtype: torch.dtype,
    shape: list[int],
    stride: list[int] | None,
    row: dict[str, Any],
) -> torch.Tensor:
    where = f"the weight {name[:60]!r}"
    wanted = _REAL_OF.get(dtype, dtype)
    if whole.dtype is not wanted:
        validation.bad(where, f"is {whole.dtype}, but should be {wanted}: the weights do not match the graph")
    if wanted is not dtype:
        if whole.dim() == 0 or whole.shape[-1] != 2:
            validation.bad(where, "is not a list of complex numbers")
        whole = torch.view_as_complex(whole)
    if stride is None:
        if list(whole.shape) != shape:
            validation.bad(where, f"is {list(whole.shape)}, not {shape}: the weights do not match the graph")
        return whole
    offset = validation.integer(row.get("offset", 0), where)
    last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
    if 0 in shape or last >= whole.numel():
        validation.bad(where, "reaches past the end of its data")
    return whole.as_strided(shape, stride, offset)


def _to_device(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    try:
        return tensor.to(device)
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TracelabFileError(
            f"the file's tensors were saved on {device}, which is not usable here ({reason}): "
            "load it with map_location='cpu'"
        ) from error
