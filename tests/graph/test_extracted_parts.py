"""`traced.extract(...)`: a part of a trace that runs alone, and as a file of torch alone."""

from __future__ import annotations

import functools
import subprocess
import sys

import pytest
import torch
from torch import nn

import tracelab
from tracelab.errors import TracelabError


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.fc = nn.LayerNorm(width), nn.Linear(width, width)

    def forward(self, x):
        h = self.fc(self.norm(x))
        return x + h.view(h.shape[0], -1).relu_()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Block(4), Block(4)])
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return Net()


@pytest.fixture(scope="module")
def x():
    return torch.randn(3, 4)


@pytest.fixture
def traced(net, x):
    return tracelab.trace(net, x)


def ran(path):
    """What a script gives in a Python process that has torch and nothing of ours."""
    out = path.with_suffix(".out")
    code = f"import runpy, torch; torch.save(runpy.run_path({str(path)!r})['result'], {str(out)!r})"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=120, check=False, cwd=path.parent
    )
    assert done.returncode == 0, done.stderr
    return torch.load(out)


def test_a_module_gives_what_it_gives_in_the_whole(traced, x):
    part = traced.extract("layers.1")
    assert torch.equal(part(*part.examples), traced.run(x, record=["layers.1"])["layers.1"])


def test_its_graph_is_that_of_the_module(traced):
    assert [node.name for node in traced.extract("layers.1").graph.nodes] == (
        "layer_norm linear size view relu_ add".split()
    )


def test_parameters_are_shared_under_their_names(net, traced):
    part = traced.extract("layers.1")
    assert set(part.state_dict()) == {name for name in net.state_dict() if name.startswith("layers.1.")}
    assert part.get_parameter("layers.1.fc.weight") is net.layers[1].fc.weight
    part.load_state_dict(net.state_dict(), strict=False)


def test_inputs_are_those_of_a_run_on_what_is_given(traced, net):
    x = torch.randn(5, 4)
    part = traced.extract("head", inputs=x)
    assert torch.equal(part(*part.examples), net(x))


def test_from_a_node_to_a_node(traced, x):
    part = traced.extract("layers.0", "layers.1")
    assert torch.equal(part(*part.examples), traced.run(x, record=["layers.1"])["layers.1"])
    one, last = traced.graph.find_nodes("linear")[0], traced.graph.find_nodes("view")[0]
    assert [node.name for node in traced.extract(one, last).graph.nodes] == ["linear", "size", "view"]


def test_several_results_are_a_tuple():
    traced = tracelab.trace(lambda x: (y := x.sin(), z := y.cos(), (y + z).exp())[2], torch.ones(2))
    part = traced.extract("y", "z")
    assert [item.tolist() for item in part(torch.zeros(1))] == [[0], [1]]


def test_a_function_gives_a_module_too():
    weight = torch.randn(2, 2)
    traced = tracelab.trace(lambda x: (x @ weight).relu().exp(), torch.ones(2, 2))
    part = traced.extract("matmul", "relu")
    assert isinstance(part, tracelab.TracedModule)
    assert torch.equal(part(torch.ones(2, 2)), (torch.ones(2, 2) @ weight).relu())


def test_it_saves_loads_and_diffs(traced, tmp_path):
    part = traced.extract("layers.1")
    part.save(tmp_path / "part.tlab")
    loaded = tracelab.load(tmp_path / "part.tlab")
    assert torch.equal(loaded(*part.examples), part(*part.examples))
    assert not tracelab.diff(part, loaded)


def test_the_first_call_of_a_module_that_is_called_twice(x):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            return self.fc(self.fc(x).exp())

    part = tracelab.trace(Twice(), x).extract("fc")
    assert len(part.graph.nodes) == 1
    assert torch.equal(part.examples[0], x)


# What surrounds it --------------------------------------------------------------------------------------------


def test_a_size_from_before_is_computed_from_its_tensor():
    def code(x):
        count = x.shape[0]
        y = x.exp()
        return y.sum(0) / count

    part = tracelab.trace(code, torch.ones(3, 2)).extract("sum", "div")
    assert part(torch.ones(5, 2), torch.ones(5, 2)).tolist() == [1, 1]


def test_a_list_from_before_is_made_in_the_part():
    part = tracelab.trace(lambda x: torch.cat([x.sin(), x.cos()]).exp(), torch.ones(2)).extract("cat", "exp")
    assert part(torch.zeros(1), torch.zeros(1)).tolist() == [1, 1]


def test_a_number_of_what_was_written_to_since_is_an_error():
    def code(x):
        total = x.sum()
        number = total.item()
        total.add_(1)
        return x * number

    traced = tracelab.trace(code, torch.ones(2))
    with pytest.raises(TracelabError, match=r"made of %total, which is written to in between: begin at that node"):
        traced.extract("mul")


def test_a_gradient_mode_around_it_holds_in_it(x):
    linear = nn.Linear(4, 4)

    def code(x):
        with torch.no_grad():
            y = linear(x)
            return y.exp()

    part = tracelab.trace(code, x).extract("exp")
    assert not part(torch.ones(2, requires_grad=True)).requires_grad
    assert torch.is_grad_enabled()


def test_autocast_around_it_holds_in_it():
    def code(x):
        with torch.autocast("cpu", torch.bfloat16):
            y = x.exp()
            return y @ y

    part = tracelab.trace(code, torch.ones(2, 2)).extract("matmul")
    assert part(torch.ones(2, 2)).dtype is torch.bfloat16
    assert not torch.is_autocast_enabled("cpu")


def test_a_part_that_writes_into_its_input_writes_into_what_it_is_given():
    def code(x):
        y = x.clone()
        y.mul_(2)
        return y + 1

    part = tracelab.trace(code, torch.ones(2)).extract("mul_", "add")
    given = torch.ones(2)
    assert part(given).tolist() == [3, 3]
    assert given.tolist() == [2, 2]


def test_recorded_inputs_are_as_they_were_before_the_part():
    def code(x):
        y = x.clone()
        y.mul_(2)
        return (y + 1).exp()

    part = tracelab.trace(code, torch.ones(2)).extract("add")
    assert [item.tolist() for item in part.examples] == [[2, 2]]


def test_two_inputs_that_share_memory_which_is_written_are_an_error():
    def code(x):
        y = x.clone()
        row = y[0]
        row.add_(1)
        return y * row

    with pytest.raises(TracelabError, match=r"share memory, and aten::add_ .* writes into it"):
        tracelab.trace(code, torch.ones(2, 2)).extract("add_", "mul")


def test_buffers_that_are_written_are_those_of_the_module(x):
    net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    part = tracelab.trace(net, x).extract("1")
    before = net[1].running_mean.clone()
    part(*part.examples)
    assert not torch.equal(net[1].running_mean, before)


def test_an_object_of_the_call_is_an_error():
    def code(x, numbers):
        y = x.exp()
        numbers["last"] = y * 2
        return y

    traced = tracelab.trace(code, (torch.ones(2), {"last": torch.ones(2)}))
    with pytest.raises(TracelabError, match=r"is no tensor and is made by prim::Argument"):
        traced.extract(traced.graph.find_nodes("mul")[0], traced.graph.nodes[-1])


def test_a_name_that_is_not_there_is_an_error(traced):
    with pytest.raises(TracelabError, match=r"no value or module of the graph is called `layers.7`"):
        traced.extract("layers.7")
    with pytest.raises(TracelabError, match="the second comes first"):
        traced.extract("head", "layers.0")


# Scripts --------------------------------------------------------------------------------------------------------


def test_a_script_gives_the_same_result(traced, tmp_path):
    part = traced.extract("layers.1", script=tmp_path / "part.py")
    assert torch.equal(ran(tmp_path / "part.py"), part(*part.examples))
    assert {path.name for path in tmp_path.iterdir()} == {"part.py", "part.safetensors", "part.out"}
    assert "tracelab" not in (tmp_path / "part.py").read_text(encoding="utf-8")


def test_a_script_with_seeded_weights_is_one_file(traced, tmp_path):
    part = traced.extract("layers.1", script=tmp_path / "part.py", seeded=True)
    assert [path.name for path in tmp_path.iterdir()] == ["part.py"]
    assert ran(tmp_path / "part.py").shape == part(*part.examples).shape


def test_a_script_keeps_modes_strides_and_whole_numbers(tmp_path):
    table = nn.Embedding(5, 4)

    def code(ids, x):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            rows = table(ids.flip(0)).t()
            return rows.as_strided((2, 2), (4, 1)), (rows.float() @ x.t().contiguous().t().t()).exp() * float("inf")

    traced = tracelab.trace(code, (torch.tensor([1, 4, 2]), torch.randn(2, 3)))
    part = traced.extract("t", traced.graph.find_nodes("mul")[-1], script=tmp_path / "part.py")
    for mine, other in zip(part(*part.examples), ran(tmp_path / "part.py"), strict=True):
        assert torch.equal(mine, other)
        assert mine.dtype == other.dtype


def test_a_generator_is_an_error(tmp_path):
    generator = torch.Generator()
    draw = functools.partial(torch.rand, 2, generator=generator)
    traced = tracelab.trace(lambda x: x.exp() + draw(), torch.ones(2), check_trace=False)
    with pytest.raises(TracelabError, match=r"\(Generator\) from before it, .* begin at that node"):
        traced.extract("rand")
    with pytest.raises(TracelabError, match="a script of torch alone cannot hold"):
        traced.extract(traced.graph.nodes[0], traced.graph.nodes[-1], script=tmp_path / "part.py")
    assert not list(tmp_path.iterdir())


def test_a_loaded_trace_has_no_inputs_for_a_script(traced, x, tmp_path):
    traced.save(tmp_path / "net.tlab")
    loaded = tracelab.load(tmp_path / "net.tlab")
    assert loaded.extract("head").examples is None
    with pytest.raises(TracelabError, match="give them as inputs="):
        loaded.extract("head", script=tmp_path / "part.py")
    part = loaded.extract("head", inputs=x, script=tmp_path / "part.py")
    assert torch.equal(ran(tmp_path / "part.py"), part(*part.examples))
