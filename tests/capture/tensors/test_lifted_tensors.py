"""Functions that stay one node follow the tensors that they use from outside their arguments."""

import functools

import pytest
import torch
from torch.func import functional_call, grad, vmap
from torch.nn import functional as F

import tracelab
from support.replay import replays

shared = None
"""A tensor of this module, as a notebook has them."""


def scaled_by_shared(p):
    return (p * shared).sum()


def closure(x, w):
    return grad(lambda p: (p * x).sum())(w)


def default(x, w):
    return grad(lambda p, x=x: (p * x).sum())(w)


def named_default(x, w):
    def function(p, *, scale=x):
        return (p * scale).sum()

    return grad(function)(w)


def module_variable(x, w):
    global shared
    shared = x * 2
    return grad(lambda p: (p * shared).sum())(w)


def module_variable_of_a_function_that_it_calls(x, w):
    global shared
    shared = x * 2
    return grad(lambda p: scaled_by_shared(p) * 3)(w)


def function_in_a_closure(x, w):
    def loss(p):
        return (p * x).sum()

    return grad(lambda p: loss(p) + p.sum())(w)


def batch(x, w):
    data = {"pair": (x, [x * 2]), "name": "a"}
    return grad(lambda p: (p * data["pair"][0] * data["pair"][1][0]).sum())(w)


def partial(x, w):
    return grad(functools.partial(lambda scale, p: (p * scale).sum(), x))(w)


def partial_by_name(x, w):
    return grad(functools.partial(lambda p, scale: (p * scale).sum(), scale=x))(w)


def nested_transforms(x, w):
    return vmap(grad(lambda p: (p * x.sum()).pow(2)))(w)


def method(x, w):
    global shared
    shared = x

    class Loss:
        power = 2

        def of(self, p):
            return (p * shared).pow(self.power).sum()

    return grad(Loss().of)(w)


def used_twice(x, w):
    return grad(lambda p: (p * x + x).pow(2).sum())(w)


CASES = [
    closure,
    default,
    named_default,
    module_variable,
    module_variable_of_a_function_that_it_calls,
    function_in_a_closure,
    batch,
    partial,
    partial_by_name,
    nested_transforms,
    method,
    used_twice,
]


@pytest.mark.parametrize("function", CASES, ids=lambda function: function.__name__)
def test_the_replay_uses_its_own(function):
    replays(function, (torch.randn(3), torch.randn(3)), (torch.randn(5), torch.randn(5)))


def test_the_module_variable_is_left_as_it_was():
    tracelab.trace(module_variable, (torch.ones(2), torch.ones(2)), check_trace=False)
    kept = shared
    traced = tracelab.trace(lambda w: grad(scaled_by_shared)(w), torch.ones(2))
    traced(torch.zeros(2))
    assert shared is kept


def test_one_that_is_found_twice_is_one_argument():
    graph = tracelab.trace(used_twice, (torch.ones(2), torch.ones(2))).graph
    (node,) = graph.find_nodes("prim::PythonOp")
    assert [value.name for value in node.inputs] == ["w", "x"]


def test_gradients_of_a_network_by_its_parameters():
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))

    def gradients(x, y):
        params = dict(net.named_parameters())
        return grad(lambda p: F.cross_entropy(functional_call(net, p, (x,)), y))(params)["0.weight"]

    first = torch.randn(5, 4), torch.randint(2, (5,))
    replays(gradients, first, (torch.randn(7, 4), torch.randint(2, (7,))))


class Holder:
    def __init__(self, tensor):
        self.tensor = tensor


def test_an_attribute_of_an_object_is_refused():
    def function(x, w):
        holder = Holder(x)
        return grad(lambda p: (p * holder.tensor).sum())(w)

    with pytest.raises(tracelab.TracelabError, match="the function given to grad uses %x from outside its arguments"):
        tracelab.trace(function, (torch.ones(2), torch.ones(2)))


def test_one_that_is_also_reached_another_way_is_refused():
    def function(x, w):
        holder = Holder(x)
        return grad(lambda p: (p * x * holder.tensor).sum())(w)

    with pytest.raises(tracelab.TracelabError, match="uses %x from outside its arguments"):
        tracelab.trace(function, (torch.ones(2), torch.ones(2)))


def test_a_function_that_writes_a_module_variable_is_refused():
    def function(x, w):
        global shared
        shared = x

        def loss(p):
            global shared
            result = (p * shared).sum()
            shared = shared + 0
            return result

        return grad(loss)(w)

    with pytest.raises(tracelab.TracelabError, match="from outside its arguments"):
        tracelab.trace(function, (torch.ones(2), torch.ones(2)))


def test_a_function_that_calls_itself():
    def function(x, w):
        def power(p, times):
            return p if times == 0 else power(p * x, times - 1)

        return grad(lambda p: power(p, 3).sum())(w)

    with pytest.raises(tracelab.TracelabError, match="from outside its arguments"):
        tracelab.trace(function, (torch.ones(2), torch.ones(2)))


def test_a_size_in_a_closure():
    def function(x, w):
        rows, columns = x.shape
        return vmap(lambda row: (row * columns).sum() / rows)(x) + w

    replays(function, (torch.randn(3, 2), torch.zeros(1)), (torch.randn(5, 4), torch.zeros(1)))


def test_a_function_that_makes_tensors_of_a_size_in_its_closure():
    def function(x, w):
        columns = x.shape[1] + 1
        return vmap(lambda row: row.new_zeros(columns))(x) + w

    replays(function, (torch.randn(3, 2), torch.zeros(1)), (torch.randn(5, 4), torch.zeros(1)))


def test_results_in_a_dict():
    def function(x, w):
        found = grad(lambda p: (p["a"] * x + p["b"]["c"]).sum())({"a": w, "b": {"c": x * 2}})
        return found["a"] + found["b"]["c"]

    replays(function, (torch.randn(3), torch.randn(3)), (torch.randn(5), torch.randn(5)))
