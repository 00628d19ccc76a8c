"""`tracelab.read` and the readers that installed packages bring."""

from __future__ import annotations

import importlib
import io
import sys

import pytest

import tracelab

_CODE = '''
import torch, tracelab

def read(file):
    """A file of one number."""
    net = torch.nn.Sequential(*(torch.nn.ReLU() for _ in range(int(file.read().removeprefix(b"N ")))))
    return tracelab.trace(net, torch.ones(2))

def text(file):
    return "a text"

def unsound(file):
    graph = read(file).graph
    graph.nodes.reverse()
    return graph

class Sniffing:
    @staticmethod
    def sniff(head, name):
        return head.startswith(b"N ")
    read = staticmethod(read)

number = 7
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution, `relus-reader`, with the entry points that are given."""

    def _install(entries, code=_CODE, group="tracelab.readers"):
        site = tmp_path / "site"
        info = site / "relus_reader-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: relus-reader\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
        (site / "relus_of_test.py").write_text(code)
        monkeypatch.syspath_prepend(str(site))
        importlib.invalidate_caches()

    yield _install
    sys.modules.pop("relus_of_test", None)


def _file(tmp_path, content=b"3", name="net.relus"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_a_package_reads_files_of_its_ending(install, tmp_path):
    install({"relus": "relus_of_test:read"})
    assert [node.kind for node in tracelab.read(_file(tmp_path)).graph.nodes] == ["aten::relu"] * 3


def test_nothing_is_imported_before_a_file_asks_for_it(install, tmp_path):
    install({"relus": "relus_of_test:read"})
    traced = tracelab.trace(lambda x: x + 1, __import__("torch").ones(2))
    traced.save(tmp_path / "a.tlab")
    tracelab.read(tmp_path / "a.tlab")
    with pytest.raises(tracelab.TracelabFileError, match="holds no graph that tracelab knows"):
        tracelab.read(io.BytesIO(b"nothing"))
    assert "relus_of_test" not in sys.modules
    tracelab.read(_file(tmp_path))
    assert "relus_of_test" in sys.modules


def test_the_own_readers_need_no_package(install, tmp_path):
    install({"tlab": "relus_of_test:read"}, "raise RuntimeError('imported')")
    traced = tracelab.trace(lambda x: x + 1, __import__("torch").ones(2))
    traced.save(tmp_path / "a.tlab")
    assert tracelab.read(tmp_path / "a.tlab").graph.nodes
    assert "relus_of_test" not in sys.modules


def test_a_package_that_sniffs_reads_files_without_a_name(install):
    install({"sniff.any": "relus_of_test:Sniffing"})
    assert len(tracelab.read(io.BytesIO(b"N 2")).graph.nodes) == 2


_BEGINS_AS_ONNX = """
import torch, tracelab

def read(file):
    assert file.read(3) == bytes([8, 7, 18])
    return tracelab.trace(torch.relu, torch.ones(2))
"""


@pytest.mark.parametrize("as_path", [True, False])
def test_a_file_of_a_package_may_begin_as_onnx_files_do(install, tmp_path, as_path):
    install({"relus": "relus_of_test:read"}, code=_BEGINS_AS_ONNX)
    path = _file(tmp_path, b"\x08\x07\x12 no protobuf")
    with path.open("rb") as file:
        found = tracelab.read(path if as_path else file)
    assert [node.kind for node in found.graph.nodes] == ["aten::relu"]


def test_a_file_that_no_package_wants_is_refused_as_before(install):
    install({"sniff.any": "relus_of_test:Sniffing"})
    with pytest.raises(tracelab.TracelabFileError, match="holds no graph that tracelab knows"):
        tracelab.read(io.BytesIO(b"M 2"))


@pytest.mark.parametrize(
    ("value", "content", "message"),
    [
        ("relus_of_test:read", b"x", r"package relus-reader failed \(ValueError: invalid literal"),
        ("relus_of_test:gone", b"3", r"package relus-reader cannot be imported \(AttributeError"),
        ("no_such_module_of_test:read", b"3", r"package relus-reader cannot be imported \(ModuleNotFoundError"),
        ("relus_of_test:number", b"3", "package relus-reader is no function, and has no `read`"),
        ("relus_of_test:text", b"3", "package relus-reader gave an object of the type str, and no graph"),
        ("relus_of_test:unsound", b"3", "package relus-reader gave a graph that is not sound"),
    ],
)
def test_a_reader_that_fails_is_one_sentence_with_its_package(install, tmp_path, value, content, message):
    install({"relus": value})
    with pytest.raises(tracelab.TracelabFileError, match=message) as caught:
        tracelab.read(_file(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_read_takes_allow_as_load_does(tmp_path):
    import torch

    function = importlib.import_module("support.own_operator").own_operator
    traced = tracelab.trace(function, torch.ones(2))
    traced.save(tmp_path / "a.tlab")
    refused = tracelab.read(tmp_path / "a.tlab")
    with pytest.raises(tracelab.TracelabError, match="allow="):
        refused(torch.ones(2))
    allowed = tracelab.read(tmp_path / "a.tlab", allow=["tracelab_read_test::twice"])
    assert allowed(torch.ones(2)).tolist() == [2.0, 2.0]


def _overlay(tmp_path, content=b"relu_1,0.5\n"):
    import torch

    traced = tracelab.trace(lambda x: x.relu(), torch.ones(2))
    return tracelab.read_overlay(_file(tmp_path, content, "scores.csv"), traced)


def test_a_package_gives_an_overlay(install, tmp_path):
    code = "def read(file, graph): return {graph.nodes[0]: float(file.read())}"
    install({"csv": "relus_of_test:read"}, code, "tracelab.overlays")
    overlay = _overlay(tmp_path, b"0.5")
    assert (overlay.name, overlay["relu"]) == ("scores", 0.5)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("{'gone': 1.0}", "package relus-reader gave numbers that do not fit the graph: no value or module"),
        ("7", "package relus-reader gave an object of the type int, and no numbers by node"),
        ("1 / 0", r"package relus-reader failed \(ZeroDivisionError: division by zero\)"),
    ],
)
def test_an_overlay_that_fails_is_one_sentence_with_its_package(install, tmp_path, result, message):
    install({"csv": "relus_of_test:read"}, f"def read(file, graph): return {result}", "tracelab.overlays")
    with pytest.raises(tracelab.TracelabFileError, match=message):
        _overlay(tmp_path)
