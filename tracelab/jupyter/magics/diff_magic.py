"""`%trace_diff`: what is different between two traces."""

from __future__ import annotations

import ast
import re
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from tracelab.jupyter.magics.options import known_options, unknown_option, variable_name


@magics_class
class DiffMagics(Magics):
    """The magic that compares traces."""

    shell: Any

    @magic_arguments("trace_diff")
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
        # Loading the extension is quick; the first difference brings the rest.
        from tracelab.jupyter.magics.show_diff import compared, show_diff

        found = self.shell.user_ns[output] = compared(self.shell, expressions)
        show_diff(found, widget)


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
            variable_name("%trace_diff", output)
        elif word.startswith("--"):
            raise unknown_option("%trace_diff", word, known_options(DiffMagics.trace_diff))
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
