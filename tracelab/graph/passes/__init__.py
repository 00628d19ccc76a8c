"""Passes: each edits a graph in place and returns it."""

from tracelab.graph.passes.inlining import inline
from tracelab.graph.passes.simplify import canonicalize, cse, dce, fold_constants

__all__ = ["canonicalize", "cse", "dce", "fold_constants", "inline"]
