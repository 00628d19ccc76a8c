"""What an expression gives, told without running it: evaluated on tensors without data, from what its names were.

Only expressions whose operators are listed here can be told: each is free of side effects, is defined for every
number, never raises for one, and has a finite derivative everywhere. So an expression that the traced call did not
run can be run beside the other one, and neither its values nor its gradients spoil the result.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tracelab.graph.types import TensorType
from tracelab.quickfix.source_edit import dotted


class NotSafe(Exception):
    """Nothing certain can be said of the expression."""


_ELEMENTWISE = "abs neg relu relu6 tanh sigmoid sin cos square erf silu gelu softplus logsigmoid clone".split()
_REDUCING = "sum mean softmax log_softmax".split()
_LIKE = "zeros_like ones_like".split()
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
}


class Proof:
    """Evaluates expressions; `leaves` collects the tensors that they read, by name."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = names
        self.leaves: dict[str, TensorType] = {}

    def tensor(self, node: ast.expr) -> Tensor:
        """The tensor that an expression gives, on the meta device; raises `NotSafe`."""
        found = self.value(node)
        if not isinstance(found, Tensor):
            raise NotSafe
        return found

    def value(self, node: ast.expr) -> Any:
        """A tensor on the meta device, or a Python number; raises `NotSafe`."""
        try:
            return self._value(node)
        except NotSafe:
            raise
        except Exception as error:  # Shapes that do not fit: the expression would raise.
            raise NotSafe from error

    def torch_name(self, node: ast.expr) -> str:
        """`relu` for `torch.relu`, `F.relu` and `torch.nn.functional.relu`; empty for all else."""
        owner, _, name = dotted(node).rpartition(".")
        first, *rest = owner.split(".") if owner else [""]
        module = self.names.get(first)
        for part in rest:
            module = getattr(module, part, None) if isinstance(module, ModuleType) else None
        return name if module in (torch, F) else ""

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant) and type(node.value) in (bool, int, float):
            return node.value
        if isinstance(node, (ast.Name, ast.Attribute)) and (name := dotted(node)):
            return self._named(name)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self._value(node.operand)
        if isinstance(node, ast.BinOp):
            return self._operator(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        raise NotSafe

    def _named(self, name: str) -> Any:
        item = self.names.get(name)
        if isinstance(item, TensorType):
            self.leaves[name] = item
            if item.stride is None or item.dtype.is_complex:
                raise NotSafe
            return torch.empty_strided(item.shape, item.stride, dtype=item.dtype, device="meta")
        if isinstance(item, (bool, int, float)) and type(item) in (bool, int, float) and math.isfinite(item):
            return item
        raise NotSafe

    def _operator(self, node: ast.BinOp) -> Any:
        left, right = self._value(node.left), self._value(node.right)
        if isinstance(node.op, ast.Div):
            # By a number that is written there: by any other it might be a division by zero.
            if type(right) in (int, float) and right != 0 and isinstance(node.right, ast.Constant):
                return left / right
        elif isinstance(node.op, ast.Pow):
            if isinstance(right, int) and right == 2 and isinstance(left, Tensor):
                return left**right
        elif type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](left, right)
        raise NotSafe

    def _call(self, node: ast.Call) -> Any:
        name = self.torch_name(node.func)
        arguments = list(node.args)
        if not name:
            if not isinstance(node.func, ast.Attribute):
                raise NotSafe
            name = node.func.attr
            arguments.insert(0, node.func.value)
        if not arguments or any(isinstance(item, ast.Starred) for item in arguments):
            raise NotSafe
        first = self.tensor(arguments[0])
        if not first.is_floating_point() and name not in ("abs", "neg", "clone", "sum", *_LIKE):
            raise NotSafe
        numbers = [_literal(item) for item in arguments[1:]]
        if any(word.arg is None for word in node.keywords):
            raise NotSafe
        named = {str(word.arg): _literal(word.value) for word in node.keywords}
        if name in (*_ELEMENTWISE, *_LIKE) and not numbers and not named:
            function = getattr(torch, name, None) or getattr(F, name)
        elif name in _REDUCING and set(named) <= {"dim", "keepdim"}:
            function = getattr(torch, name)
        else:
            raise NotSafe
        return function(first, *numbers, **named)


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise NotSafe from None
