"""Paths, file objects, and every way in which a file can be wrong: one clear sentence each."""

from __future__ import annotations

import io
import json
import pathlib
import struct
import warnings
import zipfile

import pytest
import torch
from torch import nn

import tracelab
from support.archives import edited, entries, from_bytes, packed, to_bytes
from tracelab import load, save
from tracelab.errors import TracelabFileError
from tracelab.render.view_document.document import view_bytes
from tracelab.storage import container

FIXTURE = pathlib.Path(__file__).parent / "fixtures" / "v1.tlab"


@pytest.fixture(scope="module")
def traced():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    return tracelab.trace(model, torch.ones(2, 3))


@pytest.fixture(scope="module")
def content(traced):
    return to_bytes(traced)


def test_the_first_format_keeps_loading():
    loaded = load(FIXTURE)
    assert [node.kind for node in loaded.graph.nodes] == [
        "aten::linear",
        "aten::size",
        "aten::floordiv",
        "aten::slice",
        "prim::Constant",
        "aten::mul",
        "prim::TupleConstruct",
    ]


def test_the_first_format_keeps_its_result():
    (half,) = load(FIXTURE)(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    torch.testing.assert_close(half, torch.tensor([[10.0, 34.0]]))


def test_a_path_may_be_text(traced, tmp_path):
    save(traced, str(tmp_path / "a.tlab"))
    assert str(load(str(tmp_path / "a.tlab")).graph) == str(traced.graph)


def test_a_path_may_be_a_path_object(traced, tmp_path):
    save(traced, tmp_path / "a.tlab")
    assert str(load(tmp_path / "a.tlab").graph) == str(traced.graph)


def test_a_file_object_is_written_from_where_it_stands(traced, content):
    buffer = io.BytesIO(b"head")
    buffer.seek(4)
    save(traced, buffer)
    assert buffer.getvalue() == b"head" + content


def test_a_file_object_that_cannot_seek_can_be_read(content, traced):
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.rest = io.BytesIO(content)

        def readable(self):
            return True

        def readinto(self, buffer):
            return self.rest.readinto(buffer)

    assert str(load(Pipe()).graph) == str(traced.graph)


def test_the_method_save_writes_the_same(traced, content, tmp_path):
    traced.save(tmp_path / "a.tlab")
    assert (tmp_path / "a.tlab").read_bytes() == content


def test_the_bytes_do_not_depend_on_the_time(traced, content, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert to_bytes(traced) == content


def test_a_failed_save_leaves_the_old_file(traced, tmp_path, monkeypatch):
    path = tmp_path / "a.tlab"
    path.write_bytes(b"old")

    def broken(*args):
        raise OSError("disk full")

    monkeypatch.setattr("tracelab.storage.archive.write_weights", broken)
    with pytest.raises(OSError, match="disk full"):
        save(traced, path)
    assert [(item.name, item.read_bytes()) for item in tmp_path.iterdir()] == [("a.tlab", b"old")]


def test_only_traces_can_be_saved(tmp_path):
    with pytest.raises(TypeError, match="needs a traced function or module, but got Linear: trace it first"):
        save(nn.Linear(2, 2), tmp_path / "a.tlab")


def test_a_missing_file_is_an_ordinary_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing.tlab")


def test_a_text_file_object_is_refused():
    with pytest.raises(TypeError, match="binary mode"):
        load(io.StringIO("text"))


def test_something_else_is_no_file():
    with pytest.raises(TypeError, match="needs a path or a binary file object, but got int"):
        load(3)


def refused(content, sentence, **options):
    with pytest.raises(TracelabFileError, match=sentence) as caught:
        from_bytes(content, **options)
    assert "\n" not in str(caught.value)


def test_an_empty_file_is_refused():
    refused(b"", "not a .tlab file: it is empty")


def test_another_kind_of_file_is_refused():
    refused(b"\x89PNG\r\n" * 100, "not a .tlab file: it is not a zip archive")


def test_another_zip_is_refused():
    refused(packed({"data.pkl": b"cos\nsystem\n"}), "not a .tlab file: the archive lacks meta.json")


def test_another_format_is_refused(content):
    refused(edited(content, lambda d: d.update(format="other"), "meta.json"), "meta.json is of another format")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused(content, share):
    refused(
        content[: int(len(content) * share)],
        r"the .tlab file is damaged or truncated \(.*\): copy or download it again",
    )


@pytest.mark.parametrize("name", ["graph.json", "weights.safetensors", "meta.json"])
def test_a_flipped_bit_is_noticed(content, name):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        info = archive.getinfo(name)
    start = info.header_offset + 30 + len(name)
    spoiled = bytearray(content)
    spoiled[start + info.compress_size // 2 + 12] ^= 0x10
    refused(bytes(spoiled), f"damaged: {name} cannot be read")


def test_a_newer_format_is_named(content):
    refused(
        edited(content, lambda d: d.update(version=5, tracelab="0.9.1"), "meta.json"),
        r"made by a newer tracelab \(0.9.1, format 5; this one reads formats up to 4\): upgrade",
    )


def test_a_file_holds_the_view_of_its_graph(content):
    traced = from_bytes(content)
    assert entries(content)["view.json"] == view_bytes(traced.graph)


def test_a_file_without_a_view_loads(content):
    held = entries(content)
    del held["view.json"]
    assert str(from_bytes(packed(held)).graph) == str(from_bytes(content).graph)


def test_a_view_that_is_larger_than_allowed_is_left_out(content, monkeypatch):
    monkeypatch.setattr(container, "LARGEST_VIEW", 100)
    assert "view.json" not in entries(to_bytes(from_bytes(content)))


def test_a_newer_format_may_have_other_entries(content):
    held = entries(edited(content, lambda d: d.update(version=5), "meta.json"))
    refused(packed({**held, "new.bin": b""}), "made by a newer tracelab")


@pytest.mark.parametrize("version", [0, -1, "1", 1.0, True, None])
def test_an_unsound_version_is_refused(content, version):
    refused(edited(content, lambda d: d.update(version=version), "meta.json"), "the version in meta.json")


@pytest.mark.parametrize("name", ["graph.json", "weights.safetensors"])
def test_a_missing_entry_is_named(content, name):
    held = entries(content)
    del held[name]
    refused(packed(held), f"lacks {name}")


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/passwd",
        "script/../../x.pt",
        "script/x.pt",
        "script/-1.pt",
        "a\\b",
        "data.pkl",
        "script/",
    ],
)
def test_an_unexpected_entry_is_refused(content, name):
    refused(packed({**entries(content), name: b""}), "unexpected entry")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_doubled_entry_is_refused(content):
    held = list(entries(content).items())
    refused(packed([*held, held[0]]), "twice")


def test_a_large_graph_is_refused_before_it_is_unpacked(content, monkeypatch):
    monkeypatch.setattr(container.Archive.read_json, "__defaults__", (100,))
    refused(content, "graph.json has [0-9]+ bytes, more than the 100 allowed")


def test_a_zip_bomb_is_refused(content):
    held = entries(content)
    held["graph.json"] = b" " * (80 * 2**20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in held.items():
            compression = zipfile.ZIP_DEFLATED if name == "graph.json" else zipfile.ZIP_STORED
            archive.writestr(name, text, compression)
    refused(buffer.getvalue(), "graph.json unpacks to an unlikely size")


def test_packed_weights_are_refused(content):
    refused(packed(entries(content), zipfile.ZIP_DEFLATED), "weights.safetensors should not be compressed")


def test_an_encrypted_entry_is_refused(content):
    place = content.rindex(b"PK\x01\x02")
    flagged = bytearray(content)
    flagged[place + 8] |= 1
    refused(bytes(flagged), "encrypted")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"nul",
        b"\xff\xfe",
        b"[" * 200_000,
        b"NaN",
        b"Infinity",
        b"9" * 5000,
        b'{"kind": -Infinity}',
    ],
)
def test_what_is_not_json_is_refused(content, text):
    refused(packed({**entries(content), "graph.json": text}), "graph.json")


@pytest.mark.parametrize("document", [None, 1, "x", [], {}, {"tensors": []}, {"tensors": {}, "graphs": []}])
def test_json_of_another_form_is_refused(content, document):
    refused(packed({**entries(content), "graph.json": json.dumps(document).encode()}), "not a sound .tlab file")


def graph_of(document):
    return document["graphs"][0][1]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: d.update(kind="other"), "neither a function nor a module"),
        (lambda d: d["graphs"].append(d["graphs"][0]), "hold 'forward' twice"),
        (lambda d: d["graphs"].clear(), "without a traced method"),
        (lambda d: d["graphs"][0].__setitem__(0, "a b"), "is no Python name"),
        (lambda d: d["modules"].clear(), "modules lack the root"),
        (lambda d: d["modules"][-1]["children"].update(x=99), "points to row 99"),
        (lambda d: d["modules"][-1]["children"].update({"x": len(d["modules"]) - 1}), "points to row"),
        (lambda d: d["modules"][0]["parameters"].update({"": 0}), "invalid name for a member"),
        (lambda d: graph_of(d)["inputs"][0].__setitem__(1, 99), "points to row 99"),
        (lambda d: graph_of(d)["inputs"][0].__setitem__(1, -1), "points to row -1"),
        (lambda d: graph_of(d)["inputs"][0].__setitem__(2, 9), "out of range"),
        (lambda d: graph_of(d)["inputs"][0].__setitem__(0, 7), "should be text, but is a number"),
        (lambda d: graph_of(d)["inputs"].pop(0), "the input tree takes 1 tensors, but the graph has 0"),
        (lambda d: graph_of(d)["nodes"][0].pop("args"), "aten::linear lacks `args`"),
        (lambda d: graph_of(d)["nodes"][0].update(args=[{"value": 99}]), "points to row 99"),
        (lambda d: graph_of(d)["nodes"][0].update(args=[{"value": True}]), "should be a row number"),
        (lambda d: graph_of(d)["nodes"][0].update(args=[{"value": 5}]), "points to row 5 of a table of 5"),
        (lambda d: graph_of(d)["nodes"][0].update(args=[{"what": 1}]), "unknown kind 'what'"),
        (lambda d: graph_of(d)["nodes"][0].update(args=[{}]), "in one word"),
        (lambda d: graph_of(d)["nodes"][0].update(args=[{"dtype": "float33"}]), "does not know"),
        (lambda d: graph_of(d)["nodes"][0].update(args=[{"device": "nowhere"}]), "is no device"),
        (lambda d: graph_of(d)["nodes"][0].update(args=[{"dict": [[[], 1]]}]), "an unhashable key"),
        (lambda d: graph_of(d)["nodes"][0].update(scope=99), "the scope of aten::linear points to row 99"),
        (lambda d: graph_of(d)["nodes"][0].update(source=10**30), "points to row 1000"),
        (lambda d: graph_of(d)["nodes"][0].update(run=None), "what runs aten::linear is missing"),
        (lambda d: graph_of(d)["nodes"][0].update(run={"builtin": "eval"}), "is `eval`, which this tracelab"),
        (lambda d: graph_of(d)["nodes"][0].update(run={"python": "os.system"}), "invalid name"),
        (lambda d: graph_of(d)["nodes"][0].update(run={"script": 0, "name": "f"}), "script/0.pt, which"),
        (lambda d: graph_of(d)["nodes"][0].update(run={"operator": "aten"}), "invalid name"),
        (
            lambda d: graph_of(d)["types"].__setitem__(0, ["float32", [-2], None, "cpu", False]),
            "out of range",
        ),
        (
            lambda d: graph_of(d)["types"].__setitem__(0, ["float32", [2**63], None, "cpu", False]),
            "out of range",
        ),
        (
            lambda d: graph_of(d)["scopes"].append(["a", "A", len(graph_of(d)["scopes"]), 0]),
            "a scope's parent",
        ),
        (lambda d: graph_of(d)["outputs"].append(3), "is not a value of the graph"),
        (lambda d: graph_of(d).update(failed=99), "the failed node points to row 99"),
        (lambda d: graph_of(d)["input_tree"]["trees"][0].update(kind="set"), "holds 'set'"),
        (lambda d: d["tensors"][0].update(shape=[1, 1]), "the weights do not match the graph"),
        (lambda d: d["tensors"][0].update(dtype="int8"), "cannot require gradients"),
        (lambda d: d["tensors"][0].update(dtype="float16"), "the weights do not match the graph"),
        (lambda d: d["tensors"][0].update(data="other"), "lacks 'other': the weights do not match the graph"),
        (lambda d: d["tensors"][0].update(stride=[10**6, 1]), "reaches past the end"),
        (lambda d: d["tensors"][0].update(stride=[0, 1], offset=10), "reaches past the end"),
        (lambda d: d["tensors"][0].update(stride=[-1, 1]), "out of range"),
        (
            lambda d: d["tensors"].append({**d["tensors"][0], "device": "meta", "shape": [2**62, 2**62]}),
            "made",
        ),
        (lambda d: d["modules"][-1]["children"].pop("0"), "lacks '0.weight': the weights do not match"),
    ],
)
def test_an_unsound_graph_is_refused(content, change, sentence):
    def edit(document):
        change(document)

    refused(edited(content, edit), sentence)


def weights(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (b"", "truncated"),
        (b"1234567", "truncated"),
        (weights({}, length=2**62), "header longer than the file"),
        (weights(b"{"), "unreadable header"),
        (weights([]), "should be an object"),
        (weights({}, b"more"), "bytes after its last tensor"),
        (weights({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b""), "no tensor, or to two"),
        (
            weights({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, b"12345678"),
            "no tensor, or to two",
        ),
        (
            weights({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, b"1234"),
            "do not fit its shape",
        ),
        (weights({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, b"1234"), "out of range"),
        (
            weights({"a": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}, b"1234"),
            "unknown type 'F99'",
        ),
        (
            weights({"a": {"dtype": "F32", "shape": [0, 2**62, 2**62], "data_offsets": [0, 0]}}),
            "cannot be made",
        ),
        (
            weights({"a": {"dtype": "F32", "shape": [1] * 65, "data_offsets": [0, 4]}}, b"1234"),
            "64 dimensions",
        ),
        (weights({}), "lacks '0.weight': the weights do not match the graph"),
    ],
)
def test_unsound_weights_are_refused(content, entry, sentence):
    refused(packed({**entries(content), "weights.safetensors": entry}), sentence)


def test_weights_that_nothing_uses_are_refused(content):
    extra = io.BytesIO()
    from tracelab.storage.weights import read_weights, write_weights

    held = entries(content)
    tensors = read_weights(io.BytesIO(held["weights.safetensors"]), len(held["weights.safetensors"]))
    write_weights(extra, [*tensors.items(), ("extra", torch.ones(2))])
    refused(
        packed({**held, "weights.safetensors": extra.getvalue()}),
        "holds 'extra', which the graph does not use",
    )


def test_a_byte_that_is_no_boolean_counts_as_true():
    from tracelab.storage.weights import read_weights

    entry = weights({"a": {"dtype": "BOOL", "shape": [3], "data_offsets": [0, 3]}}, b"\x00\x01\xff")
    assert read_weights(io.BytesIO(entry), len(entry))["a"].view(torch.uint8).tolist() == [0, 1, 1]


def branch(x):
    return x * 2 if x.sum() > 0 else -x


def test_what_a_check_found_comes_back():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(branch, torch.ones(2, 3))
    report = traced.check(max_examples=8)
    loaded = from_bytes(to_bytes(traced))
    assert [place.verdict for place in loaded.graph.warnings] == ["wrong for x negated"]
    assert loaded.checked == (False, report.headline)


def test_a_trace_that_was_not_checked_has_no_verdict():
    traced = tracelab.trace(torch.relu, torch.ones(2), check_trace=False)
    assert from_bytes(to_bytes(traced)).checked is None


@pytest.mark.parametrize("filling", ["[],", "{},", "[[[[]]]],", '{"a":[]},'])
def test_json_that_python_would_take_much_memory_for_is_refused(content, filling):
    def change(name, entry):
        return entry[:-1] + f',"more":[{filling * 500_000}0]}}'.encode() if name == "graph.json" else entry

    with zipfile.ZipFile(io.BytesIO(content)) as old:
        changed = {info.filename: change(info.filename, old.read(info)) for info in old.infolist()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as new:
        for name, entry in changed.items():
            new.writestr(name, entry, zipfile.ZIP_DEFLATED if name.endswith(".json") else zipfile.ZIP_STORED)
    made.seek(0)
    with pytest.raises(TracelabFileError, match="unlikely number of lists and tables"):
        load(made)
