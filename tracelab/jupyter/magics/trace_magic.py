"""`%%trace` and `%trace`: trace a cell, or one call, as it runs."""

from __future__ import annotations

import ast
from typing import Any

import torch
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
from IPython.display import display

from tracelab.api.traced_function import TracedFunction
from tracelab.capture.analysis.concretize import concretize_names
from tracelab.capture.messages import warnings_suppressed
from tracelab.capture.record import TraceError, record
from tracelab.check.outputs import cloned
from tracelab.check.outputs import leaves as leaves_of
from tracelab.errors import InputError, TracelabError
from tracelab.execute.origin import Origin, kept_examples
from tracelab.graph.graph import Graph
from tracelab.graph.structure import InputTree, Tree
from tracelab.jupyter.magics.cell import Cell, compile_cell, has_top_level_await, holds_tensors
from tracelab.jupyter.magics.cell_check import Before, CellFunction
from tracelab.jupyter.magics.diff_magic import DiffMagics
from tracelab.jupyter.magics.inputs import drop_unused_inputs, input_tree
from tracelab.jupyter.magics.tracebacks import ShownSyntaxError, ordinary_traceback
from tracelab.jupyter.trace_registry import note
from tracelab.jupyter.widget.explorer import GraphExplorer, graph_of, in_kernel
from tracelab.render.text import summary_text, warnings_text


def register(shell: InteractiveShell) -> None:
    """Make the magics known to a shell: what `%load_ext tracelab` does."""
    shell.register_magics(TraceMagics, DiffMagics)


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
    @argument("--strict", action="store_true", help="refuse dicts as outputs, and warn of lists")
    @argument("--no-strict", action="store_true", help="take any structure of tensors as output (the default)")
    @argument("--help", action="store_true", help="show this help, and run nothing")
    @cell_magic("trace")
    def trace_cell(self, line: str, cell: str) -> None:
        """Run the cell once, as it would run, and record what it does.

        Variables that the cell reads and that hold tensors become inputs, modules that it reads become scopes with
        their parameters, and tensors that it assigns become outputs, with its last expression as `result`. Called
        again, the trace takes the inputs by name and gives its output, or a dict of them where it has several.
        """
        options = parse_argstring(self.trace_cell, line)
        if options.help:
            print(self.trace_cell.__doc__)
            return
        compiled = self._compile(cell)
        names = self._input_names(options.names, compiled)
        traced = self._record_cell(compiled, names, options)
        self._finish(traced, options)

    @magic_arguments("trace")
    @argument("-o", "--output", default="_trace", help="variable that gets the trace (default: _trace)")
    @argument("--no-widget", action="store_true", help="print text instead of showing the explorer")
    @argument("--check", action="store_true", help="run the call and its trace on other inputs, and compare")
    @argument("--help", action="store_true", help="show this help, and run nothing")
    @argument("call", nargs="*", help="the call to trace: model(x)")
    @line_magic("trace")
    def trace_line(self, line: str) -> None:
        """Trace one call: `%trace model(x)`."""
        rest, output, given, wants_help = _line_options(line)
        if wants_help or not rest:
            print(self.trace_line.__doc__)
            if not wants_help:
                raise UsageError("%trace needs a call to trace: %trace model(x)")
            return
        compiled = self._compile(rest + "\n", shift=False)
        options = parse_argstring(self.trace_cell, " ".join(["-o", output, *given]))
        traced = self._record_cell(compiled, self._input_names([], compiled), options)
        self._finish(traced, options)

    # Steps -----------------------------------------------------------------------------------------------

    def _compile(self, source: str, *, shift: bool = True) -> Cell:
        """Parse as the shell would; a syntax error is shown as the shell shows it."""
        shell = self.shell
        transformed = shell.transform_cell(source)
        # The magic's own line counts: line numbers are those that a person sees in the cell.
        text = "\n" + transformed if shift else transformed
        name = shell.compile.cache(text, shell.execution_count, raw_code=text)
        try:
            flags = shell.compile.flags | ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            tree = compile(text, name, "exec", flags, True)
        except (SyntaxError, OverflowError, ValueError) as error:
            raise ShownSyntaxError(shell, error) from None
        if has_top_level_await(tree):
            raise UsageError("%%trace cannot trace a cell with a top-level await: await in a cell before it")
        return compile_cell(shell.transform_ast(tree), name)

    def _input_names(self, wanted: list[str], cell: Cell) -> list[str]:
        space = self.shell.user_ns
        for name in wanted:
            if name not in space:
                raise UsageError(f"%%trace: there is no variable `{name}` to take as input")
            if not holds_tensors(space[name]):
                kind = type(space[name]).__name__
                raise UsageError(
                    f"%%trace: `{name}` ({kind}) cannot be an input: it is not a tensor or container of tensors"
                )
        if wanted:
            return list(dict.fromkeys(wanted))
        return [name for name in cell.reads if not name.startswith("_") and holds_tensors(space.get(name))]

    def _record_cell(self, cell: Cell, names: list[str], options: Any) -> TracedFunction:
        space = self.shell.user_ns
        leaves: list[torch.Tensor] = []
        labels: list[str] = []
        trees: list[Tree] = []
        try:
            for name in names:
                first = len(leaves)
                trees.append(input_tree(space[name], leaves, name))
                count = len(leaves) - first
                labels += [name] if count == 1 else [f"{name}.{index}" for index in range(count)]
        except InputError as error:
            raise UsageError(f"%%trace: {error}") from None
        modules = {name: space[name] for name in cell.reads if isinstance(space.get(name), torch.nn.Module)}
        before = Before({name: space[name] for name in names}, modules.values()) if options.check else None
        variables = dict(space) if options.check else {}
        strict = options.strict and not options.no_strict

        def run(space: dict[str, Any]) -> Any:
            outputs = cell.run(space)
            if len(outputs) == 1:
                return next(iter(outputs.values()))
            # Strictness is about the structures of the cell; that it has several outputs is none of them.
            return (tuple(outputs.values()) if strict else outputs) or None

        given = list(zip(labels, leaves, strict=True))
        examples = cloned(leaves) if kept_examples(leaves) is not None else None
        try:
            with warnings_suppressed():
                recording = record(
                    run,
                    (space,),
                    {},
                    given,
                    name="cell",
                    modules=modules,
                    strict=strict,
                    cell=cell.body.co_filename,
                )
        except TraceError as error:
            assert error.__cause__ is not None
            if error.graph.nodes:
                self._show(error.graph, options)
            raise ordinary_traceback(self.shell, error.__cause__, cell.body.co_filename) from None
        except TracelabError as error:
            raise UsageError(f"%%trace: {error}") from None
        except BaseException as error:
            # Ctrl-C, SystemExit
            raise ordinary_traceback(self.shell, error, cell.body.co_filename) from None
        finally:
            concretize_names(space, dict.fromkeys((*cell.assigns, *cell.reads)))
        example_of = dict(zip(recording.graph.user_inputs, examples, strict=True)) if examples is not None else {}
        if not options.names:
            names, trees = drop_unused_inputs(recording.graph, names, trees)
        recording.graph.input_tree = InputTree(names, trees)
        traced = TracedFunction(recording.graph, "cell")
        if examples is not None:
            traced.examples = [example_of[value] for value in recording.graph.user_inputs]
        if before is not None:
            print(before.check(traced, recording.result))
            function = CellFunction(run, variables, names)
            given_before = [leaf for name in names for leaf in leaves_of(before.inputs[name])]
            traced.origin = Origin(function, modules, strict, False, kept_examples(given_before))
        return traced

    def _finish(self, traced: TracedFunction, options: Any) -> None:
        self.shell.user_ns[options.output] = traced
        note(traced)
        if not options.check:
            self._show(traced, options)
            return
        # The places that warnings name get their answers first, so that the graph shows them.
        report = traced.check(progress=False)
        self._show(traced, options)
        if options.no_widget or not in_kernel():
            print(report)
        else:
            display(report)

    def _show(self, traced: TracedFunction | Graph, options: Any) -> None:
        # What was traced can be run in its picture; what failed is a graph only.
        graph = graph_of(traced)
        if options.no_widget or not in_kernel():
            print(summary_text(graph))
        else:
            if graph.warnings:
                print(warnings_text(graph))
            display(GraphExplorer(traced))


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
        elif word in ("--no-widget", "--check"):
            given.append(word)
        elif word == "--help":
            return "", output, given, True
        else:
            raise UsageError(f"%trace does not know the option {word}; see %trace --help")
    if not output.isidentifier():
        raise UsageError(f"%trace -o needs the name of a variable, not {output!r}")
    return rest, output, given, False
