"""TorchScript modules, functions and files as graphs."""

import io

import pytest
import torch
from torch import nn

import tracelab
from tracelab.interop.torchscript.program import read_torchscript
from tracelab.render.view_document.document import view_bytes


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.factor = 3

    def forward(self, x):
        return torch.relu(self.fc(x)) * self.factor


def add_one(t: torch.Tensor):
    return t + 1


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Scaled()
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        y = self.inner(self.inner(x))
        y = self.drop(self.norm(add_one(y)))
        left, right = y.chunk(2, 1)
        parts = [left, right]
        parts.append(right.to(torch.float64).float())
        return torch.cat(parts, 1), {"left": left}, y.view(y.shape[0] * 2, -1)


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        parts = [x]
        if x.sum() > 0:
            y = self.fc(x)
            parts.append(y)
        else:
            y = x
        for i in range(3):
            y = y + i
        return torch.stack(parts), y


class Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(2))

    def forward(self, x):
        self.count = self.count + x
        return self.count * 2


def saved(module) -> bytes:
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    return buffer.getvalue()


def test_a_script_module_prints_with_its_tree():
    assert str(tracelab.from_torchscript(torch.jit.script(Scaled()))) == (
        "graph(%x : Tensor,\n"
        "      %fc.weight : Float(4, 4, strides=[4, 1], requires_grad=1, device=cpu),\n"
        "      %fc.bias : Float(4, strides=[1], requires_grad=1, device=cpu)):\n"
        "  %linear : Tensor = aten::linear(%x, %fc.weight, %fc.bias), scope: fc # test_torchscript.py:21:26\n"
        "  %relu : Tensor = aten::relu(%linear) # test_torchscript.py:21:15\n"
        "  %1 : int = prim::Constant[value=3]()\n"
        "  %mul : Tensor = aten::mul(%relu, %1) # test_torchscript.py:21:15\n"
        "  return (%mul)\n"
    )


@pytest.mark.parametrize("make", [torch.jit.script, lambda m: torch.jit.trace(m, torch.ones(2, 4), strict=False)])
def test_a_straight_line_runs_as_the_script_does(make):
    module = make(Twice().eval())
    graph = tracelab.from_torchscript(module)
    x = torch.randn(2, 4)
    torch.testing.assert_close(graph.to_callable()(x), module(x))


def test_a_script_module_runs_on_another_batch_size():
    module = torch.jit.script(Twice().eval())
    x = torch.randn(5, 4)
    torch.testing.assert_close(tracelab.from_torchscript(module).to_callable()(x), module(x))


def test_a_module_called_twice_has_two_scopes():
    scopes = tracelab.from_torchscript(torch.jit.script(Twice().eval())).scopes()
    assert [(scope.name, scope.class_name, scope.call) for scope in scopes] == [
        ("Twice", "Twice", 0),
        ("inner", "Scaled", 0),
        ("inner.fc", "Linear", 0),
        ("inner", "Scaled", 1),
        ("inner.fc", "Linear", 1),
        ("norm", "BatchNorm1d", 0),
        ("drop", "Dropout", 0),
    ]


def test_a_file_gives_the_same_nodes_as_the_module():
    module = torch.jit.script(Twice().eval())
    graphs = [tracelab.from_torchscript(module), read_torchscript(io.BytesIO(saved(module)))]
    kinds = [[(node.kind, node.overload, node.scope.path) for node in graph.nodes] for graph in graphs]
    assert kinds[0] == kinds[1]


def test_a_file_and_a_loaded_module_run():
    content = saved(torch.jit.script(Twice().eval()))
    loaded = torch.jit.load(io.BytesIO(content))
    x = torch.randn(3, 4)
    for graph in (read_torchscript(io.BytesIO(content)), tracelab.from_torchscript(loaded)):
        torch.testing.assert_close(graph.to_callable()(x), loaded(x))


def test_control_flow_is_one_node_with_its_text_and_refuses_to_run():
    graph = tracelab.from_torchscript(torch.jit.script(Branches()))
    branch = next(node for node in graph.nodes if node.kind == "prim::If")
    assert branch.inputs[0].name == "Bool"
    assert {value.name for value in branch.inputs} == {"Bool", "list", "x", "fc.weight", "fc.bias"}
    assert "prim::CallMethod" in branch.attributes["blocks"]
    assert "test_torchscript" not in branch.attributes["blocks"]
    assert [node.kind for node in graph.nodes].count("prim::Loop") == 1
    with pytest.raises(tracelab.TracelabError, match="prim::If is control flow of TorchScript"):
        graph.to_callable()(torch.ones(2, 4))


def test_a_list_that_a_block_changes_is_no_longer_known():
    graph = tracelab.from_torchscript(torch.jit.script(Branches()))
    stack = next(node for node in graph.nodes if node.kind == "aten::stack")
    assert [value.node.kind for value in stack.inputs] == ["prim::ListConstruct"]


def test_a_check_of_sizes_runs_and_raises():
    run = tracelab.from_torchscript(torch.jit.script(nn.BatchNorm2d(3).eval())).to_callable()
    assert run(torch.ones(1, 3, 2, 2)).shape == (1, 3, 2, 2)
    with pytest.raises(tracelab.TracelabError, match="a check that the script makes fails"):
        run(torch.ones(3, 2, 2))


def test_a_buffer_that_is_set_is_kept_for_the_next_call():
    run = tracelab.from_torchscript(torch.jit.script(Counter())).to_callable()
    assert [run(torch.ones(2)).tolist() for _ in range(3)] == [[2.0, 2.0], [4.0, 4.0], [6.0, 6.0]]


def test_a_script_function_is_a_graph():
    graph = tracelab.from_torchscript(torch.jit.script(add_one))
    assert (graph.name, [node.kind for node in graph.nodes]) == ("add_one", ["aten::add"])
    assert graph.to_callable()(torch.ones(2)).tolist() == [2.0, 2.0]


def test_a_trace_and_torch_jit_trace_differ_in_nothing_but_types():
    model, x = Scaled().eval(), torch.ones(2, 4)
    difference = tracelab.diff(tracelab.trace(model, x), tracelab.from_torchscript(torch.jit.trace(model, x)))
    assert not difference.added
    assert not difference.removed
    assert not difference.moved
    assert not difference.renamed


def test_the_view_document_is_the_same_each_time():
    content = saved(torch.jit.script(Branches()))
    assert len({view_bytes(read_torchscript(io.BytesIO(content))) for _ in range(2)}) == 1


def test_a_script_saved_as_tlab_opens_again(tmp_path):
    graph = tracelab.from_torchscript(torch.jit.script(Branches()))
    tracelab.save(graph, tmp_path / "branches.tlab")
    assert str(tracelab.load(tmp_path / "branches.tlab").graph) == str(graph)


def test_from_torchscript_says_what_it_needs():
    with pytest.raises(tracelab.TracelabError, match="needs a script module or function, but got Scaled"):
        tracelab.from_torchscript(Scaled())
