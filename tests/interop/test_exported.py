"""torch.export programs: `.pt2` files read from their JSON, and programs in memory that run."""

import io
import json
import zipfile

import pytest
import torch
from torch import nn
from torch.export import Dim, export

import tracelab
from tracelab.interop.export.exported import read_exported
from tracelab.render.view_document.document import view_bytes


class Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(4, 8)
        self.fc2 = nn.Linear(8, 2)

    def forward(self, x):
        h = self.fc1(x).relu()
        return self.fc2(h)


class Nested(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 8)
        self.register_buffer("count", torch.zeros(8))
        self.register_buffer("loose", torch.ones(8), persistent=False)

    def forward(self, x, mask=None):
        h = self.fc(x) * self.loose
        self.count.add_(h.detach().sum(0))
        with torch.no_grad():
            z = h * 2
        left, right = h.chunk(2, -1)
        values, places = h.topk(2)
        again = self.fc(x).view(h.shape[0] * 2, -1)
        return {"parts": [left, right], "top": (values, places, None, 3), "z": z + torch.tensor(1.0), "again": again}


class Branch(nn.Module):
    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda t: t + 1, lambda t: t - 1, (x,))


@pytest.fixture(scope="module")
def archive() -> bytes:
    buffer = io.BytesIO()
    torch.export.save(export(Mlp(), (torch.ones(3, 4),), dynamic_shapes=({0: Dim("batch")},)), buffer)
    return buffer.getvalue()


def edited(archive: bytes, edit) -> io.BytesIO:
    """The archive with its program's JSON passed through `edit`, which gives bytes or an object."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename.endswith("models/model.json"):
                changed = edit(json.loads(content))
                content = changed if isinstance(changed, bytes) else json.dumps(changed).encode()
            new.writestr(info.filename, content)
    target.seek(0)
    return target


def test_an_archive_prints_as_the_trace_of_the_module_does(archive):
    assert str(read_exported(io.BytesIO(archive))) == (
        "graph(%x : Float(3, 4, strides=[4, 1], requires_grad=0, device=cpu),\n"
        "      %fc1.weight : Float(8, 4, strides=[4, 1], requires_grad=1, device=cpu),\n"
        "      %fc1.bias : Float(8, strides=[1], requires_grad=1, device=cpu),\n"
        "      %fc2.weight : Float(2, 8, strides=[8, 1], requires_grad=1, device=cpu),\n"
        "      %fc2.bias : Float(2, strides=[1], requires_grad=1, device=cpu)):\n"
        "  %linear : Float(3, 8, strides=[8, 1], requires_grad=0, device=cpu) = "
        "aten::linear(%x, %fc1.weight, %fc1.bias), scope: fc1 # test_exported.py:24:0\n"
        "  %relu : Float(3, 8, strides=[8, 1], requires_grad=0, device=cpu) = "
        "aten::relu(%linear) # test_exported.py:24:0\n"
        "  %linear_1 : Float(3, 2, strides=[2, 1], requires_grad=0, device=cpu) = "
        "aten::linear(%relu, %fc2.weight, %fc2.bias), scope: fc2 # test_exported.py:25:0\n"
        "  return (%linear_1)\n"
    )


def test_an_archive_has_the_module_tree(archive):
    scopes = [(scope.name, scope.class_name, scope.call) for scope in read_exported(io.BytesIO(archive)).scopes()]
    assert scopes == [("Mlp", "Mlp", 0), ("fc1", "Linear", 0), ("fc2", "Linear", 0)]


def test_an_archive_tells_the_line_and_its_callers(archive):
    source = read_exported(io.BytesIO(archive)).nodes[1].source
    assert (source.function, source.text) == ("forward", "h = self.fc1(x).relu()")


def test_a_traced_and_an_exported_module_have_no_difference():
    model, x = Mlp(), torch.ones(3, 4)
    assert not tracelab.diff(tracelab.trace(model, x), tracelab.from_exported(export(model, (x,))))


def test_the_diff_of_an_edited_export_names_the_change():
    model, x = Mlp(), torch.ones(3, 4)
    other = Mlp()
    other.forward = lambda x: other.fc2(other.fc1(x).tanh())
    difference = tracelab.diff(tracelab.trace(model, x), tracelab.from_exported(export(model, (x,))))
    changed = tracelab.diff(tracelab.trace(other, x), tracelab.from_exported(export(model, (x,))))
    assert (bool(difference), bool(changed)) == (False, True)
    assert "tanh" in str(changed)
    assert "relu" in str(changed)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("decomposed", [False, True])
def test_a_program_runs_on_another_batch_size(decomposed):
    model, x = Nested(), torch.randn(3, 4)
    program = export(model, (x,), dynamic_shapes=({0: Dim("batch", min=2)},))
    if decomposed:
        program = program.run_decompositions()
    graph = tracelab.from_exported(program)
    graph.state[next(value for value in graph.state if value.path == "count")].zero_()
    eager = Nested()
    eager.load_state_dict({**model.state_dict(), "count": torch.zeros(8)})
    batch = torch.randn(5, 4)
    torch.testing.assert_close(graph.to_callable()(batch), eager(batch))
    count = graph.state[next(value for value in graph.state if value.path == "count")]
    torch.testing.assert_close(count, eager.count)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_no_grad_stands_between_its_markers():
    kinds = [node.kind for node in tracelab.from_exported(export(Nested(), (torch.ones(3, 4),))).nodes]
    first = kinds.index("prim::EnterGradMode")
    assert kinds[first : first + 3] == ["prim::EnterGradMode", "aten::mul", "prim::ExitGradMode"]


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_cond_is_one_node_with_its_blocks_that_runs():
    graph = tracelab.from_exported(export(Branch(), (torch.ones(3),)))
    node = next(node for node in graph.nodes if node.kind == "prim::PythonOp")
    assert node.attributes["name"] == "cond"
    assert ["aten::add" in text for text in node.attributes["blocks"].values()] == [True, False]
    run = graph.to_callable()
    assert (run(torch.ones(3)).tolist(), run(-torch.ones(3)).tolist()) == ([2.0] * 3, [-2.0] * 3)


def test_a_file_has_no_weights_and_says_so_when_run(archive):
    with pytest.raises(tracelab.TracelabError, match=r"has no weights \(`fc1.weight`\).*from_exported"):
        read_exported(io.BytesIO(archive)).to_callable()(torch.ones(3, 4))


def test_a_graph_without_weights_is_not_saved(archive, tmp_path):
    with pytest.raises(tracelab.TracelabFileError, match="read without its weights"):
        tracelab.save(read_exported(io.BytesIO(archive)), tmp_path / "empty.tlab")
    assert not list(tmp_path.iterdir())


def test_the_view_document_is_the_same_each_time_and_json(archive):
    documents = {view_bytes(read_exported(io.BytesIO(archive))) for _ in range(2)}
    assert len(documents) == 1
    assert json.loads(documents.pop())["summary"] == {"ops": 3, "parameters": 58, "parameter_bytes": 232, "warnings": 0}


def refused(file) -> str:
    with pytest.raises(tracelab.TracelabFileError) as caught:
        read_exported(file)
    return str(caught.value)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_a_cut_off_file_is_one_sentence(archive, part):
    message = refused(io.BytesIO(archive[: int(len(archive) * part)]))
    assert message.startswith("not a .pt2 file, or truncated: ")


def test_a_newer_schema_says_to_upgrade(archive):
    def newer(program):
        program["schema_version"]["major"] = 99
        program["torch_version"] = "9.0"
        return program

    assert refused(edited(archive, newer)) == (
        "not a sound .pt2 file: the program has the schema version 99, made by torch 9.0: upgrade tracelab to read it"
    )


def test_a_bomb_is_not_unpacked(archive):
    message = refused(edited(archive, lambda program: b" " * (80 * 2**20)))
    assert message.endswith("models/model.json unpacks to an unlikely size")


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b"\xff", b"null", b"[]", b"{}", b'{"schema_version": 1}'])
def test_wrong_json_is_one_sentence(archive, content):
    assert refused(edited(archive, lambda program: content)).startswith("not a sound .pt2 file: ")


def test_an_unregistered_operator_shows_and_refuses_to_run(archive):
    def foreign(program):
        program["graph_module"]["graph"]["nodes"][1]["target"] = "torch.ops.nobody.knows.default"
        return program

    node = read_exported(edited(archive, foreign)).nodes[1]
    assert node.kind == "nobody::knows"
    with pytest.raises(tracelab.TracelabError, match="nobody::knows is not registered in this process"):
        node.target()


def _places(item, path=()):
    if isinstance(item, (dict, list)):
        for key, child in item.items() if isinstance(item, dict) else enumerate(item):
            yield (*path, key)
            yield from _places(child, (*path, key))


@pytest.mark.parametrize("junk", [None, -1, 2**70, "x", [], {}, {"as_graph": {}}, [[]], True])
def test_junk_anywhere_is_a_graph_or_one_sentence(archive, junk):
    places = []
    edited(archive, lambda program: places.extend(_places(program)) or program)
    for path in places[:: max(1, len(places) // 150)]:

        def put(program, path=path):
            target = program
            for key in path[:-1]:
                target = target[key]
            target[path[-1]] = junk
            return program

        try:
            graph = read_exported(edited(archive, put))
        except tracelab.TracelabFileError as error:
            assert "\n" not in str(error)
        else:
            view_bytes(graph)
            str(graph)


def test_from_exported_says_what_it_needs():
    with pytest.raises(tracelab.TracelabError, match=r"needs a torch\.export\.ExportedProgram, but got Mlp"):
        tracelab.from_exported(Mlp())
