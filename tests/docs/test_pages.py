"""The pages of the documentation are true: their code runs, and prints what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from support.pages import run_page

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts),
]


@pytest.mark.parametrize("page", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in PAGES])
def test_the_code_of_a_page_does_what_the_page_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with torch.enable_grad():
        assert not list(run_page(page, tmp_path))
