"""A dtype or a device that is read to be given to a call is read anew at each call of the trace."""

from __future__ import annotations

import io
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import tracelab
from support.printed_graphs import short
from support.told import told

ONES = torch.ones(3)


def traced_on(function, *example, policy="warn"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace(function, example, check_trace=False, on_violation=policy)


# What follows ----------------------------------------------------------------------------------------------------


def a_factory(x):
    return x + torch.ones(3, device=x.device, dtype=x.dtype)


def a_conversion(x):
    return (torch.arange(3, device=x.device) * 0.1).to(x.dtype) + x


def a_conversion_to_both(x):
    return torch.full((3,), 0.1).to(x.device, x.dtype) * x


def a_conversion_by_names(x):
    return torch.full((3,), 0.1).to(device=x.device, dtype=x.dtype) * x


def a_conversion_by_type(x):
    return torch.full((3,), 0.1, device=x.device).type(x.dtype) * x


def a_move(x):
    return torch.ones(3).to(x.device) * x


def kept_in_a_variable(x):
    wanted = x.dtype
    x = x.to(torch.float32)
    x = x * torch.rsqrt(x.pow(2).mean() + 1e-6)
    return x.to(wanted)


def kept_in_two_variables(x):
    wanted, place = x.dtype, x.device
    return torch.zeros(3, dtype=wanted, device=place) + torch.linspace(0, 1, 3, dtype=wanted, device=place)


def kept_for_two_calls(x):
    wanted = x.dtype
    return torch.zeros(3, device=x.device).to(wanted) + torch.eye(3, dtype=wanted, device=x.device)


def a_factory_in_a_loop(x):
    wanted, place = x.dtype, x.device
    for count in range(3):
        x = x + torch.full((3,), count / 10, dtype=wanted, device=place)
    return x


def read_in_a_loop(x):
    for _ in range(3):
        x = x * torch.full((3,), 0.1, device=x.device).to(x.dtype)
    return x


def of_a_value_inside(x):
    half = x[1:].half()
    return half + torch.ones(2, dtype=half.dtype, device=half.device)


def of_a_sum(x):
    return torch.full((2, 3), 0.1, device=x.device).sum(0, dtype=x.dtype) * x


def of_a_softmax(x):
    return F.softmax(x, dim=-1, dtype=torch.float32).to(x.dtype)


def of_python_s_numbers(x):
    return x * torch.tensor([0.1, 0.2, 0.3], dtype=x.dtype, device=x.device)


def of_python_s_numbers_as_a_tensor(x):
    return x * torch.as_tensor([0.1, 0.2, 0.3], dtype=x.dtype, device=x.device)


def a_new_tensor(x):
    return x * x.new_tensor([0.1, 0.2, 0.3])


def a_new_tensor_of_another_dtype(x):
    return x * x.new_tensor([1, 2, 3], dtype=torch.int64)


def the_least_number(x):
    return x.masked_fill(x > 0, torch.finfo(x.dtype).min)


def the_least_number_in_a_variable(x):
    least = torch.finfo(x.dtype).min
    return torch.full((3, 3), least, dtype=x.dtype, device=x.device).triu(1) + x


def where_none_is_given(x, dtype=None):
    return torch.full((3,), 0.1, dtype=dtype or x.dtype, device=x.device if dtype is None else None) * x


def over_several_lines(x):
    # fmt: off
    return (torch.full((3,), 0.1, device=x.device)
        .add(1)
        .to(x
            .dtype)
        .mul(x))
    # fmt: on


FOLLOWING = [
    a_factory,
    a_conversion,
    a_conversion_to_both,
    a_conversion_by_names,
    a_conversion_by_type,
    a_move,
    kept_in_a_variable,
    kept_in_two_variables,
    kept_for_two_calls,
    a_factory_in_a_loop,
    read_in_a_loop,
    of_a_value_inside,
    of_a_sum,
    of_a_softmax,
    of_python_s_numbers,
    of_python_s_numbers_as_a_tensor,
    a_new_tensor,
    a_new_tensor_of_another_dtype,
    the_least_number,
    the_least_number_in_a_variable,
    where_none_is_given,
    over_several_lines,
]
OTHERS = [torch.float64, torch.float16, torch.bfloat16]


def same(mine, plain):
    return mine.dtype is plain.dtype and mine.device == plain.device and (plain.is_meta or torch.equal(mine, plain))


def named(item):
    return getattr(item, "__name__", str(item))


@pytest.mark.parametrize("dtype", OTHERS, ids=named)
@pytest.mark.parametrize("function", FOLLOWING, ids=named)
def test_a_call_with_another_dtype_is_right(function, dtype):
    other = torch.tensor([0.5, -1.25, 3.0], dtype=dtype)
    traced = traced_on(function, ONES, policy="raise")
    assert same(traced(other), function(other))


@pytest.mark.parametrize("function", [item for item in FOLLOWING if item is not a_conversion_by_type], ids=named)
def test_a_call_on_another_device_is_right(function):
    other = torch.ones(3, device="meta")
    assert same(traced_on(function, ONES, policy="raise")(other), function(other))


@pytest.mark.parametrize("function", FOLLOWING, ids=named)
def test_nothing_is_assumed(function):
    assert [item for item in traced_on(function, ONES).assumptions if item.kind in ("dtype", "device")] == []


@pytest.mark.parametrize("function", FOLLOWING, ids=named)
def test_nothing_is_assumed_under_a_default_device(function):
    with torch.device("cpu"):
        traced = traced_on(function, ONES)
    assert [item for item in traced.assumptions if item.kind in ("dtype", "device")] == []
    other = torch.tensor([0.5, -1.25, 3.0], dtype=torch.float64)
    with torch.device("cpu"):
        assert same(traced(other), function(other))


@pytest.mark.parametrize("function", FOLLOWING, ids=named)
def test_a_file_keeps_that_it_follows(function):
    file = io.BytesIO()
    traced = traced_on(function, ONES, policy="raise")
    traced.save(file)
    file.seek(0)
    loaded = tracelab.load(file)
    other = torch.tensor([0.5, -1.25, 3.0], dtype=torch.float64)
    assert str(loaded.graph) == str(traced.graph)
    assert same(loaded(other), function(other))


@pytest.mark.parametrize("function", [a_conversion, kept_in_a_variable, the_least_number, a_new_tensor], ids=named)
def test_gradients_are_those_of_the_code(function):
    mine = torch.tensor([0.5, -1.25, 3.0], dtype=torch.float64, requires_grad=True)
    plain = mine.detach().clone().requires_grad_()
    traced_on(function, ONES, policy="raise")(mine).sum().backward()
    function(plain).sum().backward()
    assert torch.equal(mine.grad, plain.grad)


def test_integers_are_right():
    other = torch.tensor([1, 2, 3])
    assert same(traced_on(a_factory, ONES, policy="raise")(other), a_factory(other))


def test_under_retrace_one_recording_is_enough():
    traced = traced_on(a_factory, ONES, policy="retrace")
    for dtype in OTHERS:
        assert traced(ONES.to(dtype)).dtype is dtype
    assert len(traced.cases) == 1


# Graphs ------------------------------------------------------------------------------------------------------------


def printed(function, *example):
    return short(traced_on(function, *example).graph)


def test_a_factory_takes_both_as_values():
    assert printed(a_factory, ONES) == (
        """\
graph(%x : Float(3)):
  %device : Device = prim::device(%x)
  %dtype : int = prim::dtype(%x)
  %1 : int = prim::Constant[value=3]()
  %2 : int[] = prim::ListConstruct(%1)
  %3 : NoneType = prim::Constant()
  %4 : bool = prim::Constant[value=0]()
  %ones : Float(3) = aten::ones(%2, %dtype, %3, %device, %4)
  %5 : int = prim::Constant[value=1]()
  %add : Float(3) = aten::add(%x, %ones, %5)
  return (%add)
"""
    )


def test_a_limit_is_a_value_of_its_own():
    assert printed(the_least_number, ONES) == (
        """\
graph(%x : Float(3)):
  %1 : int = prim::Constant[value=0]()
  %gt : Bool(3) = aten::gt(%x, %1)
  %dtype : int = prim::dtype(%x)
  %2 : str = prim::Constant[value="min"]()
  %finfo : float = prim::finfo(%dtype, %2)
  %masked_fill : Float(3) = aten::masked_fill(%x, %gt, %finfo)
  return (%masked_fill)
"""
    )


def test_it_is_read_where_the_code_read_it():
    # After `x.to(torch.float32)`, which gives back `x` itself, the tensor is another one's result.
    assert traced_on(kept_in_a_variable, ONES).code == (
        """\
def forward(x):
    wanted = x.dtype
    x_1 = torch.ops.aten.to.dtype(x, torch.float32)
    pow = torch.pow(x_1, 2)
    mean = torch.mean(pow)
    add = torch.add(mean, 1e-06)
    rsqrt = torch.rsqrt(add)
    x_2 = torch.mul(x_1, rsqrt)
    to = torch.ops.aten.to.dtype(x_2, wanted)
    return to
"""
    )


def test_a_read_that_goes_nowhere_leaves_no_node():
    assert printed(lambda x: (x + 1, x.dtype)[0], ONES) == (
        """\
graph(%x : Float(3)):
  %1 : int = prim::Constant[value=1]()
  %add : Float(3) = aten::add(%x, %1, %1)
  return (%add)
"""
    )


# State of modules --------------------------------------------------------------------------------------------------


class Cast(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(x.to(self.fc.weight.dtype))


class Placed(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, n):
        return self.fc(torch.ones(3, device=next(self.parameters()).device, dtype=next(self.parameters()).dtype) * n)


@pytest.mark.parametrize("cls", [Cast, Placed])
def test_a_traced_module_that_is_converted_follows_its_weights(cls):
    net = cls()
    traced = traced_on(net, ONES)
    traced.double()
    net.double()
    assert same(traced(ONES), net(ONES))


# What is told as before --------------------------------------------------------------------------------------------


def a_branch_looks_at_it(x):
    wanted = x.dtype
    made = torch.ones(3, dtype=wanted)
    return made if wanted == torch.float32 else made * 2


def another_read_decides(x):
    made = torch.ones(3, dtype=x.dtype)
    return made if x.dtype == torch.float32 else made * 2


def assigned_anew(x):
    wanted = x.dtype
    if x.dim() == 5:
        wanted = torch.float64
    return torch.ones(3, dtype=wanted)


def given_to_a_function_of_the_code(x):
    def made(dtype):
        return torch.ones(3).to(dtype=dtype)

    return made(dtype=x.dtype)


def used_in_a_closure(x):
    wanted = x.dtype
    return (lambda: torch.ones(3, dtype=wanted))()


def converted_in_a_loop(x):
    wanted = x.dtype
    parts = [nn.Identity(), torch.ones(3)]
    for part in parts:
        made = part.to(wanted)
    return made


def used_where_it_did_not_run(x):
    wanted = x.dtype
    if x.dim() == 5:
        return x.mul(2).to(wanted)
    return torch.ones(3).to(wanted)


def given_by_a_dict(x):
    given = {"dtype": x.dtype}
    return torch.ones(3, **given)


def given_to_a_module(x):
    return nn.Linear(3, 3).to(x.dtype).weight * 2


TOLD = [
    a_branch_looks_at_it,
    another_read_decides,
    assigned_anew,
    given_to_a_function_of_the_code,
    used_in_a_closure,
    converted_in_a_loop,
    used_where_it_did_not_run,
    given_by_a_dict,
    given_to_a_module,
]


@pytest.mark.parametrize("function", TOLD, ids=named)
def test_what_may_decide_is_told(function):
    (sentence,) = told(traced_on(function, ONES), ONES.double())
    assert sentence.startswith(f"x.dtype was torch.float32 when {function.__name__} was traced")


def test_the_line_that_is_told_is_the_first_that_does_not_follow():
    (item,) = [item for item in traced_on(another_read_decides, ONES).assumptions if item.kind == "dtype"]
    assert item.code == "return made if x.dtype == torch.float32 else made * 2"


def test_a_device_that_decides_is_told():
    def named_device(x):
        return torch.ones(3, device=str(x.device))

    (sentence,) = told(traced_on(named_device, ONES), ONES.to("meta"))
    assert sentence.startswith("x.device was cpu when named_device was traced")


def test_a_call_that_failed_with_it_is_told():
    def viewed(x):
        try:
            return torch.ones(3, dtype=torch.float16).view(dtype=x.dtype)
        except RuntimeError:
            return torch.ones(3)

    (sentence,) = told(traced_on(viewed, ONES), ONES.half())
    assert "x.dtype was torch.float32 when viewed was traced" in sentence


def test_data_that_the_code_sets_is_read_anew():
    def converted(x):
        y = x.clone()
        one = torch.full((1,), 0.1, dtype=y.dtype)
        y.data = y.data.float()
        return one + torch.full((1,), 0.1, dtype=y.dtype)

    other = ONES.double()
    assert same(traced_on(converted, ONES, policy="raise")(other), converted(other))


def test_a_trace_inside_of_a_trace_is_right_or_told():
    inner = traced_on(kept_in_a_variable, ONES)
    outer = traced_on(lambda x: inner(x) * 2, ONES)
    other = ONES.double()
    assert told(outer, other) or same(outer(other), inner(other) * 2)
