"""`quick_fix`: the edit that takes a specialization out of the code, where one is certain to change nothing else.

A quick fix is offered only where what it writes gives the same for every input for which the old code ran, its
gradients among it, and where it can be traced: what has a part that cannot be told from the code and the types of its
names is left to the person.
"""

from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass

from tracelab.capture.analysis.name_snapshot import lines_around
from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.quickfix.branches import branch_fix
from tracelab.quickfix.conversions import array_fix, number_fix
from tracelab.quickfix.source_edit import Edit, code_of


@dataclass(frozen=True, slots=True)
class QuickFix:
    """An edit of the user's code: `edit.text` in the place of what `edit` spans in `file`; `reason` is one sentence.

    `new_lines` of a branch reads `y = torch.where(x.sum() > 0, x * 2, -x)`.
    """

    file: str
    edit: Edit
    reason: str
    new_lines: str
    """The lines that are changed, as they will be."""

    def __str__(self) -> str:
        return f"{self.new_lines.strip()}  ({self.reason})"


def quick_fix(warning: TraceDiagnostic) -> QuickFix | None:
    """How to rewrite the code so that the trace is not specialized there.

    Nothing is run and no file is written. A graph that was read from a file has no quick fixes: its code is not at
    hand.

    Args:
        warning: One of `graph.warnings`.

    Returns:
        The edit, or None where no edit is certain to keep the results.

    >>> traced = tracelab.trace(lambda x: x * len(x), torch.ones(3))
    >>> tracelab.quick_fix(traced.graph.warnings[0]).edit.text
    'x.shape[0]'
    """
    source = warning.source
    if source is None or not warning.names or "".join(lines_around(source)) != warning.text:
        # It was edited since: the names may stand for something else.
        return None
    code = code_of(source)
    node = None if code is None else code.expression_at(source)
    if code is None or node is None:
        return None
    if warning.kind == "bool" and isinstance(node, ast.IfExp):
        # Python gives the place of the whole choice where its condition is no comparison.
        node = node.test
    found = None
    if warning.kind in ("bool", "int", "float"):
        found = number_fix(code, node, warning)
    if found is None and warning.kind == "bool":
        found = branch_fix(code, node, warning)
    if warning.kind in ("numpy", "list"):
        found = array_fix(code, node, warning)
    if found is None:
        return None
    edit, reason = found
    return QuickFix(source.file, edit, reason, _new_lines(source.file, edit))


def _new_lines(file: str, edit: Edit) -> str:
    lines = linecache.getlines(file)
    first, last = lines[edit.line - 1], lines[edit.end_line - 1].rstrip("\r\n")
    return first[: edit.column] + edit.text + last[edit.end_column :]
