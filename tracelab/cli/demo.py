"""`tracelab demo`."""

from __future__ import annotations

import argparse
from pathlib import Path

from tracelab.demo.run import run_demo


def run(options: argparse.Namespace) -> int:
    """Trace two networks, and open the quickstart."""
    run_demo(Path(options.output), open_lab=not options.no_browser)
    return 0
