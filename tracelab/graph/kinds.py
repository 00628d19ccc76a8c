"""The one table of kinds: what holds for every node of a kind that is no operator of torch's registry.

An operator says by its schema what it writes to and what its outputs share memory with. All other nodes say it here:
pieces of structure, regions, Python calls, and reads and writes that torch has no operator for. The names are those
of TorchScript's IR where it has one.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Group(enum.Enum):
    """What a node of the kind is."""

    OPERATOR = "operator"
    STRUCTURE = "structure"
    """Lists, tuples, dicts and constants: code is written for them directly, they call nothing."""
    REGION = "region"
    """Where a gradient mode or a context begins or ends."""
    STATE = "state"
    """Writes to what lives beside the graph: a buffer, a gradient, a mark."""
    READ = "read"
    """Functions of tensors and numbers that torch has no operator for."""
    OPAQUE = "opaque"
    """Calls of code that the graph does not look into."""
    FOREIGN = "foreign"
    """Kinds of TorchScript that only its reader meets."""


EVERY = -1
"""Among argument positions: any argument."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What holds for every node of one kind; positions count the arguments from 0."""

    name: str
    group: Group = Group.OPERATOR
    effect: bool = False
    """It does more than make its outputs, so that it stays although nobody uses them."""
    writes: tuple[int, ...] = ()
    """Arguments whose memory it may change."""
    shares: tuple[int, ...] = ()
    """Arguments whose memory its outputs may share."""
    escapes: bool = False
    """Whether what it takes and makes may be held outside the graph afterwards."""
    opens: str = ""
    """The region that it opens."""
    closes: str = ""
    """The region that it closes."""

    @property
    def opaque(self) -> bool:
        return self.group is Group.OPAQUE

    @property
    def structure(self) -> bool:
        return self.group is Group.STRUCTURE

    @property
    def region(self) -> bool:
        return self.group is Group.REGION

    @property
    def needs_no_target(self) -> bool:
        """Whether generated code spells it out, so that nothing is called."""
        return self.structure or self.region or self.name in (SET_ATTRIBUTE, ARGUMENT)


TABLE: dict[str, Kind] = {}


def _kind(name: str, group: Group, **facts: object) -> str:
    TABLE[name] = Kind(name, group, **facts)  # type: ignore[arg-type]
    return name


CONSTANT = _kind("prim::Constant", Group.STRUCTURE)
LIST_CONSTRUCT = _kind("prim::ListConstruct", Group.STRUCTURE, shares=(EVERY,))
TUPLE_CONSTRUCT = _kind("prim::TupleConstruct", Group.STRUCTURE, shares=(EVERY,))
DICT_CONSTRUCT = _kind("prim::DictConstruct", Group.STRUCTURE, shares=(EVERY,))
LIST_UNPACK = _kind("prim::ListUnpack", Group.STRUCTURE, shares=(0,))
TUPLE_UNPACK = _kind("prim::TupleUnpack", Group.STRUCTURE, shares=(0,))

GRAD_MODE = "grad mode"
"""The region of a gradient mode. It may end before or after a context that was entered inside of it."""
CONTEXT = "context"
"""The region of a context; contexts end in the order in which they were entered."""
ENTER_GRAD_MODE = _kind("prim::EnterGradMode", Group.REGION, effect=True, opens=GRAD_MODE)
EXIT_GRAD_MODE = _kind("prim::ExitGradMode", Group.REGION, effect=True, closes=GRAD_MODE)
ENTER_CONTEXT = _kind("prim::EnterContext", Group.REGION, effect=True, opens=CONTEXT)
EXIT_CONTEXT = _kind("prim::ExitContext", Group.REGION, effect=True, closes=CONTEXT)

ARGUMENT = _kind("prim::Argument", Group.READ, escapes=True)
"""An object or a number that the call gives: `cache.layers[0]`."""
SET_FIELD = _kind("prim::SetField", Group.STATE, effect=True, shares=(EVERY,), escapes=True)
SET_ITEMS = _kind("prim::SetItems", Group.STATE, effect=True, shares=(EVERY,), escapes=True)
SET_KEYS = _kind("prim::SetKeys", Group.STATE, effect=True, shares=(EVERY,), escapes=True)
SET_ELEMENTS = _kind("prim::SetElements", Group.STATE, effect=True, escapes=True)
SET_ARRAY = _kind("prim::SetArray", Group.STATE, effect=True, escapes=True)
DELETE = _kind("prim::Delete", Group.STATE, effect=True, escapes=True)

SET_ATTRIBUTE = _kind("prim::SetAttr", Group.STATE, effect=True, escapes=True)
SET_DATA = _kind("prim::set_data", Group.STATE, effect=True, writes=(0,), shares=(EVERY,), escapes=True)
SET_GRAD = _kind("prim::set_grad", Group.STATE, effect=True, shares=(EVERY,), escapes=True)
REQUIRES_GRAD = _kind("aten::requires_grad_", Group.STATE, effect=True, shares=(0,))

DATA = _kind("prim::data", Group.READ, shares=(0,))
GRAD = _kind("prim::grad", Group.READ, shares=(0,), escapes=True)
AS_SUBCLASS = _kind("prim::as_subclass", Group.READ, shares=(0,))
PARAMETER = _kind("prim::Parameter", Group.READ, shares=(0,))
WRAPPER = _kind("prim::wrapper_tensor", Group.READ, shares=(EVERY,))
PART = _kind("prim::tensor_part", Group.READ, shares=(0,))
TO_ARRAY = _kind("prim::numpy", Group.READ, shares=(0,))
TO_LIST = _kind("prim::tolist", Group.READ)
GET_ITEM = _kind("aten::__getitem__", Group.READ, shares=(0,))
NBYTES = _kind("prim::nbytes", Group.READ)
DTYPE = _kind("prim::dtype", Group.READ)
DEVICE = _kind("prim::device", Group.READ)
FINFO = _kind("prim::finfo", Group.READ)
NUMBER_TO_TENSOR = _kind("prim::NumToTensor", Group.READ)
MIN = _kind("prim::min", Group.READ)
MAX = _kind("prim::max", Group.READ)
ABS = _kind("prim::abs", Group.READ)
SYM_ITE = _kind("prim::sym_ite", Group.READ)

_ANYTHING = {"effect": True, "writes": (EVERY,), "shares": (EVERY,), "escapes": True}
PYTHON_CALL = _kind("prim::PythonOp", Group.OPAQUE, **_ANYTHING)
CALL_FUNCTION = _kind("prim::CallFunction", Group.OPAQUE, **_ANYTHING)
CALL_METHOD = _kind("prim::CallMethod", Group.OPAQUE, **_ANYTHING)
IF = _kind("prim::If", Group.OPAQUE, **_ANYTHING)
LOOP = _kind("prim::Loop", Group.OPAQUE, **_ANYTHING)

GET_ATTRIBUTE = _kind("prim::GetAttr", Group.FOREIGN)
RAISE_EXCEPTION = _kind("prim::RaiseException", Group.FOREIGN)
TUPLE_INDEX = _kind("prim::TupleIndex", Group.FOREIGN)
UNCHECKED_CAST = _kind("prim::unchecked_cast", Group.FOREIGN)
UNCHECKED_UNWRAP_OPTIONAL = _kind("prim::unchecked_unwrap_optional", Group.FOREIGN)
UNINITIALIZED = _kind("prim::Uninitialized", Group.FOREIGN)

UNPACKS = frozenset({LIST_UNPACK, TUPLE_UNPACK})
"""Kinds that take a list or tuple apart."""
CONSTRUCTS = frozenset({LIST_CONSTRUCT, TUPLE_CONSTRUCT, DICT_CONSTRUCT})
"""Kinds that put a list, tuple or dict together."""
REGIONS = frozenset(name for name, kind in TABLE.items() if kind.region)
"""Kinds that begin or end a region."""
OPAQUE = frozenset(name for name, kind in TABLE.items() if kind.opaque)
"""Kinds that call code which the graph does not look into."""

_PRIVATE = "prim::"


def kind_of(name: str) -> Kind:
    """What holds for nodes of a kind.

    A name that the table does not have is an operator, or a function of numbers recorded under an operator's name.
    One of TorchScript's own namespace is taken for opaque: nothing is known of it.

    >>> kind_of("prim::PythonOp").opaque, kind_of("aten::linear").effect
    (True, False)
    """
    found = TABLE.get(name)
    if found is None:
        found = Kind(name, Group.OPAQUE, True, (EVERY,), (EVERY,), True) if name.startswith(_PRIVATE) else Kind(name)
    return found
