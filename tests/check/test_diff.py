"""`tracelab.diff`: the edit that was made is the edit that is found, and its text."""

from __future__ import annotations

import io
import warnings
from collections import OrderedDict

import pytest
import torch
from torch import nn

import tracelab
from support.built_graphs import Op, graph_from
from support.source_text import define
from tracelab.comparison.changes import Change
from tracelab.demo import GPT, ResNet
from tracelab.graph.scope import Scope

X = torch.linspace(-1, 1, 16).reshape(2, 8)


class Layer(nn.Module):
    def __init__(self, activation=nn.ReLU, width=8):
        super().__init__()
        self.fc = nn.Linear(8, width)
        self.act = activation()
        self.out = nn.Linear(width, 8)

    def forward(self, x):
        return x + self.out(self.act(self.fc(x)))


class Other(nn.Module):
    def forward(self, x):
        return torch.tanh(x * 2)


def graph_of(function, *inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace_graph(function, inputs or X, strict=False)[0]


def numbered(*layers):
    return nn.Sequential(*layers)


def named(**layers):
    return nn.Sequential(OrderedDict(layers))


def stack(count, *, insert=None, replace=None):
    layers = [Layer() for _ in range(count)]
    if replace:
        layers[replace[0]] = replace[1]
    if insert:
        layers.insert(*insert)
    return numbered(*layers)


def found(difference):
    """A difference in short words, without consequences."""
    words = []
    for nodes, sign in ((difference.added, "+"), (difference.removed, "-")):
        paths = dict.fromkeys(
            (node.scope.path.partition(".")[0] if node.scope and node.scope.path else node.name) for node in nodes
        )
        words += [f"{sign}{path}" for path in paths]
    for before, _, changes in difference.changed:
        words += [f"{before.name} {change}" for change in changes if change.what != "input"]
    for mine, theirs in difference.moved:
        words.append(f"moved {mine.path if isinstance(mine, Scope) else mine.name}")
        assert type(mine) is type(theirs)
    words += [f"input {change}" for row in difference.inputs for change in row.changes]
    words += [f"renamed {mine.path or mine.name}→{theirs.path or theirs.name}" for mine, theirs in difference.renamed]
    return words


def skipping(source):
    return define(
        f"import torch\ndef f(x):\n    first = x.relu()\n    second = first.sin()\n"
        f"    third = second.cos()\n    return third + {source}\n",
        "f",
    )


class Tied(nn.Module):
    def __init__(self, tied):
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)
        if tied:
            self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(self.a(x))


class Acting(nn.Module):
    def __init__(self, as_module):
        super().__init__()
        self.fc, self.act, self.as_module = nn.Linear(8, 8), nn.ReLU(), as_module

    def forward(self, x):
        h = self.fc(x)
        h = self.act(h) if self.as_module else torch.relu(h)
        return h + 1


branching = define(
    """
    def branching(x):
        if x.sum() > 0:
            y = x + 1
        else:
            y = x + 1
        return y.relu()
    """,
    "branching",
)


def a_function(body):
    return define(f"import torch\ndef f(x, y=torch.ones(2, 8)):\n{body}", "f")


PLAIN = "    h = x.relu()\n    h = h + y\n    h = torch.softmax(h, 1)\n    return h.sum()\n"

EDITS = {
    "a layer inserted into 48": (
        lambda: graph_of(stack(48)),
        lambda: graph_of(stack(48, insert=(20, Other()))),
        ["+20", *[f"renamed {n}→{n + 1}" for n in range(20, 48)]],
    ),
    "a layer of another activation inserted into 48": (
        lambda: graph_of(stack(48)),
        lambda: graph_of(stack(48, insert=(20, Layer(nn.GELU)))),
        ["+20", *[f"renamed {n}→{n + 1}" for n in range(20, 48)]],
    ),
    "a layer like all others inserted into 48": (
        lambda: graph_of(stack(48)),
        lambda: graph_of(stack(49)),
        ["+48"],
    ),
    "a layer taken out of 48": (
        lambda: graph_of(stack(48, insert=(20, Other()))),
        lambda: graph_of(stack(48)),
        ["-20", *[f"renamed {n + 1}→{n}" for n in range(20, 48)]],
    ),
    "two layers inserted at two places": (
        lambda: graph_of(stack(12)),
        lambda: graph_of(numbered(Other(), *[Layer() for _ in range(12)], Other())),
        ["+0", "+13", *[f"renamed {n}→{n + 1}" for n in range(12)]],
    ),
    "a layer with a name inserted": (
        lambda: graph_of(named(a=Layer(), b=Layer(), c=Layer())),
        lambda: graph_of(named(a=Layer(), extra=Layer(), b=Layer(), c=Layer())),
        ["+extra"],
    ),
    "a layer with a name taken out": (
        lambda: graph_of(named(a=Layer(), b=Layer(), c=Layer())),
        lambda: graph_of(named(a=Layer(), c=Layer())),
        ["-b"],
    ),
    "an activation replaced in one layer of 48": (
        lambda: graph_of(stack(48)),
        lambda: graph_of(stack(48, replace=(30, Layer(nn.GELU)))),
        ["relu operator: aten::relu → aten::gelu", "renamed 30.act→30.act"],
    ),
    "an operator replaced in a function": (
        lambda: graph_of(a_function(PLAIN)),
        lambda: graph_of(a_function(PLAIN.replace("relu", "sigmoid"))),
        ["relu operator: aten::relu → aten::sigmoid"],
    ),
    "an argument changed": (
        lambda: graph_of(a_function(PLAIN)),
        lambda: graph_of(a_function(PLAIN.replace("h, 1", "h, 0"))),
        ["softmax argument dim: 1 → 0"],
    ),
    "operands exchanged": (
        lambda: graph_of(lambda x, y: x.relu() - y.exp(), X, X),
        lambda: graph_of(lambda x, y: y.exp() - x.relu(), X, X),
        [
            "relu order: 0 → 1",
            "sub argument self: %relu → %exp",
            "sub argument other: %exp → %relu",
            "moved relu",
        ],
    ),
    "a lambda's constant changed": (
        lambda: graph_of(lambda x: x * 2 + 1),
        lambda: graph_of(lambda x: x * 3 + 1),
        ["mul argument other: 2 → 3"],
    ),
    "1 became 1.0": (
        lambda: graph_of(lambda x: x * 1),
        lambda: graph_of(lambda x: x * 1.0),
        ["mul argument other: 1 → 1.0"],
    ),
    "a default spelled out": (
        lambda: graph_of(lambda x: torch.add(x, x)),
        lambda: graph_of(lambda x: torch.add(x, x, alpha=1)),
        [],
    ),
    "an operator inserted into a function": (
        lambda: graph_of(a_function(PLAIN)),
        lambda: graph_of(a_function(PLAIN.replace("    h = h + y\n", "    h = h + y\n    h = h.cos()\n"))),
        ["+cos"],
    ),
    "an operator taken out of a function": (
        lambda: graph_of(a_function(PLAIN)),
        lambda: graph_of(a_function(PLAIN.replace("    h = h + y\n", ""))),
        ["-Constant", "-add"],
    ),
    "a shape changed": (
        lambda: graph_of(numbered(nn.ReLU(), nn.Tanh())),
        lambda: graph_of(numbered(nn.ReLU(), nn.Tanh()), torch.ones(5, 8)),
        [
            "relu shape: [2, 8] → [5, 8]",
            "tanh shape: [2, 8] → [5, 8]",
            "input shape: [2, 8] → [5, 8]",
        ],
    ),
    "a dtype changed": (
        lambda: graph_of(numbered(nn.ReLU())),
        lambda: graph_of(numbered(nn.ReLU()), X.double()),
        ["relu dtype: float32 → float64", "input dtype: float32 → float64"],
    ),
    "a width changed inside a layer": (
        lambda: graph_of(named(a=Layer(), b=Layer())),
        lambda: graph_of(named(a=Layer(), b=Layer(width=16))),
        [
            "linear shape: [2, 8] → [2, 16]",
            "relu shape: [2, 8] → [2, 16]",
            "input shape: [8, 8] → [16, 8]",
            "input shape: [8] → [16]",
            "input shape: [8, 8] → [8, 16]",
        ],
    ),
    "two blocks swapped": (
        lambda: graph_of(named(a=Layer(), b=Other(), c=Layer())),
        lambda: graph_of(named(b=Other(), a=Layer(), c=Layer())),
        ["moved b"],
    ),
    "two numbered blocks swapped": (
        lambda: graph_of(numbered(Layer(), Layer(nn.GELU), Layer(nn.Tanh), Layer())),
        lambda: graph_of(numbered(Layer(), Layer(nn.Tanh), Layer(nn.GELU), Layer())),
        ["moved 2", "renamed 1→2", "renamed 2→1"],
    ),
    "a module renamed": (
        lambda: graph_of(named(a=Layer(), b=Layer(), c=Layer())),
        lambda: graph_of(named(a=Layer(), middle=Layer(), c=Layer())),
        ["renamed b→middle"],
    ),
    "one module out and one in, all alike": (
        lambda: graph_of(named(a=Layer(), b=Layer(), c=Layer())),
        lambda: graph_of(named(a=Layer(), c=Layer(), d=Layer())),
        ["+d", "-b"],
    ),
    "all put into one module": (
        lambda: graph_of(named(a=Layer(), b=Layer())),
        lambda: graph_of(named(body=named(a=Layer(), b=Layer()))),
        ["renamed a→body.a", "renamed b→body.b"],
    ),
    "an input renamed": (
        lambda: graph_of(lambda x: x + 1),
        lambda: graph_of(lambda image: image + 1),
        ["input name: x → image"],
    ),
    "an input more": (
        lambda: graph_of(lambda x: x + 1),
        lambda: graph_of(lambda x, y: x + 1, X, X),
        ["input input: nothing → y"],
    ),
    "a constant tensor with another value": (
        lambda: graph_of(lambda x: x + torch.tensor([1.0] * 8)),
        lambda: graph_of(lambda x: x + torch.tensor([1.0] * 7 + [3.0])),
        ["Constant value: 1.0 at [7] → 3.0 at [7]"],
    ),
    "train and eval": (
        lambda: graph_of(numbered(nn.Linear(8, 8), nn.Dropout(0.1)).train()),
        lambda: graph_of(numbered(nn.Linear(8, 8), nn.Dropout(0.1)).eval()),
        ["dropout argument train: True → False"],
    ),
    "a weight frozen": (
        lambda: graph_of(nn.Linear(8, 8)),
        lambda: graph_of(nn.Linear(8, 8).requires_grad_(False)),
        ["input requires_grad: True → False", "input requires_grad: True → False"],
    ),
    "a skip connection from another layer": (
        lambda: graph_of(skipping("first")),
        lambda: graph_of(skipping("second")),
        ["add argument other: %first → %second"],
    ),
    "a weight shared with another layer": (
        lambda: graph_of(Tied(False)),
        lambda: graph_of(Tied(True)),
        ["linear argument weight: %b.weight → %a.weight"],
    ),
    "a cat of one part more": (
        lambda: graph_of(lambda x: torch.cat([x.sin(), x.cos()])),
        lambda: graph_of(lambda x: torch.cat([x.sin(), x.exp(), x.cos()])),
        ["+exp", "cat shape: [4, 8] → [6, 8]"],
    ),
    "a call on another line of the same code": (
        lambda: graph_of(branching, X + 5),
        lambda: graph_of(branching, X - 5),
        ["add line: 3 → 5"],
    ),
    "a method's module in another class": (
        lambda: graph_of(named(norm=nn.LayerNorm(8))),
        lambda: graph_of(named(norm=nn.Softmax(1))),
        ["layer_norm operator: aten::layer_norm → aten::softmax", "renamed norm→norm"],
    ),
    "a module call in place of a function": (
        lambda: graph_of(Acting(False)),
        lambda: graph_of(Acting(True)),
        ["relu scope: Acting → act"],
    ),
    "a line added above": (
        lambda: graph_of(a_function(PLAIN)),
        lambda: graph_of(a_function("    # a comment\n" + PLAIN)),
        [],
    ),
    "a value under another name": (
        lambda: graph_of(a_function(PLAIN)),
        lambda: graph_of(
            a_function(
                PLAIN.replace("h =", "k =")
                .replace("h + y", "k + y")
                .replace("(h, 1)", "(k, 1)")
                .replace("h.sum", "k.sum")
            )
        ),
        [],
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_the_edit_made_is_the_edit_found(edit):
    before, after, expected = EDITS[edit]
    got = found(tracelab.diff(before(), after()))
    assert got == expected


@pytest.mark.parametrize("edit", EDITS)
def test_the_other_way_round_is_the_mirror_image(edit):
    before, after, _ = EDITS[edit]
    a, b = before(), after()
    there, back = tracelab.diff(a, b), tracelab.diff(b, a)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert set(there.moved) == {(mine, theirs) for theirs, mine in back.moved}
    assert set(there.renamed) == {(mine, theirs) for theirs, mine in back.renamed}
    turned = {before: (after, tuple(map(Change.mirrored, changes))) for after, before, changes in back.changed}
    assert {before: (after, changes) for before, after, changes in there.changed} == turned


# Text --------------------------------------------------------------------------------------------------------------

NET = """
class Block(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.fc = nn.Linear(8, 8)
        self.act = act

    def forward(self, x):
        return x + self.act(self.fc(x))

def net(*acts):
    return nn.Sequential(*[Block(act) for act in acts])
"""
net = define(NET, "net", "<net>")
RELUS = [nn.ReLU() for _ in range(6)]


def text(before, after, *inputs):
    return str(tracelab.diff(graph_of(before), graph_of(after, *inputs)))


def test_text_of_no_difference():
    assert text(net(*RELUS), net(*RELUS)) == "Sequential: no difference in 18 nodes"


def test_text_of_an_inserted_layer():
    assert text(net(*RELUS), net(*RELUS[:2], nn.GELU(), *RELUS[2:])) == (
        "Sequential: 3 nodes added, 4 modules renamed\n"
        "renamed: 2 … 5 → 3 … 6  (4 × Block)\n"
        "Sequential\n"
        "  + 2  Block, 3 nodes  <net>, line 8: return x + self.act(self.fc(x))"
    )


def test_text_of_a_replaced_activation():
    assert text(net(*RELUS), net(*RELUS[:2], nn.GELU(), *RELUS[3:])) == (
        "Sequential: 1 node changed, 1 module of another class\n"
        "another class: 2.act  ReLU → GELU\n"
        "2.act  GELU\n"
        "  ~ relu → gelu  <net>, line 8: return x + self.act(self.fc(x))"
    )


def test_text_of_swapped_blocks():
    acts = [nn.ReLU(), nn.GELU(), nn.Tanh()]
    assert text(net(*acts), net(acts[0], acts[2], acts[1])) == (
        "Sequential: 1 module moved, 2 modules renamed\nswapped: 1 and 2  Block"
    )


def test_text_of_another_batch_size_names_its_cause_and_counts_what_follows():
    assert text(net(*RELUS), net(*RELUS), torch.ones(5, 8)) == (
        "Sequential: 18 nodes changed, 1 input changed\n"
        "inputs and parameters\n"
        "  ~ input  shape: [2, 8] → [5, 8]\n"
        "18 nodes whose shape follows from it"
    )


def test_text_of_the_same_change_in_many_places():
    make = lambda p: net(*[nn.Dropout(p) for _ in range(6)]).train()  # noqa: E731
    assert text(make(0.1), make(0.2)) == (
        "Sequential: 6 nodes changed\n6 alike\n  ~ dropout  argument p: 0.1 → 0.2  0.act … 5.act"
    )


def test_text_of_a_node_with_several_changes():
    before = define("def f(x):\n    return x.flatten(0, 1)\n", "f")
    after = define("def f(x):\n    return x.flatten(1, 1)\n", "f")
    assert text(before, after) == (
        "f: 1 node changed\n"
        "f\n"
        "  ~ flatten  <code>, line 2: return x.flatten(1, 1)\n"
        "      argument start_dim: 0 → 1\n"
        "      shape: [16] → [2, 8]"
    )


def test_text_of_nothing_in_common_is_one_line():
    assert text(GPTLike(), lambda x: x.sin().cos().exp()) == (
        "GPTLike and <lambda> have nothing in common: 2 nodes in the first, 3 in the second"
    )


class GPTLike(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x):
        return torch.relu(self.fc(x))


def test_text_of_a_large_difference_fits_a_screen():
    one = graph_from([Op("relu", module=f"h.{n}") for n in range(400)])
    two = graph_from([Op("relu" if n % 7 else ("sin", "cos", "exp")[n % 3], module=f"h.{n}") for n in range(400)])
    lines = str(tracelab.diff(one, two)).splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 116


# What it takes -----------------------------------------------------------------------------------------------------


def test_two_traces_of_one_model_are_the_same():
    model = GPT(layers=3).eval()
    ids = torch.randint(0, 256, (1, 16))
    assert not tracelab.diff(graph_of(model, ids), graph_of(model, ids))


def test_a_difference_is_true():
    assert tracelab.diff(graph_of(lambda x: x + 1), graph_of(lambda x: x + 2))


def test_traced_functions_and_modules_are_taken():
    traced = tracelab.trace(nn.Linear(8, 8), X)
    assert not tracelab.diff(traced, traced.graph)
    assert not tracelab.diff(tracelab.trace(torch.relu, X), tracelab.trace(torch.relu, X))


def test_a_trace_and_the_same_from_a_file_are_the_same():
    model = ResNet.resnet18(10, 8).eval()
    traced = tracelab.trace(model, torch.randn(1, 3, 32, 32))
    file = io.BytesIO()
    tracelab.save(traced, file)
    file.seek(0)
    assert not tracelab.diff(traced, tracelab.load(file))


class TwoMethods(nn.Module):
    def __init__(self, number=2):
        super().__init__()
        self.number = number

    def forward(self, x):
        return x + 1

    def encode(self, x):
        return x * self.number


def methods_of(module, *names):
    return tracelab.trace_module(module, dict.fromkeys(names, X))


def test_modules_of_several_methods_are_compared_method_by_method():
    difference = tracelab.diff(
        methods_of(TwoMethods(), "forward", "encode"), methods_of(TwoMethods(3), "forward", "encode")
    )
    assert difference
    assert [name for name, one in difference.items() if one] == ["encode"]
    assert found(difference["encode"]) == ["mul argument other: 2 → 3"]


def test_modules_with_other_methods_are_refused():
    with pytest.raises(tracelab.TracelabError, match="forward, encode and forward were traced"):
        tracelab.diff(methods_of(TwoMethods(), "forward", "encode"), methods_of(TwoMethods(), "forward"))


def test_what_holds_no_graph_is_refused():
    with pytest.raises(tracelab.TracelabError, match="nothing to compare in int: give two graphs"):
        tracelab.diff(3, graph_of(torch.relu))


def test_two_empty_graphs_are_the_same():
    assert str(tracelab.diff(graph_from([]), graph_from([]))) == "built: no difference in 0 nodes"


def test_a_graph_and_an_empty_one():
    difference = tracelab.diff(graph_from([]), graph_from([Op("relu")]))
    assert [node.name for node in difference.added] == ["relu"]


def test_the_text_is_the_same_each_time():
    make = lambda: tracelab.diff(graph_of(net(*RELUS)), graph_of(net(*RELUS[:2], nn.GELU())))  # noqa: E731
    assert str(make()) == str(make())


def test_values_of_both_graphs_are_paired():
    model = GPTLike()
    alignment = tracelab.diff(graph_of(model), graph_of(model)).alignment
    assert all(mine.name == theirs.name for mine, theirs in alignment.values.items())
    assert len(alignment.values) == len(list(alignment.a.values()))


def test_neither_graph_is_changed():
    one, two = graph_of(net(*RELUS)), graph_of(net(nn.GELU(), *RELUS))
    before = str(one), str(two)
    str(tracelab.diff(one, two))
    assert (str(one), str(two)) == before


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_equal_operators_the_one_that_read_something_else_is_gone(turned):
    built = [Op("sin"), Op("cos", (2,)), Op("tanh", (2,)), Op("tanh", (2,)), Op("add", (2, 1))]
    fewer = [Op("sin"), Op("cos", (2,)), Op("tanh", (1,)), Op("add", (3, 1))]
    a, b = graph_from(built), graph_from(fewer)
    found = tracelab.diff(b, a) if turned else tracelab.diff(a, b)
    (gone,) = found.added if turned else found.removed
    assert gone is a.nodes[2]
    assert not found.changed


def test_of_two_equal_operators_that_read_the_same_the_readers_tell_which_is_gone():
    built = [Op("tanh"), Op("tanh", (2,)), Op("sub", (2, 1))]
    fewer = [Op("tanh"), Op("sub", (2, 1))]
    a, b = graph_from(built), graph_from(fewer)
    found = tracelab.diff(a, b)
    assert found.removed == [a.nodes[0]]
    assert not found.changed
