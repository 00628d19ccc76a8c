"""The pickles of a TorchScript file are looked through before torch's own reader, which trusts them, gets them."""

from __future__ import annotations

import contextlib
import io
import pickle
import random
import zipfile

import pytest
import torch
from torch import nn

import tracelab
from tracelab import TracelabFileError
from tracelab.interop.torchscript.pickles import BadPickle, Made, is_sound_debug, read_pickle


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        self.names = ["a", "b"]
        self.scales = {"a": 1.5}

    def forward(self, x):
        if x.sum() > 0:
            x = x + 1
        return self.body(x) * self.scales["a"]


@pytest.fixture(scope="module")
def entries():
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(Net()), file)
    with zipfile.ZipFile(file) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def archive_of(entries):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    made.seek(0)
    return made


def named(entries, ending):
    return next(name for name in entries if name.endswith(ending))


def test_what_torch_writes_is_taken_apart(entries):
    found = read_pickle(entries[named(entries, "/data.pkl")], {str(key): 64 for key in range(16)})
    assert isinstance(found, Made)
    assert found.state["names"] == ["a", "b"]
    assert found.state["scales"] == {"a": 1.5}
    assert all(is_sound_debug(content) for name, content in entries.items() if name.endswith(".debug_pkl"))


def test_a_pickle_of_python_objects_is_refused():
    class Evil:
        def __reduce__(self):
            return print, ("ran",)

    with pytest.raises(BadPickle):
        read_pickle(pickle.dumps(Evil(), 2))


def test_elements_of_an_unknown_kind_are_named(entries):
    name = named(entries, "/data.pkl")
    changed = {**entries, name: entries[name].replace(b"FloatStorage", b"MightStorage", 1)}
    with pytest.raises(TracelabFileError, match=r"not read: in data.pkl, .* of the kind torch.MightStorage, which"):
        tracelab.read(archive_of(changed))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b"torch._utils\n_rebuild_tensor_v2", b"os\nsystem", "calls os.system"),
        (b"X\x07\x00\x00\x00storage", b"X\x07\x00\x00\x00elsewhe", "names a storage in another way"),
        (b"K\x00(K\x04K\x03t", b"K\x00(K\x7fK\x03t", "other arguments than torch does"),
        (b"FloatStorage", b"DoubleStorage", "the elements of a tensor are missing"),
        (b"\x80\x02", b"\x80\x04", "another protocol"),
    ],
)
def test_a_changed_pickle_is_refused_in_one_sentence(entries, old, new, sentence):
    name = named(entries, "/data.pkl")
    assert old in entries[name]
    changed = {**entries, name: entries[name].replace(old, new, 1)}
    with pytest.raises(TracelabFileError, match=rf"damaged, or not written by torch: in data.pkl, .*{sentence}"):
        tracelab.read(archive_of(changed))


def test_a_table_of_lines_that_points_outside_itself_is_left_out(entries):
    name = named(entries, ".debug_pkl")
    place = entries[name].rindex(b"](K") + 3
    broken = entries[name][:place] + b"\xff" + entries[name][place + 1 :]
    assert not is_sound_debug(broken)
    graph = tracelab.read(archive_of({**entries, name: broken}))
    assert len(graph.nodes) > 0


def test_elements_that_are_cut_off_are_refused(entries):
    name = next(name for name in entries if "/data/" in name)
    with pytest.raises(TracelabFileError, match="the elements of a tensor are missing"):
        tracelab.read(archive_of({**entries, name: entries[name][:4]}))


def mutants(entries, numbers):
    for number in numbers:
        chance = random.Random(number)
        changed = dict(entries)
        name = chance.choice([name for name in entries if name.endswith((".pkl", ".debug_pkl", ".py"))])
        content = bytearray(entries[name])
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(max(1, len(content)))
            if chance.random() < 0.6 and content:
                content[place] = chance.randrange(256)
            elif chance.random() < 0.5:
                del content[place : place + chance.choice([1, 4, 20])]
            else:
                start = chance.randrange(max(1, len(content)))
                content[place:place] = content[start : start + chance.choice([1, 8, 40])]
        changed[name] = bytes(content)
        yield archive_of(changed)


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_mutants_are_read_or_refused_in_one_sentence(entries, first):
    for content in mutants(entries, range(first, first + 100)):
        with contextlib.suppress(tracelab.TracelabError):
            tracelab.read(content)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(400, 5000, 200))
def test_many_mutants_are_read_or_refused_in_one_sentence(entries, first):
    for content in mutants(entries, range(first, first + 200)):
        with contextlib.suppress(tracelab.TracelabError):
            tracelab.read(content)
