"""torch.export programs as graphs: `.pt2` files from their JSON alone, and programs in memory."""

from __future__ import annotations

import os
import tempfile
import zipfile
from typing import Any

import torch

from tracelab.errors import TracelabError, TracelabFileError
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Role
from tracelab.interop.entries import opened_zip, program_entries, read_json
from tracelab.interop.export.graph import FindModule, read_program
from tracelab.storage import validation
from tracelab.storage.container import PathOrFile

_IN_MEMORY = 64 * 2**20


def read_exported(file: PathOrFile) -> Graph:
    """The graph of a torch.export archive (`.pt2`), from a path or a binary file object.

    Only the archive's JSON is read: no weights, no pickled code, and nothing runs. The graph shows, compares and
    prints; it does not run, for want of its weights: `from_exported(torch.export.load(file))` gives one that does.

    Raises:
        TracelabFileError: It is damaged, hostile, of a newer schema, or holds several models.
        OSError: It cannot be opened.
    """
    with opened_zip(file, ".pt2") as archive:
        return read_archive(archive)


def read_archive(archive: zipfile.ZipFile) -> Graph:
    """The same, of an archive that is open."""
    return _read(archive, None)


def from_exported(program: Any) -> Graph:
    """The graph of a `torch.export.ExportedProgram`, with its parameters, buffers and constants, so that it runs.

    Values, inputs and nesting are those that `torch.export.save` writes. `prim::EnterGradMode` and
    `prim::ExitGradMode` stand around what ran under `torch.no_grad()`; other higher-order operators are one node
    each.

    Args:
        program: What `torch.export.export` or `torch.export.load` returned.

    Returns:
        The graph.

    Raises:
        TracelabError: It is not an exported program, or holds objects that are not tensors.

    >>> program = torch.export.export(torch.nn.ReLU(), (torch.ones(2),))
    >>> tracelab.from_exported(program).to_callable()(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if not isinstance(program, torch.export.ExportedProgram):
        raise TracelabError(
            f"from_exported needs a torch.export.ExportedProgram, but got {type(program).__name__}: "
            "give what torch.export.export returned"
        )
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as buffer:
        torch.export.save(program, buffer)
        buffer.seek(0)
        with opened_zip(buffer, ".pt2") as archive:
            graph = _read(archive, program.graph_module.get_submodule)
    constants = program.constants
    for value in graph.parameters:
        tensor = program.state_dict.get(value.path, constants.get(value.path))
        if not isinstance(tensor, torch.Tensor):
            raise TracelabError(
                f"the program uses {value.path!r}, which is not a tensor: it cannot be made a graph that runs"
            )
        if value.role is Role.PARAMETER and not isinstance(tensor, torch.nn.Parameter):
            tensor = torch.nn.Parameter(tensor, tensor.requires_grad)
        graph.state[value] = tensor
    return graph


def _read(archive: zipfile.ZipFile, modules: FindModule | None) -> Graph:
    found = program_entries(archive)
    if not found:
        raise TracelabFileError("not a .pt2 file: the archive holds no exported program")
    if len(found) > 1:
        names = ", ".join(os.path.basename(name)[:40] for name in found[:5])
        raise TracelabFileError(f"the .pt2 file holds {len(found)} models ({names}): save each in a file of its own")
    content = read_json(archive, found[0], ".pt2")
    try:
        with validation.reading(".pt2"):
            return read_program(content, "forward", modules)
    except RecursionError as error:
        raise TracelabFileError("not a sound .pt2 file: it is nested too deeply") from error
