"""A TorchScript file of anybody's: reading it runs none of its code, or it is refused in a sentence."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
import torch
from torch import nn

import tracelab
from tracelab import TracelabFileError


class Speaking(nn.Module):
    """It prints as it is read."""

    def __init__(self):
        super().__init__()
        self.shift = torch.ones(2)

    @torch.jit.export
    def __getstate__(self) -> tuple[torch.Tensor, bool]:
        return (self.shift, self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, bool]) -> None:
        self.shift = state[0]
        self.training = state[1]
        print("the file ran")

    def forward(self, x):
        return x + self.shift


class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Speaking()

    def forward(self, x):
        return self.inner(x) * 2


def content_of(module):
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(module), file)
    return file.getvalue()


def rewritten(content, change):
    """The archive with entries as `change(name, content)` gives them."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for info in old.infolist():
            for name, entry in change(info.filename, old.read(info)):
                new.writestr(zipfile.ZipInfo(name), entry)
    return made.getvalue()


@pytest.mark.parametrize("module", [Speaking, Outer])
def test_a_file_whose_class_would_run_code_is_refused_and_nothing_runs(module, capfd):
    content = content_of(module())
    with pytest.raises(TracelabFileError, match=r"its class Speaking has a `__setstate__`.*trust=True"):
        tracelab.read(io.BytesIO(content))
    assert "the file ran" not in capfd.readouterr().out


def test_it_is_refused_by_its_path(tmp_path, capfd):
    path = tmp_path / "model.pt"
    path.write_bytes(content_of(Speaking()))
    with pytest.raises(TracelabFileError, match="__setstate__"):
        tracelab.read(path)
    assert "the file ran" not in capfd.readouterr().out


def test_a_file_that_is_trusted_is_read(capfd):
    graph = tracelab.read(io.BytesIO(content_of(Speaking())), trust=True)
    assert graph.to_callable()(torch.zeros(2)).tolist() == [1, 1]
    assert "the file ran" in capfd.readouterr().out


def test_code_under_a_name_in_other_letters_is_found(capfd):
    content = rewritten(content_of(Speaking()), lambda name, entry: [(name.replace("/code/", "/CODE/"), entry)])
    with pytest.raises(TracelabFileError):
        tracelab.read(io.BytesIO(content))
    assert "the file ran" not in capfd.readouterr().out


def test_an_entry_that_is_there_twice_in_other_letters_is_refused():
    content = content_of(nn.Linear(2, 2))
    doubled = rewritten(content, lambda name, entry: [(name, entry), (name.upper(), entry)])
    with pytest.raises(TracelabFileError, match="twice"):
        tracelab.read(io.BytesIO(doubled))


def test_an_object_of_an_extension_is_refused():
    def change(name, entry):
        # Of several classes of one name in a process, torch calls the later ones by a number, too.
        linear = rb"__torch__\.torch\.nn\.modules\.linear(\.___torch_mangle_\d+)?\nLinear"
        return [(name, re.sub(linear, b"__torch__.torch.classes.ext\nEvil", entry))]

    content = rewritten(content_of(nn.Linear(2, 2)), change)
    with pytest.raises(TracelabFileError, match=r"of a class of an extension.*trust=True"):
        tracelab.read(io.BytesIO(content))


def test_a_file_without_such_code_is_read_as_before():
    layer = nn.Linear(2, 2)
    graph = tracelab.read(io.BytesIO(content_of(layer)))
    x = torch.randn(3, 2)
    assert torch.equal(graph.to_callable()(x), layer(x))


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_damaged_file_is_refused_in_one_sentence(kept):
    content = content_of(nn.Linear(2, 2))
    with pytest.raises(TracelabFileError):
        tracelab.read(io.BytesIO(content[: int(len(content) * kept)]))
