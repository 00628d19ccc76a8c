"""torch.fx graph modules, `tracelab.read`, and real models through each way in."""

import io
import json
import pickle
import zipfile

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx

import tracelab
from support.examples import models
from tracelab.render.view_document.document import view_bytes


class Padded(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.act = nn.ReLU()
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x):
        y = self.act(self.fc(x) + self.scale * 2)
        left, right = y.chunk(2, -1)
        y = self.act(F.pad(y.view(x.shape[0], -1), (1, 1), value=0.5))
        return {"y": torch.cat([y, y], 1)[:, 1:], "parts": (left, right, y.size(0))}


def test_a_symbolic_trace_prints():
    graph = tracelab.from_fx(torch.fx.symbolic_trace(nn.Sequential(nn.Linear(4, 2), nn.ReLU())))
    assert str(graph) == (
        "graph(%input : Tensor):\n"
        '  %_0 : Tensor = prim::CallMethod[name="Linear"](%input), scope: 0\n'
        '  %_1 : Tensor = prim::CallMethod[name="ReLU"](%_0), scope: 1\n'
        "  return (%_1)\n"
    )


def test_a_symbolic_trace_runs_on_another_batch_size():
    module, x = Padded(), torch.randn(5, 4)
    torch.testing.assert_close(tracelab.from_fx(torch.fx.symbolic_trace(module)).to_callable()(x), module(x))


def test_a_module_called_twice_has_two_scopes():
    scopes = tracelab.from_fx(torch.fx.symbolic_trace(Padded())).scopes()
    assert [(scope.name, scope.call) for scope in scopes] == [("Padded", 0), ("fc", 0), ("act", 0), ("act", 1)]


def test_a_graph_of_operators_keeps_sizes_symbolic():
    module = make_fx(lambda x: (x.relu().topk(2)[0] * x.shape[0], torch.var_mean(x)), tracing_mode="symbolic")(
        torch.randn(3, 4)
    )
    x = torch.randn(6, 4)
    torch.testing.assert_close(tracelab.from_fx(module).to_callable()(x), module(x))


def test_from_fx_says_what_it_needs():
    with pytest.raises(tracelab.TracelabError, match=r"needs a torch\.fx\.GraphModule, but got Padded"):
        tracelab.from_fx(Padded())


def saved(write) -> io.BytesIO:
    buffer = io.BytesIO()
    write(buffer)
    buffer.seek(0)
    return buffer


def test_read_tells_files_apart_by_content(tmp_path):
    module, x = nn.Sequential(nn.Linear(4, 2)), torch.ones(1, 4)
    tracelab.save(tracelab.trace(module, x), tmp_path / "a.bin")
    torch.export.save(torch.export.export(module, (x,)), saved_path := str(tmp_path / "b.pt2"))
    torch.jit.save(torch.jit.script(module), str(tmp_path / "c.pt"))
    found = [tracelab.read(tmp_path / "a.bin"), tracelab.read(saved_path), tracelab.read(tmp_path / "c.pt")]
    assert [type(item).__name__ for item in found] == ["TracedModule", "Graph", "Graph"]


class Bomb:
    def __reduce__(self):
        return print, ("ran",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"hello world, this is text", "the file holds no graph that tracelab knows"),
        (pickle.dumps(Bomb()), "the file is a pickle (an old torch.save, or Python's own), which holds no graph and"),
        (
            saved(lambda file: torch.save({"a": torch.ones(2)}, file)).read(),
            "the file is a checkpoint, a pickle that torch.save wrote",
        ),
        (
            saved(lambda file: zipfile.ZipFile(file, "w").close()).read(),
            "the file is a zip archive that holds no graph",
        ),
        (b"PK\x03\x04 cut", "the file is a damaged or truncated archive"),
        (b"\x10\x00\x00\x00\x00\x00\x00\x00{" + b" " * 20, "the file is safetensors, which holds weights and no graph"),
    ],
)
def test_read_says_what_another_file_is_and_runs_nothing(content, message, capsys):
    with pytest.raises(tracelab.TracelabFileError) as caught:
        tracelab.read(io.BytesIO(content))
    assert str(caught.value).startswith(message)
    assert capsys.readouterr().out == ""


def test_a_cut_off_torchscript_file_is_one_sentence():
    content = saved(lambda file: torch.jit.save(torch.jit.script(Padded().fc), file)).read()
    for part in (0.3, 0.7, 0.95):
        with pytest.raises(tracelab.TracelabFileError) as caught:
            tracelab.read(io.BytesIO(content[: int(len(content) * part)]))
        assert "\n" not in str(caught.value)


def test_a_missing_file_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        tracelab.read(tmp_path / "none.pt2")


REAL = {
    name: {**models.HAND_WRITTEN, **models.TRANSFORMERS}[name] for name in ("resnet18", "unet", "gpt", "bert", "vit")
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("how", ["export", "trace"])
@pytest.mark.parametrize("name", REAL)
def test_a_real_model_runs_and_draws(name, how):
    case = REAL[name]()
    if how == "export":
        graph = tracelab.from_exported(torch.export.export(case.model, case.inputs))
    else:
        graph = tracelab.from_torchscript(torch.jit.trace(case.model, case.inputs, strict=False, check_trace=False))
    wanted = case.model(*case.inputs)
    wanted = wanted if isinstance(wanted, (torch.Tensor, tuple)) else dict(wanted)
    torch.testing.assert_close(graph.to_callable()(*case.inputs), wanted)
    document = view_bytes(graph)
    assert json.dumps(json.loads(document), ensure_ascii=False, separators=(",", ":")).encode() == document
