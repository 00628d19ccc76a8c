"""`tracelab export --json`."""

from __future__ import annotations

import json

import torch

import tracelab
from tracelab.cli import main


def test_what_was_written_is_told_as_json(tmp_path, capsys):
    tracelab.trace(torch.relu, torch.ones(2)).save(tmp_path / "a.tlab")
    out = tmp_path / "a.svg"
    assert main(["export", str(tmp_path / "a.tlab"), "--to", "svg", "-o", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(out), "format": "svg", "notes": []}
    assert out.read_text().startswith("<")
