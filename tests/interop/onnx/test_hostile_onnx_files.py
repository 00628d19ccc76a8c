"""ONNX files of anybody's: nothing outside of their folder is opened, and small ones do not grow without bound."""

from __future__ import annotations

import io
import time

import numpy
import pytest
import torch

import tracelab
from tracelab.errors import TracelabError, TracelabFileError

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper = onnx.helper
FLOAT, BOOL = onnx.TensorProto.FLOAT, onnx.TensorProto.BOOL
X, YES = torch.zeros(3), torch.tensor(True)


def outside(location, name="w"):
    tensor = onnx.TensorProto(name=name, data_type=FLOAT, dims=[3], data_location=1)
    tensor.external_data.add(key="location", value=location)
    return tensor


def info(name, element=FLOAT, shape=None):
    return helper.make_tensor_value_info(name, element, shape)


def model(nodes, functions=(), version=17):
    inputs = [info("x", FLOAT, [3]), info("c", BOOL, [])]
    graph = helper.make_graph(nodes, "net", inputs, [info("y")])
    sets = [helper.make_opsetid("", version), helper.make_opsetid("loc", 1)]
    return helper.make_model(graph, opset_imports=sets, functions=list(functions), ir_version=8)


def choosing(then, initializers=()):
    """An `If` whose one side are these nodes, and whose other side is `x`."""
    yes = helper.make_graph(then, "yes", [], [info("q", FLOAT, [3])], initializers)
    no = helper.make_graph([helper.make_node("Identity", ["x"], ["e"])], "no", [], [info("e")])
    return helper.make_node("If", ["c"], ["y"], then_branch=yes, else_branch=no)


def in_a_branch(location):
    return model([choosing([helper.make_node("Identity", ["w"], ["q"])], [outside(location)])])


def in_a_constant_of_a_branch(location):
    return model([choosing([helper.make_node("Constant", [], ["q"], value=outside(location))])])


def in_a_branch_of_a_branch(location):
    inner = choosing([helper.make_node("Identity", ["w"], ["q"])], [outside(location)])
    inner.output[0] = "q"
    return model([choosing([inner])])


def in_a_branch_of_a_function(location):
    branch = choosing([helper.make_node("Identity", ["w"], ["q"])], [outside(location)])
    sets = [helper.make_opsetid("", 17)]
    function = helper.make_function("loc", "Chosen", ["x", "c"], ["y"], [branch], sets)
    return model([helper.make_node("Chosen", ["x", "c"], ["y"], domain="loc")], [function])


def in_a_function_that_a_branch_calls(location):
    constant = helper.make_node("Constant", [], ["b"], value=outside(location))
    function = helper.make_function("loc", "Held", ["a"], ["b"], [constant], [helper.make_opsetid("", 17)])
    return model([choosing([helper.make_node("Held", ["x"], ["q"], domain="loc")])], [function])


KINDS = [
    in_a_branch,
    in_a_constant_of_a_branch,
    in_a_branch_of_a_branch,
    in_a_branch_of_a_function,
    in_a_function_that_a_branch_calls,
]


@pytest.fixture
def standing(tmp_path, monkeypatch):
    """The folder of the model; the user stands in another one, which holds a secret."""
    folder, here = tmp_path / "model", tmp_path / "here"
    for path, values in ((folder / "good.bin", [1, 2, 3]), (here / "secret.bin", [7, 8, 9])):
        path.parent.mkdir()
        path.write_bytes(numpy.array(values, "f").tobytes())
    monkeypatch.chdir(here)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_inner_tensors_beside_the_model_are_read(kind, standing):
    path = standing / "m.onnx"
    path.write_bytes(kind("good.bin").SerializeToString())
    assert tracelab.read(path)(X, YES).tolist() == [1, 2, 3]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("location", ["secret.bin", "../here/secret.bin"])
def test_inner_tensors_are_not_read_from_where_the_user_stands(kind, location, standing):
    path = standing / "m.onnx"
    path.write_bytes(kind(location).SerializeToString())
    with pytest.raises(TracelabFileError, match="which is not a file in the folder of the model"):
        tracelab.read(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_object_has_no_folder_for_inner_tensors(kind, standing):
    traced = tracelab.read(io.BytesIO(kind("secret.bin").SerializeToString()))
    with pytest.raises(TracelabError, match="whose elements lie in another file: read the model by its path"):
        traced(X, YES)


def calls(depth, width=2, in_branch=False):
    """A function that calls another one `width` times, which does so too, and so on."""

    def body(number):
        names = ["a", *(f"t{i}" for i in range(width - 1)), "b"]
        kind, domain = (f"E{number - 1}", "loc") if number else ("Neg", "")
        return [helper.make_node(kind, [names[i]], [names[i + 1]], domain=domain) for i in range(width)]

    sets = [helper.make_opsetid("", 17), helper.make_opsetid("loc", 1)]
    functions = [helper.make_function("loc", f"E{i}", ["a"], ["b"], body(i), sets) for i in range(depth)]
    made = helper.make_node(f"E{depth - 1}", ["x"], ["q" if in_branch else "y"], domain="loc")
    return model([choosing([made]) if in_branch else made], functions)


@pytest.mark.parametrize(
    ("depth", "width", "in_branch"), [(16, 2, False), (38, 2, False), (6, 10, False), (38, 2, True)]
)
def test_functions_that_grow_without_bound_are_refused_at_once(depth, width, in_branch):
    content = calls(depth, width, in_branch).SerializeToString()
    start = time.perf_counter()
    with pytest.raises(TracelabFileError, match="nodes once its functions are taken apart"):
        tracelab.read(io.BytesIO(content))
    assert time.perf_counter() - start < 5


def test_empty_functions_that_are_called_without_bound_are_refused():
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("loc", 1)]
    body = [[], *([helper.make_node(f"E{i}", [], [], domain="loc")] * 2 for i in range(37))]
    functions = [helper.make_function("loc", f"E{i}", [], [], nodes, sets) for i, nodes in enumerate(body)]
    made = model([helper.make_node("E37", [], [], domain="loc"), helper.make_node("Neg", ["x"], ["y"])], functions)
    with pytest.raises(TracelabFileError, match="nodes once its functions are taken apart"):
        tracelab.read(io.BytesIO(made.SerializeToString()))


def test_functions_of_a_layer_that_is_called_often_are_read():
    body = [helper.make_node("Neg", ["a" if i == 0 else f"t{i}"], [f"t{i + 1}"]) for i in range(60)]
    function = helper.make_function("loc", "Layer", ["a"], ["t60"], body, [helper.make_opsetid("", 17)])
    nodes = [helper.make_node("Layer", [f"v{i}" if i else "x"], [f"v{i + 1}"], domain="loc") for i in range(48)]
    nodes.append(helper.make_node("Identity", ["v48"], ["y"]))
    made = tracelab.read(io.BytesIO(model(nodes, [function]).SerializeToString()))
    assert len(made.graph.nodes) == 48 * 60 + 1


@pytest.mark.parametrize(
    "made",
    [
        model([helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Neg", ["x"], ["a"])]),
        model([helper.make_node("Relu", ["x"], ["x"])]),
        model([helper.make_node("Split", ["x"], ["y", "y"])]),
        model([choosing([helper.make_node("Neg", ["x"], ["q"]), helper.make_node("Abs", ["x"], ["q"])])]),
    ],
)
def test_a_value_that_is_made_twice_is_refused(made):
    with pytest.raises(TracelabFileError, match=r"makes the value '[axyq]' twice"):
        tracelab.read(io.BytesIO(made.SerializeToString()))


@pytest.mark.parametrize("version", [0, -1, 999])
def test_an_operator_set_that_onnx_has_not_is_refused(version):
    made = model([helper.make_node("Relu", ["x"], ["y"])], version=version)
    with pytest.raises(TracelabFileError, match=f"is of the operator set {version}, and the installed onnx knows 1 to"):
        tracelab.read(io.BytesIO(made.SerializeToString()))
