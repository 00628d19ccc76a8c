"""Cells run in a shell of IPython."""

from __future__ import annotations

import pytest

from support.notebook_shell import Shell


@pytest.fixture
def shell() -> Shell:
    return Shell()
