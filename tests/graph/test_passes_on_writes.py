"""Passes leave alone what is written to, however it is written and whoever writes it."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from torch import nn

import tracelab
from support.observed_calls import changed_by
from tracelab.graph import Graph, passes


class Both(torch.autograd.Function):
    """The second result is a view of the second argument."""

    @staticmethod
    def forward(ctx, x, y):
        return x * 2, y.view(2)

    @staticmethod
    def backward(ctx, first, second):
        return first * 2, second


class Fills(torch.autograd.Function):
    """Writes into its second argument, and tells nobody."""

    @staticmethod
    def forward(ctx, x, y):
        y.data.fill_(7)
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2, None


class Puts(torch.autograd.Function):
    """Lets its first argument have the memory of the second, and gives nothing back."""

    @staticmethod
    def forward(ctx, x, y):
        x.data = y


class Keeps(torch.autograd.Function):
    """Keeps its argument for `WritesKept`."""

    kept: ClassVar[list[torch.Tensor]] = []

    @staticmethod
    def forward(ctx, x):
        Keeps.kept = [x]
        return x + 1


class WritesKept(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        Keeps.kept[0].add_(5)
        return x * 1


def kinds(graph: Graph) -> list[str]:
    return [node.name for node in graph.nodes]


def graph_of(function, *example) -> Graph:
    return tracelab.trace_graph(function, example, strict=False)[0]


def second_output_written(x):
    y = x.clone()
    _, view = Both.apply(x, y)
    view.mul_(4)
    return y


def second_input_written(x):
    y = x.clone()
    product = Fills.apply(x, y)
    return product, y


def written_after_it_was_given_away(x):
    y = x.clone()
    kept = Keeps.apply(y)
    written = WritesKept.apply(x)
    return y + 0, kept, written


def written_by_way_of_another(x):
    y, z = x.clone(), x * 2
    Puts.apply(y, z)
    y.mul_(3)
    return z


def written_through_a_view_of_a_view(x):
    y = x.clone()
    y.unsqueeze(0).expand(3, -1)[0].view(-1)[0:1].fill_(9)
    return y


def written_through_one_of_a_list(x):
    y = x.clone()
    first, _ = y.split(1)
    first.fill_(9)
    return y


def written_through_an_unsafe_view(x):
    y = x.clone()
    torch.ops.aten._unsafe_view.default(y, [1, 2]).fill_(9)
    return y


def written_through_an_unsafe_part(x):
    y = x.clone()
    torch.ops.aten.unsafe_split.Tensor(y, 1)[0].fill_(9)
    return y


def written_through_what_may_be_itself(x):
    y = x.clone()
    nn.functional.dropout(y, 0.5, training=False).fill_(9)
    return y


def written_by_keyword(x):
    y = x.clone()
    torch.add(input=x, other=1, out=y)
    return y


def two_written_by_keyword(x):
    y, z = torch.zeros(1), torch.zeros(1, dtype=torch.long)
    torch.max(x.view(1, 2), dim=1, out=(y, z))
    return y, z


def written_in_a_list(x):
    y, z = x.clone(), x * 2
    torch._foreach_add_([y, z], 1.0)
    return y, z


def written_as_data(x):
    y = x.clone()
    y.data.add_(1)
    return y


def put_into_the_place_of_another(x):
    y, z = x.clone(), x * 2
    y.data = z
    y.add_(1)
    return z


def written_in_another_mode(x):
    y = x.clone()
    with torch.no_grad():
        y[0] = 5
    return y


def running_statistics(x):
    mean, variance = torch.zeros(2), torch.ones(2)
    nn.functional.batch_norm(x.expand(3, 2) * torch.ones(3, 1), mean, variance, training=True)
    return mean, variance


def running_statistics_by_keyword(x):
    mean, variance = torch.zeros(2), torch.ones(2)
    torch.batch_norm(
        input=x.expand(3, 2),
        weight=None,
        bias=None,
        running_mean=mean,
        running_var=variance,
        training=True,
        momentum=0.1,
        eps=1e-5,
        cudnn_enabled=False,
    )
    return mean, variance


def running_statistics_of_the_native_norm(x):
    mean, variance = torch.zeros(2), torch.ones(2)
    torch.native_batch_norm(x.expand(3, 2), None, None, mean, variance, True, 0.1, 1e-5)
    return mean, variance


def running_statistics_of_an_instance(x):
    mean, variance = torch.zeros(1), torch.ones(1)
    nn.functional.instance_norm(x.view(1, 1, 2), mean, variance, use_input_stats=True)
    return mean, variance


WRITES = [
    second_output_written,
    second_input_written,
    written_after_it_was_given_away,
    written_by_way_of_another,
    written_through_a_view_of_a_view,
    written_through_one_of_a_list,
    written_through_an_unsafe_view,
    written_through_an_unsafe_part,
    written_through_what_may_be_itself,
    written_by_keyword,
    two_written_by_keyword,
    written_in_a_list,
    written_as_data,
    put_into_the_place_of_another,
    written_in_another_mode,
    running_statistics,
    running_statistics_by_keyword,
    running_statistics_of_the_native_norm,
    running_statistics_of_an_instance,
]
PASSES = {
    "dce": passes.dce,
    "cse": passes.cse,
    "both": lambda graph: passes.cse(passes.dce(graph)),
    "all": lambda graph: passes.canonicalize(passes.dce(passes.cse(passes.fold_constants(passes.inline(graph))))),
}


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("function", WRITES)
def test_a_write_counts(function, name):
    assert changed_by(PASSES[name], function, torch.tensor([1.0, 2.0])) == ""


@pytest.mark.filterwarnings("ignore:Sparse")
def test_a_write_into_the_values_of_a_sparse_tensor_counts():
    def written(x):
        y = x.clone()
        sparse = torch.sparse_csr_tensor(torch.tensor([0, 1, 2]), torch.tensor([0, 1]), y)
        y.fill_(9)
        return sparse.to_dense()

    assert changed_by(passes.dce, written, torch.tensor([1.0, 2.0])) == ""


def test_graph_for_keeps_a_write_through_the_second_output_of_a_python_operator():
    traced = tracelab.trace(second_output_written, torch.ones(2))
    assert traced.graph_for().to_callable()(torch.ones(2)).tolist() == [4, 4]


def test_a_write_into_an_input_by_a_python_operator_that_returns_nothing_stays():
    def filled(x):
        Puts.apply(x, torch.zeros(2))
        return torch.ones(1)

    assert kinds(passes.dce(graph_of(filled, torch.ones(2)))) == ["zeros", "PythonOp", "ones"]


def test_a_write_into_a_buffer_by_a_norm_given_by_keyword_stays():
    graph = Graph()
    x, mean = (tracelab.graph.Value(name, "Tensor", role=tracelab.graph.Role.INPUT) for name in ("x", "mean"))
    graph.inputs = [x, mean]
    norm = graph.create_node(
        "aten::batch_norm",
        torch.ops.aten.batch_norm.default,
        (x,),
        {
            "weight": None,
            "bias": None,
            "running_mean": mean,
            "running_var": None,
            "training": True,
            "momentum": 0.1,
            "eps": 1e-5,
            "cudnn_enabled": False,
        },
    )
    assert passes.dce(graph).nodes == [norm]


def test_a_norm_that_does_not_train_is_taken_out():
    def unused(x):
        nn.functional.batch_norm(x, torch.zeros(2), torch.ones(2), training=False)
        return x + 1

    assert kinds(passes.dce(graph_of(unused, torch.ones(3, 2)))) == ["add"]


@pytest.mark.parametrize("node", ["dropout", "rand_like"])
def test_random_operators_stay(node):
    def noise(x):
        nn.functional.dropout(x, training=True)
        torch.rand_like(x)
        return x + 1

    assert node in kinds(passes.dce(graph_of(noise, torch.ones(2))))


def test_dropout_that_does_not_train_is_taken_out():
    def unused(x):
        torch.dropout(input=x * 2, p=0.5, train=False)
        return x + 1

    assert kinds(passes.dce(graph_of(unused, torch.ones(2)))) == ["add"]


def test_an_assertion_on_values_stays():
    def checked(x):
        torch._assert_async(x.sum() > 0)
        return x + 1

    graph = passes.dce(graph_of(checked, torch.ones(2)))
    assert kinds(graph) == ["sum", "gt", "_assert_async", "add"]
    with pytest.raises(RuntimeError, match="Expected Tensor with single nonzero value"):
        graph.to_callable()(torch.zeros(2))


def test_a_write_through_a_buffer_that_is_set_stays():
    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("count", torch.zeros(1))

        def forward(self, x):
            self.count = self.count + 1
            self.count.mul_(2)
            return x + 1

    traced = tracelab.trace(Counts(), torch.ones(2), check_trace=False)
    traced.count.zero_()
    passes.dce(traced.graph)
    traced(torch.ones(2))
    assert traced.count.item() == 2


def test_of_two_buffers_that_are_set_alike_each_is_a_tensor_of_its_own():
    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("one", torch.zeros(1))
            self.register_buffer("other", torch.zeros(1))

        def forward(self, x):
            self.one = x.exp()
            self.other = x.exp()
            return x.exp()

    traced = tracelab.trace(Counts(), torch.ones(2))
    passes.cse(traced.graph)
    result = traced(torch.ones(2))
    result.zero_()
    traced.one.zero_()
    assert traced.other.sum() > 0


def test_cse_does_not_merge_what_a_python_operator_writes_unsaid():
    def copies(x):
        one, two = x.clone(), x.clone()
        product = Fills.apply(x, one)
        return one + 0, two + 0, product

    assert changed_by(passes.cse, copies, torch.ones(2)) == ""


def test_cse_does_not_merge_around_a_write_by_a_python_operator():
    def around(x):
        y = x.clone()
        before = y.exp()
        product = Fills.apply(x, y)
        return before * 1, y.exp() * 1, product

    assert changed_by(passes.cse, around, torch.ones(2)) == ""


def test_cse_does_not_merge_around_a_change_of_the_default_dtype():
    def around(x):
        before = torch.ones(2)
        torch.set_default_dtype(torch.float64)
        behind = torch.ones(2)
        torch.set_default_dtype(torch.float32)
        return before + x, behind + x

    assert changed_by(passes.cse, around, torch.ones(2)) == ""


def test_three_results_that_are_equal_stay_three_tensors():
    def thrice(x):
        return x.exp().sum(), x.exp(), x.exp()

    assert changed_by(passes.cse, thrice, torch.ones(2)) == ""


def test_two_parts_of_equal_lists_that_are_returned_stay_two_tensors():
    def parts(x):
        one, _ = x.chunk(2)
        other, _ = x.chunk(2)
        return one, other

    assert changed_by(passes.cse, parts, torch.ones(2)) == ""


def test_a_result_that_is_the_input_stays_the_input():
    def same(x):
        return x.contiguous(), x.to(torch.float32), nn.functional.dropout(x, training=False)

    for edit in PASSES.values():
        graph = graph_of(same, torch.ones(2))
        edit(graph)
        x = torch.ones(2)
        assert all(result is x for result in graph.to_callable()(x))


def test_cse_merges_what_only_other_code_reads():
    def twice(x):
        return Both.apply(x.exp() + 1, x.exp() + 1)[0]

    assert kinds(passes.cse(graph_of(twice, torch.ones(2)))) == ["exp", "add", "add", "PythonOp", "TupleUnpack"]


def test_cse_does_not_merge_inside_and_behind_autocast():
    def products(x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            torch.set_grad_enabled(True)
            inside = x @ x
        return inside * 1, (x @ x) * 1

    assert changed_by(passes.cse, products, torch.rand(2, 2)) == ""


def test_cse_merges_before_and_behind_a_region():
    def around(x):
        before = x.exp()
        with torch.no_grad():
            inside = x.exp()
        return before * inside * x.exp()

    assert kinds(passes.cse(graph_of(around, torch.ones(2)))).count("exp") == 2


def test_cse_tells_two_constant_tensors_apart_that_print_alike():
    graph = graph_of(lambda x: (x + 1, x + 2), torch.ones(2))
    one, two = graph.find_nodes("add")
    one.args = (one.args[0], torch.tensor([1.00001]))
    two.args = (two.args[0], torch.tensor([1.00002]))
    assert kinds(passes.cse(graph)) == ["add", "add", "TupleConstruct"]


def test_cse_tells_zero_from_minus_zero():
    assert changed_by(passes.cse, lambda x: (1 / (x * 0.0), 1 / (x * -0.0)), torch.ones(2)) == ""
