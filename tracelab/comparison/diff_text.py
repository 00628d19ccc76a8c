"""A difference as text that fits a screen: grouped by module, with the lines of the user's code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from tracelab.comparison.changes import TYPES, Change, ChangedNode, type_changes
from tracelab.comparison.diff_data import DiffData
from tracelab.comparison.merge import merged_order
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.scope import Scope
from tracelab.graph.text.printable import replaced
from tracelab.graph.types import TensorType, counted

_MOST_LINES = 36
_MOST_INPUTS = 8
_MANY = 4
"""So many nodes with the same change are one line."""
_LONGEST = 116
_DETAILS = 3
"""Changes of one node that stand on a line of their own."""


def diff_text(found: DiffData) -> str:
    """What `print(difference)` shows."""
    if not found:
        return f"{_names(found)}: no difference in {counted(len(found.a.nodes), 'node')}"
    if found.nothing_in_common:
        here, there = len(found.a.nodes), len(found.b.nodes)
        return (
            f"{found.a.name} and {found.b.name} have nothing in common: "
            f"{counted(here, 'node')} in the first, {there:,} in the second"
        )
    lines = [f"{_names(found)}: {', '.join(headline(found))}"]
    lines += _inputs(found)
    body = [*_modules(found), *_nodes(found)]
    lines += body[:_MOST_LINES]
    if len(body) > _MOST_LINES:
        lines.append(f"… {counted(len(body) - _MOST_LINES, 'more line')}")
    lines += _outputs(found)
    return "\n".join(one_line(line) for line in lines)


def headline(found: DiffData) -> Iterator[str]:
    """What there is of each kind: `3 nodes added`, `1 module renamed`."""
    for nodes, word in ((found.added, "added"), (found.removed, "removed"), (found.changed, "changed")):
        if nodes:
            yield f"{counted(len(nodes), 'node')} {word}"
    modules = [pair for pair in found.moved if isinstance(pair[0], Scope)]
    if modules:
        yield f"{counted(len(modules), 'module')} moved"
    renamed = sum(mine.path != theirs.path for mine, theirs in found.renamed)
    if renamed:
        yield f"{counted(renamed, 'module')} renamed"
    if len(found.renamed) > renamed:
        yield f"{counted(len(found.renamed) - renamed, 'module')} of another class"
    for role, word in ((True, "input"), (False, "parameter")):
        count = sum(((row.before or row.after).role is Role.INPUT) is role for row in found.inputs)  # type: ignore[union-attr]
        if count:
            yield f"{counted(count, word)} changed"
    if found.outputs:
        yield f"{counted(len(found.outputs), 'output')} changed"


def _names(found: DiffData) -> str:
    return found.a.name if found.a.name == found.b.name else f"{found.a.name} → {found.b.name}"


def one_line(text: str) -> str:
    """A line that a terminal shows as it is: short, and without control characters that a name may hold."""
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return replaced(text).rstrip()


# Inputs and outputs --------------------------------------------------------------------------------------------


def _inputs(found: DiffData) -> Iterator[str]:
    if not found.inputs:
        return
    yield "inputs and parameters"
    groups: dict[tuple[Role, tuple[Change, ...]], list[str]] = {}
    rows = []
    for before, after, changes in found.inputs:
        if before is None or after is None:
            value = after if before is None else before
            assert value is not None
            rows.append(f"  {'+' if before is None else '-'} {value.name}  {type_text(value)}")
        else:
            groups.setdefault((before.role, changes), []).append(label_of(before))
    for (_, changes), names in groups.items():
        words = "; ".join(map(str, changes))
        if len(names) < _MANY:
            rows += (f"  ~ {name}  {words}" for name in names)
        else:
            rows.append(f"  ~ {names[0]} … {names[-1]}, {len(names)} in all  {words}")
    yield from rows[:_MOST_INPUTS]
    if len(rows) > _MOST_INPUTS:
        yield f"  … {len(rows) - _MOST_INPUTS} more"


def label_of(value: Value) -> str:
    """A parameter's path, an input's name."""
    return value.path or value.name


def type_text(value: Value) -> str:
    """`float32[2, 3]`."""
    return value.type.short if isinstance(value.type, TensorType) else value.type


def _outputs(found: DiffData) -> Iterator[str]:
    if found.outputs:
        yield "outputs"
        for change in found.outputs[:_MOST_INPUTS]:
            yield f"  ~ {change}"


# Modules -------------------------------------------------------------------------------------------------------


def _modules(found: DiffData) -> Iterator[str]:
    told: set[Scope] = set()
    for mine, theirs in found.moved:
        if not isinstance(mine, Scope) or not isinstance(theirs, Scope) or mine in told:
            continue
        other = swapped_with(found, mine, theirs)
        if other is not None:
            told |= {mine, other}
            yield f"swapped: {other.path} and {mine.path}  {mine.class_name}"
        else:
            yield f"moved: {renaming(mine, theirs)}, {_where_to(found, theirs)}"
    for run in renamed_runs([pair for pair in found.renamed if pair[0] not in told]):
        (first, first_now), (last, last_now) = run[0], run[-1]
        if len(run) > 1:
            yield (
                f"renamed: {first.path} … {last.path} → {first_now.path} … {last_now.path}  "
                f"({len(run)} × {first.class_name})"
            )
        elif first.path == first_now.path:
            yield f"another class: {renaming(first, first_now)}"
        else:
            yield f"renamed: {renaming(first, first_now)}"


def renaming(mine: Scope, theirs: Scope) -> str:
    """`fc → head  Linear`, with what stayed said once."""
    name = mine.path if mine.path == theirs.path else f"{mine.path} → {theirs.path}"
    same = mine.class_name == theirs.class_name
    return f"{name}  {mine.class_name if same else f'{mine.class_name} → {theirs.class_name}'}"


def swapped_with(found: DiffData, mine: Scope, theirs: Scope) -> Scope | None:
    """The module that stands where this one stood, if this one stands where that one stood."""
    partners = found.alignment.partner_scope
    after = siblings(found.b, theirs)
    stays = [scope for scope in siblings(found.a, mine) if partners.get(scope) in after]
    back = {partners[scope]: scope for scope in stays}
    now = [scope for scope in after if scope in back]
    there = stays[now.index(theirs)]
    return there if there is not mine and partners[there] is now[stays.index(mine)] else None


def _where_to(found: DiffData, theirs: Scope) -> str:
    after = list(siblings(found.b, theirs))
    place = after.index(theirs)
    return f"now behind {after[place - 1].path}" if place else "now first"


def siblings(graph: Graph, scope: Scope) -> dict[Scope, None]:
    """The module calls in the same module, in order of execution."""
    assert scope.parent is not None
    depth = scope.depth
    order: dict[Scope, None] = {}
    for node in graph.nodes:
        at = node.scope
        while at is not None and at.depth > depth:
            at = at.parent
        if at is not None and at.parent is scope.parent:
            order[at] = None
    return order


_LAST_NUMBER = re.compile(r"\d+$")


def renamed_runs(pairs: list[tuple[Scope, Scope]]) -> Iterator[list[tuple[Scope, Scope]]]:
    """Modules that only shifted their number, and by the same, together."""

    def shift(pair: tuple[Scope, Scope]) -> object:
        mine, theirs = (_LAST_NUMBER.search(scope.path) for scope in pair)
        if mine is None or theirs is None or pair[0].class_name != pair[1].class_name:
            return pair
        stems = pair[0].path[: mine.start()], pair[1].path[: theirs.start()]
        return (*stems, int(theirs[0]) - int(mine[0]), pair[0].class_name)

    for _, run in groupby(pairs, key=shift):
        yield list(run)


# Nodes ---------------------------------------------------------------------------------------------------------


class _Entry(NamedTuple):
    """One line: the module it stands under, what is different, and where in the code."""

    module: str
    text: str
    place: str
    details: tuple[str, ...] = ()
    alike: object = None
    """Equal for what can be said once for many."""
    name: str = ""


def _nodes(found: DiffData) -> Iterator[str]:
    followers = set(following(found.changed))
    entries = list(_together(list(_entries(found, followers))))
    width = min(max((len(entry.text) for entry in entries), default=0), 60)
    for module, group in groupby(entries, key=lambda entry: entry.module):
        yield module
        for entry in group:
            yield f"  {entry.text:<{width}}  {entry.place}"
            for detail in entry.details:
                yield f"      {detail}"
    if followers:
        rows = (row for row in found.changed if row.before in followers)
        words = sorted({change.what for row in rows for change in row.changes if change.what in TYPES})
        verb = "follows" if len(words) == 1 else "follow"
        yield f"{counted(len(followers), 'node')} whose {' and '.join(words)} {verb} from it"


def _together(entries: list[_Entry]) -> Iterator[_Entry]:
    """Many that are alike as one, where the first of them stands."""
    groups: dict[object, list[_Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.alike, []).append(entry)
    for entry in entries:
        group = groups[entry.alike]
        if len(group) < _MANY:
            yield entry
        elif group[0] is entry:
            where = f"{entry.name} … {group[-1].name}"
            yield _Entry(f"{len(group)} alike", entry.text.replace(f"{entry.name}  ", ""), where, entry.details)


def _entries(found: DiffData, followers: set[Node]) -> Iterator[_Entry]:
    changed = {row.before: row for row in found.changed}
    whole_a, whole_b = whole_modules(found.a, found.removed), whole_modules(found.b, found.added)
    sizes: dict[Scope, int] = {}
    for nodes, whole in ((found.removed, whole_a), (found.added, whole_b)):
        for node in nodes:
            if node.scope in whole:
                sizes[whole[node.scope]] = sizes.get(whole[node.scope], 0) + 1
    said: set[Scope] = set()
    for before, after in merged_order(found.alignment):
        if before is not None and after is not None:
            if before in changed and before not in followers:
                row = changed[before]
                words = tuple(str(change) for change in row.changes if change.what != "input")
                yield _Entry(title(after.scope, found.b), *_told(row), (before.kind, after.kind, words), _path(after))
        elif after is not None:
            yield from _one_sided("+", after, found.b, whole_b, sizes, said)
        elif before is not None:
            yield from _one_sided("-", before, found.a, whole_a, sizes, said)


def _one_sided(
    sign: str, node: Node, graph: Graph, whole: dict[Scope, Scope], sizes: dict[Scope, int], said: set[Scope]
) -> Iterator[_Entry]:
    """A node that only one graph has; where that is true of a whole module call, that is said once."""
    module = whole.get(node.scope) if node.scope is not None else None
    if module is None:
        class_name = node.scope.class_name if node.scope is not None else ""
        text = f"{sign} {spelled(node)}"
        yield _Entry(title(node.scope, graph), text, place_of(node), (), (sign, node.kind, class_name), _path(node))
    elif module not in said:
        said.add(module)
        text = f"{sign} {module.path}  {module.class_name}, {counted(sizes[module], 'node')}"
        alike = (sign, module.class_name, sizes[module])
        yield _Entry(title(module.parent, graph), text, place_of(node), (), alike, module.path)


def _told(row: ChangedNode) -> tuple[str, str, tuple[str, ...]]:
    """A changed node: its operator, and what changed, on the same line where there is little."""
    before, after, changes = row
    words = [str(change) for change in changes if change.what not in ("operator", "order", "line", "input")]
    operator = f"{before.name} → {after.name}" if before.kind != after.kind else spelled(after)
    place = place_of(after)
    lines = [change for change in changes if change.what == "line"]
    if lines:
        words.append(f"line {lines[0].before} → {lines[0].after}")
    if any(change.what == "order" for change in changes):
        words.insert(0, "moved")
    if len(words) <= 1:
        return f"~ {operator}{'  ' if words else ''}{''.join(words)}", place, ()
    more = (f"… {len(words) - _DETAILS} more",) if len(words) > _DETAILS else ()
    return f"~ {operator}", place, (*words[:_DETAILS], *more)


def following(changed: Iterable[ChangedNode]) -> Iterator[Node]:
    """Nodes that do what they did, on inputs whose dtype, shape, device … changed: consequences."""
    types: dict[Value, set[str]] = {}
    for before, after, changes in changed:
        kinds = {change.what for change in changes if change.what in TYPES}
        for value in before.outputs:
            types[value] = kinds
        if not all(change.what in TYPES or change.what == "input" for change in changes):
            continue
        given: set[str] = set()
        for mine, theirs in zip(before.inputs, after.inputs, strict=False):
            given |= types.get(mine, set())
            if mine.role is not Role.COMPUTED:
                given |= _type_words(mine, theirs)
        if kinds & given or ({"shape", "stride"} & kinds and "shape" in given):
            yield before


def _type_words(mine: Value, theirs: Value) -> set[str]:
    return {change.what for change in type_changes(mine, theirs)}


def whole_modules(graph: Graph, nodes: list[Node]) -> dict[Scope, Scope]:
    """For every module call of which all nodes are among these, the outermost around it of which that is true."""
    counts: dict[Scope, int] = {}
    for sign, group in ((1, graph.nodes), (-1, nodes)):
        for node in group:
            scope = node.scope
            while scope is not None:
                counts[scope] = counts.get(scope, 0) + sign
                scope = scope.parent
    found: dict[Scope, Scope] = {}
    for scope in graph.scopes():
        if scope.parent is not None and counts.get(scope, 1) == 0:
            found[scope] = found.get(scope.parent, scope)
    return found


def title(scope: Scope | None, graph: Graph) -> str:
    """`layer1.0  Block`; the graph's own name for what stands in no module."""
    if scope is None or scope.parent is None:
        return graph.name
    return f"{scope.path}  {scope.class_name}"


def _path(node: Node) -> str:
    return (node.scope.path if node.scope is not None else "") or "%" + (node.outputs[0].name if node.outputs else "")


def spelled(node: Node) -> str:
    """`%h = linear`, or the operator alone where the value is named after it."""
    name = str(node.attributes.get("name", "")) or node.name
    made = node.outputs[0].name if node.outputs else ""
    return f"%{made} = {name}" if made and made.partition(".")[0] != name else name


def place_of(node: Node) -> str:
    """`model.py, line 12: x = self.fc(x)`."""
    if node.source is None:
        return ""
    text = node.source.text.strip()
    return f"{node.source.short_file}, line {node.source.line}{f': {text}' if text else ''}"
