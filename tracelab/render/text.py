"""A trace in twenty lines of text, for terminals and for `text/plain`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from tracelab.graph.graph import Graph
from tracelab.graph.text.printable import replaced
from tracelab.graph.types import bytes_text, counted
from tracelab.protocol.view_document import ViewDocument
from tracelab.render.module_tree import Module, module_tree, output_names, value_name, value_type
from tracelab.render.view_document.document import view_document

_MOST_MODULES = 20
_MOST_VALUES = 8
_MOST_WARNINGS = 8
_LONGEST_LINE = 300
_RUN = 3
"""So many equal modules in a row become one line."""


def summary_text(graph: Graph) -> str:
    """What was traced: ops by module, parameters, inputs, outputs, and every specialization.

    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    >>> print(summary_text(tracelab.trace(net, torch.ones(2, 4)).graph))
    Sequential: 2 ops, 15 parameters (60 B)
    inputs
      input  float32[2, 4]
    outputs
      relu  float32[2, 3]
    ops by module
      2  Sequential
      1    0  Linear
      1    1  ReLU
    """
    return document_text(view_document(graph))


def warnings_text(graph: Graph) -> str:
    """Every specialization with its line; empty where there is none."""
    return "\n".join(_one_line(line) for line in list(_warnings(view_document(graph)))[1:])


def document_text(document: ViewDocument) -> str:
    """The same from a view document that is at hand already."""
    lines = [_headline(document)]
    inputs = [value for value in document["inputs"] if document["values"]["role"][value] == 1]
    lines += _values(document, "inputs", inputs, [value_name(document, value) for value in inputs])
    lines += _values(document, "outputs", document["outputs"], output_names(document))
    modules = module_tree(document)
    if len(modules) > 1:
        lines.append("ops by module")
        lines += _modules(modules[0])
    lines += _failure(document)
    lines += _warnings(document)
    return "\n".join(map(_one_line, lines))


def _one_line(text: str) -> str:
    """A line that a terminal shows as it is: short, and without control characters that a name may hold."""
    text = text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"
    return replaced(text, keep="\t").rstrip()


def _headline(document: ViewDocument) -> str:
    counts = document["summary"]
    parts = [counted(counts["ops"], "op")]
    if counts["parameters"]:
        parts.append(f"{counted(counts['parameters'], 'parameter')} ({bytes_text(counts['parameter_bytes'])})")
    if counts["warnings"]:
        parts.append(counted(counts["warnings"], "warning"))
    return f"{document['name']}: {', '.join(parts)}"


def _values(document: ViewDocument, title: str, values: list[int], names: list[str]) -> Iterator[str]:
    if not values:
        return
    yield title
    shown = values[:_MOST_VALUES]
    width = max(len(name) for name in names[: len(shown)])
    for value, name in zip(shown, names, strict=False):
        yield f"  {name:<{width}}  {value_type(document, value)}"
    if len(values) > len(shown):
        yield f"  … {len(values) - len(shown)} more"


def _modules(root: Module) -> Iterator[str]:
    """The tree down to the depth that fits; where not even one level fits, its first lines."""
    rows = _tree_rows(root, 1)
    for depth in range(2, 50):
        deeper = _tree_rows(root, depth)
        if len(deeper) > _MOST_MODULES or len(deeper) == len(rows):
            break
        rows = deeper
    width = len(f"{root.ops:,}")
    for ops, label in rows[:_MOST_MODULES]:
        yield f"  {ops:>{width},}  {label}"
    if len(rows) > _MOST_MODULES:
        yield f"  {'':>{width}}    … {len(rows) - _MOST_MODULES} more"


def _tree_rows(module: Module, depth: int) -> list[tuple[int, str]]:
    indent = "  " * module.depth
    rows = [(module.ops, f"{indent}{module.name}  {module.class_name if module.parent else ''}")]
    if module.depth >= depth:
        return rows
    for run in runs(module.children):
        if len(run) < _RUN:
            for child in run:
                rows += _tree_rows(child, depth)
        else:
            first, last = run[0], run[-1]
            label = f"{'  ' * first.depth}{first.name} … {last.name}  {len(run)} × {first.class_name or first.name}"
            rows.append((sum(child.ops for child in run), f"{label}{', each' if first.children else ''}"))
            # What is in one of them stands for all.
            rows += _tree_rows(last, depth)[1:]
    return rows


def runs(modules: list[Module]) -> list[list[Module]]:
    """Neighbours that are built alike, together."""
    found: list[list[Module]] = []
    previous = None
    for module in modules:
        shape = _build(module)
        if shape == previous:
            found[-1].append(module)
        else:
            found.append([module])
        previous = shape
    return found


def _build(module: Module) -> tuple[object, ...]:
    return (module.class_name or module.name, module.ops - module.aside, *(_build(child) for child in module.children))


def _failure(document: ViewDocument) -> Iterator[str]:
    failed = document["nodes"].get("failed", -1)
    if failed >= 0:
        place = _place(document, document["nodes"]["source"][failed])
        yield f"failed at {document['strings'][document['nodes']['kind'][failed]]}{f', {place}' if place else ''}"


def _place(document: ViewDocument, source: int) -> str:
    if source < 0:
        return ""
    sources = document["sources"]
    return f"{document['files'][sources['file'][source]]['name']}, line {sources['line'][source]}"


def _warnings(document: ViewDocument) -> Iterator[str]:
    warnings = document["warnings"]
    if warnings:
        yield "warnings"
    for warning in warnings[:_MOST_WARNINGS]:
        source = warning["source"]
        place = _place(document, source)
        line = ""
        if source >= 0:
            sources = document["sources"]
            lines = document["files"][sources["file"][source]]["lines"]
            line = lines.get(str(sources["line"][source]), "").strip()
        yield "  " + ": ".join(part for part in (place, line) if part)
        yield from textwrap.wrap(warning["message"], 100, initial_indent="    ", subsequent_indent="    ")
        if "fix" in warning:
            written = " ".join(warning["fix"]["text"].split())
            yield from textwrap.wrap(f"fix: {written}", 100, initial_indent="    ", subsequent_indent="    ")
    if len(warnings) > _MOST_WARNINGS:
        yield f"  … {len(warnings) - _MOST_WARNINGS} more"
