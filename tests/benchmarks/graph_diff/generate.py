"""Makes the data: graphs of small models, and edits drawn by a seed: `python -m tests.benchmarks.graph_diff.generate`.

Only this needs torch and tracelab; the rest of the folder reads JSON.
"""

from __future__ import annotations

import json
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .edits import Edit, stream_of
from .plain import ZOO, Plain, doing, first_output, inside, is_state, layers, maker, names, read, readers, scopes

SEED = 20260101
CASES = Path(__file__).parent / "cases.json"
TIMES = 4
"""How often each kind of edit is made on each graph, where it has that many places."""
UNARY = ("aten::relu", "aten::gelu", "aten::tanh", "aten::sigmoid", "aten::neg", "aten::abs")
PARTS = {
    "aten::linear": ["aten::t", "aten::mm", "aten::add"],
    "aten::softmax": ["aten::exp", "aten::sum", "aten::div"],
    "aten::gelu": ["aten::erf", "aten::mul"],
    "aten::silu": ["aten::sigmoid", "aten::mul"],
    "aten::relu": ["aten::clamp"],
    "aten::layer_norm": ["aten::mean", "aten::sub", "aten::rsqrt", "aten::mul"],
    "aten::batch_norm": ["aten::sub", "aten::mul", "aten::add"],
    "aten::conv2d": ["aten::unfold", "aten::matmul", "aten::fold"],
    "aten::add": ["aten::neg", "aten::sub"],
    "aten::mul": ["aten::reciprocal", "aten::div"],
    "aten::scaled_dot_product_attention": ["aten::matmul", "aten::softmax", "aten::matmul"],
}


def main() -> None:
    root = Path(__file__).parents[3]
    sys.path[:0] = [str(root), str(root / "tests")]
    ZOO.mkdir(exist_ok=True)
    for name, graph in zoo():
        _write(ZOO / f"{name}.json", graph)
    _write(CASES, cases())


def _write(path: Path, data: Any) -> None:
    """A line for each node and each case, so that a change can be read."""
    if isinstance(data, list):
        text = "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in data) + "\n]\n"
    else:
        head = {key: value for key, value in data.items() if key not in ("nodes", "inputs")}
        lists = [
            f'"{key}": [\n' + ",\n".join(json.dumps(item, ensure_ascii=False) for item in data[key]) + "\n]"
            for key in ("inputs", "nodes")
        ]
        text = json.dumps(head, ensure_ascii=False)[:-1] + ",\n" + ",\n".join(lists) + "}\n"
    path.write_text(text, encoding="utf-8", newline="\n")


# The zoo ---------------------------------------------------------------------------------------------------


def zoo() -> Iterator[tuple[str, Plain]]:
    """Small models of known architectures, traced with random weights; no weights are kept."""
    import torch

    import tracelab
    from support.examples.models import HAND_WRITTEN, TRANSFORMERS

    wanted = ("resnet18", "unet", "lstm", "encoder-eval", "vae", "gpt")
    models: dict[str, Callable[[], Any]] = {**{name: HAND_WRITTEN[name] for name in wanted}, **TRANSFORMERS}
    for name, make in models.items():
        torch.manual_seed(0)
        case = make()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph, *_ = tracelab.trace_graph(case.model, case.inputs, case.kwargs, strict=False)
        yield name, plain_of(graph, name)


def plain_of(graph: Any, name: str) -> Plain:
    """A trace of tracelab as plain data."""
    from tracelab.graph.ir import Value
    from tracelab.graph.text.arguments import filled_arguments, text_of

    roles = {"INPUT": "input", "PARAMETER": "parameter", "BUFFER": "buffer", "CONSTANT": "constant"}
    ids: dict[Any, str] = {}
    inputs = []
    for place, value in enumerate([*graph.inputs, *(value for value in graph.parameters if value not in graph.inputs)]):
        ids[value] = f"{'x' if value.role.name == 'INPUT' else 'p'}{place}"
        role = roles[value.role.name]
        inputs.append({"id": ids[value], "role": role, "path": value.path or value.name, **_type(value)})
    nodes = []
    for place, node in enumerate(graph.nodes):
        for output, value in enumerate(node.outputs):
            ids[value] = f"n{place}:{output}"
        attributes = {}
        for argument, item in filled_arguments(node):
            if not _values(item, Value):
                attributes[argument] = item if isinstance(item, (bool, int, float, str)) else text_of(item)
        nodes.append(
            {
                "id": f"n{place}",
                "op": node.kind,
                "inputs": [ids[value] for value in node.inputs],
                "attributes": attributes,
                "outputs": [_type(value) for value in node.outputs],
                "scope": "" if node.scope is None else node.scope.path,
            }
        )
    outputs = [ids[value] for value in graph.outputs]
    return {"name": name, "outputs": outputs, "inputs": inputs, "nodes": nodes}


def _values(item: Any, kind: type) -> bool:
    if isinstance(item, (list, tuple)):
        return any(_values(part, kind) for part in item)
    return isinstance(item, kind)


def _type(value: Any) -> dict[str, Any]:
    if value.shape is None:
        return {"dtype": str(value.type), "shape": None}
    return {"dtype": str(value.type.dtype).removeprefix("torch."), "shape": list(value.shape)}


# The edits -------------------------------------------------------------------------------------------------


def cases() -> list[dict[str, Any]]:
    """Each kind of edit alone on every graph, and then several of different kinds at once."""
    found = []
    for name in names():
        graph = read(name)
        places = {kind: list(make(graph)) for kind, make in KINDS.items()}
        for kind, possible in places.items():
            chance = random.Random(f"{SEED} {name} {kind}")
            for number, edit in enumerate(chance.sample(possible, min(TIMES, len(possible)))):
                found.append({"case": f"{name} {kind} {number}", "graph": name, "edits": [_made(edit, graph, chance)]})
        chance = random.Random(f"{SEED} {name} several")
        for number in range(TIMES):
            edits = _several(graph, places, chance)
            found.append({"case": f"{name} several {number}", "graph": name, "edits": edits})
    return found


def _several(graph: Plain, places: dict[str, list[Edit]], chance: random.Random) -> list[Edit]:
    """Up to four edits of different kinds, none of which touches a neighbour of another's nodes."""
    kinds = [kind for kind in places if places[kind] and not kind.endswith("_layer")]
    chance.shuffle(kinds)
    edits: list[Edit] = []
    taken: set[str] = set()
    for kind in kinds:
        for edit in chance.sample(places[kind], min(8, len(places[kind]))):
            touched = {value for key, value in edit.items() if key in ("node", "after", "first", "second")}
            touched |= {maker(edit[key]) for key in ("value", "to") if key in edit}
            near = touched | {other["id"] for node in touched for other in readers(graph, node)}
            near |= {maker(value) for node in graph["nodes"] if node["id"] in near for value in node["inputs"]}
            near = {node for node in near if node.startswith("n")}
            if not near & taken:
                taken |= near
                edits.append(_made(edit, graph, chance))
                break
        if len(edits) == 4:
            break
    return edits


def _made(edit: Edit, graph: Plain, chance: random.Random) -> Edit:
    """The edit with what is drawn: another operator, another number."""
    made = dict(edit)
    node = next((each for each in graph["nodes"] if each["id"] == edit.get("node", edit.get("after"))), None)
    if edit["kind"] == "insert":
        made["op"] = chance.choice(UNARY)
    elif edit["kind"] == "constant":
        value = node["attributes"][edit["attribute"]]  # type: ignore[index]
        made["value"] = not value if isinstance(value, bool) else value + chance.choice((1, 2, 5))
    elif edit["kind"] == "dtype":
        made["value"] = chance.choice(("float16", "bfloat16", "float64"))
    elif edit["kind"] == "shape":
        shape = list(node["outputs"][0]["shape"])  # type: ignore[index]
        shape[chance.randrange(len(shape))] += chance.choice((1, 3, 8))
        made["value"] = shape
    elif edit["kind"] == "rename":
        made["to"] = edit["scope"].rpartition(".")[0] + "." * ("." in edit["scope"]) + "renamed"
    return made


def _inserts(graph: Plain) -> Iterator[Edit]:
    for node in graph["nodes"]:
        if len(node["outputs"]) == 1 and node["outputs"][0]["shape"] and readers(graph, node["id"]):
            yield {"kind": "insert", "after": node["id"]}


def _drops(graph: Plain) -> Iterator[Edit]:
    state = is_state(graph)
    for node in graph["nodes"]:
        read_ = [value for value in node["inputs"] if value not in state]
        if len(read_) == 1 and len(node["outputs"]) == 1 and readers(graph, node["id"]):
            yield {"kind": "drop", "node": node["id"]}


def _swaps(graph: Plain) -> Iterator[Edit]:
    """Two different operators in a row, each with one input of the same type, the second the only reader."""
    chain = {edit["node"] for edit in _drops(graph)}
    nodes = {node["id"]: node for node in graph["nodes"]}
    for node in graph["nodes"]:
        after = readers(graph, node["id"])
        if node["id"] not in chain or len(after) != 1 or after[0]["id"] not in chain:
            continue
        if first_output(node) in graph["outputs"] or node["scope"] != after[0]["scope"]:
            continue
        one, two = (nodes[each["id"]] for each in (node, after[0]))
        if (one["op"], one["attributes"]) != (two["op"], two["attributes"]) and one["outputs"] == two["outputs"]:
            yield {"kind": "swap", "first": node["id"], "second": after[0]["id"]}


def _renames(graph: Plain) -> Iterator[Edit]:
    numbered = {path for paths in layers(graph).values() for path in paths}
    for path in scopes(graph):
        if path not in numbered and not path.rpartition(".")[2].isdigit():
            yield {"kind": "rename", "scope": path}


def _decompositions(graph: Plain) -> Iterator[Edit]:
    for node in graph["nodes"]:
        if node["op"] in PARTS and readers(graph, node["id"]):
            yield {"kind": "decompose", "node": node["id"], "into": PARTS[node["op"]]}


def _constants(graph: Plain) -> Iterator[Edit]:
    for node in graph["nodes"]:
        for name, value in node["attributes"].items():
            if isinstance(value, (bool, int, float)):
                yield {"kind": "constant", "node": node["id"], "attribute": name}


def _dtypes(graph: Plain) -> Iterator[Edit]:
    for node in graph["nodes"]:
        if node["outputs"] and node["outputs"][0]["dtype"] == "float32":
            yield {"kind": "dtype", "node": node["id"]}


def _shapes(graph: Plain) -> Iterator[Edit]:
    for node in graph["nodes"]:
        if node["outputs"] and node["outputs"][0]["shape"]:
            yield {"kind": "shape", "node": node["id"]}


def _rewirings(graph: Plain) -> Iterator[Edit]:
    """To the latest other value of the same type that was there before: what a slip of the hand would take."""
    types = {first_output(node): node["outputs"][0] for node in graph["nodes"] if node["outputs"]}
    made: list[str] = []
    for node in graph["nodes"]:
        for value in node["inputs"]:
            others = [other for other in made if other not in node["inputs"] and types[other] == types.get(value)]
            if value in types and types[value]["shape"] and others and node["inputs"].count(value) == 1:
                yield {"kind": "rewire", "node": node["id"], "value": value, "to": others[-1]}
        if node["outputs"]:
            made.append(first_output(node))


def _layers(kind: str) -> Callable[[Plain], Iterator[Edit]]:
    def made(graph: Plain) -> Iterator[Edit]:
        for paths in layers(graph).values():
            for path in paths:
                first = next(place for place, node in enumerate(graph["nodes"]) if inside(node, path))
                block = graph["nodes"][first : first + len(doing(graph, path))]
                try:
                    stream, left = stream_of(graph, path)
                except ValueError:
                    continue
                if all(inside(node, path) for node in block) and len(block) > 1 and _same_type(graph, stream, left):
                    yield {"kind": kind, "scope": path}

    return made


def _same_type(graph: Plain, one: str, other: str) -> bool:
    types = {given["id"]: (given["dtype"], given["shape"]) for given in graph["inputs"]}
    for node in graph["nodes"]:
        for place, output in enumerate(node["outputs"]):
            types[f"{node['id']}:{place}"] = (output["dtype"], output["shape"])
    return types[one] == types[other]


KINDS: dict[str, Callable[[Plain], Iterator[Edit]]] = {
    "insert": _inserts,
    "drop": _drops,
    "swap": _swaps,
    "rename": _renames,
    "decompose": _decompositions,
    "constant": _constants,
    "dtype": _dtypes,
    "shape": _shapes,
    "rewire": _rewirings,
    "insert_layer": _layers("insert_layer"),
    "drop_layer": _layers("drop_layer"),
}


if __name__ == "__main__":
    main()
