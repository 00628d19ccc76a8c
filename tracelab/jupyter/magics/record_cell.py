"""Tracing a cell: compiled as the shell would, recorded as it runs, checked and shown."""

from __future__ import annotations

import ast
import builtins
from typing import Any

import torch
from IPython.core.error import UsageError
from IPython.display import display

from tracelab.api.traced_function import TracedFunction
from tracelab.capture.analysis.concretize import concretize_names, plain_numbers
from tracelab.capture.data_inputs import is_drawn
from tracelab.capture.failures import TraceError
from tracelab.capture.messages import warnings_suppressed
from tracelab.capture.record import is_tracing, record
from tracelab.check.outputs import cloned
from tracelab.check.outputs import leaves as leaves_of
from tracelab.errors import InputError, TracelabError
from tracelab.execute.origin import Origin, kept_examples
from tracelab.graph.graph import Graph
from tracelab.graph.input_names import input_names
from tracelab.graph.objects import holds_tensor
from tracelab.graph.source import short_place
from tracelab.graph.structure import InputTree
from tracelab.graph.tree import Tree, rebuild_all
from tracelab.jupyter.magics.cell import Cell, compile_cell, holds_tensors, is_written, own_parts
from tracelab.jupyter.magics.cell_check import Before, CellFunction
from tracelab.jupyter.magics.inputs import drop_unused, drop_unused_inputs, input_tree
from tracelab.jupyter.magics.tracebacks import ShownSyntaxError, cell_number, ordinary_traceback
from tracelab.jupyter.trace_registry import note
from tracelab.jupyter.widget.explorer import GraphExplorer, graph_of, in_kernel
from tracelab.render.text import summary_text, warnings_text


class CellTracer:
    """What `%%trace` and `%trace` do in one shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.given: list[Any] = []
        """The value of the cell's last expression, each time that it ran."""

    def compile(self, source: str, *, shift: bool = True) -> Cell:
        """Parse as the shell would; a syntax error is shown as the shell shows it."""
        shell = self.shell
        transformed = shell.transform_cell(source)
        # The magic's own line counts: line numbers are those that a person sees in the cell.
        text = "\n" + transformed if shift else transformed
        name = shell.compile.cache(text, cell_number(shell), raw_code=text)
        try:
            flags = shell.compile.flags | ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            tree = builtins.compile(text, name, "exec", flags, True)
        except (SyntaxError, OverflowError, ValueError) as error:
            raise ShownSyntaxError(shell, error) from None
        return compile_cell(shell.transform_ast(tree), name)

    def input_names(self, wanted: list[str], cell: Cell) -> list[str]:
        space = self.shell.user_ns
        for name in wanted:
            if name not in space:
                raise UsageError(f"%%trace: there is no variable `{name}` to take as input")
            if not holds_tensors(space[name]):
                kind = type(space[name]).__name__
                raise UsageError(
                    f"%%trace: `{name}` ({kind}) cannot be an input: it is no tensor and no container of tensors"
                )
        if wanted:
            return list(dict.fromkeys(wanted))
        return [name for name in cell.reads if not name.startswith("_") and holds_tensors(space.get(name))]

    def record(self, cell: Cell, names: list[str], options: Any, line: str = "") -> TracedFunction:
        """Run the cell once, recorded; `line` is the text where it is that of `%trace`, which has to call something."""
        space = self.shell.user_ns
        leaves: list[torch.Tensor] = []
        labels: list[str] = []
        trees: list[Tree] = []
        taken: list[str] = []
        for name in names:
            found: list[torch.Tensor] = []
            try:
                tree = input_tree(space[name], found, name)
            except InputError as error:
                if options.names:
                    raise UsageError(f"%%trace: {error}") from None
                # An object that cannot be taken apart: see `outside.variables`.
                continue
            taken.append(name)
            trees.append(tree)
            leaves += found
            labels += input_names(tree, name)
        names = taken
        modules = {name: space[name] for name in cell.reads if isinstance(space.get(name), torch.nn.Module)}
        held = [space[name] for name in cell.reads if name in space]
        before = None
        if options.check:
            copies = dict(zip(names, rebuild_all(trees, iter(cloned(leaves))), strict=True))
            # The cell may write to an object of the user's.
            given_now = {name: copies[name] if own_parts(space[name]) is not None else space[name] for name in names}
            before = Before(given_now, held)
        variables = dict(space) if options.check else {}
        strict = options.strict and not options.no_strict
        contents = {name: parts for name in names if (parts := own_parts(space[name])) is not None}

        wanted: list[str] = []

        def run(space: dict[str, Any]) -> Any:
            if is_tracing():
                outputs = {name: item for name, item in cell.run(space, self.given).items() if not is_drawn(item)}
                # An object that the cell wrote to is one of its results.
                outputs |= {name: space[name] for name, parts in contents.items() if is_written(space.get(name), parts)}
                wanted[:] = outputs
            else:
                outputs = cell.run(space, self.given, wanted)
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
                    variables=space,
                    names=[name for name in cell.reads if name not in names and name not in cell.assigns],
                )
        except TraceError as error:
            error.graph.function_scopes = not options.no_function_scopes
            assert error.__cause__ is not None
            if error.graph.nodes:
                self._show(error.graph, options)
            if error.clash:
                place = short_place(error.graph.failed.source) if error.graph.failed is not None else ""
                error.__cause__.add_note(f"{error.clash}{f', {place}' if place else ''}")
            raise ordinary_traceback(self.shell, error.__cause__, cell.body.co_filename) from None
        except TracelabError as error:
            raise UsageError(f"%%trace: {error}") from None
        except BaseException as error:
            # Ctrl-C, SystemExit
            raise ordinary_traceback(self.shell, error, cell.body.co_filename) from None
        finally:
            concretize_names(space, dict.fromkeys((*cell.assigns, *cell.reads)))
        recording.graph.function_scopes = not options.no_function_scopes
        if line and not cell.calls and all(node.traits.structure for node in recording.graph.nodes):
            raise self.nothing_called(line)
        data = recording.graph.user_inputs[len(leaves) :]
        if examples is not None:
            examples = kept_examples([*examples, *recording.data])
        example_of = dict(zip(recording.graph.user_inputs, examples, strict=True)) if examples is not None else {}
        if not options.names:
            names, trees = drop_unused_inputs(recording.graph, names, trees)
        drop_unused(recording.graph, data)
        data = [value for value in recording.graph.user_inputs if value in set(data)]
        names = [*names, *(value.name for value in data)]
        trees = [*trees, *(Tree("tensor") for _ in data)]
        recording.graph.input_tree = InputTree(names, trees)
        traced = TracedFunction(recording.graph, "cell")
        if examples is not None:
            traced.examples = [example_of[value] for value in recording.graph.user_inputs]
        if before is not None:
            drawn = {value.name: example_of[value] for value in data} if examples is not None else {}
            print(before.check(traced, recording.result, drawn))
        wrote = any(is_written(space.get(name), parts) for name, parts in contents.items())
        if before is not None and not recording.data and not wrote:
            function = CellFunction(run, variables, names, cell.reads, cell.body.co_filename)
            given_before = [
                item for name in names for item in leaves_of(before.inputs[name]) if isinstance(item, torch.Tensor)
            ]
            version = recording.graph.nodes.version
            traced.origin = Origin(function, modules, strict, False, kept_examples(given_before), version)
        return traced

    def nothing_called(self, line: str) -> UsageError:
        """The error for a `%trace` that has no call; it suggests one where the line names something to call."""
        try:
            named = isinstance(ast.parse(line, mode="eval").body, (ast.Name, ast.Attribute, ast.Subscript))
            forgotten = named and callable(self.shell.ev(line))
        except Exception:
            forgotten = False
        call = f"call it, as in %trace {line}(x)" if forgotten else "give a call, as in %trace model(x)"
        return UsageError(f"%trace {line} calls nothing: {call}")

    def finish(self, traced: TracedFunction, options: Any) -> Any:
        """Show the graph; gives the value of the last expression, if that is no output of the graph, for the shell."""
        given = plain_numbers(self.given[0], set())
        shown = None if holds_tensor(given, set(), 0) else given
        self.shell.user_ns[options.output] = traced
        note(traced)
        if not options.check or traced.origin is None:
            # A cell that draws its data cannot be given other data, as a function is.
            self._show(traced, options)
            return shown
        # The places that warnings name get their answers first, so that the graph shows them.
        report = traced.check(progress=False)
        self._show(traced, options)
        if options.no_widget or not in_kernel():
            print(report)
        else:
            display(report)
        return shown

    def _show(self, traced: TracedFunction | Graph, options: Any) -> None:
        # What was traced can be run in its picture; what failed is a graph only.
        graph = graph_of(traced)
        if options.no_widget or not in_kernel():
            print(summary_text(graph))
        else:
            if graph.warnings:
                print(warnings_text(graph))
            display(GraphExplorer(traced))
