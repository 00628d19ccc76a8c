"""Tensors of classes of one's own: what their Python code reads follows, and what they hold is that of the call."""

import pytest
import torch
from torch import nn
from torch.masked import as_masked_tensor, masked_tensor
from torch.nn import functional as F

import tracelab
from support.replay import agrees, assert_same, replays
from support.told import told

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*MaskedTensor:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*nested tensors is in prototype:UserWarning"),
]


class Doubling(torch.Tensor):
    """Decides by `__torch_function__` alone: a weight that counts twice."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func is F.linear:
            x, weight = (item.as_subclass(torch.Tensor) for item in args[:2])
            flat = x.reshape(-1, x.size(1)) @ weight.t()
            return 2 * flat.reshape(x.size(0), weight.size(0))
        return super().__torch_function__(func, types, args, kwargs or {})


class Boxed(torch.Tensor):
    """Wraps another tensor, and decides by `__torch_dispatch__`."""

    @staticmethod
    def __new__(cls, inner):
        return torch.Tensor._make_wrapper_subclass(cls, inner.size(), dtype=inner.dtype, device=inner.device)

    def __init__(self, inner):
        self.inner = inner

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        result = func(*[item.inner if isinstance(item, Boxed) else item for item in args], **(kwargs or {}))
        return Boxed(result) if isinstance(result, torch.Tensor) else result


def test_sizes_that_torch_function_reads_follow():
    model = nn.Linear(4, 3, bias=False)
    model.weight = nn.Parameter(model.weight.detach().as_subclass(Doubling))
    replays(model, torch.ones(2, 4), torch.rand(5, 4))


def test_sizes_that_torch_s_own_functions_read_for_a_subclass_follow():
    class Named(torch.Tensor):
        pass

    def function(x):
        return F.interpolate(x.as_subclass(Named), scale_factor=2.0).as_subclass(torch.Tensor) * x.shape[0]

    traced = tracelab.trace(function, torch.rand(2, 3, 4), check_trace=False)
    agrees(traced, function, torch.rand(2, 3, 4), torch.rand(5, 3, 4))


def test_a_wrapping_tensor_that_the_code_makes_is_made_of_the_tensors_of_the_call():
    replays(lambda x: (Boxed(x) * 2 + x.shape[0]).inner, torch.ones(2, 4), torch.rand(5, 4))


def test_what_a_wrapping_input_holds_is_that_of_the_call():
    function = lambda x: (x * 2).inner + x.inner  # noqa: E731
    traced = tracelab.trace(function, Boxed(torch.ones(2, 4)), check_trace=False)
    given = Boxed(torch.rand(5, 4))
    assert_same(traced(given), function(given))


def test_a_wrapping_result_comes_back_as_its_class():
    traced = tracelab.trace(lambda x: Boxed(x) * 2, torch.ones(2, 4), check_trace=False)
    x = torch.rand(5, 4)
    found = traced(x)
    assert type(found) is Boxed
    assert_same(found.inner, x * 2)


def test_a_plain_tensor_where_the_trace_took_a_wrapping_one_is_one_sentence():
    traced = tracelab.trace(lambda x: x.inner + 1, Boxed(torch.ones(2)), check_trace=False)
    with pytest.raises(tracelab.TracelabError, match=r"attribute `inner`.* this Tensor holds none there"):
        traced(torch.ones(2))


@pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")
def test_a_part_that_the_code_replaces_after_a_call_is_told():
    def function(x):
        box = Boxed(x)
        first = box.exp()
        box.inner = x * 3
        return (first + box).inner

    traced = tracelab.trace(function, torch.ones(2), check_trace=False)
    assert "which the code changed" in told(traced, torch.ones(2))[0]


def test_a_part_that_an_operator_replaces_follows():
    def function(x):
        box = Boxed(x)
        box.add_(1)
        return (box * 2).inner

    replays(function, torch.ones(2), torch.rand(3))


def test_a_wrapping_tensor_prints_as_a_node():
    graph = tracelab.trace(lambda x: Boxed(x).exp().inner, torch.ones(2), check_trace=False).graph
    assert [node.kind for node in graph.nodes] == [
        "aten::size",
        "prim::wrapper_tensor",
        "aten::exp",
        "prim::tensor_part",
    ]


def test_a_wrapping_input_is_checked_by_what_it_holds():
    traced = tracelab.trace(lambda m: (m + 1).to_tensor(0.0), masked(torch.tensor([1.0, -1.0])))
    assert traced.checked is None or traced.checked[0]


# Masked tensors ------------------------------------------------------------------------------------------


def masked(x):
    return masked_tensor(x, x > 0)


def test_masked_tensors_follow_values_and_sizes():
    def function(x):
        squares = (masked(x) * masked(x)).exp()
        return squares.to_tensor(0.0), squares.sum(0).get_data().nan_to_num(), squares.amax(0).to_tensor(7.0)

    traced = tracelab.trace(function, torch.randn(4, 3), check_trace=False, strict=False)
    agrees(traced, function, torch.randn(4, 3), torch.randn(6, 3))


def test_the_gradient_of_masked_data_takes_the_mask_of_the_call():
    def gradient(function, x):
        (found,) = torch.autograd.grad(function(x), x)
        return found.to_tensor(0.0)

    def function(x):
        return (as_masked_tensor(x, x > 0).get_data() * x.detach()).sum()

    traced = tracelab.trace(function, torch.tensor([1.0, -1.0], requires_grad=True), check_trace=False)
    x = torch.tensor([-2.0, 3.0, 5.0], requires_grad=True)
    assert gradient(traced, x).tolist() == gradient(function, x).tolist() == [0.0, 3.0, 5.0]


# Nested tensors ------------------------------------------------------------------------------------------

RAGGED = torch.rand(2, 3), torch.rand(4, 3)
LONGER = torch.rand(5, 3), torch.rand(1, 3)
JAGGED = torch.rand(6, 8), torch.tensor([0, 2, 6])
MORE = torch.rand(9, 8), torch.tensor([0, 1, 4, 9])


@pytest.mark.parametrize("layout", [torch.jagged, torch.strided], ids=str)
@pytest.mark.parametrize("make", [torch.nested.as_nested_tensor, torch.nested.nested_tensor])
def test_nested_tensors_are_made_of_the_lengths_of_the_call(make, layout):
    def function(a, b):
        return make([a, b], layout=layout).sin().to_padded_tensor(0.0)

    replays(function, RAGGED, LONGER)


def test_a_jagged_tensor_of_values_and_offsets_follows():
    layer = nn.Linear(8, 5)

    def function(values, offsets):
        return layer(torch.nested.nested_tensor_from_jagged(values, offsets)).values()

    replays(function, JAGGED, MORE)


def test_attention_over_a_jagged_tensor_follows():
    def function(values, offsets):
        x = torch.nested.nested_tensor_from_jagged(values, offsets).unflatten(-1, [2, 4]).transpose(1, 2)
        return F.scaled_dot_product_attention(x, x, x).transpose(1, 2).flatten(2).values()

    replays(function, JAGGED, MORE, tolerance={"rtol": 1e-5, "atol": 1e-6})


def test_gradients_through_a_jagged_tensor_follow():
    def function(a, b):
        return torch.nested.as_nested_tensor([a, b], layout=torch.jagged).sin().values().sum()

    traced = replays(function, tuple(x.clone().requires_grad_() for x in RAGGED))
    given = tuple(x.clone().requires_grad_() for x in LONGER)
    assert_same(torch.autograd.grad(traced(*given), given), torch.autograd.grad(function(*given), given))


@pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")
def test_a_number_of_components_that_was_read_is_told_where_it_differs():
    def function(values, offsets):
        return torch.nested.nested_tensor_from_jagged(values, offsets).size(0) * values

    traced = tracelab.trace(function, JAGGED, check_trace=False)
    assert not told(traced, *JAGGED)
    assert ".size(0) was 2 when function was traced" in told(traced, *MORE)[0]
