"""What JupyterLab's panel of traces, and its viewer of files, ask the kernel."""

from tracelab.jupyter.panel.panel import answer

__all__ = ["answer"]
