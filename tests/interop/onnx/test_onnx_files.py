"""ONNX files: read into a graph, and run operator by operator."""

from __future__ import annotations

import contextlib
import io
import sys

import pytest
import torch

import tracelab
from support.systems import with_links
from tracelab.errors import TracelabError, TracelabFileError

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper = onnx.helper
FLOAT = onnx.TensorProto.FLOAT


def model(nodes, initializers=(), functions=(), outputs=("y",), opsets=()):
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", FLOAT, ["batch", 2])],
        [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs],
        initializers,
    )
    opsets = [helper.make_opsetid("", 18), *opsets]
    return helper.make_model(graph, opset_imports=opsets, functions=list(functions), ir_version=9)


def read(made):
    return tracelab.read(io.BytesIO(made.SerializeToString()))


def weight(values, dims, name="w"):
    return helper.make_tensor(name, FLOAT, dims, values)


@pytest.fixture
def small():
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"], name="/layers.0/fc/MatMul"),
        helper.make_node("Relu", ["h"], ["y"], name="/layers.0/Relu"),
    ]
    return model(nodes, [weight([1, 0, 0, -1], [2, 2])])


def test_nodes_weights_and_scopes(small):
    graph = read(small).graph
    assert [node.kind for node in graph.nodes] == ["onnx::MatMul", "onnx::Relu"]
    assert [node.scope.path for node in graph.nodes] == ["layers.0.fc", "layers.0"]
    assert [value.path for value in graph.parameters] == ["w"]


def test_a_size_that_is_a_name_is_not_known(small):
    assert read(small).graph.inputs[0].shape == (-1, 2)


def test_it_runs_with_a_value_for_every_node(small):
    traced = read(small)
    x = torch.tensor([[1.0, 2.0]])
    run = traced.run(x, record=True)
    assert run["h"].tolist() == [[1, -2]]
    assert run.outputs.tolist() == traced(x).tolist() == [[1, 0]]


def test_it_is_compared_with_another_operator_by_operator(small):
    other = onnx.ModelProto()
    other.CopyFrom(small)
    other.graph.initializer[0].CopyFrom(weight([1, 0, 0, 1], [2, 2]))
    found = tracelab.compare(read(small), read(other), torch.ones(1, 2))
    assert found.first_divergent.kind == "onnx::MatMul"
    assert not tracelab.diff(read(small), read(small))


def test_a_function_is_a_scope():
    body = [helper.make_node("Add", ["a", "a"], ["t"]), helper.make_node("Neg", ["t"], ["b"])]
    twice = helper.make_function("own", "Twice", ["a"], ["b"], body, [helper.make_opsetid("", 18)])
    made = model(
        [helper.make_node("Twice", ["x"], ["y"], domain="own", name="call")],
        functions=[twice],
        opsets=[helper.make_opsetid("own", 1)],
    )
    traced = read(made)
    assert [(node.kind, node.scope.path, node.scope.class_name) for node in traced.graph.nodes] == [
        ("onnx::Add", "call", "Twice"),
        ("onnx::Neg", "call", "Twice"),
    ]
    assert traced(torch.ones(1, 2)).tolist() == [[-2, -2]]


def test_a_function_that_calls_itself_is_an_error():
    body = [helper.make_node("Loops", ["a"], ["b"], domain="own")]
    loops = helper.make_function("own", "Loops", ["a"], ["b"], body, [helper.make_opsetid("own", 1)])
    with pytest.raises(TracelabFileError, match="calls others too deeply, or itself"):
        read(model([helper.make_node("Loops", ["x"], ["y"], domain="own")], functions=[loops]))


def test_inner_graphs_are_blocks_and_see_what_is_outside():
    def branch(operator):
        made = helper.make_tensor_value_info("z", FLOAT, None)
        return helper.make_graph([helper.make_node(operator, ["h"], ["z"])], operator, [], [made])

    nodes = [
        helper.make_node("Abs", ["x"], ["h"]),
        helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0),
        helper.make_node("Greater", ["s", "zero"], ["c"]),
        helper.make_node("If", ["c"], ["y"], then_branch=branch("Neg"), else_branch=branch("Exp")),
    ]
    traced = read(model(nodes, [weight([0], [], "zero")]))
    block = traced.graph.nodes[-1].kwargs["then_branch"]
    assert block.text == "graph():\n  %z = onnx::Neg(%h)\n  return (%z)"
    assert traced(torch.ones(1, 2)).tolist() == [[-1, -1]]
    assert traced(-torch.zeros(1, 2)).tolist() == [[1, 1]]


def test_torchs_exporter_says_modules_and_lines(tmp_path):
    pytest.importorskip("onnxscript")
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU()).eval()
    torch.onnx.export(net, (torch.ones(3, 2),), tmp_path / "net.onnx", dynamo=True, verbose=False)
    x = torch.randn(3, 2)
    traced = tracelab.read(tmp_path / "net.onnx")
    linear = traced.graph.nodes[0]
    assert (linear.scope.path, linear.scope.class_name, linear.attributes["origin"]) == (
        "0",
        "Linear",
        "linear: aten::linear",
    )
    torch.testing.assert_close(traced(x), net(x))


# Weights beside the file ------------------------------------------------------------------------------------------


def with_external(folder, location, size=16, offset=0):
    made = model([helper.make_node("MatMul", ["x", "w"], ["y"])], [weight([1, 2, 3, 4], [2, 2])])
    (tensor,) = made.graph.initializer
    tensor.ClearField("float_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, text in (("location", location), ("offset", str(offset)), ("length", str(size))):
        tensor.external_data.add(key=key, value=text)
    path = folder / "net.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def test_weights_in_another_file_of_the_folder(tmp_path):
    (tmp_path / "weights.bin").write_bytes(torch.tensor([0.0, 1, 2, 3, 4]).numpy().tobytes())
    traced = tracelab.read(with_external(tmp_path, "weights.bin", offset=4))
    assert traced(torch.ones(1, 2)).tolist() == [[4, 6]]


@pytest.mark.parametrize("location", ["../secret", "/etc/hostname", "a/../../secret", "..\\secret", "", "none"])
def test_weights_outside_the_folder_are_an_error(tmp_path, location):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(16))
    with pytest.raises(TracelabFileError, match="not a file in the folder of the model"):
        tracelab.read(with_external(folder, location))


@with_links
def test_weights_behind_a_link_are_an_error(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(16))
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(TracelabFileError, match="not a file in the folder of the model"):
        tracelab.read(with_external(folder, "link"))


@pytest.mark.parametrize(("size", "offset"), [(8, 0), (16, 8), (10**18, 0)])
def test_weights_of_another_size_are_an_error(tmp_path, size, offset):
    (tmp_path / "weights.bin").write_bytes(bytes(16))
    with pytest.raises(TracelabFileError, match="should be 16 bytes of"):
        tracelab.read(with_external(tmp_path, "weights.bin", size, offset))


def test_a_file_object_has_no_folder_so_that_the_graph_shows_and_does_not_run(tmp_path):
    (tmp_path / "weights.bin").write_bytes(bytes(16))
    data = with_external(tmp_path, "weights.bin").read_bytes()
    traced = tracelab.read(io.BytesIO(data))
    assert len(traced.graph.nodes) == 1
    with pytest.raises(TracelabError, match="no weights"):
        traced(torch.ones(1, 2))


# Damaged files ----------------------------------------------------------------------------------------------------


def test_a_shape_without_data_is_an_error():
    tensor = onnx.TensorProto(name="w", data_type=FLOAT, dims=[2**40, 2**20])
    with pytest.raises(TracelabFileError, match="has a shape and no data"):
        read(model([helper.make_node("MatMul", ["x", "w"], ["y"])], [tensor]))


def test_a_value_that_nothing_makes_is_an_error():
    with pytest.raises(TracelabFileError, match="'nowhere' is used before anything makes it"):
        read(model([helper.make_node("Relu", ["nowhere"], ["y"])]))


def test_damaged_files_are_one_error(small):
    generator = torch.Generator().manual_seed(0)
    data = small.SerializeToString()
    for _ in range(400):
        changed = bytearray(data)
        for _ in range(3):
            at, to = (int(torch.randint(top, (), generator=generator)) for top in (len(data), 256))
            changed[at] = to
        with contextlib.suppress(TracelabFileError):
            tracelab.read(io.BytesIO(bytes(changed[: None if changed[-1] % 2 else -5])))


def test_the_package_that_is_missing_is_asked_for(small, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(TracelabError, match=r"this needs onnx: pip install 'tracelab\[onnx\]'"):
        read(small)
