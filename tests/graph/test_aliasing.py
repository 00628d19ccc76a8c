"""The alias analysis knows every write, all memory that is shared, and every operator that draws random numbers."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils import _pytree as pytree

import tracelab
from support.alias_truth import untold
from support.random_programs import Traced, inputs_of, programs
from tracelab.graph import Graph, Value
from tracelab.graph.aliasing import (
    Aliasing,
    has_effect,
    is_random,
    makes_new_storage,
    may_return_input,
    shared_memory,
    writer_of,
    written_values,
)

common = pytest.importorskip("torch.testing._internal.common_methods_invocations", reason="needs expecttest")
aten = torch.ops.aten


class Opaque(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        return x * 2, y.view(2)


class GivesNothing(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        return None


def analysed(function: Callable[..., Any], *example: torch.Tensor) -> tuple[Graph, Aliasing, dict[str, Value]]:
    graph = tracelab.trace_graph(function, example or (torch.ones(2),), strict=False)[0]
    return graph, Aliasing(graph), {value.name: value for value in graph.values()}


# What shares memory ---------------------------------------------------------------------------------------------


def test_a_view_shares_the_memory_of_its_base_and_of_its_views():
    def views(x):
        base = x.clone()
        row = base.view(2, 1)
        part = row[0]
        return base, part

    _, memory, by_name = analysed(views)
    assert memory.may_share(by_name["base"], by_name["part"])
    assert not memory.may_share(by_name["x"], by_name["part"])


def test_parts_of_a_list_share_the_memory_of_what_was_split():
    def parts(x):
        base = x.clone()
        one, other = base.split(1)
        return one, other

    _, memory, by_name = analysed(parts)
    assert memory.may_share(by_name["base"], by_name["one"])
    assert memory.may_share(by_name["one"], by_name["other"])


def test_a_structure_shares_the_memory_of_what_it_holds():
    graph, memory, by_name = analysed(lambda x: {"a": (x, [x.clone()])})
    assert memory.may_share(graph.outputs[0], by_name["x"])
    assert memory.may_share(graph.outputs[0], by_name["clone"])


def test_each_output_of_opaque_code_may_share_the_memory_of_each_argument():
    def called(x):
        one = x.clone()
        other = x * 2
        first, second = Opaque.apply(one, other)
        return first, second

    _, memory, by_name = analysed(called)
    for made, given in itertools.product(("first", "second"), ("one", "other")):
        assert memory.may_share(by_name[made], by_name[given])


def test_opaque_code_that_gives_nothing_may_put_one_argument_into_the_place_of_another():
    def called(x):
        one = x.clone()
        other = x * 2
        GivesNothing.apply(one, other)
        return one * other

    _, memory, by_name = analysed(called)
    assert memory.may_share(by_name["one"], by_name["other"])


def test_a_number_shares_no_memory():
    _, memory, by_name = analysed(lambda x: x * x.shape[0])
    assert not memory.may_share(by_name["size"], by_name["x"])


def test_an_operator_with_a_kernel_of_its_own_makes_new_memory():
    def fresh(x):
        return x.clone() + x.exp() + torch.stack([x, x])[0]

    _, memory, by_name = analysed(fresh)
    for name in ("clone", "exp", "stack"):
        assert not memory.may_share(by_name[name], by_name["x"])


@pytest.mark.parametrize(
    ("target", "new"),
    [
        (aten.exp.default, True),
        (aten.linear.default, True),
        (aten.matmul.default, True),
        (aten.view.default, False),
        (aten.reshape.default, False),
        (aten.dropout.default, False),
        (aten.pad.default, False),
        (aten._unsafe_view.default, False),
        (aten.unsafe_split.Tensor, False),
        (aten.set_.source_Tensor, False),
        (aten.sparse_compressed_tensor.comp_plain_value, False),
        (aten.broadcast_tensors.default, False),
    ],
    ids=str,
)
def test_whether_an_operator_is_certain_to_make_new_memory(target, new):
    node = Graph().create_node(target._schema.name, target)
    assert makes_new_storage(node) is new


def test_an_operator_of_torchscript_alone_may_return_its_input():
    assert may_return_input(torch.ops.aten.__getitem__.t)


def test_arguments_by_keyword_share_memory_too():
    graph = Graph()
    x = Value("x", "Tensor")
    node = graph.create_node("aten::view", aten.view.default, (), {"self": x, "size": [-1]})
    assert list(shared_memory(node)) == [(node.output, x)]


# What is written ------------------------------------------------------------------------------------------------


def normed(x, training):
    return nn.functional.batch_norm(x.view(2, 1), torch.zeros(1), torch.ones(1), training=training)


@pytest.mark.parametrize(
    ("function", "written"),
    [
        (lambda x: x.add_(1), ["x"]),
        (lambda x: torch.add(x, 1, out=torch.ones(2)), ["ones"]),
        (lambda x: torch._foreach_mul_([x, x * 2], 3.0), ["x", "mul"]),
        (lambda x: torch.max(x, 0, out=(torch.ones(()), torch.ones((), dtype=torch.long))), ["ones", "ones.1"]),
        (
            lambda x: nn.functional.batch_norm(x.view(2, 1), torch.zeros(1), torch.ones(1), training=True),
            ["zeros", "ones"],
        ),
        (lambda x: nn.functional.batch_norm(x.view(2, 1), torch.zeros(1), torch.ones(1), training=False), []),
        (lambda x: x.exp(), []),
    ],
    ids=["in place", "out", "in a list", "two out", "training", "not training", "pure"],
)
def test_the_values_that_a_node_writes_into(function, written):
    graph = analysed(function)[0]
    operator = [node for node in graph.nodes if node.schema is not None][-1]
    assert [value.name for value in written_values(operator)] == written


def test_a_keyword_is_written_too():
    graph = Graph()
    x, out = Value("x", "Tensor"), Value("out", "Tensor")
    node = graph.create_node("aten::sin", aten.sin.out, (x,), {"out": out})
    assert written_values(node) == [out]


def test_opaque_code_that_was_seen_to_write_nothing_writes_nothing():
    graph = analysed(lambda x: Opaque.apply(x, x)[0])[0]
    assert written_values(graph.nodes[0]) == []


def test_writers_are_found_through_views():
    def written(x):
        base = x.clone()
        view = base.view(1, 2)
        base.add_(1)
        view.mul_(2)
        return base

    graph, memory, by_name = analysed(written)
    assert [graph.nodes[index].name for index in memory.writers(by_name["view"])] == ["add_", "mul_"]
    assert memory.written(by_name["base"], 3)
    assert not memory.written(by_name["base"], 4)
    assert not memory.written(by_name["x"])
    assert writer_of(graph, by_name["view"]).name == "add_"
    assert writer_of(graph, by_name["x"]) is None


# What leaves the graph ------------------------------------------------------------------------------------------


def test_inputs_and_what_shares_their_memory_are_held_outside():
    _, memory, by_name = analysed(lambda x: x.view(1, 2) * x.clone())
    assert memory.escaped(by_name["view"])
    assert not memory.escaped(by_name["clone"])


def test_what_opaque_code_is_given_is_held_outside():
    def called(x):
        given = x.clone()
        return Opaque.apply(given, x)[0]

    _, memory, by_name = analysed(called)
    assert memory.escaped(by_name["given"])
    assert memory.handled(by_name["given"])


def test_a_marked_tensor_is_handled_and_not_held_outside():
    def marked(x):
        leaf = x.clone()
        return leaf.requires_grad_() * 2

    _, memory, by_name = analysed(marked)
    assert memory.handled(by_name["leaf"])
    assert not memory.escaped(by_name["leaf"])


@pytest.mark.parametrize(
    ("function", "effect"),
    [
        (lambda x: torch.rand(2), True),
        (lambda x: nn.functional.dropout(x, training=True), True),
        (lambda x: nn.functional.dropout(x, training=False), False),
        (lambda x: torch.dropout(input=x, p=0.5, train=False), False),
        (lambda x: torch._assert_async(x.sum() > 0), True),
        (lambda x: torch._foreach_add_([x], 1.0), False),
        (lambda x: x.add_(1), False),
        (lambda x: x.exp(), False),
        (lambda x: Opaque.apply(x, x), True),
        (lambda x: x.requires_grad_(), True),
    ],
    ids=[
        "random",
        "dropout in training",
        "dropout",
        "dropout by keyword",
        "an assertion",
        "a write into a list",
        "a write",
        "pure",
        "opaque",
        "a mark",
    ],
)
def test_what_has_an_effect_beside_its_outputs_and_writes(function, effect):
    node = [node for node in analysed(function)[0].nodes if not node.traits.structure][-1]
    assert has_effect(node) is effect


def test_a_generator_of_the_code_draws_random_numbers():
    def drawn(x):
        return torch.rand(2, generator=torch.Generator().manual_seed(3))

    assert [node.name for node in analysed(drawn)[0].nodes if is_random(node)] == ["rand"]


# Against the truth ----------------------------------------------------------------------------------------------


def calls(op: Any, dtype: torch.dtype) -> Iterator[tuple[Callable[..., Any], list[torch.Tensor]]]:
    """Some calls of an operator of torch's database, each as a function of its tensors."""
    variants = {"": op.op, "method": op.method_variant, "in place": op.inplace_variant}
    for variant, call in variants.items():
        if call is None:
            continue
        for sample in itertools.islice(op.sample_inputs("cpu", dtype), 3):
            leaves, spec = pytree.tree_flatten((sample.input, sample.args, sample.kwargs))
            places = [index for index, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]

            def function(*tensors, leaves=leaves, spec=spec, places=places, call=call, variant=variant):
                filled = list(leaves)
                for place, tensor in zip(places, tensors, strict=True):
                    filled[place] = tensor
                given, args, kwargs = pytree.tree_unflatten(filled, spec)
                return call(given.clone() if variant == "in place" else given, *args, **kwargs)

            yield function, [leaves[place] for place in places]


def untold_of(op: Any) -> list[str]:
    found = []
    for dtype in (torch.float32, torch.int64, torch.complex64):
        if dtype not in op.supported_dtypes("cpu"):
            continue
        for function, tensors in calls(op, dtype):
            try:
                graph, _, inputs = tracelab.trace_graph(function, tuple(tensors), strict=False, return_inputs=True)
            except tracelab.TracelabError:
                # What the operator cannot do is none of ours: an in-place square root of integers.
                continue
            found += untold(graph, inputs)
    return found


def database() -> Iterator[Any]:
    """Every operator of torch's database; a plain run takes one in fifty, as torch looks at all modules each time."""
    for index, op in enumerate(common.op_db):
        name = f"{op.name}-{op.variant_test_name or 'plain'}"
        yield pytest.param(op, id=name, marks=[] if index % 50 == 0 else [pytest.mark.nightly])


@pytest.mark.parametrize("op", list(database()))
def test_nothing_that_an_operator_does_is_untold(op):
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert untold_of(op) == []


def untold_of_programs(first: int, last: int) -> list[str]:
    found = []
    for program in programs(range(first, last)):
        graph, module = Traced(program).fresh()
        held = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        state = [held[value.path] for value in graph.parameters]
        found += [f"{text} in\n{program}" for text in untold(graph, inputs_of() + state)]
    return found


@pytest.mark.parametrize("first", [0, 20])
def test_nothing_that_a_random_program_does_is_untold(first):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert untold_of_programs(first, first + 20) == []


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(40, 2_000, 140))
def test_nothing_that_any_random_program_does_is_untold(first):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert untold_of_programs(first, first + 140) == []
