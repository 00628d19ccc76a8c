"""Arguments as JSON: constants of exact type, nested structure, and values by their number.

None, booleans, whole numbers, finite floats, text and lists are written as JSON's own; everything else as an
object with one key that says what it is: `{"value": 3}`, `{"tuple": [...]}`, `{"dtype": "float32"}`.
"""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from tracelab.errors import TracelabFileError
from tracelab.graph.callables.collectives import DistributedHandle
from tracelab.graph.callables.higher_order import Lifted
from tracelab.graph.described import Described, described
from tracelab.graph.ir import Value
from tracelab.storage import validation
from tracelab.storage.packed import is_packed, pack, packed_class, unpack

_DEEPEST = 100


def _names_of(type_: type) -> dict[str, Any]:
    found = {}
    for name in dir(torch):
        item = getattr(torch, name)
        # `torch.float` is the same object as `torch.float32`: the name that it prints is the one to keep.
        if isinstance(item, type_) and str(item) == f"torch.{name}":
            found[name] = item
    return found


DTYPES: dict[str, torch.dtype] = _names_of(torch.dtype)
LAYOUTS: dict[str, torch.layout] = _names_of(torch.layout)
MEMORY_FORMATS: dict[str, torch.memory_format] = _names_of(torch.memory_format)


class StoredObject:
    """Stands for an argument that files do not hold, such as a function; it shows, and cannot be used."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name

    def __repr__(self) -> str:
        return f"<{self.type_name}, not kept in the file>"


def short_name(item: Any) -> str:
    """`float32` of `torch.float32`."""
    return str(item).removeprefix("torch.")


class Encoder:
    """Writes the arguments of one graph; `numbers` gives each value's number.

    `moved` says where devices that the trace wrote down are now, for a module that was moved after tracing.
    """

    def __init__(
        self,
        numbers: Mapping[Value, int],
        moved: Mapping[torch.device, torch.device],
        add: Callable[[torch.Tensor, str], int] | None = None,
    ) -> None:
        self.numbers = numbers
        self.moved = moved
        self.add = add
        self.function: Callable[[Lifted], int] | None = None
        """Files a function of a region, and gives its row; None where there is no region."""
        self.lost = ""
        """The type of an argument that files do not hold, once one was met; its user clears it."""
        self.where = ""
        """What calls with the arguments, as messages name it; and the module that does."""
        self.path = ""

    def encode(self, item: Any, depth: int = 0) -> Any:
        """The argument as plain JSON; `TracelabFileError` where it is too deep or uses an unknown value."""
        type_ = type(item)
        if item is None or type_ is bool or type_ is int or type_ is str:
            return item
        if type_ is Value:
            return {"value": self._number(item)}
        if depth > _DEEPEST:
            raise TracelabFileError(f"cannot save: an argument is nested more than {_DEEPEST} levels deep")
        if type_ is list:
            return [self.encode(child, depth + 1) for child in item]
        if isinstance(item, float):
            return float_json(float(item))
        return self._tagged(item, depth)

    def described(self, item: Any) -> Any:
        """What calls are compared with: the value where files hold it just so, or what tells it from others."""
        found = item if isinstance(item, Described) else described(item)
        return self.encode(item) if found is None else {"described": [found.cls, found.content, found.shown]}

    def _number(self, value: Value) -> int:
        number = self.numbers.get(value)
        if number is None:
            raise TracelabFileError(f"cannot save: a node uses %{value.name}, which no node makes")
        return number

    def _tagged(self, item: Any, depth: int) -> Any:
        if isinstance(item, torch.Tensor):
            raise TracelabFileError(
                f"cannot save: an argument is a tensor of shape {list(item.shape)}, put there by hand: give the node "
                "graph.constant(tensor) instead"
            )
        if isinstance(item, torch.Size):
            return {"size": [self.encode(child, depth + 1) for child in item]}
        if isinstance(item, tuple):
            children = [self.encode(child, depth + 1) for child in item]
            if hasattr(item, "_fields"):
                return {"namedtuple": [type(item).__name__, list(item._fields), children]}
            return {"tuple": children}
        if isinstance(item, dict):
            pairs = [[self.encode(key, depth + 1), self.encode(child, depth + 1)] for key, child in item.items()]
            return {"dict": pairs}
        if isinstance(item, slice):
            return {"slice": [self.encode(part, depth + 1) for part in (item.start, item.stop, item.step)]}
        if isinstance(item, complex):
            return {"complex": [float_json(item.real), float_json(item.imag)]}
        if isinstance(item, torch.dtype):
            return {"dtype": short_name(item)}
        if isinstance(item, torch.device):
            return {"device": str(self.moved.get(item, item))}
        if isinstance(item, torch.layout):
            return {"layout": short_name(item)}
        if isinstance(item, torch.memory_format):
            return {"memory_format": short_name(item)}
        if isinstance(item, torch.Generator):
            # Its state is not kept: the loaded graph draws from the default generator of the device.
            return {"generator": str(item.device)}
        if item is Ellipsis:
            return {"ellipsis": True}
        if isinstance(item, (bool, int, str)):
            # A subclass, such as an enum's member, counts as the plain value for an operator; it is one once read.
            return int(item) if isinstance(item, int) else str.__str__(item)
        if is_packed(item):
            return {"packed": self._packed(item)}
        if isinstance(item, Lifted) and self.function is not None:
            return {"function": self.function(item)}
        if isinstance(item, StoredObject):
            self.lost = item.type_name
        else:
            self.lost = repr(item) if isinstance(item, DistributedHandle) else type(item).__qualname__
        return {"object": self.lost}

    def _packed(self, item: Any) -> list[Any]:
        apart = unpack(item)
        if apart is None or self.add is None:
            place = f" `{self.path}`" if self.path else ""
            raise TracelabFileError(
                f"cannot save{place}: {self.where or 'a call'} takes an object of torch's class "
                f"{packed_class(item)}, which files do not hold"
            )
        name, args = apart
        return [name, [self._packed_part(name, part, place) for place, part in enumerate(args)]]

    def _packed_part(self, name: str, part: Any, place: int) -> Any:
        assert self.add is not None
        if isinstance(part, torch.Tensor):
            word = "weight" if place == 0 else "bias" if place == 1 else str(place)
            return {"tensor": self.add(part, f"{self.path}.{word}".lstrip("."))}
        return self.encode(part)


class Decoder:
    """Reads arguments back; `values` are those made so far: nothing is used before it is made."""

    def __init__(
        self,
        values: list[Value],
        place: Callable[[torch.device], torch.device],
        tensors: Sequence[torch.Tensor] = (),
    ) -> None:
        self.values = values
        self.tensors = tensors
        self.place = place
        self.functions: Sequence[Lifted] = ()
        """Those that the arguments may name; none outside of a region."""
        self.lost = ""
        """The type of an argument that the file does not hold, once one was met; its reader clears it."""

    def decode(self, item: Any, where: str, depth: int = 0) -> Any:
        """The argument that `Encoder.encode` wrote; `TracelabFileError` for anything else."""
        if item is None or isinstance(item, (bool, int, float, str)):
            return item
        if depth > _DEEPEST:
            validation.bad(where, f"is nested more than {_DEEPEST} levels deep")
        if isinstance(item, list):
            return [self.decode(child, where, depth + 1) for child in item]
        pairs = list(validation.table(item, where).items())
        if len(pairs) != 1:
            validation.bad(where, f"should say in one word what it is, but has {len(pairs)}")
        tag, content = pairs[0]
        reader = _READERS.get(tag)
        if reader is None:
            validation.bad(where, f"is of the unknown kind {tag[:40]!r}")
        return reader(self, content, where, depth + 1)

    def several(self, content: Any, where: str, depth: int, size: int | None = None) -> list[Any]:
        return [self.decode(child, where, depth) for child in validation.rows(content, where, size)]


def float_json(number: float) -> float | dict[str, str]:
    """JSON has no infinities: those are written as text."""
    return number if math.isfinite(number) else {"float": repr(number)}


def float_of(item: Any, where: str) -> float:
    if type(item) is float:
        return item
    text = validation.table(item, where).get("float")
    if text not in ("inf", "-inf", "nan"):
        validation.bad(where, "is not a floating-point number")
    return float(text)


def device_of(item: Any, where: str) -> torch.device:
    """A device by its name, whether this machine has it or not."""
    name = validation.text(item, where)
    try:
        return torch.device(name)
    except RuntimeError:
        validation.bad(where, f"is no device: {name[:40]!r}")


def dtype_of(item: Any, where: str) -> torch.dtype:
    dtype: torch.dtype = _named(DTYPES, item, where)
    return dtype


def _named(names: Mapping[str, Any], item: Any, where: str) -> Any:
    name = validation.text(item, where)
    if name not in names:
        validation.bad(where, f"names {name[:40]!r}, which this torch ({torch.__version__}) does not know")
    return names[name]


def _dict(decoder: Decoder, content: Any, where: str, depth: int) -> dict[Any, Any]:
    made = {}
    for pair in validation.rows(content, where):
        key, child = decoder.several(pair, where, depth, 2)
        try:
            made[key] = child
        except TypeError:
            validation.bad(where, "has an unhashable key")
    return made


def _namedtuple(decoder: Decoder, content: Any, where: str, depth: int) -> Any:
    name, names, children = validation.rows(content, where, 3)
    wanted = validation.fields(names, where)
    # namedtuple() builds code from these names: they went through `identifier`.
    made = namedtuple(validation.identifier(name, where), wanted)  # type: ignore[misc]
    return made(*decoder.several(children, where, depth, len(wanted)))


def _size(decoder: Decoder, content: Any, where: str, depth: int) -> Any:
    items = decoder.several(content, where, depth)
    if all(type(item) is int and abs(item) <= validation.LARGEST for item in items):
        return torch.Size(items)
    # A size with traced numbers in it is a list of the graph's values.
    return items


def _plain(decoder: Decoder, content: Any, where: str, depth: int) -> Any:
    if not isinstance(content, (int, str)):
        validation.bad(where, "is not a plain number or text")
    return content


def _complex(decoder: Decoder, content: Any, where: str, depth: int) -> complex:
    real, imaginary = validation.rows(content, where, 2)
    return complex(float_of(real, where), float_of(imaginary, where))


def _object(decoder: Decoder, content: Any, where: str, depth: int) -> StoredObject:
    decoder.lost = validation.text(content, where)
    return StoredObject(decoder.lost)


def _described(decoder: Decoder, content: Any, where: str, depth: int) -> Described:
    return Described(*(validation.text(part, where) for part in validation.rows(content, where, 3)))


def _packed(decoder: Decoder, content: Any, where: str, depth: int) -> Any:
    name, parts = validation.rows(content, where, 2)
    args = [_packed_argument(decoder, part, where, depth) for part in validation.rows(parts, where)]
    return pack(validation.text(name, where), args)


def _packed_argument(decoder: Decoder, item: Any, where: str, depth: int) -> Any:
    if isinstance(item, dict) and list(item) == ["tensor"]:
        return decoder.tensors[validation.index(item["tensor"], where, len(decoder.tensors))]
    return decoder.decode(item, where, depth)


def default_generator(device: torch.device) -> torch.Generator:
    """What draws on a device where no generator is given; the processor's where the device is not there."""
    if device.type == "cuda" and torch.cuda.is_available():
        torch.cuda.init()
        return torch.cuda.default_generators[device.index or 0]
    return torch.default_generator


def _generator(decoder: Decoder, content: Any, where: str, depth: int) -> None:
    device_of(content, where)


_READERS: dict[str, Callable[[Decoder, Any, str, int], Any]] = {
    "value": lambda decoder, content, where, depth: decoder.values[
        validation.index(content, where, len(decoder.values))
    ],
    "tuple": lambda decoder, content, where, depth: tuple(decoder.several(content, where, depth)),
    "namedtuple": _namedtuple,
    "size": _size,
    "dict": _dict,
    "slice": lambda decoder, content, where, depth: slice(*decoder.several(content, where, depth, 3)),
    "float": lambda decoder, content, where, depth: float_of({"float": content}, where),
    "complex": _complex,
    "dtype": lambda decoder, content, where, depth: dtype_of(content, where),
    "device": lambda decoder, content, where, depth: decoder.place(device_of(content, where)),
    "layout": lambda decoder, content, where, depth: _named(LAYOUTS, content, where),
    "memory_format": lambda decoder, content, where, depth: _named(MEMORY_FORMATS, content, where),
    "generator": _generator,
    "ellipsis": lambda decoder, content, where, depth: Ellipsis,
    "plain": _plain,
    "object": _object,
    "described": _described,
    "packed": _packed,
    "function": lambda decoder, content, where, depth: decoder.functions[
        validation.index(content, where, len(decoder.functions))
    ],
}
