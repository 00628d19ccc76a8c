"""`%trace_diff`: what is different between two traces."""

from __future__ import annotations

import ast
import re
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments
from IPython.display import display

from tracelab.comparison.diff import GraphDiff, diff, graphs_of
from tracelab.errors import TracelabError
from tracelab.jupyter.widget.explorer import GraphExplorer, in_kernel


@magics_class
class DiffMagics(Magics):
    """The magic that compares traces."""

    shell: Any

    @magic_arguments("%trace_diff")
    @argument("-o", "--output", default="_diff", help="variable that gets the difference (default: _diff)")
    @argument("--no-widget", action="store_true", help="print text instead of showing the explorer")
    @argument("--help", action="store_true", help="show this help, and compare nothing")
    @argument("traces", nargs="*", help="two traces or graphs: names of variables, or expressions")
    @line_magic("trace_diff")
    def trace_diff(self, line: str) -> None:
        """Show what is different between two traces, on one merged graph: `%trace_diff before after`.

        Each is the name of a variable or an expression that gives what tracelab.trace, %%trace or tracelab.load
        gave, or a graph: `%trace_diff _trace models["small"]`.
        """
        output, widget, expressions = options_of(line)
        if expressions is None:
            print(self.trace_diff.__doc__)
            return
        traces = [self._traced(expression) for expression in expressions]
        try:
            found = diff(*traces)
        except TracelabError as error:
            raise UsageError(f"%trace_diff: {error}") from None
        self.shell.user_ns[output] = found
        self._show(found, widget)

    def _traced(self, expression: str) -> Any:
        space = self.shell.user_ns
        if expression.isidentifier():
            if expression not in space:
                raise UsageError(f"%trace_diff: there is no variable `{expression}` to compare")
            item = space[expression]
        else:
            try:
                item = self.shell.ev(expression)
            except Exception as error:
                raise UsageError(
                    f"%trace_diff: `{expression}` cannot be evaluated: {type(error).__name__}: {error}"
                ) from None
        try:
            graphs_of(item)
        except TracelabError:
            raise UsageError(
                f"%trace_diff: `{expression}` ({type(item).__name__}) is not a trace: give two graphs, or what "
                "tracelab.trace, %%trace or tracelab.load gave"
            ) from None
        return item

    def _show(self, found: Any, widget: bool) -> None:
        if not (found and widget and in_kernel()):
            print(found)
        elif isinstance(found, GraphDiff):
            display(GraphExplorer(found))
        else:
            for method, part in found.items():
                print(method if part else f"{method}: no difference")
                if part:
                    display(GraphExplorer(part))


def options_of(line: str) -> tuple[str, bool, tuple[str, str] | None]:
    """The output's name, whether to show the widget, and the two expressions; None for those where help is asked for.

    Options may stand before or behind the expressions, which are Python and which argparse would take apart.
    """
    output, widget = "_diff", True
    rest = line
    words = list(re.finditer(r"\S+", line))
    while words:
        found = words.pop(0)
        word, end = found[0], found.end()
        if word == "--help":
            return output, widget, None
        if word == "--no-widget":
            widget = False
        elif word in ("-o", "--output"):
            value = words.pop(0) if words else None
            output, end = (value[0], value.end()) if value is not None else ("", end)
            if not output.isidentifier():
                raise UsageError(f"%trace_diff -o needs the name of a variable, not {output!r}")
        elif word.startswith("--"):
            raise UsageError(f"%trace_diff does not know the option {word}; see %trace_diff --help")
        else:
            continue
        rest = rest[: found.start()] + " " * (end - found.start()) + rest[end:]
    rest = rest.strip()
    splits = [(rest[: gap.start()], rest[gap.end() :]) for gap in re.finditer(r"\s+", rest)]
    whole = [pair for pair in splits if all(map(_is_expression, pair))]
    if not whole:
        raise UsageError(
            f"%trace_diff needs two traces, names or expressions, but got {rest!r}: %trace_diff before after"
            if rest
            else "%trace_diff needs two traces to compare: %trace_diff before after"
        )
    return output, widget, whole[0]


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True
