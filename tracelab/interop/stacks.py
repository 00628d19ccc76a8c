"""Where a node comes from, as torch.fx and torch.export write it down: tracebacks and module stacks as text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tracelab.graph.graph import Graph
from tracelab.graph.scope import Scope
from tracelab.storage.graph_json.sources import StoredSource

_FRAME = re.compile(r'\s*File "([^"\n]*)", line (\d{1,9})(?:, in ([^\n]*))?\s*')
_LIBRARY = re.compile(r"(?:^|[/\\])(?:torch|torchgen|functorch)[/\\]")
_MOST_FRAMES = 64


class Sources:
    """The places of one graph; the same traceback is one `Source`."""

    def __init__(self) -> None:
        self._known: dict[str, StoredSource | None] = {}
        self._rows: dict[tuple[str, int, str, str, int], StoredSource] = {}

    def of(self, stack_trace: str | None) -> StoredSource | None:
        """The innermost frame of the user's, with the frames that called it; None where there is none.

        A traceback says no columns: they are 0.
        """
        if not stack_trace:
            return None
        if stack_trace not in self._known:
            self._known[stack_trace] = self._read(stack_trace)
        return self._known[stack_trace]

    def _read(self, text: str) -> StoredSource | None:
        frames: list[tuple[str, int, str, str]] = []
        for line in text.splitlines():
            match = _FRAME.fullmatch(line)
            if match is not None:
                frames.append((match[1], int(match[2]), match[3] or "", ""))
            elif frames and not frames[-1][3]:
                frames[-1] = (*frames[-1][:3], line.strip())
        above: StoredSource | None = None
        for frame in frames[-_MOST_FRAMES:]:
            file, line_number, function, code = frame
            if is_library(file) or (file.startswith("<") and not file.startswith("<ipython-input")):
                continue
            key = (*frame, id(above))
            found = self._rows.get(key)
            if found is None:
                place = (file, function, line_number, line_number, 0, 0)
                found = self._rows[key] = StoredSource(place, code, above)
            above = found
        return above


def is_library(file: str) -> bool:
    """Whether a file is one of torch's own, on whatever machine."""
    return _LIBRARY.search(file) is not None


class Scopes:
    """The module tree of one graph, from the stack of modules that each node was in.

    A stack is a list of (key, path, class), outermost first; the key tells the calls of one module apart.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._known: dict[tuple[str, ...], Scope] = {}
        self._calls: dict[str, int] = {}

    def of(self, stack: Iterable[tuple[str, str, str]]) -> Scope:
        scope = self.graph.root
        keys: tuple[str, ...] = ()
        for key, path, class_name in stack:
            short = class_name.rpartition(".")[2].partition("@")[0]
            path = path.partition("@")[0]
            if not path:
                if not scope.class_name:
                    scope.name = scope.class_name = short
                continue
            keys = (*keys, key)
            found = self._known.get(keys)
            if found is None:
                call = self._calls.get(path, 0)
                self._calls[path] = call + 1
                found = self._known[keys] = Scope(path, short, scope, call)
            scope = found
        return scope


def module_stack(text: str) -> list[tuple[str, str, str]]:
    """The stack that an archive writes as `key,path,class;key,path,class`.

    >>> module_stack("L__self__,,Net;L__self___fc,fc,torch.nn.modules.linear.Linear")
    [('L__self__', '', 'Net'), ('L__self___fc', 'fc', 'torch.nn.modules.linear.Linear')]
    """
    found = []
    for part in text.split(";"):
        key, comma, rest = part.partition(",")
        path, comma, class_name = rest.partition(",")
        if comma and not key.startswith("_empty_nn_module_stack"):
            found.append((key, plain_path(path), class_name))
    return found


def plain_path(path: str) -> str:
    """A module's path as `named_modules` has it: `blocks.0.fc` of `L['self'].blocks[0].fc`."""
    path = re.sub(r"^(?:L__self__|L\['self'\]|self)\.?", "", path)
    path = re.sub(r"\._modules\['([^']*)'\]", r".\1", path)
    return re.sub(r"\[['\"]?([^\]'\"]*)['\"]?\]", r".\1", path).lstrip(".")
