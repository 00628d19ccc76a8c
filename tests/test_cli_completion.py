"""`tracelab --print-completion`: what shells complete commands by."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tracelab.cli import main


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh", "fish"])
def test_a_shell_gets_the_commands(shell, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--print-completion", shell])
    assert ended.value.code == 0
    assert "export" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_commands_and_formats(capsys):
    with pytest.raises(SystemExit):
        main(["--print-completion", "bash"])
    script = capsys.readouterr().out
    ask = "COMP_WORDS=({words}); COMP_CWORD={at}; _shtab_tracelab 2>/dev/null; echo ${{COMPREPLY[@]}}"
    asked = ask.format(words="tracelab ex", at=1) + "\n" + ask.format(words="tracelab export --to on", at=3)
    done = subprocess.run(["bash", "-c", f"{script}\n{asked}"], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["export", "onnx"]


def test_an_unknown_shell_is_bad_use(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--print-completion", "dos"])
    assert ended.value.code == 2


def test_without_the_library_one_sentence_names_the_extra(capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "shtab", None)
    with pytest.raises(SystemExit) as ended:
        main(["--print-completion", "bash"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "tracelab: --print-completion needs shtab: pip install 'tracelab[completion]'\n"
