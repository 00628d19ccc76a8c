"""`%%trace` and `%trace`: trace a cell, or one call, as it runs."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from tracelab.jupyter.magics.diff_magic import DiffMagics
from tracelab.jupyter.magics.options import known_options, unknown_option, variable_name

if TYPE_CHECKING:
    from tracelab.jupyter.magics.record_cell import CellTracer


def register(shell: InteractiveShell) -> None:
    """Make the magics known to a shell: what `%load_ext tracelab` does."""
    shell.register_magics(TraceMagics, DiffMagics)
    if _heal not in shell.events.callbacks["pre_run_cell"]:
        shell.events.register("pre_run_cell", _heal)
    if _help_with_a_body not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(_help_with_a_body)


def unregister(shell: InteractiveShell) -> None:
    """Take the magics away again: what `%unload_ext tracelab` does."""
    if _heal in shell.events.callbacks["pre_run_cell"]:
        shell.events.unregister("pre_run_cell", _heal)
    if _help_with_a_body in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(_help_with_a_body)
    for kind, magics in shell.magics_manager.magics.items():
        for name in (*TraceMagics.magics[kind], *DiffMagics.magics[kind]):
            magics.pop(name, None)


def _help_with_a_body(lines: list[str]) -> list[str]:
    """Give a cell that is `%%trace --help` alone an empty line: IPython runs no cell magic without a body."""
    alone = re.fullmatch(r"%%trace[ \t]+--help", "".join(lines).strip())
    return ["%%trace --help\n", "\n"] if alone else lines


def _heal(info: Any) -> None:
    """Put right what an interrupt left of a recording, before the next cell."""
    session = sys.modules.get("tracelab.capture.session")
    if session is not None:
        session.heal()


@magics_class
class TraceMagics(Magics):
    """The magics of tracelab."""

    shell: Any

    @magic_arguments("%trace")
    @argument("names", nargs="*", help="variables to take as inputs; all that hold tensors and are read, by default")
    @argument("-o", "--output", default="_trace", help="variable that gets the trace (default: _trace)")
    @argument(
        "--check",
        action="store_true",
        help="run the trace again and compare; then run both, cell and trace, on other inputs (see traced.check)",
    )
    @argument("--no-check", action="store_true", help="do not run the trace again (the default)")
    @argument("--no-widget", action="store_true", help="print text instead of showing the explorer")
    @argument("--no-function-scopes", action="store_true", help="draw modules as boxes, and no calls of functions")
    @argument("--strict", action="store_true", help="refuse dicts as outputs, and warn of lists")
    @argument("--no-strict", action="store_true", help="take any structure of tensors as output (the default)")
    @argument("--help", action="store_true", help="show this help, and run nothing")
    @cell_magic("trace")
    def trace_cell(self, line: str, cell: str) -> Any:
        """Run the cell once, as it would run, and record what it does.

        Variables that the cell reads and that hold tensors become inputs, modules that it reads become scopes with
        their parameters, and tensors that it assigns become outputs, with its last expression as `result`. Called
        again, the trace takes the inputs by name and gives its output, or a dict of them where it has several.
        """
        options = _cell_options(line)
        if options.help:
            print(self.trace_cell.__doc__)
            return None
        tracer = self._tracer()
        compiled = tracer.compile(cell)
        names = tracer.input_names(options.names, compiled)
        return tracer.finish(tracer.record(compiled, names, options), options)

    @magic_arguments("trace")
    @argument("-o", "--output", default="_trace", help="variable that gets the trace (default: _trace)")
    @argument("--no-widget", action="store_true", help="print text instead of showing the explorer")
    @argument("--check", action="store_true", help="run the call and its trace on other inputs, and compare")
    @argument("--no-function-scopes", action="store_true", help="draw modules as boxes, and no calls of functions")
    @argument("--help", action="store_true", help="show this help, and run nothing")
    @argument("call", nargs="*", help="the call to trace: model(x)")
    @line_magic("trace")
    def trace_line(self, line: str) -> Any:
        """Trace one call: `%trace model(x)`."""
        rest, output, given, wants_help = _line_options(line)
        if wants_help or not rest:
            print(self.trace_line.__doc__)
            if not wants_help:
                raise UsageError("%trace needs a call to trace: %trace model(x)")
            return None
        tracer = self._tracer()
        compiled = tracer.compile(rest + "\n", shift=False)
        options = _cell_options(" ".join(["-o", output, *given]))
        names = tracer.input_names([], compiled)
        return tracer.finish(tracer.record(compiled, names, options, line=rest), options)

    def _tracer(self) -> CellTracer:
        # Loading the extension is quick; the first trace brings the rest.
        from tracelab.jupyter.magics.record_cell import CellTracer

        return CellTracer(self.shell)


def _line_options(line: str) -> tuple[str, str, list[str], bool]:
    """The call, the output's name, the other options, and whether help was asked for.

    Options stand before the call; the call itself is Python, which argparse would take apart.
    """
    output, rest = "_trace", line.strip()
    given: list[str] = []
    while rest.startswith("-"):
        word, _, rest = rest.partition(" ")
        rest = rest.strip()
        if word in ("-o", "--output"):
            output, _, rest = rest.partition(" ")
            rest = rest.strip()
        elif word in ("--no-widget", "--check", "--no-function-scopes"):
            given.append(word)
        elif word == "--help":
            return "", output, given, True
        else:
            raise unknown_option("%trace", word, known_options(TraceMagics.trace_line))
    return rest, variable_name("%trace", output), given, False


def _cell_options(line: str) -> Any:
    """The options of `%%trace`; raises `UsageError` where they are wrong."""
    magic = TraceMagics.trace_cell
    # The start of an option is not the option, as in the other magics.
    magic.parser.allow_abbrev = False
    try:
        options, rest = magic.parser.parse_known_args(line.split())
    except UsageError as error:
        raise _argument_error(str(error)) from None
    for word in rest:
        if word.startswith("-"):
            raise unknown_option("%%trace", word.partition("=")[0], known_options(magic))
    # argparse takes names on one side of an option only.
    options.names += rest
    variable_name("%%trace", options.output)
    return options


def _argument_error(message: str) -> UsageError:
    """What argparse says of a known option, in the words of the other errors."""
    without_name = re.match("argument -o", message)
    with_value = re.fullmatch(r"argument (\S+): ignored explicit argument (.*)", message)
    if without_name:
        return UsageError("%%trace -o needs the name of a variable, as in %%trace -o kept")
    if with_value:
        return UsageError(f"%%trace {with_value[1]} takes no value, but got {with_value[2]}; see %%trace --help")
    return UsageError(f"%%trace: {message}; see %%trace --help")
