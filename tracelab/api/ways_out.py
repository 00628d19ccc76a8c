"""Ways out of everything that was traced: torch.fx, torch.export, ONNX, compiled packages, TorchScript."""

from __future__ import annotations

import copy
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import fx
from torch.export import ExportedProgram
from torch.utils import _pytree as pytree

from tracelab.compat.leaving import load_package
from tracelab.errors import AssumptionWarning
from tracelab.execute.run.program import program_of
from tracelab.graph.graph import Graph
from tracelab.interop.ways_out.arguments import arguments_of, example_call
from tracelab.interop.ways_out.fixed import FIXED, fixed_as_written, open_sizes
from tracelab.interop.ways_out.fixed import sentence as fixed_sentence
from tracelab.interop.ways_out.fx_graph import graph_module
from tracelab.interop.ways_out.onnx import check_installed, refuse_writes, runtime_results, write_onnx
from tracelab.interop.ways_out.package import check_compiler, write_package
from tracelab.interop.ways_out.program import exported_program, warning_of
from tracelab.interop.ways_out.refusals import ExportError
from tracelab.interop.ways_out.script import scripted, tensors_of
from tracelab.interop.ways_out.trials import Results, compare_on_others
from tracelab.storage.whole_file import replaceable


class WaysOut:
    """`to_fx`, `export`, `to_onnx`, `to_package` and `to_torchscript` of everything that was traced."""

    __slots__ = ()

    def to_fx(self: Any, method: str = "forward") -> fx.GraphModule:
        """A `torch.fx.GraphModule` that does the same, built node by node.

        Every node has `meta["val"]`, `meta["nn_module_stack"]` and `meta["stack_trace"]`; parameters and buffers keep
        their names and are shared. `tracelab.from_fx` gives the graph back.

        Args:
            method: Which traced method of a module.

        Returns:
            The graph module; it takes the arguments that the traced callable takes.

        Raises:
            ExportError: The graph holds what torch.fx has no node for; the message names it and its line.

        >>> traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))
        >>> module = traced.to_fx()
        >>> module(torch.tensor([-1.0, 2.0]))
        tensor([1., 3.])
        >>> bool(tracelab.diff(traced, tracelab.from_fx(module)))
        False
        """
        program = program_of(self, method)
        made = graph_module(program.graph, program.state, program.devices)
        _warn_of_values(program.graph, "the graph module")
        return made

    def export(self: Any, dims: Mapping[str, Any] | None = None, *, method: str = "forward") -> ExportedProgram:
        """A `torch.export.ExportedProgram` that does the same, also for code that torch.export refuses.

        Sizes that the graph does not fix are dynamic; a branch on a size becomes a condition on the inputs. What the
        trace takes for granted of values is warned of, and kept in `graph_module.meta["tracelab_assumptions"]`.

        Args:
            dims: The names of dynamic sizes by argument, `{"x": ("batch", None)}`: only these are dynamic then. None
                for every size that the graph does not fix.
            method: Which traced method of a module.

        Returns:
            The program.

        Raises:
            ExportError: torch cannot express the graph; the message names the node and its line.
            InputError: `dims` names no argument.

        >>> traced = tracelab.trace(torch.nn.Linear(3, 2), torch.ones(4, 3))
        >>> program = traced.export({"input": ("batch", None)})
        >>> program.module()(torch.ones(7, 3)).shape
        torch.Size([7, 2])
        """
        return _exported(self, dims, method)

    def to_onnx(
        self: Any,
        path: str | os.PathLike[str],
        check: bool = True,
        *,
        dims: Mapping[str, Any] | None = None,
        method: str = "forward",
    ) -> None:
        """Write it as ONNX, with the names of inputs and outputs that the trace has (extra `[onnx]`).

        Args:
            path: The `.onnx` file.
            check: Whether onnxruntime runs it on two other shapes, and the results are compared with the trace's.
            dims: The dynamic sizes, as for `export`.
            method: Which traced method of a module.

        Raises:
            ExportError: An operator has no form in ONNX, or onnxruntime gives something else; nothing is written then.
            TracelabError: A package that it needs is not installed.
        """
        check_installed()
        program = program_of(self, method)
        refuse_writes(program.graph)
        exported = _exported(self, dims, method)

        def write(draft: str) -> None:
            module = graph_module(program.graph, program.state, program.devices)
            with _told_of_fixed(exported, program, "the ONNX program"):
                write_onnx(exported, program.graph, draft, dims, module)
            if check:
                _compared(
                    exported,
                    program,
                    lambda args, kwargs: list(runtime_results(draft, args, kwargs)),
                    "the ONNX program",
                    shapes=2,
                )

        _written(path, ".onnx", write)

    def to_package(
        self: Any,
        path: str | os.PathLike[str],
        check: bool = True,
        *,
        dims: Mapping[str, Any] | None = None,
        method: str = "forward",
    ) -> None:
        """Write a package that AOTInductor compiles; `torch._inductor.aoti_load_package` loads it without tracelab.

        Args:
            path: The `.pt2` file.
            check: Whether it is run on another shape, and the results are compared with the trace's.
            dims: The dynamic sizes, as for `export`.
            method: Which traced method of a module.

        Raises:
            ExportError: Inductor cannot compile it, or the package gives something else; nothing is written then.
            TracelabError: There is no C++ compiler.
        """
        check_compiler()
        program = program_of(self, method)
        exported = _exported(self, dims, method)

        def write(draft: str) -> None:
            with _told_of_fixed(exported, program, "the package, which takes others without a word and goes wrong,"):
                write_package(exported, draft)
            if check:
                loaded = load_package(draft)
                _compared(
                    exported,
                    program,
                    lambda args, kwargs: pytree.tree_leaves(loaded(*args, **kwargs)),
                    "the package",
                    shapes=1,
                )

        _written(path, ".pt2", write)

    def to_torchscript(self: Any, *, method: str = "forward") -> Any:
        """A `torch.jit.ScriptModule` that does the same, while torch has TorchScript.

        It takes the arguments with tensors, by position or name; the others are constants.

        Args:
            method: Which traced method of a module.

        Returns:
            The module; `torch.jit.save` writes it for C++ programs.

        Raises:
            ExportError: TorchScript cannot hold it.
            TracelabError: This torch has no TorchScript any more.

        >>> traced = tracelab.trace(lambda x: x.view(x.shape[0], -1), torch.ones(2, 3, 4))
        >>> traced.to_torchscript()(torch.ones(5, 6)).shape
        torch.Size([5, 6])
        """
        program = program_of(self, method)
        module = graph_module(program.graph, program.state, program.devices)
        args, kwargs = example_call(program.graph, program.devices)
        made = scripted(program.graph, program.state, module, args, kwargs)
        _warn_of_values(program.graph, "the TorchScript module")
        try:
            exported = exported_program(program.graph, program.state, program.devices)
        except ExportError as error:
            warnings.warn(
                f"the TorchScript module was not compared with the trace on other sizes, as {error}",
                AssumptionWarning,
                stacklevel=2,
            )
            return made
        module = graph_module(program.graph, program.state, program.devices)
        compare_on_others(
            exported,
            program.graph,
            module,
            lambda args, kwargs: pytree.tree_leaves(copy.deepcopy(made)(*tensors_of(args, kwargs))),
            "the TorchScript module",
            shapes=1,
        )
        return made


def _warn_of_values(graph: Graph, what: str) -> None:
    sentence = warning_of(graph, what)
    if sentence:
        warnings.warn(sentence, AssumptionWarning, stacklevel=3)


def _exported(traced: Any, dims: Mapping[str, Any] | None, method: str) -> ExportedProgram:
    program = program_of(traced, method)
    exported = exported_program(program.graph, program.state, program.devices, dims)
    fixed = fixed_sentence("the exported program", exported.graph_module.meta[FIXED])
    for sentence in (warning_of(program.graph), fixed):
        if sentence:
            warnings.warn(sentence, AssumptionWarning, stacklevel=3)
    return exported


@contextmanager
def _told_of_fixed(exported: ExportedProgram, program: Any, what: str) -> Iterator[None]:
    """Warn of the sizes that are dynamic in the exported program, and not in what is written of it."""
    before = open_sizes(exported)
    yield
    fixed = fixed_as_written(exported, arguments_of(program.graph), before)
    if fixed:
        warnings.warn(fixed_sentence(what, fixed), AssumptionWarning, stacklevel=6)


def _compared(exported: ExportedProgram, program: Any, given: Results, what: str, shapes: int) -> None:
    """Compare what was written with the trace, and tell where no input was found on which it can be."""
    module = graph_module(program.graph, program.state, program.devices)
    if not compare_on_others(exported, program.graph, module, given, what, shapes):
        warnings.warn(
            f"{what} was not compared with the trace: it takes none of the inputs that were made up",
            AssumptionWarning,
            stacklevel=5,
        )


def _written(path: str | os.PathLike[str], ending: str, write: Callable[[str], None]) -> None:
    """Write a draft beside the file, which takes its place once it is good."""
    given, path = os.fspath(path), os.path.realpath(path) if os.fspath(path) else ""
    replaceable(path, given)
    with tempfile.TemporaryDirectory(prefix=".tracelab-", dir=os.path.dirname(path)) as folder:
        draft = os.path.join(folder, "draft" + ending)
        write(draft)
        os.replace(draft, path)
