"""The module tree of a view document, as text and pictures walk it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracelab.protocol.view_document import ViewDocument


@dataclass(slots=True)
class Module:
    """One scope, of a module or a function: its row, its children, its own nodes, and how many are in and below it."""

    row: int
    name: str
    class_name: str
    depth: int
    parent: Module | None = None
    children: list[Module] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)
    ops: int = 0
    aside: int = 0
    """How many of them only reckon with sizes, dtypes and devices for others."""
    is_function: bool = False
    """A call of a Python function."""


def module_tree(document: ViewDocument) -> list[Module]:
    """Every scope of the document, parents first; the first is the root.

    >>> from tracelab.render import view_document
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU())
    >>> [module.name for module in module_tree(view_document(tracelab.trace(net, torch.ones(1, 2)).graph))]
    ['Sequential', '0', '1']
    """
    strings, scopes = document["strings"], document["scopes"]
    modules: list[Module] = []
    functions = set(scopes.get("functions", ()))
    for row, parent in enumerate(scopes["parent"]):
        name = strings[scopes["name"][row]]
        call = scopes["call"][row]
        above = modules[parent] if parent >= 0 else None
        module = Module(
            row,
            f"{name} (call {call + 1})" if call else name,
            strings[scopes["class_name"][row]],
            0 if above is None else above.depth + 1,
            above,
            is_function=row in functions,
        )
        if above is not None:
            above.children.append(module)
        modules.append(module)
    for node, scope in enumerate(document["nodes"]["scope"]):
        modules[scope].nodes.append(node)
    for node, _ in document["nodes"].get("sizes", ()):
        modules[document["nodes"]["scope"][node]].aside += 1
    for module in reversed(modules):
        module.ops += len(module.nodes)
        if module.parent is not None:
            module.parent.ops += module.ops
            module.parent.aside += module.aside
    return modules


def value_type(document: ViewDocument, value: int) -> str:
    """`float32[2, 3]` for a tensor, the type's word for anything else."""
    values, strings = document["values"], document["strings"]
    dtype, shape = values["dtype"][value], values["shape"][value]
    if dtype < 0 or shape < 0:
        return str(strings[values["type"][value]])
    return f"{strings[dtype]}[{', '.join(map(str, document['shapes'][shape]))}]"


def output_names(document: ViewDocument) -> list[str]:
    """What the outputs are called in the result, or else as values."""
    values = document["outputs"]
    paths = document.get("output_names", [-1] * len(values))
    strings = document["strings"]
    return [
        strings[path] if path >= 0 else value_name(document, value) for value, path in zip(values, paths, strict=True)
    ]


def value_name(document: ViewDocument, value: int) -> str:
    """The debug name, without the `%`."""
    return str(document["strings"][document["values"]["name"][value]])
