"""TorchScript files whose modules hold rare things: odd dtypes, meta tensors, enums, sparse tensors, no `forward`."""

from __future__ import annotations

import enum
import io
import zipfile

import pytest
import torch
from torch import nn

import tracelab
from support.archives import entries, packed

_DTYPES = [
    torch.float8_e4m3fn,
    torch.float8_e4m3fnuz,
    torch.float8_e5m2,
    torch.float8_e5m2fnuz,
    torch.float8_e8m0fnu,
    torch.uint16,
    torch.uint32,
    torch.uint64,
    torch.complex32,
]


class Color(enum.Enum):
    RED = 1


class Holding(nn.Module):
    def __init__(self, held):
        super().__init__()
        self.register_buffer("held", held)

    def forward(self, x):
        return x + self.held.to(x.dtype)


class Painted(nn.Module):
    def __init__(self):
        super().__init__()
        self.color = Color.RED

    def forward(self, x):
        return x + self.color.value


class Coder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(2, 2)

    @torch.jit.export
    def encode(self, x):
        return self.body(x)

    @torch.jit.export
    def decode(self, x):
        return self.body(x) - 1


class Encoder(nn.Module):
    @torch.jit.export
    def encode(self, x):
        return x.relu()


def _file(module):
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(module), file)
    file.seek(0)
    return file


@pytest.mark.parametrize("dtype", _DTYPES, ids=str)
def test_a_buffer_of_a_rare_dtype_is_read(dtype):
    held = torch.tensor([1.0, 2.0]).to(torch.float32 if dtype != torch.complex32 else dtype).to(dtype)
    graph = tracelab.read(_file(Holding(held)))
    (value,) = graph.parameters
    found = graph.state[value]
    assert (found.dtype, value.type.dtype) == (dtype, dtype)
    assert found.view(torch.uint8).equal(held.view(torch.uint8))
    if dtype != torch.complex32:
        assert graph.to_callable()(torch.ones(2)).tolist() == [2.0, 3.0]


def test_a_buffer_on_the_meta_device_is_read_without_elements():
    graph = tracelab.read(_file(Holding(torch.ones(10**9, device="meta"))))
    (value,) = graph.parameters
    assert graph.state[value].is_meta
    assert graph.state[value].shape == (10**9,)


def test_elements_that_are_missing_are_damage_on_another_device():
    entries = {}
    with zipfile.ZipFile(_file(Holding(torch.ones(1000, device="meta")))) as archive:
        for info in archive.infolist():
            entries[info.filename] = archive.read(info)
    name = next(name for name in entries if name.endswith("/data.pkl"))
    assert entries[name].count(b"\x04\x00\x00\x00meta") == 1
    entries[name] = entries[name].replace(b"\x04\x00\x00\x00meta", b"\x03\x00\x00\x00cpu")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for entry, content in entries.items():
            archive.writestr(zipfile.ZipInfo(entry), content)
    made.seek(0)
    with pytest.raises(tracelab.TracelabFileError, match="the elements of a tensor are missing"):
        tracelab.read(made)


def _with_meta(replaced):
    """The file of a quantized buffer, with that storage said to be on the meta device."""
    held = torch.quantize_per_channel(torch.ones(2, 2), torch.ones(2), torch.zeros(2).long(), 0, torch.qint8)
    file, made = _file(Holding(held).eval()), io.BytesIO()
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(made, "w") as out:
        for info in archive.infolist():
            content = archive.read(info)
            if info.filename.endswith("/data.pkl"):
                content = replaced(content)
            out.writestr(zipfile.ZipInfo(info.filename), content)
    made.seek(0)
    return made


def test_a_quantized_tensor_has_its_elements():
    cpu, meta = b"\x03\x00\x00\x00cpu", b"\x04\x00\x00\x00meta"
    tracelab.read(_with_meta(lambda content: content))
    with pytest.raises(tracelab.TracelabFileError, match="other arguments than torch does"):
        tracelab.read(_with_meta(lambda content: content.replace(cpu, meta)))


@pytest.mark.parametrize("trust", [False, True])
def test_an_enum_is_refused_with_the_reason(trust):
    with pytest.raises(
        tracelab.TracelabFileError, match="holds a member of the enum `Color`, whose Python class"
    ) as at:
        # In this process the class is known: a file of another one is like this file under another name.
        tracelab.read(_renamed(_file(Painted())), trust=trust)
    assert "damaged" not in str(at.value)


@pytest.mark.parametrize("instructions", [b")\x81", b")\x81}b"])
def test_an_object_of_an_enum_is_refused(instructions):
    held = entries(_renamed(_file(Painted())).getvalue())
    (name,) = (name for name in held if name.endswith("/data.pkl"))
    # As torch writes one, the number of the member and a call of the class.
    assert held[name].count(b"K\x01R") == 1
    held[name] = held[name].replace(b"K\x01R", instructions)
    with pytest.raises(tracelab.TracelabFileError, match="Color is an enum, or no class"):
        tracelab.read(io.BytesIO(packed(held)))


def _renamed(file):
    made = io.BytesIO()
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(made, "w") as out:
        for info in archive.infolist():
            content = archive.read(info)
            if not info.filename.endswith(".debug_pkl"):
                content = content.replace(b"test_torchscript_attributes", b"test_torchscript_attributez")
            name = info.filename.replace("test_torchscript_attributes", "test_torchscript_attributez")
            out.writestr(zipfile.ZipInfo(name), content)
    made.seek(0)
    return made


def test_the_way_out_that_an_enum_is_told_works():
    assert tracelab.from_torchscript(torch.jit.script(Painted())).nodes


@pytest.mark.parametrize("sparse", [torch.eye(2).to_sparse(), torch.eye(2).to_sparse_csr()], ids=["coo", "csr"])
def test_a_sparse_tensor_is_read_on_the_user_s_word_only(sparse):
    with pytest.raises(
        tracelab.TracelabFileError, match=r"not read: in data.pkl, it holds a sparse tensor.*trust=True"
    ):
        tracelab.read(_file(Holding(sparse)))
    assert tracelab.read(_file(Holding(sparse)), trust=True).nodes


def test_the_only_method_of_a_module_without_forward_is_read():
    graph = tracelab.read(_file(Encoder()))
    assert [node.kind for node in graph.nodes] == ["aten::relu"]


def test_a_module_of_several_methods_without_forward_names_them():
    message = r"Coder has no method `forward`, but has `decode`, `encode`: .*method='decode'\) gives one"
    with pytest.raises(tracelab.TracelabFileError, match=message):
        tracelab.read(_file(Coder()))


def test_a_method_of_a_script_module_is_chosen_by_name():
    kinds = [node.kind for node in tracelab.from_torchscript(torch.jit.script(Coder()), method="decode").nodes]
    assert kinds == ["aten::linear", "aten::sub"]
    with pytest.raises(tracelab.TracelabError, match="has no method `gone`"):
        tracelab.from_torchscript(torch.jit.script(Coder()), method="gone")


def test_a_module_without_code_says_so():
    net = nn.Module()
    net.weight = nn.Parameter(torch.ones(2))
    with pytest.raises(tracelab.TracelabFileError, match="nor any other: it holds tensors and no code"):
        tracelab.read(_file(net))
