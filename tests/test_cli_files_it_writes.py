"""Commands write over nothing that they read, and what a file or a program says stays what it is."""

from __future__ import annotations

import io
import json
import os
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import tracelab
from tracelab.cli import main


@pytest.fixture
def net(tmp_path):
    traced = tracelab.trace(nn.Linear(3, 2), torch.ones(2, 3))
    traced.save(tmp_path / "net.tlab")
    save_file({"input": torch.ones(2, 3)}, tmp_path / "x.safetensors")
    return tmp_path


COMMANDS = [
    ["show", "net.tlab", "--no-browser", "-o", "net.tlab"],
    ["show", "net.tlab", "--no-browser", "-o", "link.tlab"],
    ["show", "net.tlab", "--svg", "net.tlab"],
    ["show", "net.tlab", "--pdf", "hard.tlab"],
    ["export", "net.tlab", "--to", "html", "-o", "net.tlab"],
    ["export", "net.tlab", "--to", "pt2", "-o", "link.tlab"],
    ["run", "net.tlab", "--inputs", "x.safetensors", "-o", "x.safetensors"],
    ["run", "net.tlab", "--inputs", "x.safetensors", "-o", "net.tlab"],
    ["trace", "net.py:net", "--inputs", "x.safetensors", "-o", "net.py"],
    ["trace", "net.py:net", "--inputs", "x.safetensors", "-o", "x.safetensors"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_file_that_is_read_is_not_written(words, net, monkeypatch, capsys):
    monkeypatch.chdir(net)
    (net / "link.tlab").symlink_to("net.tlab")
    os.link("net.tlab", "hard.tlab")
    (net / "net.py").write_text("import torch\nnet = torch.nn.Linear(3, 2)\n")
    before = {path.name: path.read_bytes() for path in net.iterdir()}
    assert main(words) == 2
    assert "is a file that is read: choose another one for the output" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in net.iterdir()} == before


def test_the_page_of_a_file_that_is_called_a_page_is_not_written_over_it(net, monkeypatch):
    monkeypatch.chdir(net)
    os.rename("net.tlab", "net.html")
    before = (net / "net.html").read_bytes()
    assert main(["show", "net.html", "--no-browser"]) == 2
    assert (net / "net.html").read_bytes() == before


@pytest.mark.parametrize("to", ["html", "pt2", "onnx", "torchscript", "svg"])
def test_a_pipe_is_not_written(to, net, capsys):
    os.mkfifo(net / "fifo")
    assert main(["export", str(net / "net.tlab"), "--to", to, "-o", str(net / "fifo")]) == 2
    assert "it is a pipe, a socket or a disk; choose a file" in capsys.readouterr().err
    assert (net / "fifo").is_fifo()


def test_to_onnx_does_not_replace_a_pipe(net):
    pytest.importorskip("onnxscript")
    os.mkfifo(net / "fifo")
    with pytest.raises(tracelab.TracelabFileError, match="it is no file that can be replaced"):
        tracelab.load(net / "net.tlab").to_onnx(net / "fifo", check=False)
    assert (net / "fifo").is_fifo()


# Control characters ----------------------------------------------------------------------------------------


def changed(path, old, new):
    """The archive with another text in its entries."""
    made = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(made, "w") as written:
        for info in archive.infolist():
            written.writestr(info.filename, archive.read(info).replace(old, new))
    path.write_bytes(made.getvalue())


def said(words, capfd):
    status = main(words)
    printed = capfd.readouterr()
    assert not any(ord(letter) < 32 and letter != "\n" for letter in printed.out + printed.err)
    assert "\x7f" not in printed.err
    assert "\x9b" not in printed.err
    return status, printed


@pytest.mark.parametrize("command", ["info", "show", "run", "check", "export"])
def test_the_name_of_a_file_that_is_not_there(command, net, capfd):
    more = {"run": ["--inputs", "x"], "check": ["--inputs", "x"], "export": ["--to", "html"]}.get(command, [])
    status, printed = said([command, "\x1b[31mmissing\x9b.tlab", *more], capfd)
    assert status == 2
    assert "missing" in printed.err


@pytest.mark.parametrize(
    "new", [b'"tracelab": "9\\u001b[31m"', b'"tracelab": "\\u009b\\u0000"', b'"version": "\\u001b[31m"']
)
def test_the_words_of_a_file(new, net, capfd):
    with zipfile.ZipFile(net / "net.tlab") as archive:
        meta = json.loads(archive.read("meta.json"))
    key = json.loads(b"{" + new + b"}")
    made = io.BytesIO()
    with zipfile.ZipFile(net / "net.tlab") as archive, zipfile.ZipFile(made, "w") as written:
        for info in archive.infolist():
            content = json.dumps({**meta, **key, "version": key.get("version", 999)}).encode()
            written.writestr(info.filename, content if info.filename == "meta.json" else archive.read(info))
    (net / "net.tlab").write_bytes(made.getvalue())
    status, printed = said(["info", str(net / "net.tlab")], capfd)
    assert status == 2
    assert printed.err.startswith("tracelab: ")


def test_the_names_of_a_pickle(net, capfd):
    torch.jit.save(torch.jit.script(nn.ReLU()), net / "r.pt")
    with zipfile.ZipFile(net / "r.pt") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(net / "r.pt", "w") as archive:
        for name, content in entries.items():
            hostile = b"\x80\x02c\x1b[31m\n\x07name\n)R."
            archive.writestr(name, hostile if name.endswith("/data.pkl") else content)
    status, printed = said(["info", str(net / "r.pt")], capfd)
    assert status == 2
    assert "which this reader does not know" in printed.err


def test_words_that_no_command_takes(capfd):
    with pytest.raises(SystemExit):
        main(["info", "--\x1b[31m"])
    assert "\x1b" not in capfd.readouterr().err


# Programs that are traced ----------------------------------------------------------------------------------

PROGRAM = """
import sys
print("the file runs")

def printer(x):
    print("it is called")
    return x + 1

def leaver(x):
    sys.exit(7)
"""


@pytest.fixture
def program(tmp_path):
    (tmp_path / "f.py").write_text(PROGRAM)
    return tmp_path


def test_what_a_program_prints_is_no_part_of_the_json(program, capsys):
    words = ["trace", f"{program / 'f.py'}:printer", "--inputs", "float32[2]", "-o", str(program / "t.tlab"), "--json"]
    assert main(words) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["nodes"] == 1
    assert "the file runs" in printed.err
    assert "it is called" in printed.err


def test_a_program_that_ends_is_told(program, capsys):
    words = ["trace", f"{program / 'f.py'}:leaver", "--inputs", "float32[2]", "-o", str(program / "t.tlab")]
    assert main(words) == 2
    assert "f.py:leaver ends the program as it is called (SystemExit: 7)" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["nan", "inf", "-1"])
@pytest.mark.parametrize("option", ["--rtol", "--atol"])
def test_what_is_no_tolerance_is_refused(option, number, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["check", "a.tlab", "--inputs", "x", "--against", "b.tlab", f"{option}={number}"])
    assert ended.value.code == 2
    assert "is no tolerance: give a number that is 0 or more" in capsys.readouterr().err
