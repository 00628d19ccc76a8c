"""What Python writes is what `tracelab.protocol` says: each document fits the types from which readers are made."""

import json
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import tracelab
from tracelab.graph.ir import Role
from tracelab.protocol import view_document as protocol
from tracelab.protocol.marks import Index, OneOf, Parent, Rows, Table
from tracelab.render.view_document.diff_document import diff_document
from tracelab.render.view_document.document import document_bytes, view_document

CODEGEN = Path(__file__).parents[2] / "labextension" / "build" / "codegen.py"


def misfits(document: Any) -> list[str]:
    """Where a document is not what the protocol says, as paths."""
    found: list[str] = []
    sizes: dict[str, int] = {}
    for name, hint in typing.get_type_hints(protocol.ViewDocument, include_extras=True).items():
        for mark in getattr(hint, "__metadata__", ()):
            if isinstance(mark, Table):
                rows = document[name]
                sizes[name] = len(rows if isinstance(rows, list) else next(iter(rows.values())))
    visit(document, protocol.ViewDocument, "", sizes, found)
    return found


def visit(item: Any, hint: Any, where: str, sizes: dict[str, int], found: list[str]) -> None:
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, Index) and not (-1 if mark.optional else 0) <= item < sizes[mark.table]:
            found.append(f"{where}: row {item} of {mark.table}")
        elif isinstance(mark, OneOf) and item not in list(mark.members):
            found.append(f"{where}: {item}")
        elif isinstance(mark, Parent) and [-1 < parent < row for row, parent in enumerate(item)] != [
            row > 0 for row in range(len(item))
        ]:
            found.append(f"{where}: no tree")
        elif isinstance(mark, Rows) and len(item) != sizes[mark.table]:
            found.append(f"{where}: {len(item)} rows")
        elif isinstance(mark, Table) and isinstance(item, dict):
            required = typing.get_type_hints(hint.__origin__, include_extras=True)
            columns = [name for name, each in required.items() if typing.get_origin(each) is not typing.NotRequired]
            found.extend(f"{where}.{name}: length" for name in columns if len(item[name]) != sizes[mark.name])
    hint = hint.__origin__ if hasattr(hint, "__metadata__") else hint
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if typing.is_typeddict(hint):
        fields = typing.get_type_hints(hint, include_extras=True)
        optional = {name for name, each in fields.items() if typing.get_origin(each) is typing.NotRequired}
        found.extend(f"{where}.{name}: missing" for name in fields.keys() - optional - item.keys())
        found.extend(f"{where}.{name}: unknown" for name in item.keys() - fields.keys())
        for name in fields.keys() & item.keys():
            each = typing.get_args(fields[name])[0] if name in optional else fields[name]
            visit(item[name], each, f"{where}.{name}", sizes, found)
    elif origin is list and isinstance(item, list):
        for each in item:
            visit(each, args[0], where, sizes, found)
    elif origin is tuple and isinstance(item, list) and len(item) == len(args):
        for each, part in zip(item, args, strict=True):
            visit(each, part, where, sizes, found)
    elif origin is dict and isinstance(item, dict):
        for each in item.values():
            visit(each, args[1], where, sizes, found)
    elif not isinstance(item, args or hint) or isinstance(item, bool):
        found.append(f"{where}: {item!r}")


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 4), nn.ReLU())

    def forward(self, x):
        if x.sum() > 0:
            x = x * 2
        return self.inner(x)[:, ::2], [x.t()]


def gated():
    with pytest.warns(tracelab.TracerWarning):
        return tracelab.trace(Gated(), torch.ones(2, 4))


DOCUMENTS = {
    "a function": lambda: view_document(tracelab.trace(lambda x: (x + 1).relu(), torch.ones(2)).graph),
    "warnings, views and modules": lambda: view_document(gated().graph),
    "a call of Python": lambda: view_document(
        tracelab.trace(lambda x: checkpoint(torch.sin, x, use_reentrant=False), torch.ones(2)).graph
    ),
    "a difference": lambda: diff_document(
        tracelab.diff(
            tracelab.trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), torch.ones(1, 2)),
            tracelab.trace(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.ReLU()), torch.ones(1, 2)),
        )
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_what_the_protocol_says(name):
    assert misfits(json.loads(document_bytes(DOCUMENTS[name]()))) == []


def test_a_document_that_is_not_is_noticed():
    document = json.loads(document_bytes(DOCUMENTS["warnings, views and modules"]()))
    document["nodes"]["scope"][0] = 99
    document["warnings"][0]["mend"] = document["warnings"][0].pop("kind")
    del document["values"]["alias"][0]
    assert sorted(misfits(document)) == [
        ".nodes.scope: row 99 of scopes",
        ".values.alias: length",
        ".warnings.kind: missing",
        ".warnings.mend: unknown",
    ]


def test_roles_are_those_of_the_graph():
    assert [(role.name, int(role)) for role in protocol.Role] == [(role.name, int(role)) for role in Role]


def test_what_is_generated_from_the_protocol_is_up_to_date():
    done = subprocess.run([sys.executable, str(CODEGEN), "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
