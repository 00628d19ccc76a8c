"""Saving replaces a file only when the new one is complete, and only what is a file."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys

import pytest
import torch
from torch import nn

import tracelab
from tracelab.errors import TracelabFileError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes, pipes and devices of Unix")


@pytest.fixture(scope="module")
def traced():
    return tracelab.trace(nn.Linear(2, 2), torch.ones(1, 2))


def test_the_mode_of_the_old_file_stays(traced, tmp_path):
    path = tmp_path / "t.tlab"
    traced.save(path)
    path.chmod(0o640)
    traced.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away")
def test_the_owner_of_the_old_file_stays(traced, tmp_path):
    path = tmp_path / "t.tlab"
    traced.save(path)
    os.chown(path, 12345, 12346)
    traced.save(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346)


def test_a_pipe_and_a_folder_are_refused_and_stay(traced, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(TracelabFileError, match="it is no file that can be replaced"):
        traced.save(pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    with pytest.raises(TracelabFileError, match="it is a folder; name a file in it"):
        traced.save(tmp_path)
    assert sorted(tmp_path.iterdir()) == [pipe]


def test_a_device_is_refused(traced):
    with pytest.raises(TracelabFileError, match="no file that can be replaced"):
        traced.save(os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_an_empty_name_is_refused(traced):
    with pytest.raises(TracelabFileError, match="the name of the file is empty"):
        traced.save("")


@pytest.mark.parametrize("letter", ["a", "é"])
def test_a_long_name_is_saved(traced, tmp_path, letter):
    path = tmp_path / f"{letter * (240 // len(letter.encode()))}.tlab"
    traced.save(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_no_disk_takes_is_one_sentence(traced, tmp_path):
    with pytest.raises(TracelabFileError, match="its name is too long for this disk"):
        traced.save(tmp_path / ("a" * 300))


def test_what_a_killed_process_left_is_removed(traced, tmp_path):
    draft = tmp_path / ".t.tlab.0123abcd.tmp"
    draft.write_bytes(b"half")
    other = tmp_path / ".u.tlab.0123abcd.tmp"
    other.write_bytes(b"of another file")
    traced.save(tmp_path / "t.tlab")
    assert not draft.exists()
    assert other.exists()


HOLDER = """
import sys
from tracelab.storage.whole_file import whole_file
with whole_file(sys.argv[1]) as file:
    file.write(b"whole")
    print("open", flush=True)
    sys.stdin.readline()
"""


def test_a_draft_that_another_process_writes_stays(traced, tmp_path):
    path = tmp_path / "t.tlab"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "open\n"
        traced.save(path)
        assert len(list(tmp_path.iterdir())) == 2
        holder.communicate("\n")
    assert holder.returncode == 0
    assert path.read_bytes() == b"whole"


def test_a_failing_write_leaves_the_old_file(tmp_path):
    from tracelab.storage.whole_file import whole_file

    path = tmp_path / "t"
    path.write_bytes(b"old")

    def interrupted():
        with whole_file(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


class Dotted(nn.Module):
    def __init__(self):
        super().__init__()
        self._parameters["a.b"] = nn.Parameter(torch.ones(2))
        self.a = nn.Linear(2, 2)

    def forward(self, x):
        return self.a(x) * self._parameters["a.b"]


def test_a_parameter_with_a_dot_in_its_name_is_saved_and_follows():
    content = io.BytesIO()
    tracelab.trace(Dotted(), torch.ones(1, 2)).save(content)
    content.seek(0)
    loaded = tracelab.load(content)
    before = loaded(torch.ones(1, 2))
    loaded._parameters["a.b"] = nn.Parameter(torch.full((2,), 3.0))
    assert torch.equal(loaded(torch.ones(1, 2)), 3 * before)


class Alike(nn.Module):
    """Python folds some of these names together, and does not take others."""

    def __init__(self):
        super().__init__()
        for number, name in enumerate(("ﬁ", "fi", "ｙ", "y", "__debug__", "a\0b", "None")):
            self.register_parameter(name, nn.Parameter(torch.full((1,), 2.0**number)))

    def forward(self, x):
        return sum((p * x for p in self._parameters.values()), x)


def test_names_that_python_takes_for_one_are_kept_apart():
    content = io.BytesIO()
    traced = tracelab.trace(Alike(), torch.ones(1))
    traced.save(content)
    content.seek(0)
    assert tracelab.load(content)(torch.ones(1)).item() == traced(torch.ones(1)).item() == 128
