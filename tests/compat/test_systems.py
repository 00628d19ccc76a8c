"""Windows and macOS: no call that only Unix has without its twin, paths of Windows, the same bytes everywhere."""

from __future__ import annotations

import ast
import ntpath
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tracelab.jupyter import server
from tracelab.render.view_document import source_table

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("tracelab", "docs/_ext", "docs/gallery", "labextension/build", "tests/benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)
UNIX_MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "posix"}
UNIX_NAMES = {
    ("os", name)
    for name in "fork forkpty kill killpg mkfifo mknod chown lchown getuid geteuid getgid setsid uname sysconf "
    "sched_getaffinity O_NOFOLLOW O_NONBLOCK O_DIRECTORY".split()
} | {("signal", name) for name in "SIGKILL SIGALRM SIGUSR1 SIGHUP alarm setitimer pthread_kill pthread_sigmask".split()}
GUARDED = {"tracelab/storage/whole_file.py": {"fcntl", "chown"}}
"""Files with a guard, and a twin for Windows or nothing to do there."""


def unix_only(tree):
    """The names of Unix that a file uses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in UNIX_MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in UNIX_MODULES:
            yield node.module
        elif isinstance(node, ast.Attribute) and (getattr(node.value, "id", ""), node.attr) in UNIX_NAMES:
            yield node.attr


def text_without_encoding(tree):
    """Lines that open a text file without saying how it is written: Windows would take another encoding."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or any(word.arg in ("encoding", None) for word in node.keywords):
            continue
        function = node.func
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        is_builtin = isinstance(function, ast.Name) and name == "open"
        modes = [item.value for item in node.args[1:2] if isinstance(item, ast.Constant)]
        if name in ("read_text", "write_text") or (is_builtin and not any("b" in str(mode) for mode in modes)):
            yield node.lineno


def text_with_system_line_ends(tree):
    """Lines that write text with the line ends of the system: other bytes on Windows."""
    for node in ast.walk(tree):
        is_write = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "write_text"
        if is_write and not any(word.arg == "newline" for word in node.keywords):
            yield node.lineno


def trees():
    for path in FILES:
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_nothing_of_unix_alone_is_called_without_a_guard():
    found = {name: set(unix_only(tree)) for name, tree in trees()}
    assert {name: used for name, used in found.items() if used} == GUARDED


def test_every_text_file_is_opened_with_its_encoding():
    assert not [f"{name}:{line}" for name, tree in trees() for line in text_without_encoding(tree)]


def test_what_the_package_writes_has_the_same_line_ends_everywhere():
    ours = [(name, tree) for name, tree in trees() if name.startswith(("tracelab/", "tests/benchmarks/"))]
    lines = [
        f"{name}:{line}" for name, tree in ours if "/test_" not in name for line in text_with_system_line_ends(tree)
    ]
    assert not lines


@pytest.mark.parametrize(
    ("code", "judge"),
    [
        ("import fcntl", unix_only),
        ("os.kill(1, 2)", unix_only),
        ("open('a', 'w')", text_without_encoding),
        ("path.read_text()", text_without_encoding),
        ("path.write_text('a', encoding='utf-8')", text_with_system_line_ends),
    ],
)
def test_the_judges_see_what_they_look_for(code, judge):
    assert list(judge(ast.parse(code)))


def test_no_two_files_differ_in_case_alone_and_none_has_a_name_that_windows_refuses():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    names = done.stdout.splitlines()
    if done.returncode or not names:
        pytest.skip("this is no checkout")
    assert len({name.lower() for name in names}) == len(names)
    reserved = {"con", "prn", "aux", "nul", *(f"{kind}{number}" for kind in ("com", "lpt") for number in range(1, 10))}
    for name in names:
        assert not set(name) & set('<>:"|?*\\')
        assert all(part.partition(".")[0].lower() not in reserved and part[-1] not in ". " for part in name.split("/"))


# Paths of Windows ---------------------------------------------------------------------------------------------


@pytest.fixture
def windows(monkeypatch):
    """The modules see the paths of Windows."""
    pretended = SimpleNamespace(path=ntpath, sep="\\", getcwd=lambda: r"C:\Work")
    for module in (source_table, server):
        monkeypatch.setattr(module, "os", pretended)


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        (r"C:\Work\net.py", True),
        (r"c:\work\net.py", True),
        (r"C:\Workshop\net.py", False),
        (r"D:\Work\net.py", False),
    ],
)
def test_a_file_is_in_a_folder_whatever_the_case_of_the_drive(windows, path, inside):
    assert source_table._inside(path, r"C:\Work") is inside


def test_a_short_path_has_slashes(windows):
    assert source_table.short_path(r"c:\Work\models\net.py") == "models/net.py"


def test_a_file_on_another_drive_is_not_under_the_server_s_folder(windows):
    assert not server._is_under(r"D:\secret.tlab", r"C:\Work")
    assert server._is_under(r"C:\Work\net.tlab", r"C:\Work")
    assert not server._is_under(r"C:\Workshop\net.tlab", r"C:\Work")


def test_files_are_replaced_whole_where_there_are_no_locks(tmp_path):
    """A process that believes to be on Windows, and has no `fcntl`."""
    code = """
import os, pathlib, sys, sysconfig, tempfile, zipfile
sys.platform = "win32"
sys.modules["fcntl"] = None
del os.chown
from tracelab.storage import whole_file
assert whole_file._lock is None
target = pathlib.Path(sys.argv[1]) / "net.tlab"
left = target.with_name(".net.tlab.0123abcd.tmp")
left.write_bytes(b"left by a killed process")
for content in (b"one", b"two"):
    with whole_file.whole_file(target) as file:
        file.write(content)
    assert target.read_bytes() == content
try:
    with whole_file.whole_file(target) as file:
        file.write(b"three")
        raise KeyError
except KeyError:
    pass
assert target.read_bytes() == b"two"
print(os.listdir(sys.argv[1]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, encoding="utf-8", cwd=os.curdir
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == "['net.tlab']\n"
