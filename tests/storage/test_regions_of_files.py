"""Functions that are given to `vmap`, `grad`, `cond` and their like: graphs in a file, which another process runs."""

from __future__ import annotations

import copy
import functools
import io
import json
import pickle
import subprocess
import sys
import zipfile

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, functionalize, grad, grad_and_value, hessian, jacfwd, jacrev, jvp, vmap

import tracelab
from tracelab import TracelabError, TracelabFileError
from tracelab.storage.graph_json import regions

WEIGHT = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))


def helper(row):
    return row.relu() + WEIGHT.sum()


BEFORE = vmap(lambda row: row.sin() + WEIGHT[:, 0])


def nested_branch(row):
    return torch.cond(row.max() > 1, lambda u: u + 1, lambda u: u - 1, (row,))


def while_loop(x, y):
    return torch._higher_order_ops.while_loop(
        lambda count, value: value.sum() < 100,
        lambda count, value: (count + 1, value + y.abs()),
        (torch.tensor(0), x),
    )


def written(row):
    made = row.clone()
    made.mul_(2)
    made[0] = 5
    return made


def without_gradients(row):
    with torch.no_grad():
        scale = row.exp()
    return (scale * row).sum()


def loss(parameters, x, y):
    return F.mse_loss(functional_call(LINEAR, parameters, (x[None],)), y[None])


LINEAR = nn.Linear(4, 2, device="meta")


def biased_attention(q, k, v):
    from torch.nn.attention.flex_attention import flex_attention

    bias = WEIGHT[:, 0]
    return flex_attention(q, k, v, score_mod=lambda score, batch, head, i, j: score + bias[i] * (i >= j))


def mapped(x, y):
    return sys.modules["torch._higher_order_ops.map"].map(lambda row, other: (row * other).sin(), x, y)


def scanned(x, start):
    from torch._higher_order_ops.scan import scan

    return scan(lambda carry, row: (carry + row, carry * row), start, x)


class Ensemble(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, 2, 4))
        self.bias = nn.Parameter(torch.ones(3, 2))

    def forward(self, x):
        stacked = {"weight": self.weight, "bias": self.bias}
        return vmap(lambda one, given: functional_call(LINEAR, one, (given,)), (0, None))(stacked, x)


class Rows(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)
        self.register_buffer("shift", torch.ones(2))

    def forward(self, x):
        return vmap(lambda row: self.linear(row) + self.shift)(x)


class Sides(nn.Module):
    def __init__(self):
        super().__init__()
        self.positive, self.negative = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return torch.cond(x.sum() > 0, self.positive, self.negative, (x,))


def example(*sizes):
    return torch.randn(*sizes, generator=torch.Generator().manual_seed(sum(sizes)))


X, Y, V = example(5, 4), example(5, 4) * 2, example(4)
POSITIVE = X.abs()
HEADS = tuple(example(1, 2, 4, 16) * scale for scale in (1, 2, 3))

CASES = {
    "a closure over traced tensors": (lambda x: closure(x), (X,), (Y,)),
    "another size": (lambda x: vmap(lambda row: row / row.shape[0] * x.shape[0])(x), (X,), (example(7, 6),)),
    "a module's parameters": (Rows(), (X,), (Y,)),
    "stacked parameters": (Ensemble(), (X,), (Y,)),
    "one random number for all": (lambda x: vmap(lambda r: r + torch.rand(4), randomness="same")(x), (X,), (Y,)),
    "random numbers for each": (lambda x: vmap(lambda r: r + torch.rand(4), randomness="different")(x), (X,), (Y,)),
    "dropout": (lambda x: vmap(F.dropout, randomness="different")(x), (X,), (Y,)),
    "nested in_dims": (
        lambda x, y: vmap(lambda d, c: (d["a"] * c).sum() + d["b"], ({"a": 1, "b": 0}, None))({"a": x, "b": x[0]}, y),
        (X, example(5)),
        (Y, example(5) * 2),
    ),
    "out_dims": (lambda x: vmap(lambda row: (row, row * 2), out_dims=1)(x), (X,), (Y,)),
    "vmap in vmap": (lambda x, y: vmap(vmap(torch.dot, (None, 0)), (0, None))(x, y), (X, Y), (Y, X)),
    "chunks": (lambda x: vmap(torch.sin, chunk_size=2)(x), (X,), (Y,)),
    "a partial": (lambda x: vmap(functools.partial(torch.add, alpha=2))(x, x), (X,), (Y,)),
    "a global function": (lambda x: vmap(helper)(x), (X,), (Y,)),
    "made before the trace": (lambda x: BEFORE(x), (X,), (Y,)),
    "tensors made inside": (
        lambda x: vmap(lambda r: r + torch.tensor([1.0, 2, 3, 4]) + torch.arange(4))(x),
        (X,),
        (Y,),
    ),
    "writes inside": (lambda x: vmap(written)(x), (X,), (Y,)),
    "no_grad inside": (lambda x: vmap(grad(without_gradients))(x), (X,), (Y,)),
    "jacfwd": (lambda v: jacfwd(lambda u: u.sin() * u.sum())(v), (V,), (V * 2,)),
    "jacrev": (lambda v: jacrev(lambda u: u.sin() * u.sum())(v), (V,), (V * 2,)),
    "hessian": (lambda v: hessian(lambda u: (u**3).sum())(v), (V,), (V * 2,)),
    "grad with has_aux": (lambda v: grad(lambda u: ((u**2).sum(), u.cos()), has_aux=True)(v), (V,), (V * 2,)),
    "grad of two": (lambda v, w: grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(v, w), (V, V + 1), (V * 2, V)),
    "grad of grad": (lambda x: vmap(grad(grad(lambda v: v**3)))(x.sum(1)), (X,), (Y,)),
    "grad_and_value": (lambda v: grad_and_value(lambda u: (u**2).sum())(v), (V,), (V * 2,)),
    "jvp": (lambda v, t: jvp(lambda u: u.sin() * u, (v,), (t,)), (V, V + 1), (V * 2, V)),
    "functionalize": (lambda x: functionalize(lambda v: v.clone().add_(1).view(-1))(x), (X,), (Y,)),
    "gradients of each sample": (
        lambda w, b, x, y: tuple(vmap(grad(loss), (None, 0, 0))({"weight": w, "bias": b}, x, y).values()),
        (example(2, 4), example(2), X, example(5, 2)),
        (example(2, 4) * 2, example(2), Y, example(5, 2)),
    ),
    "the other branch": (
        lambda x: torch.cond(x.sum() > 0, lambda v: v.sin(), torch.cos, (x,)),
        (POSITIVE,),
        (-POSITIVE,),
    ),
    "a branch with a closure": (
        lambda x, y: torch.cond(x.sum() > 0, lambda v: v.sin() + y, lambda v: v.cos() - y, (x,)),
        (POSITIVE, Y),
        (-POSITIVE, X),
    ),
    "a branch in a branch": (
        lambda x: torch.cond(x.sum() > 0, nested_branch, lambda v: v.cos(), (x,)),
        (-POSITIVE,),
        (POSITIVE,),
    ),
    "modules as branches": (Sides(), (POSITIVE,), (-POSITIVE,)),
    "while_loop": (while_loop, (X, Y), (Y, X)),
    "map": (mapped, (X, V), (Y, V * 2)),
    "scan": (scanned, (X, V), (Y, V * 2)),
    "flex_attention": (biased_attention, HEADS, HEADS[::-1]),
    "checkpoint": (
        lambda x: torch.utils.checkpoint.checkpoint(lambda v: v.sin() @ WEIGHT, x, use_reentrant=False),
        (X,),
        (Y,),
    ),
}


def closure(x):
    total = x.sum()
    return vmap(lambda row: (row * total).sin() @ WEIGHT)(x)


RUN = """
import sys, torch, tracelab
found = {}
for name, (data, inputs) in torch.load(sys.argv[1], weights_only=True).items():
    import io
    traced = tracelab.load(io.BytesIO(data))
    torch.manual_seed(3)
    found[name] = traced(*inputs)
torch.save(found, sys.argv[2])
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """What another process computes with each file, which knows nothing of this one's code."""
    folder = tmp_path_factory.mktemp("regions")
    held = {name: (to_bytes(tracelab.trace(code, inputs)), others) for name, (code, inputs, others) in CASES.items()}
    torch.save(held, folder / "in.pt")
    subprocess.run([sys.executable, "-c", RUN, folder / "in.pt", folder / "out.pt"], check=True, timeout=300)
    return torch.load(folder / "out.pt", weights_only=True)


def to_bytes(traced):
    file = io.BytesIO()
    tracelab.save(traced, file)
    return file.getvalue()


def again(traced, **options):
    return tracelab.load(io.BytesIO(to_bytes(traced)), **options)


@pytest.mark.parametrize("name", CASES)
def test_another_process_computes_what_the_code_does(elsewhere, name):
    code, _, others = CASES[name]
    torch.manual_seed(3)
    torch.testing.assert_close(elsewhere[name], code(*others))


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda traced: pickle.loads(pickle.dumps(traced)), again])
def test_a_loaded_region_is_copied_pickled_and_saved_again(twin):
    loaded = again(tracelab.trace(closure, X))
    assert torch.equal(twin(loaded)(Y), loaded(Y))


def test_the_same_trace_gives_the_same_bytes():
    traced = tracelab.trace(closure, X)
    assert to_bytes(traced) == to_bytes(traced)
    assert to_bytes(again(traced)) == to_bytes(again(again(traced)))


def test_a_loaded_trace_is_the_same_by_diff():
    traced = tracelab.trace(lambda x: closure(x) + torch.cond(x.sum() > 0, torch.sum, lambda v: v.min(), (x,)), X)
    assert not tracelab.diff(traced, again(traced))


def test_a_loaded_region_uses_the_parameters_that_the_module_has_now():
    model = Rows()
    loaded = again(tracelab.trace(model, X))
    with torch.no_grad():
        for parameter in (*model.parameters(), *loaded.parameters()):
            parameter.fill_(2)
    torch.testing.assert_close(loaded(Y), model(Y))


def test_gradients_reach_the_parameters_that_a_loaded_region_uses():
    model = Rows()
    loaded = again(tracelab.trace(model, X))
    model(Y).sum().backward()
    loaded(Y).sum().backward()
    torch.testing.assert_close(loaded.linear.weight.grad, model.linear.weight.grad)


def test_a_branch_on_a_size_inside_of_a_function_is_told():
    traced = again(tracelab.trace(lambda x: vmap(lambda row: row.sin() if row.shape[0] > 3 else row.cos())(x), X))
    assert torch.equal(traced(X), X.sin())
    with pytest.warns(tracelab.AssumptionWarning, match="may be wrong"):
        traced(X[:, :2])


def test_the_graph_of_a_function_draws_no_random_numbers():
    def code(x):
        first = vmap(lambda row: row + torch.rand(4), randomness="same")(x)
        return first + torch.rand(4)

    torch.manual_seed(0)
    tracelab.trace(code, X, check_trace=False)
    after = torch.rand(1)
    torch.manual_seed(0)
    code(X)
    assert torch.equal(after, torch.rand(1))


def test_a_function_that_writes_to_a_tensor_from_outside_writes_once_and_is_in_no_file():
    count = torch.zeros(())

    def branch(v):
        count.add_(1)
        return v + 1

    traced = tracelab.trace(
        lambda x: torch.cond(x.sum() > 0, branch, lambda v: v - 1, (x,)), POSITIVE, check_trace=False
    )
    assert count.item() == 1
    with pytest.raises(TracelabFileError, match=r"branch .* aten::add_ writes to a tensor from outside"):
        to_bytes(traced)


def test_a_file_without_regions_is_read_by_the_tracelab_before():
    assert meta(to_bytes(tracelab.trace(torch.relu, X)))["version"] == 3
    assert meta(to_bytes(tracelab.trace(closure, X)))["version"] == 4


def test_an_operator_inside_of_a_function_needs_the_users_word():
    with torch.library._scoped_library("tracelab_region_test", "DEF") as library:
        library.define("thrice(Tensor x) -> Tensor")
        library.impl("thrice", lambda x: x * 3, "CompositeExplicitAutograd")
        data = to_bytes(tracelab.trace(lambda x: torch.func.functionalize(torch.ops.tracelab_region_test.thrice)(x), X))
        with pytest.raises(TracelabError, match="is of a package, tracelab_region_test"):
            tracelab.load(io.BytesIO(data))(X)
        loaded = tracelab.load(io.BytesIO(data), allow={"tracelab_region_test::thrice"})
        assert torch.equal(loaded(X), X * 3)


# Files that someone made ----------------------------------------------------------------------------------


def meta(data):
    return json.loads(zipfile.ZipFile(io.BytesIO(data)).read("meta.json"))


@pytest.fixture(scope="module")
def content():
    return to_bytes(tracelab.trace(lambda x: vmap(lambda row: row.sin() @ WEIGHT)(x), X))


def edited(data, change):
    """The file with its graph changed: `change` gives the text of the whole, or changes it in place."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        held = {info.filename: archive.read(info) for info in archive.infolist()}
    whole = json.loads(held["graph.json"])
    text = change(whole["graphs"][0][1])
    held["graph.json"] = (json.dumps(whole) if text is None else json.dumps(whole).replace('"HERE"', text)).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, item in held.items():
            archive.writestr(name, item)
    return io.BytesIO(made.getvalue())


def put(*path):
    *above, last, value = path

    def change(graph):
        for step in above:
            graph = graph[step]
        graph[last] = value

    return change


def region(*path):
    def change(graph):
        (node,) = (node for node in graph["nodes"] if node["run"] and "region" in node["run"])
        put(*path)(node)

    return change


FUNCTION = ("functions", 0)
INNER = (*FUNCTION, "graph")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("functions", None), "should be a list"),
        (put(*FUNCTION, "takes", [99]), "gives a function more than it holds"),
        (put(*FUNCTION, "takes", [-1]), "out of range"),
        (put(*FUNCTION, "takes", [0] * 9), "not a whole graph"),
        (put(*FUNCTION, "name", None), "should be text"),
        (put(*INNER, None), "should be an object"),
        (put(*INNER, "state", [[0, 0]]), "not a whole graph without tensors of its own"),
        (put(*INNER, "input_tree", None), "not a whole graph"),
        (put(*INNER, "failed", 0), "not a whole graph"),
        (put(*INNER, "outputs", [{"value": 99}]), "points to row 99"),
        (region("run", {"region": 5}), "should be text"),
        (region("run", {"region": "grad"}), "other arguments than it takes"),
        (region("run", {"region": "operator cond"}), "other arguments than it takes"),
        (region("run", {"region": "jacrev", "options": 5}), "options of another form"),
        (region("run", {"region": "jacrev", "options": {"tuple": [{"value": 0}]}}), "options of another form"),
        (region("kind", "aten::relu"), "not of the form that a region has"),
        (region("args", []), "not of the form that a region has"),
        (region("args", 0, {"tuple": [{"function": 7}]}), "points to row 7"),
        (region("args", 0, "tuple", 0, [{"function": 0}]), "is given no function"),
        (region("kwargs", {"lifted": 1}), "other arguments than it takes"),
        (region("attributes", {"name": "vmap", "inplace": {"function": 0}}), "points to row 0 of a table of 0"),
    ],
)
def test_an_unsound_region_is_refused(content, change, message):
    with pytest.raises(TracelabFileError, match=message):
        tracelab.load(edited(content, change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put(*INNER, "nodes", 0, "run", {"operator": "inductor::_reinterpret_tensor"}), "is of a package, inductor"),
        (put(*INNER, "nodes", 0, "run", {"python": "os:system"}), "os:system is Python code"),
        (region("run", {"region": "os.system"}), "knows no region 'os.system'"),
        (region("run", {"region": "operator print"}), "knows no region 'operator print'"),
        (put("functions", 0, {"name": "f", "why": "it was not called"}), "f that it is given is not recorded"),
    ],
)
def test_a_region_of_other_code_shows_and_refuses_to_run(content, change, message):
    loaded = tracelab.load(edited(content, change))
    with pytest.raises(TracelabError, match=message):
        loaded(X)


@pytest.mark.parametrize("depth", [regions.DEEPEST, 1000])
def test_regions_inside_of_regions_end_somewhere(content, depth):
    def change(graph):
        inner = json.dumps(graph["functions"][0]["graph"])
        opened = inner[:-1] + ', "functions": [{"name": "f", "takes": [0], "graph": '
        graph["functions"][0]["graph"] = "HERE"
        return opened * depth + inner + "}]}" * depth

    with pytest.raises(TracelabFileError, match=r"more than 20 regions inside of each other|is not JSON"):
        tracelab.load(edited(content, change))


def test_a_trace_with_too_many_regions_inside_of_each_other_is_not_saved():
    def nested(level):
        return vmap(nested(level - 1), out_dims=0) if level else torch.sin

    traced = tracelab.trace(lambda x: nested(regions.DEEPEST + 1)(x), torch.ones((1,) * 22), check_trace=False)
    with pytest.raises(TracelabFileError, match="cannot save: there are more than 20 regions"):
        to_bytes(traced)
