"""Two runs side by side: where they part is found, named, and measured."""

from __future__ import annotations

import copy
import gc
import math
import weakref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import tracelab
from tracelab import TracelabError
from tracelab.comparison.metrics import distance
from tracelab.demo import GPT, ResNet


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 3)
        self.fc2 = nn.Linear(3, 2)

    def forward(self, x):
        hidden = torch.relu(self.fc1(x))
        return self.fc2(hidden)


x = torch.rand(5, 4) + 0.5


@pytest.fixture
def net():
    return Net()


@pytest.fixture
def traced(net):
    return tracelab.trace(net, torch.randn(2, 4))


def names(rows):
    return [row.a.name for row in rows]


# What is found -----------------------------------------------------------------------------------------------


def test_a_trace_and_its_module_agree_in_every_value(net, traced):
    comparison = tracelab.compare(traced, net, x)
    assert comparison
    assert comparison.first_divergent is None
    assert names(comparison.rows) == ["linear", "hidden", "linear.1"]
    assert all(row.distance.max_abs == 0 and row.distance.ulp == 0 for row in comparison.rows)


def test_two_checkpoints_part_where_a_parameter_differs(net, traced):
    other = copy.deepcopy(net)
    with torch.no_grad():
        other.fc2.bias += 0.5
    comparison = tracelab.compare(traced, other, x)
    assert not comparison
    assert comparison.first_divergent is traced.graph.find_nodes("aten::linear")[1]
    assert [row.differs for row in comparison.rows] == ["", "", "values"]
    assert comparison.rows[-1].distance.max_abs == pytest.approx(0.5)


def test_float32_and_bfloat16(traced):
    comparison = tracelab.compare(traced, traced, x, dtypes=(None, torch.bfloat16))
    assert 0 < comparison.rows[0].distance.max_abs < 0.05
    assert comparison.names == ("Net.forward", "Net.forward in bfloat16")
    assert not tracelab.compare(traced, traced, x, dtypes=(None, torch.bfloat16), rtol=0, atol=0)


def test_a_function_and_another_version_of_it():
    def before(x):
        y = x * 2
        return y.exp()

    def after(x):
        y = x * 2
        return y.exp2()

    comparison = tracelab.compare(before, after, torch.ones(3))
    assert [node.kind for node in comparison.only_a + comparison.only_b] in ([], ["aten::exp", "aten::exp2"])
    assert comparison.rows[0].differs == ""


def test_a_specialized_branch_shows_where_the_python_function_goes_another_way():
    def branch(x):
        y = x - 1
        z = y * 2 if y.sum() > 0 else y * -1
        return z + 1

    with pytest.warns(tracelab.TracerWarning):
        traced = tracelab.trace(branch, torch.full((3,), 2.0), check_trace=False)
    with pytest.warns(tracelab.TracerWarning):
        comparison = tracelab.compare(traced, branch, torch.zeros(3))
    assert comparison.first_divergent is traced.graph.find_nodes("aten::mul")[0]


def test_a_layer_that_only_one_has_is_named(net):
    class Longer(Net):
        def forward(self, x):
            hidden = torch.relu(self.fc1(x))
            hidden = torch.tanh(hidden)
            return self.fc2(hidden)

    longer = Longer()
    nn.init.constant_(net.fc1.bias, 3.0)
    longer.load_state_dict(net.state_dict())
    comparison = tracelab.compare(net, longer, x)
    assert [node.kind for node in comparison.only_b] == ["aten::tanh"]
    assert comparison.only_a == []
    assert comparison.first_divergent.kind == "aten::linear"


def test_shapes_that_differ_are_said(net):
    class Wider(Net):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(4, 6)
            self.fc2 = nn.Linear(6, 2)

    comparison = tracelab.compare(net, Wider(), x)
    assert comparison.rows[0].differs == "shape (5, 3) and (5, 6)"
    assert comparison.rows[0].distance is None


def test_both_draw_the_same_random_numbers_and_random_state_stays():
    def noisy(x):
        return torch.nn.functional.dropout(x + torch.randn(4)) * torch.rand(4)

    traced = tracelab.trace(noisy, torch.ones(4), check_trace=False)
    state = torch.get_rng_state()
    assert tracelab.compare(traced, traced, torch.ones(4))
    assert torch.equal(torch.get_rng_state(), state)


def test_in_place_values_are_compared_as_they_were_made():
    def write(x):
        y = x * 2
        y.add_(1)
        return y * 1

    comparison = tracelab.compare(write, write, torch.ones(3))
    assert comparison
    assert len(comparison.rows) == 3


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (ResNet.resnet18(10, 8).eval(), torch.randn(1, 3, 32, 32)),
        (GPT(layers=2).eval(), torch.randint(0, 256, (1, 9))),
    ],
    ids=["resnet", "gpt"],
)
def test_whole_models_agree_with_themselves(model, example):
    comparison = tracelab.compare(tracelab.trace(model, example), model, example)
    assert comparison
    assert len(comparison.rows) > 50


def test_values_are_let_go_as_they_are_compared():
    alive: list[weakref.ref[torch.Tensor]] = []
    most = []

    class Note(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            made = x + 1
            alive.append(weakref.ref(made))
            gc.collect()
            most.append(sum(reference() is not None for reference in alive))
            return made

    def chain(x):
        for _ in range(20):
            x = Note.apply(x)
        return x

    traced = tracelab.trace(chain, torch.ones(2), check_trace=False)
    most.clear()
    tracelab.compare(traced, traced, torch.ones(2))
    assert max(most) <= 4


def test_progress_hears_of_each_row(net, traced):
    heard = []
    comparison = tracelab.compare(traced, net, x, progress=heard.append)
    assert heard == comparison.rows


# Errors ------------------------------------------------------------------------------------------------------


def test_a_side_that_fails_keeps_the_rows_before_it(traced):
    class Broken(Net):
        def forward(self, x):
            hidden = torch.relu(self.fc1(x))
            return self.fc2(hidden)

    broken = tracelab.trace(Broken(), torch.randn(2, 4))
    with torch.no_grad():
        broken.get_submodule("fc2").weight = nn.Parameter(torch.zeros(2, 7))
    comparison = tracelab.compare(traced, broken, x)
    assert not comparison
    assert names(comparison.rows) == ["linear", "hidden"]
    assert comparison.failed.node.scope.path == "fc2"
    assert "not compared to the end: aten::linear (%linear.1, in fc2" in str(comparison)


def test_graphs_with_nothing_in_common_are_one_sentence():
    with pytest.raises(TracelabError, match=r"have no node in common, .*: there is nothing to compare"):
        tracelab.compare(lambda x: torch.sin(x), lambda x: x, torch.ones(3))


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(TracelabError, match="nothing to compare in int: give a traced object, a function or a module"):
        tracelab.compare(3, 4, x)


# Text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "words"), [(lambda x: x * 2, "1 value agrees"), (lambda x: x * 3, "1 of 1 value differs")]
)
def test_one_value_is_counted_in_the_singular(other, words):
    a, b = (tracelab.trace(function, torch.ones(2)) for function in (lambda x: x * 2, other))
    found = tracelab.compare(a, b, torch.ones(2))
    assert str(found).splitlines()[0].endswith(f": {words}")
    assert repr(found).endswith(f": {words})")


def test_it_prints_as_a_table():
    def before(x):
        y = x * 2
        return y + 1

    a = tracelab.trace(before, torch.ones(2))
    b = tracelab.trace(lambda x: x * 2 + 3, torch.ones(2))
    text = str(tracelab.compare(a, b, torch.ones(2))).splitlines()
    assert text[0] == "before and <lambda>: 1 of 2 values differs"
    assert text[1].startswith("first at aten::add (%add, test_compare.py:")
    assert text[2:] == [
        "   value  operator   max abs  max rel    cosine        ulp",
        "   %y     aten::mul        0        0  1.000000          0",
        "!  %add   aten::add        2      0.4  1.000000  6,291,456",
    ]


def test_a_long_one_fits_a_screen():
    def chain(x):
        for _ in range(300):
            x = x * 1.01
        return x

    def other(x):
        for index in range(300):
            x = x * (1.01 if index < 200 else 1.02)
        return x

    text = str(tracelab.compare(chain, other, torch.ones(3)))
    assert len(text.splitlines()) < 40
    assert "first at aten::mul" in text


# Measures ----------------------------------------------------------------------------------------------------


def test_a_unit_in_the_last_place():
    one = torch.tensor([1.0])
    next_ = torch.nextafter(one, torch.tensor([2.0]))
    assert distance(one, next_).ulp == 1
    assert distance(torch.tensor([0.0]), torch.tensor([-0.0])).ulp == 0
    assert distance(one.bfloat16(), one).ulp == 0
    assert distance(one, torch.tensor([1.01])).ulp > distance(one.bfloat16(), torch.tensor([1.01])).ulp
    smallest = torch.tensor([5e-324], dtype=torch.float64)
    assert distance(smallest, -smallest).ulp == 2


def test_nan_and_infinity_at_the_same_place_are_no_difference():
    tensor = torch.tensor([float("nan"), float("inf"), float("-inf"), 1.0])
    assert distance(tensor, tensor.clone()).close
    found = distance(tensor, torch.ones(4))
    assert (found.close, found.max_abs) == (False, math.inf)


def test_integers_and_bools_are_close_only_when_equal():
    assert distance(torch.tensor([1, 2]), torch.tensor([1, 2])).close
    assert not distance(torch.tensor([1, 2]), torch.tensor([1, 3])).close
    assert not distance(torch.tensor([True]), torch.tensor([False])).close


def test_empty_tensors_and_complex_ones():
    assert distance(torch.empty(0), torch.empty(0)).close
    assert distance(torch.tensor([1 + 1j]), torch.tensor([1 + 2j])).max_abs == 1


def test_an_element_near_zero_is_judged_by_the_size_of_the_rest():
    assert distance(torch.tensor([1000.0, 1e-4]), torch.tensor([1000.0, 5e-4])).close
    assert not distance(torch.tensor([1e-3, 1e-4]), torch.tensor([1e-3, 5e-4])).close


numbers = st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=20)


@given(numbers)
@settings(deadline=None, max_examples=50)
def test_a_tensor_is_at_no_distance_from_itself(items):
    tensor = torch.tensor(items)
    found = distance(tensor, tensor.clone(), 0, 0)
    assert (found.max_abs, found.max_rel, found.cosine, found.ulp, found.close) == (0, 0, 1, 0, True)


@given(numbers, numbers)
@settings(deadline=None, max_examples=50)
def test_distance_is_the_same_both_ways_and_agrees_with_numpy_s_formulas(first, second):
    size = min(len(first), len(second))
    a, b = torch.tensor(first[:size]), torch.tensor(second[:size])
    there, back = distance(a, b), distance(b, a)
    assert (there.max_abs, there.max_rel, there.ulp) == (back.max_abs, back.max_rel, back.ulp)
    assert there.max_abs == (a.double() - b.double()).abs().max().item()
    assert 0 <= there.max_rel <= 2
    assert -1 <= there.cosine <= 1


cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@cuda
def test_cpu_and_cuda(traced):
    comparison = tracelab.compare(traced, traced, x, devices=("cpu", "cuda"))
    assert comparison.names[1].endswith("on cuda:0")
    assert comparison, str(comparison)


# Arguments that are called as options ---------------------------------------------------------------------------


def test_an_argument_of_the_code_is_no_option():
    def scaled(y, rtol=2.0):
        return y * rtol

    def doubled(y, rtol=2.0):
        return y * 2

    assert not tracelab.compare(scaled, doubled, torch.ones(3), rtol=torch.tensor(5.0))


def test_an_argument_of_a_trace_is_no_option():
    traced = tracelab.trace(lambda y, progress: y * progress, (torch.ones(3), torch.tensor(3.0)))
    assert tracelab.compare(traced, traced, torch.ones(3), progress=torch.tensor(5.0))


def test_arguments_may_be_called_a_and_b():
    def product(a, b):
        return a * b

    assert tracelab.compare(product, product, a=torch.ones(3), b=torch.ones(3))
