"""A number or array taken out of a tensor, where torch's own way keeps it in the trace."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import ModuleType

import torch

from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.types import TensorType
from tracelab.quickfix.branches import is_size
from tracelab.quickfix.safety import Proof
from tracelab.quickfix.source_edit import PRIMARY, Code, Edit, dotted

Found = tuple[Edit, str]
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div)
_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
_SAME_IN_NUMPY = frozenset("sqrt exp log log1p expm1 sin cos tan tanh floor ceil square abs absolute sign".split())


def number_fix(code: Code, node: ast.expr, warning: TraceDiagnostic) -> Found | None:
    """`float(t)` as `t.item()`, `float(n)` and `int(n / 2)` of a size as arithmetic, `len(x)` as `x.shape[0]`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.keywords:
        return None
    called, names = node.func.id, warning.names
    if called in names:
        # The user's own function of that name.
        return None
    if len(node.args) != 1 or called not in ("float", "int", "len"):
        return None
    (inner,) = node.args
    if called == "len":
        if dotted(inner) and isinstance(names.get(dotted(inner)), TensorType):
            why = (
                "len() must give a plain number, on which the trace is specialized; shape gives the same number, traced"
            )
            return code.edit(node, node, f"{code.text(inner)}.shape[0]"), why
        return None
    if called == "int":
        if (halved := _parted(code, inner, warning)) is not None:
            why = "// of a size gives what int() gives of the quotient, and stays traced"
            return code.edit(node, node, _enclosed(code, node, halved)), why
    elif is_size(inner, names):
        why = "a product with 1.0 is the same float, and stays traced"
        return code.edit(node, node, _enclosed(code, node, f"{code.text(inner)} * 1.0")), why
    return _item(code, node, inner, warning)


def _item(code: Code, node: ast.Call, inner: ast.expr, warning: TraceDiagnostic) -> Found | None:
    type_ = warning.value.type if warning.value is not None else None
    if not isinstance(type_, TensorType) or any(extent != 1 for extent in type_.shape):
        return None
    integer = isinstance(node.func, ast.Name) and node.func.id == "int"
    if not (type_.dtype in _INTEGERS if integer else type_.dtype.is_floating_point):
        return None
    if not all(_takes_number(code, use, warning) for use in _uses(code, node)):
        return None
    text = f"({code.text(inner)})" if not isinstance(inner, PRIMARY) else code.text(inner)
    return code.edit(node, node, f"{text}.item()"), "item() gives the same number, and the trace follows it"


def _uses(code: Code, node: ast.expr) -> Iterator[ast.expr]:
    """The expression, or where it is bound to a variable, each place that reads that variable."""
    holder = code.parents.get(node)
    if isinstance(holder, ast.Assign) and len(holder.targets) == 1 and isinstance(holder.targets[0], ast.Name):
        name = holder.targets[0].id
        for other in ast.walk(code.function_of(node)):
            if isinstance(other, ast.Name) and other.id == name and isinstance(other.ctx, ast.Load):
                yield other
    else:
        yield node


def _takes_number(code: Code, node: ast.expr, warning: TraceDiagnostic) -> bool:
    """Whether the place takes a traced number as it takes a plain one: arithmetic, and torch's own functions."""
    holder = code.parents.get(node)
    while isinstance(holder, (ast.List, ast.Tuple, ast.keyword, ast.UnaryOp)):
        holder = code.parents.get(holder)
    if isinstance(holder, ast.BinOp):
        return isinstance(holder.op, _ARITHMETIC)
    if not isinstance(holder, ast.Call):
        return False
    if Proof(warning.names).torch_name(holder.func):
        return True
    owner = dotted(holder.func).rpartition(".")[0]
    return isinstance(warning.names.get(owner), TensorType)


def _parted(code: Code, node: ast.expr, warning: TraceDiagnostic) -> str | None:
    """`n // 2` for `n / 2` and `n * 0.5`, where n is a size."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.right, ast.Constant):
        return None
    number = node.right.value
    if not is_size(node.left, warning.names) or not isinstance(number, (int, float)) or not number > 0:
        return None
    if isinstance(node.op, ast.Div) and isinstance(number, int):
        return f"{code.text(node.left)} // {number}"
    if isinstance(node.op, ast.Mult) and number in (0.5, 0.25, 0.125):
        return f"{code.text(node.left)} // {int(1 / number)}"
    return None


def _enclosed(code: Code, node: ast.expr, text: str) -> str:
    """In parentheses, where the expression around would otherwise take it apart."""
    holder = code.parents.get(node)
    apart = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Attribute, ast.Subscript, ast.Await)
    inside = isinstance(holder, ast.Subscript) and holder.slice is node
    return f"({text})" if isinstance(holder, apart) and not inside else text


def array_fix(code: Code, node: ast.expr, warning: TraceDiagnostic) -> Found | None:
    """NumPy's function as torch's, and the way through an array or a list and back as a copy."""
    type_ = warning.value.type if warning.value is not None else None
    if not isinstance(node, ast.Call) or not isinstance(type_, TensorType) or not type_.shape or type_.requires_grad:
        return None
    torch_name = next((name for name, item in warning.names.items() if item is torch), "")
    if not torch_name:
        return None
    function = _numpy_function(node, warning)
    if function and type_.dtype.is_floating_point:
        # NumPy hands a tensor back where it was given one.
        edit = code.edit(node.func, node.func, f"{torch_name}.{function}")
        return edit, f"torch.{function} computes the same, and is traced"
    if not isinstance(node.func, ast.Attribute) or node.args or node.keywords:
        return None
    owner, way = node.func.value, node.func.attr
    if not isinstance(owner, PRIMARY):
        return None
    holder = code.parents.get(node)
    if not isinstance(holder, ast.Call) or len(holder.args) != 1 or holder.keywords:
        return None
    function = _numpy_function(holder, warning)
    if function and way == "numpy" and type_.dtype.is_floating_point:
        outer = code.parents.get(holder)
        plain = isinstance(outer, ast.Call) and len(outer.args) == 1 and not outer.keywords
        if isinstance(outer, ast.Call) and plain and _back(outer, warning) in ("from_numpy", "as_tensor", "tensor"):
            edit = code.edit(outer, outer, f"{torch_name}.{function}({code.text(owner)})")
            return edit, f"torch.{function} computes the same, and is traced"
        return None
    back = _back(holder, warning)
    kept = (torch.get_default_dtype(), torch.int64, torch.bool)
    if way == "tolist" and back == "tensor" and type_.dtype in kept and 0 not in type_.shape:
        return code.edit(holder, holder, f"{code.text(owner)}.detach().clone()"), "it is a copy, made by torch"
    if way == "numpy" and back in ("from_numpy", "as_tensor"):
        return code.edit(holder, holder, f"{code.text(owner)}.detach()"), "it is the same memory, without the way there"
    if way == "numpy" and back == "tensor":
        return code.edit(holder, holder, f"{code.text(owner)}.detach().clone()"), "it is a copy, made by torch"
    return None


def _numpy_function(node: ast.Call, warning: TraceDiagnostic) -> str:
    """`sqrt` for `np.sqrt(x)`."""
    owner, _, name = dotted(node.func).rpartition(".")
    module = warning.names.get(owner)
    plain = len(node.args) == 1 and not node.keywords
    is_numpy = isinstance(module, ModuleType) and module.__name__ == "numpy"
    return name if plain and is_numpy and name in _SAME_IN_NUMPY else ""


def _back(node: ast.Call, warning: TraceDiagnostic) -> str:
    return Proof(warning.names).torch_name(node.func)
