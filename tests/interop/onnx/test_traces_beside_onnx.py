"""A trace and an ONNX program of it, compared operator by operator: their operators have other names."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import tracelab
from tracelab.cli import main
from tracelab.demo.resnet import ResNet

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(6, 10)
        self.norm = nn.BatchNorm1d(10)
        self.act = nn.GELU()
        self.middle = nn.Linear(10, 10)
        self.down = nn.Linear(10, 4)

    def forward(self, x):
        x = self.act(self.norm(self.up(x)))
        return torch.softmax(self.down(x + self.middle(x)), -1)


@pytest.fixture
def net():
    torch.manual_seed(3)
    net = Net().eval()
    with torch.no_grad():
        net.norm.running_mean.uniform_(-1, 1)
        net.norm.running_var.uniform_(0.5, 2)
    return net


@pytest.fixture
def x():
    return torch.randn(3, 6)


def weight(name, tensor):
    return helper.make_tensor(name, FLOAT, list(tensor.shape), tensor.detach().flatten().tolist())


def program(net, softmax=("Softmax",)):
    """An exporter of another kind: no module names, `Linear` in two steps, GELU in five, the norm in the weights."""
    scale = net.norm.weight / torch.sqrt(net.norm.running_var + net.norm.eps)
    first = (net.up.weight * scale[:, None]).T
    shift = (net.up.bias - net.norm.running_mean) * scale + net.norm.bias
    constants = {
        "k0": first,
        "k1": shift,
        "k2": net.middle.weight.T,
        "k3": net.middle.bias,
        "k4": net.down.weight.T,
        "k5": net.down.bias,
        "root": torch.tensor(2**0.5),
        "one": torch.tensor(1.0),
        "half": torch.tensor(0.5),
    }
    steps = [
        ("MatMul", "a", "k0"),
        ("Add", "1", "k1"),
        ("Div", "2", "root"),
        ("Erf", "3"),
        ("Add", "4", "one"),
        ("Mul", "2", "5"),
        ("Mul", "6", "half"),
        ("MatMul", "7", "k2"),
        ("Add", "8", "k3"),
        ("Add", "7", "9"),
        ("MatMul", "10", "k4"),
        ("Add", "11", "k5"),
    ]
    nodes = [helper.make_node(kind, inputs, [str(place)]) for place, (kind, *inputs) in enumerate(steps, 1)]
    if len(softmax) == 1:
        nodes.append(helper.make_node("Softmax", ["12"], ["z"], axis=-1))
    else:
        nodes += [
            helper.make_node("Exp", ["12"], ["13"]),
            helper.make_node("ReduceSum", ["13", "last"], ["14"]),
            helper.make_node("Div", ["13", "14"], ["z"]),
        ]
    weights = [weight(name, tensor) for name, tensor in constants.items()]
    weights.append(helper.make_tensor("last", onnx.TensorProto.INT64, [1], [-1]))
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("a", FLOAT, ["n", 6])],
        [helper.make_tensor_value_info("z", FLOAT, None)],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def read(made):
    return tracelab.read(io.BytesIO(made.SerializeToString()))


def compared(traced, made, x):
    return tracelab.compare(traced, read(made), x, rtol=1e-4, atol=1e-5)


def changed(net, layer):
    made = copy.deepcopy(net)
    with torch.no_grad():
        made.get_submodule(layer).weight[0, 0] += 3
    return made


def test_a_split_linear_is_paired_with_its_last_step(net, x):
    found = compared(tracelab.trace(net, x), program(net), x)
    assert found
    assert found.by_order
    pairs = {row.node.scope.path: (row.node.kind, row.b.node.kind) for row in found.rows}
    assert pairs["middle"] == ("aten::linear", "onnx::Add")
    assert pairs["act"] == ("aten::gelu", "onnx::Mul")


def test_a_norm_in_the_weights_is_paired_with_what_has_its_values(net, x):
    found = compared(tracelab.trace(net, x), program(net), x)
    pairs = {row.node.kind: row.b.node.kind for row in found.rows}
    assert pairs["aten::batch_norm"] == "onnx::Add"
    assert [node.kind for node in found.only_a] == ["aten::linear"]


@pytest.mark.parametrize("layer", ["middle", "down"])
def test_the_first_divergence_is_the_layer_whose_weight_is_another(net, x, layer):
    found = compared(tracelab.trace(net, x), program(changed(net, layer)), x)
    assert found.first_divergent.scope.path == layer
    before = [row for row in found.rows if not row.differs]
    assert len(before) >= 2


def test_the_same_from_the_other_side(net, x):
    found = tracelab.compare(read(program(changed(net, "down"))), tracelab.trace(net, x), x, rtol=1e-4, atol=1e-5)
    assert found.first_divergent.outputs[0].name in ("11", "12")


def test_steps_on_another_way_to_the_same_value_do_not_diverge(net, x):
    found = compared(tracelab.trace(net, x), program(net, softmax=("Exp", "ReduceSum", "Div")), x)
    assert found
    assert [node.kind for node in found.only_b][-2:] == ["onnx::Exp", "onnx::ReduceSum"]


def test_a_missing_step_is_told_where_it_is_missed(net, x):
    class Without(Net):
        def forward(self, x):
            x = self.act(self.norm(self.up(x)))
            return torch.softmax(self.down(self.middle(x)), -1)

    other = Without().eval()
    other.load_state_dict(net.state_dict())
    found = compared(tracelab.trace(other, x), program(net), x)
    assert found.first_divergent.scope.path == "down"


def test_random_numbers_inputs_and_state_stay_as_they_were(net, x):
    traced, kept = tracelab.trace(net, x), x.clone()
    before, state = torch.get_rng_state(), copy.deepcopy(traced.state_dict())
    compared(traced, program(net), x)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(x, kept)
    assert all(torch.equal(tensor, state[name]) for name, tensor in traced.state_dict().items())


def test_a_run_that_fails_is_told_with_the_rows_before_it(net, x):
    made = program(net)
    for node in made.graph.node:
        if node.output[0] == "8":
            node.op_type, node.input[1] = "MatMul", "k0"
    found = compared(tracelab.trace(net, x), made, x)
    assert found.failed is not None
    assert found.rows
    assert not any(row.differs for row in found.rows)


def test_the_order_of_inputs_counts_where_names_are_others(net, x, tmp_path, capsys):
    tracelab.save(tracelab.trace(net, x), tmp_path / "net.tlab")
    (tmp_path / "net.onnx").write_bytes(program(changed(net, "down")).SerializeToString())
    save_file({"x": x}, tmp_path / "x.safetensors")
    words = ["check", tmp_path / "net.tlab", "--inputs", tmp_path / "x.safetensors", "--rtol", "1e-4"]
    assert main([*map(str, words), "--against", str(tmp_path / "net.onnx")]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "the two have operators of other names: 6 values compared, paired by order"
    assert shown[1].startswith("difference: aten::linear (%linear.2, in down")


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    pytest.importorskip("onnxscript")
    torch.manual_seed(0)
    net, x = ResNet.resnet18(classes=10, width=8).eval(), torch.randn(2, 3, 64, 64)
    path = tmp_path_factory.mktemp("resnet") / "net.onnx"
    tracelab.trace(net, x).to_onnx(path, check=False)
    return net, x, tracelab.read(path)


def test_a_resnet_is_paired_operator_by_operator(resnet):
    net, x, read = resnet
    found = tracelab.compare(tracelab.trace(net, x), read, x, rtol=1e-3, atol=1e-4)
    assert found
    assert {node.kind for node in found.only_a} <= {"aten::batch_norm", "aten::conv2d"}
    assert not found.only_b


def test_a_changed_layer_of_a_resnet_is_named(resnet):
    net, x, read = resnet
    other = copy.deepcopy(net)
    with torch.no_grad():
        other.layer3[0].conv1.weight[0] *= 2
    found = tracelab.compare(tracelab.trace(other, x), read, x, rtol=1e-3, atol=1e-4)
    assert found.first_divergent.scope.path == "layer3.0.conv1"


def test_a_changed_layer_of_a_gpt2_is_named(tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("onnxscript")
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        n_layer=2, n_embd=32, n_head=2, vocab_size=50, n_positions=16, bos_token_id=0, eos_token_id=0
    )

    class Logits(nn.Module):
        def __init__(self):
            super().__init__()
            self.gpt = transformers.GPT2LMHeadModel(config)

        def forward(self, ids):
            return self.gpt(ids, use_cache=False).logits

    net, ids = Logits().eval(), torch.randint(0, 50, (2, 7))
    traced = tracelab.trace(net, ids)
    traced.to_onnx(tmp_path / "gpt.onnx", check=False)
    read = tracelab.read(tmp_path / "gpt.onnx")
    same = tracelab.compare(traced, read, ids, rtol=1e-3, atol=1e-4)
    assert same
    assert {node.scope.path for node in same.only_a if "linear" in node.kind or "addmm" in node.kind} == set()
    with torch.no_grad():
        net.gpt.transformer.h[1].attn.c_proj.weight[0] += 1
    found = tracelab.compare(tracelab.trace(net, ids), read, ids, rtol=1e-3, atol=1e-4)
    assert found.first_divergent.scope.path == "gpt.transformer.h.1.attn.c_proj"
