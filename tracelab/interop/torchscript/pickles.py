"""TorchScript's pickles, taken apart without running anything: a check before torch's own reader gets them.

That reader is C++ and trusts what it reads: a wrong index or a wrong kind of value may end the process. Here the few
instructions that torch writes are followed, over plain values; anything else is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tracelab.compat import script

_MOST = 2_000_000
"""Instructions of one pickle."""
_DEEPEST = 500
"""Structures in structures: torch lets go of them by recursion."""


class BadPickle(Exception):
    """Not a pickle as torch writes it; the message says what is wrong."""


class NotRead(BadPickle):
    """As torch writes it, but of a kind that is not read; the message says what it holds, and what to do."""


@dataclass(frozen=True, slots=True)
class Named:
    """A class or function that a pickle names; it is never looked up."""

    name: str


@dataclass(slots=True, eq=False)
class Made:
    """What a pickle makes by a function or class that it names."""

    name: str
    args: tuple[Any, ...]
    state: Any = None


@dataclass(frozen=True, slots=True)
class Storage:
    """The elements of a tensor, in an entry of the archive."""

    kind: str
    key: str
    count: int
    is_meta: bool = False


_MARK = object()
ENUM_HELD = "it holds a member of the enum"
USE_THE_SCRIPT = (
    "whose Python class is not in the file: give the module that torch.jit.script returned to tracelab.from_torchscript"
)


def read_pickle(
    content: bytes, sizes: Mapping[str, int] = MappingProxyType({}), classes: set[str] | None = None
) -> Any:
    """The value that a pickle holds: numbers, text, tuples, lists, dicts and what it makes by name.

    Args:
        content: The pickle.
        sizes: The bytes of each entry that holds the elements of a tensor, by its key.
        classes: Where to put the names of the classes of its objects.

    Returns:
        The value.

    Raises:
        BadPickle: It is not as torch writes it.
    """
    machine = _Machine(content)
    try:
        found = machine.run()
    except (IndexError, KeyError, ValueError, TypeError, UnicodeDecodeError, struct.error) as error:
        raise BadPickle(f"it is damaged at byte {machine.at}") from error
    _check_depth(machine.kept)
    if classes is not None:
        classes |= machine.classes
    for storage in machine.storages:
        if storage.kind not in _BYTES:
            raise NotRead(f"a tensor's elements are of the kind {storage.kind[:40]}, which tracelab does not read")
        # A tensor on the meta device has no elements.
        if not storage.is_meta and sizes.get(storage.key, -1) < storage.count * _BYTES[storage.kind]:
            raise BadPickle(f"the elements of a tensor are missing: {storage.key[:40]!r}")
    return found


_BYTES = {
    f"torch.{name}Storage": size
    for size, names in {
        1: "Byte Char Bool QInt8 QUInt8 QUInt4x2 QUInt2x4 Float8_e4m3fn Float8_e4m3fnuz Float8_e5m2 Float8_e5m2fnuz "
        "Float8_e8m0fnu",
        2: "Short Half BFloat16 UInt16",
        4: "Int Float QInt32 UInt32 ComplexHalf",
        8: "Long Double ComplexFloat UInt64",
        16: "ComplexDouble",
    }.items()
    for name in names.split()
}
"""Bytes of an element, by the kind of storage."""


@dataclass(slots=True)
class _Machine:
    content: bytes
    at: int = 0
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    storages: list[Storage] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    kept: list[Any] = field(default_factory=list)
    """Every structure that was ever made."""

    def run(self) -> Any:
        for _ in range(_MOST):
            code = self.content[self.at]
            self.at += 1
            if code == 0x2E:
                if len(self.stack) != 1 or self.at != len(self.content):
                    raise BadPickle("it does not end where it should")
                return self.stack[0]
            step = _STEPS.get(code)
            if step is None:
                raise BadPickle(f"it holds the instruction {code:#04x}, which torch does not write")
            step(self)
        raise BadPickle("it is too long")

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.content):
            raise BadPickle("it ends too early")
        found = self.content[self.at : self.at + count]
        self.at += count
        return found

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        end = self.content.index(b"\n", self.at)
        return self.take(end + 1 - self.at)[:-1].decode()

    def since_mark(self) -> list[Any]:
        at = len(self.stack) - 1
        while self.stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise BadPickle("a mark is missing")
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    def pop(self, kind: type | tuple[type, ...] = object) -> Any:
        item = self.stack.pop()
        if item is _MARK or not isinstance(item, kind):
            raise BadPickle(f"a value is of another kind than it should be, at byte {self.at}")
        return item

    def top(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise BadPickle(f"a value is of another kind than it should be, at byte {self.at}")
        return self.stack[-1]


def _push(read: Callable[[_Machine], Any]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(read(machine))


def _push_new(make: Callable[[_Machine], Any]) -> Callable[[_Machine], None]:
    """The same for a structure."""

    def made(machine: _Machine) -> None:
        machine.stack.append(make(machine))
        machine.kept.append(machine.stack[-1])

    return made


def _check_depth(kept: list[Any]) -> None:
    """Raise where one of the structures holds others too deeply, or itself."""
    depths: dict[int, int] = {}
    for root in kept:
        left = [root]
        while left:
            item = left[-1]
            parts = _parts(item)
            known = depths.get(id(item))
            if known is None:
                depths[id(item)] = _OPEN
                new = [part for part in parts if id(part) not in depths]
                if any(depths.get(id(part)) == _OPEN for part in parts):
                    raise BadPickle("a structure in it holds itself")
                left += new
                continue
            left.pop()
            if known == _OPEN:
                depths[id(item)] = 1 + max((depths[id(part)] for part in parts), default=0)
                if depths[id(item)] > _DEEPEST:
                    raise BadPickle(f"it nests structures more than {_DEEPEST} deep")


_OPEN = -1


def _parts(item: Any) -> list[Any]:
    """The structures that a structure holds."""
    if isinstance(item, dict):
        inside: Any = [*item.values()]
    elif isinstance(item, Made):
        inside = (*item.args, item.state)
    else:
        inside = item
    return [part for part in inside if isinstance(part, (tuple, list, dict, Made))]


def _protocol(machine: _Machine) -> None:
    if machine.take(1) != b"\x02" or machine.at != 2:
        raise BadPickle("it is of another protocol")


def _put(machine: _Machine, key: int) -> None:
    if machine.stack[-1] is _MARK or key > len(machine.memo):
        raise BadPickle("it remembers out of turn")
    machine.memo[key] = machine.stack[-1]


def _tuple(count: int) -> Callable[[_Machine], None]:
    def made(machine: _Machine) -> None:
        machine.stack.append(tuple([machine.pop() for _ in range(count)][::-1]))
        machine.kept.append(machine.stack[-1])

    return made


def _append(machine: _Machine) -> None:
    item = machine.pop()
    machine.top(list).append(item)


def _appends(machine: _Machine) -> None:
    items = machine.since_mark()
    machine.top(list).extend(items)


def _set_items(machine: _Machine, items: list[Any]) -> None:
    table = machine.top(dict)
    if len(items) % 2:
        raise BadPickle("a key has no value")
    for key, item in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, (str, int, float, bool, complex)):
            # Tensors may be keys; none is compared here.
            key = (id(key), "key")
        table[key] = item


def _long(machine: _Machine) -> int:
    return int.from_bytes(machine.take(machine.number("<B")), "little", signed=True)


def _new(machine: _Machine) -> None:
    if machine.pop(tuple):
        raise BadPickle("a class is given arguments")
    name = machine.pop(Named).name
    machine.classes.add(name)
    machine.stack.append(Made(name, ()))
    machine.kept.append(machine.stack[-1])


def _reduce(machine: _Machine) -> None:
    args = machine.pop((tuple, int, float, str))
    name = machine.pop(Named).name
    if not isinstance(args, tuple):
        # So torch writes members of enums; it gives them back as those of Python's class, which a file does not have.
        raise NotRead(f"{ENUM_HELD} `{name.rpartition('.')[2][:60]}`, {USE_THE_SCRIPT}")
    if name == script.PICKLED_SPARSE:
        raise NotRead(
            "it holds a sparse tensor, whose indices torch does not check as it reads them: "
            "tracelab.read(file, trust=True) reads it if you trust who made it"
        )
    machine.stack.append({} if name == "collections.OrderedDict" and not args else _called(name, args))
    machine.kept.append(machine.stack[-1])


def _called(name: str, args: tuple[Any, ...]) -> Any:
    wanted = _CALLS.get(name)
    if wanted is None:
        raise BadPickle(f"it calls {name[:60]}, which this reader does not know")
    if not wanted(args):
        raise BadPickle(f"it gives {name[:60]} other arguments than torch does")
    # A list stays the list that it is, whatever torch says of its type.
    return args[0] if name in _OF_LISTS else Made(name, args)


def _build(machine: _Machine) -> None:
    state = machine.pop()
    machine.top(Made).state = state


def _stored(machine: _Machine) -> None:
    match machine.pop(tuple):
        case ("storage", Named(name=kind), str(key), str(device), int(count)) if count >= 0:
            machine.stack.append(Storage(kind, key, count, device == "meta"))
            machine.storages.append(machine.stack[-1])
        case _:
            raise BadPickle("it names a storage in another way than torch does")


_STEPS: dict[int, Callable[[_Machine], None]] = {
    0x80: _protocol,
    0x28: _push(lambda machine: _MARK),
    0x29: _push(lambda machine: ()),
    0x5D: _push_new(lambda machine: []),
    0x7D: _push_new(lambda machine: {}),
    0x4E: _push(lambda machine: None),
    0x88: _push(lambda machine: True),
    0x89: _push(lambda machine: False),
    0x4B: _push(lambda machine: machine.number("<B")),
    0x4D: _push(lambda machine: machine.number("<H")),
    0x4A: _push(lambda machine: machine.number("<i")),
    0x8A: _push(_long),
    0x47: _push(lambda machine: machine.number(">d")),
    0x58: _push(lambda machine: machine.take(machine.number("<I")).decode()),
    0x63: _push(lambda machine: Named(f"{machine.line()}.{machine.line()}")),
    0x71: lambda machine: _put(machine, machine.number("<B")),
    0x72: lambda machine: _put(machine, machine.number("<I")),
    0x68: _push(lambda machine: machine.memo[machine.number("<B")]),
    0x6A: _push(lambda machine: machine.memo[machine.number("<I")]),
    0x74: _push_new(lambda machine: tuple(machine.since_mark())),
    0x85: _tuple(1),
    0x86: _tuple(2),
    0x87: _tuple(3),
    0x61: _append,
    0x65: _appends,
    0x73: lambda machine: _set_items(machine, [machine.pop(), machine.pop()][::-1]),
    0x75: lambda machine: _set_items(machine, machine.since_mark()),
    0x81: _new,
    0x52: _reduce,
    0x62: _build,
    0x51: _stored,
}
"""The instructions that torch writes, by their codes in Python's `pickletools`."""


# What may be called, and with what ---------------------------------------------------------------------------


def _is_plain_int(item: Any) -> bool:
    return type(item) is int


def _listed(*kinds: type) -> Callable[[tuple[Any, ...]], bool]:
    return lambda args: len(args) == 1 and type(args[0]) is list and all(type(item) in kinds for item in args[0])


def _is_tensor(args: tuple[Any, ...]) -> bool:
    """The storage, offset, sizes and strides of a tensor, which lies within its storage."""
    match args:
        case (Storage(count=count), int(offset), tuple(sizes), tuple(strides), *_) if len(sizes) == len(strides):
            numbers = (offset, *sizes, *strides)
            if not all(type(number) is int and 0 <= number < 2**62 for number in numbers):
                return False
            last = sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
            return 0 in sizes or offset + last < count
    return False


def _is_plain_tensor(args: tuple[Any, ...]) -> bool:
    return _is_tensor(args) and len(args) in (6, 7) and type(args[4]) is bool and isinstance(args[5], dict)


def _is_quantized(args: tuple[Any, ...]) -> bool:
    if not _is_tensor(args) or len(args) not in (6, 7) or type(args[5]) is not bool or args[0].is_meta:
        return False
    match args[4]:
        case (Named(), float(), int()):
            return True
        case (Named(), Made(name=scales), Made(name=points), int()):
            # Scales without elements would be read all the same.
            held = not any(made.args[0].is_meta for made in args[4][1:3])
            return scales == points == script.PICKLED_TENSOR and held
    return False


_OF_LISTS = frozenset(
    (
        script.PICKLED_TYPE_TAG,
        script.PICKLED_INT_LIST,
        script.PICKLED_FLOAT_LIST,
        script.PICKLED_BOOL_LIST,
        script.PICKLED_TENSOR_LIST,
    )
)
_CALLS: dict[str, Callable[[tuple[Any, ...]], bool]] = {
    script.PICKLED_TYPE_TAG: lambda args: (
        len(args) == 2
        and isinstance(args[0], (list, dict))
        and type(args[1]) is str
        and len(args[1]) < 10_000
        and args[1].count("[") < 200
    ),
    script.PICKLED_INT_LIST: _listed(int),
    script.PICKLED_FLOAT_LIST: _listed(float),
    script.PICKLED_BOOL_LIST: _listed(bool),
    script.PICKLED_TENSOR_LIST: _listed(Made),
    script.PICKLED_TENSOR: _is_plain_tensor,
    script.PICKLED_QUANTIZED: _is_quantized,
    "torch.device": lambda args: 1 <= len(args) <= 2 and type(args[0]) is str and all(map(_is_plain_int, args[1:])),
    "builtins.complex": lambda args: len(args) == 2 and all(type(item) is float for item in args),
}


# Where lines of code came from -------------------------------------------------------------------------------


def is_sound_debug(content: bytes) -> bool:
    """Whether a `.debug_pkl` holds ranges of lines that are all in its own table of text."""
    try:
        found = read_pickle(content)
    except BadPickle:
        return False
    match found:
        case ("FORMAT_WITH_STRING_TABLE", tuple(texts), tuple(ranges)):
            return all(type(text) is str for text in texts) and all(_is_range(item, texts) for item in ranges)
    return False


def _is_range(item: Any, texts: tuple[str, ...]) -> bool:
    match item:
        case (int(offset), ((list(parts), int(file), int(first)), int(start), int(end)), int()):
            inside = all(type(part) is int and 0 <= part < len(texts) for part in (*parts, file))
            length = sum(len(texts[part].encode()) for part in parts) if inside else -1
            # torch gives code without a source one letter.
            return inside and offset >= 0 and 0 <= first < 2**31 and 0 <= start <= end <= max(length, 1)
    return False
