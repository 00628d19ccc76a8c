"""The reader of files behind the viewer, on a real Jupyter server: what it shows, and what it refuses."""

from __future__ import annotations

import http.client
import io
import json
import os
import pathlib
import secrets
import struct
import subprocess
import sys
import urllib.parse
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import torch
from torch import nn

import tracelab
from support.jupyter_server import running_server
from support.systems import with_links, with_pipes
from tracelab.render.view_document.document import view_bytes

TOKEN = secrets.token_hex(16)
LARGE = 40 * 2**20


class Server(NamedTuple):
    port: int
    root: pathlib.Path

    def ask(self, path: str, *, quoted: bool = True, token: str | None = TOKEN) -> tuple[int, bytes]:
        """Status and body; the path goes out as it stands where it is not `quoted`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"token {token}"} if token is not None else {}
        try:
            connection.request("GET", f"/tracelab/view/{urllib.parse.quote(path) if quoted else path}", headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def error(self, path: str) -> str:
        """The sentence about a file that cannot be shown."""
        status, body = self.ask(path)
        content = json.loads(body)
        assert status == 200
        assert content.keys() == {"format", "error"}
        assert "\n" not in content["error"]
        assert "Traceback" not in content["error"]
        return content["error"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("server")
    config = home / "etc" / "jupyter_server_config.d"
    config.mkdir(parents=True)
    shipped = pathlib.Path(__file__).parents[2] / "jupyter-config" / "tracelab.json"
    (config / "tracelab.json").write_text(shipped.read_text(encoding="utf-8") if shipped.exists() else "{}")
    (home / "root").mkdir()
    command = ["server", f"--ServerApp.root_dir={home / 'root'}"]
    with running_server(command, home, TOKEN, JUPYTER_CONFIG_PATH=str(home / "etc")) as port:
        yield Server(port, home / "root")


@pytest.fixture(scope="module")
def traced() -> tracelab.TracedModule:
    torch.manual_seed(0)
    return tracelab.trace(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), torch.ones(2, 3))


@pytest.fixture(scope="module")
def saved(server: Server, traced: tracelab.TracedModule) -> bytes:
    traced.save(server.root / "model.tlab")
    return (server.root / "model.tlab").read_bytes()


def edited(content: bytes, changes: dict[str, bytes | None], compress: bool = True) -> bytes:
    """The archive with entries replaced, added or (None) left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        held = {name: old.read(name) for name in old.namelist()} | changes
        for name, data in held.items():
            if data is not None:
                packed = compress and name.endswith(".json")
                new.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)
    return out.getvalue()


def test_a_file_s_view_document_comes_byte_for_byte(server, saved, traced):
    assert server.ask("model.tlab") == (200, view_bytes(traced.graph))


def test_the_server_imports_no_torch():
    code = "import sys, tracelab.jupyter.server; print('torch' in sys.modules, 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False False\n"


def test_a_file_in_a_folder_with_a_space_and_letters_of_other_scripts(server, saved):
    (server.root / "a folder").mkdir()
    (server.root / "a folder" / "μοντέλο#1.tlab").write_bytes(saved)
    assert server.ask("a folder/μοντέλο#1.tlab")[0] == 200


def test_a_file_without_a_view_is_for_a_kernel(server, saved):
    (server.root / "old.tlab").write_bytes(edited(saved, {"view.json": None}))
    assert json.loads(server.ask("old.tlab")[1]) == {"format": "tracelab.file", "kind": "tlab"}


def test_torch_export_and_script_files_are_for_a_kernel(server):
    module = nn.Linear(2, 2)
    torch.export.save(torch.export.export(module, (torch.ones(1, 2),)), server.root / "model.pt2")
    torch.jit.save(torch.jit.script(module), server.root / "script.pt")
    kinds = [json.loads(server.ask(name)[1])["kind"] for name in ("model.pt2", "script.pt")]
    assert kinds == ["export", "script"]


def test_an_onnx_file_is_for_a_kernel(server):
    pytest.importorskip("onnx")
    tracelab.trace(nn.Linear(2, 2), torch.ones(1, 2)).to_onnx(server.root / "model.onnx", check=False)
    assert json.loads(server.ask("model.onnx")[1])["kind"] == "onnx"


def test_a_checkpoint_gets_one_sentence(server):
    torch.save(nn.Linear(2, 2).state_dict(), server.root / "weights.pt")
    assert server.error("weights.pt") == (
        "the file is a checkpoint, a pickle that torch.save wrote (a state_dict, or a whole module), which holds "
        "weights but no graph and is not loaded, as loading can run code: tracelab reads .tlab, torch.export "
        "(.pt2), TorchScript and ONNX files"
    )


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("../outside.tlab", False),
        ("..%2Foutside.tlab", False),
        ("%2e%2e/outside.tlab", False),
        ("%2e%2e%2foutside.tlab", False),
        ("a/../../outside.tlab", False),
        ("..\\outside.tlab", True),
        ("..%5Coutside.tlab", False),
        ("%00model.tlab", False),
        ("model.tlab%00.png", False),
        ("/etc/passwd", True),
        ("//etc/passwd", False),
        ("no such file.tlab", True),
        (".", True),
    ],
)
def test_what_lies_outside_of_the_root_does_not_exist(server, saved, name, quoted):
    (server.root.parent / "outside.tlab").write_bytes(saved)
    status, body = server.ask(name, quoted=quoted)
    assert status == 404
    assert b"outside contents directory" in body or b"tracelab.view" not in body


@with_links
def test_a_link_out_of_the_root_is_refused(server, saved):
    (server.root.parent / "outside.tlab").write_bytes(saved)
    (server.root / "link.tlab").symlink_to(server.root.parent / "outside.tlab")
    assert server.ask("link.tlab")[0] == 404


@with_links
def test_a_linked_folder_out_of_the_root_is_refused(server, saved):
    (server.root.parent / "elsewhere").mkdir()
    (server.root.parent / "elsewhere" / "model.tlab").write_bytes(saved)
    (server.root / "linked").symlink_to(server.root.parent / "elsewhere")
    assert server.ask("linked/model.tlab")[0] == 404


@with_links
def test_a_link_that_stays_inside_is_followed(server, saved):
    (server.root / "inside.tlab").symlink_to(server.root / "model.tlab")
    assert server.ask("inside.tlab")[0] == 200


@pytest.mark.parametrize("name", [".hidden.tlab", ".folder/model.tlab"])
def test_a_hidden_file_is_refused(server, saved, name):
    (server.root / name).parent.mkdir(exist_ok=True)
    (server.root / name).write_bytes(saved)
    assert server.ask(name)[0] == 404
    assert server.ask(f"{name}?tag=1", quoted=False) == (200, b'{"tag": null}')


@with_pipes
def test_a_pipe_is_refused_and_keeps_nobody_waiting(server):
    os.mkfifo(server.root / "pipe.tlab")
    assert server.ask("pipe.tlab")[0] == 404


@pytest.mark.parametrize("token", [None, "wrong"])
@pytest.mark.parametrize("query", ["", "?tag=1"])
def test_nothing_is_said_without_the_token(server, saved, token, query):
    status, body = server.ask(f"model.tlab{query}", quoted=False, token=token)
    assert status == 403
    assert b"tracelab.view" not in body


def test_the_tag_changes_with_the_file_and_is_null_when_it_is_gone(server, saved):
    file = server.root / "changing.tlab"
    tags = []
    for content in (saved, saved[:-1], None):
        file.write_bytes(content) if content is not None else file.unlink()
        tags.append(json.loads(server.ask("changing.tlab?tag=1", quoted=False)[1])["tag"])
    assert tags[0] != tags[1]
    assert tags[2] is None


def test_an_empty_file(server):
    (server.root / "empty.tlab").touch()
    assert server.error("empty.tlab").startswith("the file is empty: tracelab reads .tlab")


def test_a_file_that_is_no_zip(server):
    (server.root / "text.tlab").write_text("<script>alert(1)</script>" * 10)
    assert server.error("text.tlab").startswith("the file holds no graph that tracelab knows")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_cut_off_file(server, saved, share):
    (server.root / "cut.tlab").write_bytes(saved[: int(len(saved) * share)])
    assert "damaged or truncated" in server.error("cut.tlab")


def test_a_newer_file(server, saved):
    meta = {"format": "tracelab", "version": 9, "tracelab": "7.0"}
    (server.root / "newer.tlab").write_bytes(edited(saved, {"meta.json": json.dumps(meta).encode()}))
    assert server.error("newer.tlab") == (
        "made by a newer tracelab (7.0, format 9; this one reads formats up to 4): upgrade tracelab"
    )


def test_a_view_that_unpacks_to_far_more_than_it_is(server, saved):
    (server.root / "bomb.tlab").write_bytes(edited(saved, {"view.json": b" " * 120 * 2**20}))
    assert "view.json" in server.error("bomb.tlab")


def test_a_view_that_is_larger_than_allowed(server, saved):
    (server.root / "huge.tlab").write_bytes(edited(saved, {"view.json": b"1" * 129 * 2**20}))
    assert "view.json" in server.error("huge.tlab")


def test_a_size_that_is_a_lie(server, saved):
    content = bytearray(edited(saved, {"view.json": b" " * LARGE}))
    spoiled = content.replace(struct.pack("<I", LARGE), struct.pack("<I", 10))
    (server.root / "lie.tlab").write_bytes(spoiled)
    assert "view.json" in server.error("lie.tlab")


def test_an_encrypted_entry(server, saved):
    content = bytearray(saved)
    with zipfile.ZipFile(io.BytesIO(saved)) as archive:
        place = archive.getinfo("view.json").header_offset
    content[place + 6] |= 1
    at = saved.index(b"PK\x01\x02")
    while saved[at + 46 : at + 55] != b"view.json":
        at = saved.index(b"PK\x01\x02", at + 1)
    content[at + 8] |= 1
    (server.root / "secret.tlab").write_bytes(content)
    assert "encrypted" in server.error("secret.tlab")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice(server, saved):
    out = io.BytesIO(saved)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("view.json", "{}")
    (server.root / "twice.tlab").write_bytes(out.getvalue())
    assert server.error("twice.tlab") == "not a sound .tlab file: it holds 'view.json' twice"


def test_an_entry_whose_name_is_markup_or_leads_elsewhere(server, saved):
    for name in ("<img src=x onerror=alert(1)>", "../../evil"):
        (server.root / "names.tlab").write_bytes(edited(saved, {name: b""}))
        assert server.error("names.tlab") == f"not a sound .tlab file: it holds an unexpected entry {name!r}"


def test_a_flipped_bit_in_the_view_is_noticed_before_anything_is_sent(server, saved):
    content = bytearray(edited(saved, {}, compress=False))
    content[content.index(b'"scopes"', content.index(b"view.json")) + 3] ^= 1
    (server.root / "flipped.tlab").write_bytes(content)
    assert "view.json" in server.error("flipped.tlab")


def test_answers_are_json_even_where_the_view_is_a_page(server, saved):
    (server.root / "page.tlab").write_bytes(edited(saved, {"view.json": b"<script>alert(1)</script>"}))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/tracelab/view/page.tlab", headers={"Authorization": f"token {TOKEN}"})
    headers = connection.getresponse().headers
    connection.close()
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def _is_missing(answer, query):
    return answer == (200, b'{"tag": null}') if query else answer[0] == 404


@pytest.mark.parametrize("query", ["", "?tag=1"])
def test_links_that_go_round_in_a_circle_do_not_exist(server, query):
    for name, target in (("round.tlab", "other.tlab"), ("other.tlab", "round.tlab")):
        if not (server.root / name).is_symlink():
            (server.root / name).symlink_to(target)
    assert _is_missing(server.ask("round.tlab" + query, quoted=False), query)


@pytest.mark.parametrize("name", ["n" * 300 + ".tlab", "/".join(["folder"] * 800) + "/model.tlab"])
@pytest.mark.parametrize("query", ["", "?tag=1"])
def test_a_name_longer_than_a_file_system_has_does_not_exist(server, name, query):
    assert _is_missing(server.ask(name + query, quoted=False), query)


@pytest.mark.parametrize("path", ["model.tlab/more", "model.tlab/more/model.tlab", "folder.tlab/", "folder.tlab"])
def test_a_path_behind_a_file_or_of_a_folder_does_not_exist(server, saved, path):
    (server.root / "folder.tlab").mkdir(exist_ok=True)
    assert server.ask(path)[0] == 404
