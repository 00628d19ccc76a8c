"""Code that takes Python's own numbers, and nothing that stands for one: `Decimal(loss.item())`, `frame.head(n)`.

It is known by the module that it comes from. Where an object is made further down in the code that is read, the module
is that of what makes it.
"""

from __future__ import annotations

import ast
import sys
import types
from typing import Any

from tracelab.capture.analysis.syntax import path_of
from tracelab.capture.values import PLAIN
from tracelab.capture.ways_back.callees import module_of
from tracelab.capture.ways_back.unit import Unit, uses

_TAKE_STAND_INS = frozenset(
    """abc argparse asyncio builtins cmath collections contextlib contextvars copy copyreg csv dataclasses enum
    functools inspect io itertools json logging math numbers operator os pickle posix pprint reprlib string sys time
    traceback types typing unittest warnings weakref""".split()
)
"""Modules of Python's library that do with traced numbers what they do with plain ones."""
_PLAIN = frozenset(
    "PIL bokeh cv2 dateutil imageio openpyxl pandas polars pyarrow scipy skimage sklearn statsmodels xgboost".split()
)
_PLAIN_PARTS = ("numpy.random", "torch.distributions", "torch.utils.data")
_PICKY = frozenset(
    """collections.Counter collections.OrderedDict collections.deque functools.lru_cache itertools.permutations
    math.ldexp numpy.datetime64 numpy.nanpercentile numpy.nanquantile numpy.percentile numpy.quantile
    numpy.timedelta64 torch.set_num_threads""".split()
)
_TABLES = frozenset({"DataFrame", "concat", "json_normalize"})
"""What of pandas makes columns of the numbers of a list: these are made plain there."""
_DEEPEST = 8


def takes_plain(unit: Unit, call: ast.Call, found: Any, owner: Any) -> bool:
    """Whether a call is one of code that takes numbers alone; `found` is what it calls, an attribute of `owner`."""
    if found is type or (found is pow and len(call.args) == 3):
        return True
    name = getattr(found, "__name__", "") or (call.func.attr if isinstance(call.func, ast.Attribute) else "")
    if isinstance(owner, types.ModuleType):
        homes = [owner.__name__]
    else:
        homes = [module_of(item) for item in (found, owner) if item is not None]
    if not homes and isinstance(call.func, ast.Attribute):
        homes = [home_of(unit, call.func.value)]
    if any(f"{home.lstrip('_')}.{name}" in _PICKY for home in homes):
        return True
    return any(is_plain(home) and not (name in _TABLES and home.startswith("pandas")) for home in homes)


def is_plain(home: str) -> bool:
    """Whether the code of a module takes numbers alone."""
    root = home.partition(".")[0]
    if root in _PLAIN or any(home == part or home.startswith(part + ".") for part in _PLAIN_PARTS):
        return True
    public = root.lstrip("_")
    return root in sys.stdlib_module_names and public not in _TAKE_STAND_INS


def makes_data(found: Any, owner: Any) -> bool:
    """Whether a call makes a loader or a part of a data set: what that gives is data, which a replay takes anew."""
    home = owner.__name__ if isinstance(owner, types.ModuleType) else module_of(found) if found is not None else ""
    return home.startswith("torch.utils.data")


def home_of(unit: Unit, item: ast.AST, depth: int = 0) -> str:
    """The module of what an expression gives, or of the code that makes it; empty where that is not known."""
    if depth > _DEEPEST:
        return ""
    if isinstance(item, ast.Name):
        return _home_of_name(unit, item, depth)
    if isinstance(item, ast.Attribute):
        path = path_of(item)
        made = home_of(unit, item.value, depth + 1)
        found = unit.look_up(path) if path else None
        return made if is_plain(made) or found is None else module_of(found)
    if isinstance(item, ast.Call):
        path = path_of(item.func)
        made = home_of(unit, item.func.value, depth + 1) if isinstance(item.func, ast.Attribute) else ""
        found = unit.look_up(path) if path else None
        return made if is_plain(made) or found is None else module_of(found)
    if isinstance(item, (ast.Subscript, ast.Starred, ast.Await)):
        return home_of(unit, item.value, depth + 1)
    if isinstance(item, ast.BinOp):
        left = home_of(unit, item.left, depth + 1)
        return left if is_plain(left) else home_of(unit, item.right, depth + 1)
    return ""


def _home_of_name(unit: Unit, item: ast.Name, depth: int) -> str:
    for node in reversed([*uses(unit, item.id)]):
        maker = _maker(unit, node) if isinstance(node.ctx, ast.Store) and _is_before(node, item) else None
        home = home_of(unit, maker, depth + 1) if maker is not None else ""
        if home:
            return home
    found = unit.look_up([item.id])
    return "" if found is None else module_of(found)


def _maker(unit: Unit, target: ast.Name) -> ast.AST | None:
    """What a variable gets where it is bound."""
    outer = unit.parents.get(target)
    if isinstance(outer, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
        return outer.value
    return outer.context_expr if isinstance(outer, ast.withitem) else None


def _is_before(node: ast.Name, other: ast.Name) -> bool:
    return (node.lineno, node.col_offset) < (other.lineno, other.col_offset)


def chooses_plain(unit: Unit, call: ast.Call) -> bool:
    """Whether what a lambda chooses among is plain values."""
    return all(isinstance(item, ast.Lambda) or is_of_plain(unit, item) for item in call.args)


def is_of_plain(unit: Unit, item: ast.AST) -> bool:
    """Whether what an expression gives is known to hold plain values alone."""
    if isinstance(item, ast.Call) and isinstance(item.func, ast.Name):
        return item.func.id == "range"
    path = path_of(item)
    found = unit.look_up(path) if path else None
    if isinstance(found, dict):
        found = [*found, *found.values()]
    return isinstance(found, (list, tuple, range, str, set, frozenset)) and all(type(part) in PLAIN for part in found)


def is_picky(unit: Unit, side: ast.AST) -> bool:
    """Whether what a number is combined with is an object that takes numbers alone, a complex number,
    or a text with a width of `*`."""
    if isinstance(side, ast.Constant):
        return isinstance(side.value, complex) or (isinstance(side.value, str) and "*" in side.value)
    home = home_of(unit, side)
    return is_plain(home) and not home.startswith("pandas")
