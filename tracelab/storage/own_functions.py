"""The Python-level functions that a graph may run without being asked, each with its name in files.

They are what traced sizes, `.data` and autocast regions are recorded as. A name, once here, stays: files use
it.
"""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture import results
from tracelab.capture.layers import gradients
from tracelab.capture.layers import sym_numbers as integers
from tracelab.capture.layers import torch_function as functions
from tracelab.capture.patches import contexts, generators, subclasses

BUILTINS: dict[str, Callable[..., Any]] = {
    "Tensor.size": torch.Tensor.size,
    "Tensor.numel": torch.Tensor.numel,
    "Tensor.item": torch.Tensor.item,
    "Tensor.requires_grad_": torch.Tensor.requires_grad_,
    "torch.tensor": torch.tensor,
    "torch.as_tensor": torch.as_tensor,
    "data": functions.read_data,
    "set_data": functions.write_data,
    "Parameter": subclasses.make_parameter,
    "record_function": contexts.make_record_function,
    "set_grad": gradients.write_grad,
    "retain_grad": torch.Tensor.retain_grad,
    "autograd.grad": gradients.gradient_of,
    "Generator": generators.make_generator,
    **{f"Generator.{name}": method for name, method in generators.METHODS.items()},
    "autograd.backward": gradients.backward_of,
    "grad": gradients.read_grad,
    "backward": gradients.run_backward,
    "manual_seed": torch.random.manual_seed,
    "get_rng_state": torch.random.get_rng_state,
    "set_rng_state": torch.random.set_rng_state,
    "getitem": results.get_item,
    "autocast": contexts.make_autocast,
    "OrderedDict": OrderedDict,
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "mod": operator.mod,
    "pow": integers.int_power,
    "floordiv": operator.floordiv,
    "truediv": integers.true_divide,
    "lshift": operator.lshift,
    "rshift": operator.rshift,
    "bitand": operator.and_,
    "bitor": operator.or_,
    "bitxor": operator.xor,
    "and": integers.both,
    "or": integers.either,
    "not": integers.sym_not,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "min": min,
    "max": max,
    "neg": operator.neg,
    "pos": operator.pos,
    "abs": abs,
    "float": float,
    "int": int,
    "round": round,
    "trunc": integers.UNARY["trunc"][1],
    **{f"math.{name}": function for name, (_, function) in integers.MATH.items()},
}

BUILTIN_NAMES: dict[int, str] = {id(function): name for name, function in reversed(BUILTINS.items())}
"""By identity: some targets cannot be hashed."""
