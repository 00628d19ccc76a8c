"""What a kernel tells the file viewer of files that hold no picture themselves."""

from __future__ import annotations

import json

import torch
from torch import nn

import tracelab
from tracelab.jupyter.panel.file_kernel import document_of
from tracelab.jupyter.panel.panel import ANSWER_TYPE
from tracelab.render.view_document.document import view_document
from tracelab.storage.traces import save_traced


def test_a_tlab_file_without_a_view_gives_the_view_of_its_graph(tmp_path):
    traced = tracelab.trace(nn.ReLU(), torch.ones(2))
    save_traced(traced, tmp_path / "old.tlab")
    assert document_of(str(tmp_path / "old.tlab")).content == {"document": view_document(traced.graph)}


def test_a_torch_export_file_and_a_script_file_give_their_operators(tmp_path):
    module = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    torch.export.save(torch.export.export(module, (torch.ones(1, 2),)), tmp_path / "m.pt2")
    torch.jit.save(torch.jit.script(module), tmp_path / "m.pt")
    for name in ("m.pt2", "m.pt"):
        document = document_of(str(tmp_path / name)).content["document"]
        assert "aten::relu" in {document["strings"][kind] for kind in document["nodes"]["kind"]}


def test_the_answer_is_json_under_a_type_of_its_own(tmp_path):
    torch.jit.save(torch.jit.script(nn.ReLU()), tmp_path / "m.pt")
    found = document_of(str(tmp_path / "m.pt"))._repr_mimebundle_()
    assert list(found) == [ANSWER_TYPE]
    assert json.loads(json.dumps(found[ANSWER_TYPE]))["document"]["format"] == "tracelab.view"


def test_a_checkpoint_is_named_and_not_loaded(tmp_path):
    class Bad:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save(Bad(), tmp_path / "bad.pt")
    assert document_of(str(tmp_path / "bad.pt")).content["error"].startswith("the file is a checkpoint, a pickle")
    assert not (tmp_path / "ran").exists()


def test_a_file_that_is_gone_is_said(tmp_path):
    assert document_of(str(tmp_path / "gone.pt2")).content == {
        "error": "the file cannot be read: No such file or directory"
    }
