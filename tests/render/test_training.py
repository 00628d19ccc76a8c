"""Training loops as iterations, with forward, backward and optimizer step inside."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import tracelab
from support.notebook_shell import Shell
from support.source_text import define
from tracelab.render import view_document
from tracelab.render.picture.dot import document_dot
from tracelab.render.view_document.diff_document import MergedView

HEAD = """
import torch
from torch.nn import functional as F

"""


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))


def batches(count):
    torch.manual_seed(1)
    return [(torch.randn(4, 8), torch.randint(0, 4, (4,))) for _ in range(count)]


def document_of(code, count=3, optimizer=torch.optim.SGD, **options):
    """The document of `train(net, opt, loader)`, after one step: the first makes what an optimizer keeps."""
    net = model()
    opt = optimizer(net.parameters(), lr=0.1, **options)
    loader = batches(count)
    F.cross_entropy(net(loader[0][0]), loader[0][1]).backward()
    opt.step()
    train = define(HEAD + code, "train")
    return view_document(tracelab.trace(lambda: train(net, opt, loader), (), check_trace=False).graph)


def drawn(document):
    """The scopes and operators that are drawn, indented by the scope in which they stand; what repeats is left out."""
    scopes, nodes, strings = document["scopes"], document["nodes"], document["strings"]
    marked = {node for node, _ in nodes.get("markers", [])}
    inside = {scope: [] for scope in range(len(scopes["parent"]))}
    first = {}
    for node, scope in enumerate(nodes["scope"]):
        if node not in marked:
            inside[scope].append((node, strings[nodes["kind"][node]].rpartition("::")[2]))
            while scope >= 0:
                first.setdefault(scope, node)
                scope = scopes["parent"][scope]
    for scope in range(len(scopes["parent"]) - 1, 0, -1):
        if scope in first:
            inside[scopes["parent"][scope]].append((first[scope], scope))
    lines = []

    def walk(scope, depth):
        for _, item in sorted(inside[scope], key=lambda row: row[0]):
            if isinstance(item, str):
                lines.append("  " * depth + item)
                continue
            name, kind = strings[scopes["name"][item]], strings[scopes["class_name"][item]]
            is_update = item in scopes.get("phases", []) and kind
            lines.append("  " * depth + f"{name} {kind}".strip())
            if not is_update:
                walk(item, depth + 1)

    walk(0, 0)
    return lines


LOOP = """
def train(net, opt, loader):
    for xb, yb in loader:
        opt.zero_grad()
        loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
    return loss
"""
ITERATION = [
    "iteration",
    "  forward",
    "    net Sequential",
    "      0 Linear",
    "        linear",
    "      1 ReLU",
    "        relu",
    "      2 Linear",
    "        linear",
    "    cross_entropy_loss",
    "  PythonOp",
]


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.AdamW, torch.optim.RMSprop, torch.optim.Adagrad])
def test_a_loop_is_its_iterations(optimizer):
    document = document_of(LOOP, optimizer=optimizer)
    assert drawn(document) == [*ITERATION, f"  optimizer step {optimizer.__name__}"] * 3


def test_iterations_and_phases_are_told_from_calls():
    document = document_of(LOOP, count=2)
    scopes, strings = document["scopes"], document["strings"]
    assert [strings[scopes["name"][scope]] for scope in scopes["phases"]] == [
        *("iteration", "forward", "iteration", "forward", "optimizer step", "optimizer step"),
    ]
    assert set(scopes["phases"]) <= set(scopes["functions"])


def test_backward_makes_the_gradients_that_the_step_reads():
    document = document_of(LOOP, count=2)
    nodes, values, strings = document["nodes"], document["values"], document["strings"]
    reads = [(node, maker) for node, maker in nodes["markers"] if maker >= 0]
    assert {maker for _, maker in reads} == set(nodes["backward"])
    assert [sum(maker == backward for _, maker in reads) for backward in nodes["backward"]] == [4, 4]
    assert {strings[nodes["kind"][node]] for node, _ in reads} == {"prim::grad"}
    read = {values["node"].index(node) for node, _ in reads}
    assert all(any(value in inputs for inputs in nodes["inputs"]) for value in read)


def test_what_follows_the_step_in_each_iteration_is_part_of_it():
    code = """
def train(net, opt, loader):
    total = 0
    for xb, yb in loader:
        opt.zero_grad()
        loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        total = total + loss.detach()
    return total / len(loader)
"""
    lines = drawn(document_of(code))
    assert [line for line in lines if not line.startswith("    ")] == [
        *["iteration", "  forward", "  PythonOp", "  gradients", "  optimizer step SGD", "  detach", "  add"] * 3,
        "div",
    ]


def test_what_runs_between_two_loops_is_part_of_none():
    code = """
def train(net, opt, loader):
    for epoch in range(2):
        for xb, yb in loader:
            loss = F.cross_entropy(net(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            seen = net(loader[0][0]).mean()
    return seen
"""
    lines = drawn(document_of(code, count=2))
    assert [line for line in lines if not line.startswith(" ")] == [
        *("iteration", "iteration", "net Sequential", "mean"),
        *("iteration", "iteration", "net Sequential", "mean"),
    ]


def test_what_runs_before_and_after_a_loop_is_part_of_no_iteration():
    code = """
def train(net, opt, loader):
    scale = torch.ones(4).exp()
    for xb, yb in loader:
        opt.zero_grad()
        loss = F.cross_entropy(net(xb) * scale, yb)
        loss.backward()
        opt.step()
    return loss.sqrt()
"""
    assert [line for line in drawn(document_of(code)) if not line.startswith(" ")] == [
        *("ones", "exp", "iteration", "iteration", "iteration", "sqrt"),
    ]


def test_one_step_has_its_phases_and_no_iteration():
    code = """
def train(net, opt, loader):
    xb, yb = loader[0]
    loss = F.cross_entropy(net(xb), yb)
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss
"""
    assert [line for line in drawn(document_of(code)) if not line.startswith(" ")] == [
        *("forward", "PythonOp", "optimizer step SGD"),
    ]


STEPS = """
def train_step(net, opt, xb, yb):
    opt.zero_grad()
    loss = F.cross_entropy(net(xb), yb)
    loss.backward()
    opt.step()
    return loss

def train(net, opt, loader):
    for xb, yb in loader:
        loss = train_step(net, opt, xb, yb)
"""


def test_a_function_that_makes_a_step_may_hold_it():
    document = document_of(STEPS + "    return loss\n")
    assert drawn(document) == [*ITERATION, "  optimizer step SGD"] * 3


def test_a_function_that_makes_one_step_is_the_iteration():
    lines = drawn(document_of(STEPS + "        loss = loss.detach() * 2\n    return loss\n", count=2))
    assert [line for line in lines if not line.startswith("    ")] == [
        *("train_step()", "  forward", "  PythonOp", "  optimizer step SGD", "detach", "mul"),
    ] * 2


def test_two_optimizers_of_one_iteration_have_each_their_phases():
    code = """
def train(net, opt, loader):
    for xb, yb in loader:
        opt.zero_grad()
        loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
        opt.zero_grad()
        loss = net(xb).exp().mean()
        loss.backward()
        opt.step()
    return loss
"""
    lines = drawn(document_of(code, count=2))
    assert [line for line in lines if not line.startswith("   ")] == [
        *("iteration", "  forward", "  PythonOp", "  optimizer step SGD"),
        *("  forward", "  PythonOp", "  optimizer step SGD"),
    ] * 2


def test_gradients_that_are_set_to_zero_are_a_group():
    document = document_of(LOOP.replace("zero_grad()", "zero_grad(set_to_none=False)"), count=2)
    assert [line for line in drawn(document) if line.startswith("  zero_grad")] == ["  zero_grad SGD"] * 2


def kinds_of_markers(function, *args):
    document = view_document(tracelab.trace(function, args, check_trace=False).graph)
    nodes, strings = document["nodes"], document["strings"]
    return [(strings[nodes["kind"][node]].partition("::")[2], maker) for node, maker in nodes.get("markers", [])]


def frozen(x):
    with torch.no_grad():
        y = x.exp()
    return y + 1


def test_switches_of_modes_are_marks():
    assert kinds_of_markers(frozen, torch.ones(2)) == [("EnterGradMode", -1), ("ExitGradMode", -1)]


def given_gradient(x):
    w = torch.ones(2, requires_grad=True)
    w.grad = x.exp()
    return w.grad * 2


def test_a_gradient_that_is_computed_and_set_is_drawn():
    assert kinds_of_markers(given_gradient, torch.ones(2)) == []


def test_a_graph_without_training_has_none_of_it():
    document = view_document(tracelab.trace(lambda x: x.exp() + 1, torch.ones(2)).graph)
    assert not {"markers", "backward"} & document["nodes"].keys()
    assert "phases" not in document["scopes"]


def test_a_difference_has_none_of_it():
    net, loader = model(), batches(2)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    train = define(HEAD + LOOP, "train")
    traced = [tracelab.trace(lambda: train(net, opt, loader), (), check_trace=False) for _ in range(2)]
    document = MergedView(tracelab.diff(*traced)).document
    assert "phases" not in document["scopes"]
    assert "markers" not in document["nodes"]


def test_the_static_picture_draws_no_marks_and_joins_backward_to_the_step():
    dot = document_dot(document_of(LOOP, count=2), 60)
    assert "grad" not in dot.replace("zero_grad", "").replace("gradients", "")
    names = {line.split()[0]: line for line in dot.splitlines() if "label=" in line}
    (backward,) = [name for name, line in names.items() if "backward" in line][:1]
    assert f"{backward} -> " in dot


def test_gradients_that_were_clipped_come_from_what_clipped_them():
    code = LOOP.replace("opt.step()", "torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)\n        opt.step()")
    nodes = (document := document_of(code, count=2))["nodes"]
    scopes, strings = document["scopes"], document["strings"]
    kinds = [strings[kind] for kind in nodes["kind"]]
    steps = [scope for scope in scopes["phases"] if strings[scopes["name"][scope]] == "optimizer step"]
    makers = {kinds[maker] for node, maker in nodes["markers"] if maker >= 0 and nodes["scope"][node] in steps}
    assert makers == {"aten::_foreach_mul_"}


def test_a_step_that_is_written_out_is_an_update():
    code = """
def train(net, opt, loader):
    for xb, yb in loader:
        loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        with torch.no_grad():
            for p in net.parameters():
                p -= 0.1 * p.grad
                p.grad = None
    return loss.exp()
"""
    lines = drawn(document_of(code, count=3))
    assert lines == [*[*ITERATION, "  update", *["    mul", "    sub_"] * 4] * 3, "exp"]


def test_backward_that_is_called_once_makes_no_loop():
    def once(x):
        w = x.clone().requires_grad_()
        (w * 2).sum().backward()
        return w.grad

    assert "phases" not in view_document(tracelab.trace(once, torch.ones(2), check_trace=False).graph)["scopes"]


def test_a_graph_without_places_in_the_code_has_its_steps():
    net, loader = model(), batches(2)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    train = define(HEAD + LOOP, "train")
    graph = tracelab.trace(lambda: train(net, opt, loader), (), check_trace=False).graph
    for node in graph.nodes:
        node.source = None
    assert [line for line in drawn(view_document(graph)) if "step" in line] == ["optimizer step SGD"] * 2


CELL_SETUP = """
from torch.nn import functional as F
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
loader = [(torch.randn(4, 8), torch.randint(0, 4, (4,))) for _ in range(2)]
F.cross_entropy(net(loader[0][0]), loader[0][1]).backward()
"""
CELL = """%%trace
for xb, yb in loader:
    opt.zero_grad()
    loss = F.cross_entropy(net(xb), yb)
    loss.backward()
    opt.step()
"""


def test_a_loop_in_a_cell_keeps_the_names_of_the_code():
    shell = Shell()
    assert shell.run(CELL_SETUP).error is None
    assert shell.run(CELL).error is None
    assert drawn(view_document(shell.graph)) == [
        *["round for xb, yb in loader", *ITERATION[1:], "  opt SGD", *["    add_"] * 4] * 2,
    ]


def test_a_gradient_comes_from_the_backward_of_the_loss_that_depends_on_it():
    first, second = model(), model()
    x = torch.randn(4, 8)

    def train():
        steps = [torch.optim.SGD(net.parameters(), lr=0.1) for net in (first, second)]
        losses = [net(x).square().mean() for net in (first, second)]
        for loss in losses:
            loss.backward()
        for step in steps:
            step.step()
        return losses[0]

    document = view_document(tracelab.trace(train, (), check_trace=False).graph)
    nodes = document["nodes"]
    makers = [maker for _, maker in nodes["markers"] if maker in nodes["backward"]]
    assert set(makers) == set(nodes["backward"])
    assert makers == sorted(makers)


def test_without_calls_of_functions_the_parts_of_a_loop_stay():
    net = model()
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    train = define(HEAD + LOOP, "train")
    traced = tracelab.trace(lambda: train(net, opt, batches(2)), (), check_trace=False, function_scopes=False)
    scopes = view_document(traced.graph)["scopes"]
    assert scopes["phases"] == scopes["functions"] != []
