"""What the random programs found, by what it shows: each is right or told now, and not told where it is right."""

from __future__ import annotations

import functools
import warnings

import pytest
import torch
from torch import nn

import tracelab
from support.told import told

ONES = torch.ones(3, 4)
RANGE = torch.arange(12.0).view(3, 4)


def traced_on(function, *example):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tracelab.trace(function, example, check_trace=False, strict=False)


def same(found, wanted):
    torch.testing.assert_close(found, wanted, rtol=0, atol=0)


# Right on other inputs --------------------------------------------------------------------------------------------


def written_behind_an_ellipsis(x):
    y = x.clone()
    y[..., 0] = y[..., -1]
    return y


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[..., 0],
        lambda x: x[..., None],
        lambda x: x[..., 1:],
        lambda x: x[None, ..., -1, None],
        written_behind_an_ellipsis,
    ],
)
@pytest.mark.parametrize("shape", [(2, 3, 4), (5, 6), (7,)])
def test_an_index_behind_an_ellipsis_counts_from_the_end(function, shape):
    other = torch.randn(shape)
    if function(ONES).dim() == 3 and len(shape) == 1 and "-1" in str(function.__code__.co_consts):
        pytest.skip("too few dimensions")
    same(traced_on(function, ONES)(other), function(other))


def test_a_table_behind_an_ellipsis_is_told_of_other_dimensions():
    traced = traced_on(lambda x: x[..., [0, 1]], ONES)
    assert told(traced, torch.ones(2, 3, 4))
    assert not told(traced, torch.ones(5, 6))


def test_a_number_written_by_a_table_has_the_dtype_of_the_tensor():
    def write(x):
        y = x.clone()
        y[[0, 2]] = 0.5
        return y

    same(traced_on(write, ONES)(ONES.double()), write(ONES.double()))


def test_a_size_to_a_power_modulo_a_number_is_a_number():
    traced = traced_on(lambda x: x * pow(x.shape[0], 2, 7), ONES)
    same(traced(ONES), ONES * 2)
    assert told(traced, torch.ones(5, 4))


# State of Python --------------------------------------------------------------------------------------------------


class Plain:
    calls = 0

    def __init__(self):
        self.scale = 1.0
        self.seen = []


class Host(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.register_buffer("empty", None)
        self.cache, self.queue, self.seen, self.sizes = {}, [], set(), {}
        self.plain, self.last, self.factor = Plain(), None, 2.0

    def cached(self, key, make):
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]


def flag_in_a_dict(self, x):
    y = x * (2 if "done" in self.cache else 3)
    self.cache["done"] = True
    return y


def cache_of_an_input(self, x):
    return x + self.cached(x.shape[0], lambda: x.sum().detach())


def cache_of_random_numbers(self, x):
    return x + self.cached("noise", lambda: torch.rand(4))


def length_of_a_list(self, x):
    self.queue.append(1)
    return x * len(self.queue)


def sum_of_a_list(self, x):
    y = x + sum(self.queue)
    self.queue.append(x.sum().detach())
    return y


def member_of_a_set(self, x):
    y = x * (2 if 1 in self.seen else 3)
    self.seen.add(1)
    return y


def attribute_of_a_plain_object(self, x):
    self.plain.scale += 1
    return x * self.plain.scale


def list_of_a_plain_object(self, x):
    self.plain.seen.append(1)
    return x * len(self.plain.seen)


def attribute_of_a_class(self, x):
    Plain.calls += 1
    return x * Plain.calls


def attribute_that_was_not_there(self, x):
    y = x * (1 + hasattr(self, "added"))
    self.added = True
    return y


def attribute_by_its_name(self, x):
    setattr(self, "factor", getattr(self, "factor") * 2)  # noqa: B009, B010
    return x * self.factor


def attribute_in_the_table(self, x):
    self.__dict__["factor"] += 1
    return x * self.factor


def size_that_is_kept(self, x):
    y = x * self.factor
    self.factor = x.shape[0]
    return y


def tensor_that_is_kept(self, x):
    y = x if self.last is None else x + self.last
    self.last = x.sum().detach()
    return y


def tensor_that_is_replaced(self, x):
    self.last = x.sum().detach() if self.last is None else self.last * 2
    return x + self.last


def buffer_that_was_empty(self, x):
    y = x if self.empty is None else x + self.empty
    self.empty = x.sum().detach()
    return y


HISTORY = []


def list_of_the_file(self, x):
    HISTORY.append(1)
    return x * len(HISTORY)


def _counting(counts={}):  # noqa: B006
    counts["n"] = counts.get("n", 0) + 1
    return counts["n"]


def default_of_a_function(self, x):
    return x * _counting()


STATE = [
    flag_in_a_dict,
    cache_of_an_input,
    cache_of_random_numbers,
    length_of_a_list,
    sum_of_a_list,
    member_of_a_set,
    attribute_of_a_plain_object,
    list_of_a_plain_object,
    attribute_of_a_class,
    attribute_that_was_not_there,
    attribute_by_its_name,
    attribute_in_the_table,
    size_that_is_kept,
    tensor_that_is_kept,
    tensor_that_is_replaced,
    buffer_that_was_empty,
    list_of_the_file,
    default_of_a_function,
]


def as_module(function):
    return type("Program", (Host,), {"forward": function})()


def as_partial(function):
    return functools.partial(function, Host())


def as_closure(function):
    host = Host()

    def program(x):
        return function(host, x)

    return program


@pytest.mark.parametrize("form", [as_module, as_partial, as_closure])
@pytest.mark.parametrize("function", STATE)
def test_state_that_the_code_reads_and_changes_is_told(function, form):
    (sentence,) = told(traced_on(form(function), RANGE), RANGE)
    assert " was " in sentence


def test_a_variable_of_a_closure_that_an_inner_function_changes_is_told():
    def every_other(function):
        state = {"on": False}

        def inner(x):
            state["on"] = not state["on"]
            return function(x) if state["on"] else x

        return inner

    toggled = every_other(torch.neg)
    (sentence,) = told(traced_on(lambda x: toggled(x), ONES), ONES)
    assert sentence.startswith("state was a dict of 1 when <lambda> was traced and is a dict of 1 with other contents")


def test_a_buffer_of_a_module_that_a_function_replaces_is_told():
    host = nn.BatchNorm1d(4)

    def step(x):
        host.running_mean = host.running_mean * 0.5
        return x - host.running_mean

    assert told(traced_on(step, RANGE), RANGE)


# State that decides nothing ---------------------------------------------------------------------------------------


def list_that_only_grows(self, x):
    self.queue.append(x.sum().detach())
    self.sizes[x.shape[0]] = 1
    self.plain.seen.append(1)
    return x * 2


def cache_of_a_constant(self, x):
    return x + self.cached("table", lambda: torch.arange(4.0))


def cache_by_the_size(self, x):
    length = x.shape[0]
    return x + self.cached(length, lambda: torch.arange(length).sum())


def size_that_is_set_first(self, x):
    self.factor = x.shape[0] * 1.0
    return x * self.factor


@pytest.mark.parametrize("form", [as_module, as_partial, as_closure])
@pytest.mark.parametrize(
    "function", [list_that_only_grows, cache_of_a_constant, cache_by_the_size, size_that_is_set_first]
)
def test_state_that_makes_no_difference_is_not_told(function, form):
    assert told(traced_on(form(function), RANGE), RANGE) == []


def test_a_scripted_module_inside_another_is_traced():
    inside = nn.Sequential(torch.jit.script(nn.BatchNorm1d(4).eval()))
    same(traced_on(inside, RANGE)(ONES), inside(ONES))


# Modes ------------------------------------------------------------------------------------------------------------


def test_whether_gradients_are_enabled_is_told():
    traced = traced_on(lambda x: x * 2 if torch.is_grad_enabled() else x, ONES)
    assert told(traced, ONES) == []
    with torch.no_grad():
        (sentence,) = told(traced, ONES)
    assert sentence.startswith("torch.is_grad_enabled() was True")


def test_the_default_dtype_is_told():
    traced = traced_on(lambda x: x * 2 if torch.get_default_dtype() == torch.float32 else x, ONES)
    torch.set_default_dtype(torch.float64)
    try:
        assert told(traced, ONES)
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_mode_of_a_part_that_is_asked_outside_of_its_forward_is_told():
    host = Host()
    traced = traced_on(functools.partial(lambda self, x: x * sum(part.training for part in self.modules()), host), ONES)
    host.eval()
    (sentence,) = told(traced, ONES)
    assert "training was True" in sentence


# Tensors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "other"),
    [
        (lambda x: (x.float(), x * 2), ONES.double()),
        (lambda x: [part * 2 for part in (x.to(torch.float32), x)], ONES.double()),
        (lambda x: (x.contiguous() * 2, x * 1), torch.ones(4, 3).t()),
        (lambda x: (torch.atleast_2d(x), x * 1), torch.ones(4)),
        (lambda x: x + torch.atleast_2d(x).sum(), torch.ones(4)),
    ],
)
def test_an_argument_that_was_given_back_and_is_used_again_is_told(function, other):
    traced = traced_on(function, ONES)
    (sentence,) = told(traced, other)
    assert "gave back its argument itself when" in sentence
    assert told(traced, ONES) == []


def rebound(x):
    x = x.float()
    return x * 2


@pytest.mark.parametrize("function", [rebound, lambda x: x.float() * 2, lambda x: (x * 2).float()])
def test_an_argument_that_is_not_used_again_is_not_told(function):
    traced = traced_on(function, ONES)
    assert told(traced, ONES.double()) == []
    same(traced(ONES.double()), function(ONES.double()))


@pytest.mark.parametrize("function", [lambda x: x * x.sum().tolist(), lambda x: x * (2 if x.sum() > 0 else 3)])
def test_a_value_is_told_to_be_missing_on_the_meta_device(function):
    (sentence,) = told(traced_on(function, ONES), ONES.to("meta"))
    assert "is without a value, on the meta device" in sentence


def test_the_same_numbers_of_another_class_are_told():
    traced = traced_on(lambda x: x * len(str(x.tolist())), ONES)
    assert told(traced, ONES.to(torch.complex64))
    assert told(traced, ONES.long())


def test_an_element_that_is_asked_for_is_told():
    traced = traced_on(lambda x: x * (2 if 1.0 in x else 3), ONES)
    assert told(traced, RANGE) == []
    assert told(traced, RANGE * 2)


@pytest.mark.parametrize("ask", [lambda x: x.grad_fn is None, lambda x: x.is_leaf])
def test_where_a_tensor_comes_from_is_told(ask):
    traced = traced_on(lambda x: x * 2 if ask(x) else x, ONES.clone().requires_grad_())
    assert told(traced, ONES.clone().requires_grad_()) == []
    assert told(traced, ONES.clone().requires_grad_() * 1)


def test_a_gradient_that_an_input_has_is_told():
    traced = traced_on(lambda x: x * 2 if x.grad is None else x, ONES.clone().requires_grad_())
    other = ONES.clone().requires_grad_()
    assert told(traced, other) == []
    other.sum().backward()
    assert told(traced, other)


# Errors -----------------------------------------------------------------------------------------------------------


def caught(x):
    try:
        return x + x.view(4, 3).t()
    except RuntimeError:
        return x * 2


def test_another_shape_after_a_call_that_raised_and_was_caught_is_told():
    traced = traced_on(caught, torch.ones(5, 3))
    assert told(traced, torch.ones(5, 3)) == []
    (sentence,) = told(traced, torch.ones(4, 3))
    assert sentence.startswith("the shape of x, for which the code caught that `view` raises, was (5, 3)")


def test_it_is_told_of_a_tensor_that_is_gone_when_the_code_ends():
    def tried(x):
        y = x * 1
        try:
            return y[3] * 2
        except IndexError:
            return x[0] * 3

    assert told(traced_on(tried, ONES), torch.ones(5, 4))


def test_an_error_of_other_inputs_says_that_a_trace_raised_it():
    def viewed(x):
        return x.view(4, 3)

    with pytest.raises(RuntimeError) as raised:
        traced_on(viewed, torch.ones(12))(torch.ones(15))
    note, where = raised.value.__notes__
    assert note == (
        "viewed is a trace, which may not fit: it was recorded on x: float32[12], and is called with float32[15]"
    )
    assert where.endswith("`view` cannot give 15 elements the shape [4, 3], which has 12: x is float32[15]")


# Text of numbers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * {"3": 2}.get(f"{x.shape[0]}", 1),
        lambda x: x * len(str(x.shape[0] * 1000)),
        lambda x: x * (2 if repr(x.shape) == "torch.Size([3, 4])" else 1),
    ],
)
def test_a_size_as_text_is_told(function):
    traced = traced_on(function, ONES)
    assert told(traced, ONES) == []
    assert told(traced, torch.ones(15, 4))


def test_a_size_that_is_only_shown_is_not_told(capsys):
    def shown(x):
        print(f"{x.shape[0]} rows of {x.shape}")
        warnings.warn(f"{x.shape[0]} rows", stacklevel=2)
        return x * 2

    assert told(traced_on(shown, ONES), torch.ones(5, 4)) == []
    assert "3 rows of torch.Size([3, 4])" in capsys.readouterr().out


# What a replay does not do ----------------------------------------------------------------------------------------


def test_a_parameter_that_is_frozen_after_it_was_asked_is_told():
    linear = nn.Linear(4, 4)
    traced = traced_on(lambda x: linear(x) * (2 if linear.weight.requires_grad else 3), ONES)
    assert told(traced, ONES) == []
    linear.requires_grad_(False)
    (sentence,) = told(traced, ONES)
    assert "weight.requires_grad was True" in sentence


def test_parameters_of_a_module_that_does_not_run_are_told_to_be_frozen():
    linear = nn.Linear(4, 4)
    traced = traced_on(lambda x: x * sum(each.requires_grad for each in linear.parameters()), ONES)
    assert told(traced, ONES) == []
    linear.requires_grad_(False)
    assert len(told(traced, ONES)) == 2


def test_whether_an_input_is_a_parameter_is_told():
    traced = traced_on(lambda x: x + 1 if isinstance(x, nn.Parameter) else x, ONES)
    assert told(traced, ONES) == []
    assert told(traced, nn.Parameter(ONES))


def test_a_parameter_as_example_is_one_for_the_code():
    traced = traced_on(lambda x: x + 1 if isinstance(x, nn.Parameter) else x, nn.Parameter(ONES))
    assert torch.equal(traced(nn.Parameter(ONES)), ONES + 1)
    assert told(traced, ONES)


class SetToWhatItWas(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = 2.0

    def forward(self, x):
        y = x * self.factor
        self.factor = float(x.dim())
        return y


def test_an_attribute_that_the_code_set_to_what_it_was_may_be_another_later():
    module = SetToWhatItWas()
    traced = traced_on(module, torch.ones(2, 2))
    assert told(traced, torch.ones(2, 2)) == []
    module(torch.ones(2))
    assert told(traced, torch.ones(2, 2))


def test_the_rank_of_what_is_expanded_as_another_is_that_of_the_other():
    def expanded(x, y):
        z = y.expand_as(x)
        return z.reshape(-1, z.shape[-1])

    traced = traced_on(expanded, torch.ones(3, 4), torch.ones(3, 4))
    assert traced(torch.ones(2, 3, 4), torch.ones(3, 4)).shape == (6, 4) or told(
        traced, torch.ones(2, 3, 4), torch.ones(3, 4)
    )
