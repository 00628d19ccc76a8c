"""Marks for tests of what one system has and another has not."""

from __future__ import annotations

import os
import sys

import pytest

with_links = pytest.mark.skipif(sys.platform == "win32", reason="making a link takes a privilege on Windows")
with_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes in folders")
