"""Everything traced goes through pickle, `torch.save`, copies and other processes, and is the same afterwards."""

from __future__ import annotations

import copy
import io
import multiprocessing
import pickle
import sys
import warnings
from typing import NamedTuple

import pytest
import torch
from torch import nn

import tracelab
from support.other_process import called_there

X = torch.linspace(-1, 1, 12).view(4, 3)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.norm = nn.BatchNorm1d(3)
        self.last = nn.Linear(3, 3)
        self.last.weight = self.first.weight

    def forward(self, x):
        h = self.norm(self.first(x)).relu()
        return self.last(h) if x.shape[0] > 1 else h


class Pair(NamedTuple):
    left: torch.Tensor
    right: torch.Tensor


class Squared(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2 * ctx.saved_tensors[0]


def swapped(pair):
    return Pair(pair.right * 2, Squared.apply(pair.left))


def doubled(x):
    return x * 2 + 1


def traced_quietly(function, *inputs, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace(function, inputs, strict=False, check_trace=False, **options)


def by_pickle(item):
    return pickle.loads(pickle.dumps(item))


def by_torch(item):
    file = io.BytesIO()
    torch.save(item, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


WAYS = [by_pickle, by_torch, copy.copy, copy.deepcopy]


@pytest.mark.parametrize("way", WAYS)
def test_a_function(way):
    traced = traced_quietly(doubled, X)
    again = way(traced)
    assert type(again) is tracelab.TracedFunction
    assert again.__name__ == "doubled"
    assert again(X).equal(doubled(X))
    assert str(again.graph) == str(traced.graph)


@pytest.mark.parametrize("way", WAYS)
def test_a_module(way):
    traced = traced_quietly(Net().eval(), X, on_violation="raise")
    again = way(traced)
    assert type(again) is tracelab.TracedModule
    assert again(X).equal(traced(X))
    assert again.first.weight is again.last.weight
    assert not again.training
    assert [name for name, _ in again.named_parameters()] == [name for name, _ in traced.named_parameters()]
    with pytest.raises(tracelab.AssumptionError, match=r"x\.shape\[0\] > 1"):
        again(X[:1])


@pytest.mark.parametrize("way", [by_pickle, by_torch, copy.deepcopy])
def test_a_copy_has_weights_of_its_own_which_its_graph_uses(way):
    traced = traced_quietly(Net().eval(), X)
    before = traced(X)
    again = way(traced)
    with torch.no_grad():
        for parameter in again.parameters():
            parameter.zero_()
    assert again(X).count_nonzero() == 0
    assert traced(X).equal(before)
    if way is copy.deepcopy:
        return  # Deep copies of a module share one graph, whose weights are arguments.
    assert all(again.graph.state[value] is again.get_parameter(value.path) for value in again.graph.inputs[1:3])


@pytest.mark.parametrize("way", [by_pickle, by_torch, copy.deepcopy])
def test_weights_that_are_shared_with_a_larger_module_stay_shared(way):
    larger = nn.ModuleDict()
    larger["traced"] = traced_quietly(nn.Linear(3, 3), X)
    larger["tied"] = nn.Linear(3, 3)
    larger["tied"].weight = larger["traced"].weight
    again = way(larger)
    assert again["tied"].weight is again["traced"].weight
    assert again["traced"](X).equal(larger["traced"](X))


def test_changes_of_a_pickled_module_are_seen_by_its_next_call():
    again = by_pickle(traced_quietly(nn.Linear(3, 3), X))
    again(X)
    again.weight = nn.Parameter(torch.zeros(3, 3))
    again.load_state_dict({"weight": torch.zeros(3, 3), "bias": torch.ones(3)}, assign=True)
    assert again(X).equal(torch.ones(4, 3))


def test_devices_and_constants_stay_where_the_module_moved_them():
    offset = torch.ones(3)
    traced = traced_quietly(nn.Sequential(nn.Linear(3, 3)), X)
    moved = by_pickle(traced.to("meta"))
    assert moved(X.to("meta")).device.type == "meta"

    class Moves(nn.Module):
        def forward(self, x):
            return x + offset + torch.zeros(3, device=x.device)

    again = by_pickle(traced_quietly(Moves(), X).double())
    assert again(X.double()).dtype == torch.float64


@pytest.mark.parametrize("way", WAYS)
def test_named_tuples_and_python_operators_come_along(way):
    again = way(traced_quietly(swapped, Pair(X, X + 1)))
    result = again(Pair(X, X + 1))
    assert type(result) is Pair
    assert result.right.equal(X * X)


def test_code_that_no_import_finds_shows_and_says_so_when_it_should_run():
    class Local(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 2

    again = by_pickle(traced_quietly(lambda x: Local.apply(x), X))
    with pytest.raises(tracelab.TracelabError, match="is Python code"):
        again(X)


@pytest.mark.parametrize("way", WAYS)
def test_buffers_of_a_function_are_those_of_its_last_call(way):
    net = nn.BatchNorm1d(3)
    traced = traced_quietly(lambda x: net(x), X)
    traced(X)
    again = way(traced)
    torch.testing.assert_close(again(X), traced(X))
    states = [list(item.graph.state.values()) for item in (again, traced)]
    if way is not copy.copy:
        assert all(mine is not theirs for mine, theirs in zip(*states, strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_a_graph(way):
    graph = traced_quietly(Net().eval(), X).graph
    again = way(graph)
    again.lint()
    assert str(again) == str(graph)
    assert again.to_callable()(X).equal(graph.to_callable()(X))
    assert [str(item) for item in again.assumptions] == [str(item) for item in graph.assumptions]


def test_a_node_and_its_values_come_with_their_graph():
    graph = traced_quietly(doubled, X).graph
    node, value, whole = by_pickle((graph.nodes[1], graph.nodes[0].output, graph))
    assert node is whole.nodes[1]
    assert value is whole.nodes[0].output


def test_a_node_without_a_graph_is_refused():
    graph = traced_quietly(doubled, X).graph
    node = graph.nodes.pop()
    with pytest.raises(tracelab.TracelabError, match="in no graph"):
        pickle.dumps(node)


def test_sparse_constants_are_kept():
    sparse = torch.eye(3).to_sparse()
    again = by_pickle(traced_quietly(lambda x: torch.sparse.mm(sparse, x.t()), X))
    assert again(X).equal(X.t())


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return x * self.weight if x.shape[0] > 1 else x - self.weight


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", [lambda x: x * 2 if x.shape[0] > 1 else x - 1, Scaled()], ids=["function", "module"])
def test_every_recording_comes_along(way, what):
    traced = traced_quietly(what, X, on_violation="retrace")
    traced(X[:1])
    again = way(traced)
    assert [case.label for case in again.cases] == [case.label for case in traced.cases]
    assert all(case not in traced.cases for case in again.cases)
    assert again(X).equal(traced(X))
    assert again(X[:1]).equal(traced(X[:1]))
    if isinstance(what, nn.Module):
        again.weight = nn.Parameter(torch.full((3,), 5.0))
        assert again(X).equal(X * 5)
        assert again(X[:1]).equal(X[:1] - 5)
    again.on_violation = "raise"
    assert {case.on_violation for case in again.cases} == {"raise"}
    assert traced.on_violation == "retrace"


def test_the_assumption_of_an_error_comes_along():
    error = error_of(lambda: traced_quietly(Net().eval(), X, on_violation="raise")(X[:1]))
    assert str(by_pickle(error).assumption) == str(error.assumption)


# Origins ------------------------------------------------------------------------------------------------------------


def test_a_deep_copy_is_checked_against_a_copy_of_the_module():
    traced = traced_quietly(Net().eval(), X)
    twin = copy.deepcopy(traced)
    with torch.no_grad():
        twin.first.weight.mul_(2)
    report = twin.check([X])
    assert report.ok, str(report)
    assert twin.origins["forward"].python.first.weight is twin.first.weight


def test_a_module_that_refuses_copies_has_deep_copies_without_it():
    class Held(nn.Module):
        def __init__(self):
            super().__init__()
            self.generator = (number for number in range(3))

        def forward(self, x):
            return x * 2

    twin = copy.deepcopy(traced_quietly(Held(), X))
    assert twin(X).equal(X * 2)
    assert not twin.origins


def test_a_deep_copy_of_a_function_keeps_it_and_a_pickle_does_not():
    traced = traced_quietly(doubled, X)
    assert copy.deepcopy(traced).check([X]).ok
    with pytest.raises(tracelab.TracelabError, match="has no Python function"):
        by_pickle(traced).check()


# Other processes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method",
    [
        # On macOS a fork of a process with threads is not safe, and there is none on Windows.
        pytest.param("fork", marks=pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="no safe fork")),
        "spawn",
    ],
)
@pytest.mark.parametrize("what", [doubled, Net().eval()], ids=["function", "module"])
def test_another_process_calls_it(what, method):
    traced = traced_quietly(what, X)
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=called_there, args=(traced, X, queue), daemon=True)
    process.start()
    try:
        found = queue.get(timeout=120)
    finally:
        process.kill()
    torch.testing.assert_close(torch.tensor(found), traced(X).detach())


# Errors and reports -------------------------------------------------------------------------------------------------


class Refused(Exception):
    def __init__(self, code, *, hint):
        super().__init__(code)
        self.hint = hint


def raises_its_own(x):
    raise Refused(3, hint=str(x.sum().item()))


def looks_up(x):
    return {}[x.relu().dim()]


def multiplies(x):
    return x @ torch.ones(7, 7)


def error_of(action):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            action()
        except Exception as error:
            return error
    raise AssertionError("nothing was raised")


def unsound():
    graph = traced_quietly(doubled, X).graph
    graph.outputs = [tracelab.Value("nobody", "Tensor")]
    graph.lint()


def differs_from_its_function():
    state = []
    tracelab.trace(lambda x: x * len(state) if state.append(1) is None else x, X)


ERRORS = {
    "user's own": lambda: tracelab.trace(raises_its_own, X),
    "key": lambda: tracelab.trace(looks_up, X),
    "operator": lambda: tracelab.trace(multiplies, X),
    "input": lambda: tracelab.trace(doubled),
    "file": lambda: tracelab.load(io.BytesIO(b"none")),
    "assumption": lambda: traced_quietly(Net().eval(), X, on_violation="raise")(X[:1]),
    "graph": unsound,
    "check": differs_from_its_function,
    "run": lambda: traced_quietly(lambda x, y: x @ y, X, X.t()).run(X, X),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_the_same_in_text_and_class(name):
    error = error_of(ERRORS[name])
    again = by_pickle(error)
    assert str(again) == str(error)
    assert [cls.__qualname__ for cls in type(again).__mro__] == [cls.__qualname__ for cls in type(error).__mro__]
    assert again.args == error.args


def test_what_an_error_holds_comes_along():
    found = by_pickle(error_of(ERRORS["run"]))
    assert (found.node.kind, found.run) == ("aten::matmul", None)
    assert by_pickle(error_of(ERRORS["user's own"])).hint == error_of(ERRORS["user's own"]).hint
    report = by_pickle(error_of(ERRORS["check"])).report
    assert not report.ok


@pytest.mark.parametrize("way", [by_pickle, by_torch, copy.deepcopy])
def test_a_report_of_a_check(way):
    def halved(x):
        return x * 2 if x.sum() > 0 else x / 2

    traced = traced_quietly(halved, X + 1)
    report = traced.check(max_examples=6)
    again, graph = way((report, traced.graph))
    assert str(again) == str(report)
    assert again.findings[0].node in [None, *graph.nodes]
    assert torch.equal(again.findings[0].counterexample().args[0], report.findings[0].counterexample().args[0])


@pytest.mark.parametrize("way", [by_pickle, by_torch, copy.deepcopy])
def test_a_difference_and_a_comparison(way):
    one, other = traced_quietly(doubled, X), traced_quietly(lambda x: x * 2 + 2, X)
    found = tracelab.diff(one, other)
    again = way(found)
    assert str(again) == str(found)
    assert again.changed[0][0] is again.a.nodes[1]
    found = tracelab.compare(one, other, X)
    again = way(found)
    assert str(again) == str(found)
    assert again.first_divergent is again.alignment.a.nodes[1]


@pytest.mark.parametrize("way", [by_pickle, copy.deepcopy])
def test_profiles_bound_calls_warnings_and_assumptions(way):
    traced = traced_quietly(Net().eval(), X)
    assert str(way(traced.profile(X, repeat=1))).splitlines()[0]
    assert way(traced.bind(X))().equal(traced(X))
    assert str(way(traced.graph.assumptions)) == str(traced.graph.assumptions)
    assert str(way(tracelab.AssumptionWarning("it differs"))) == "it differs"
    diagnostics = traced_quietly(lambda x: x * int(x.sum() > 0), X).graph.warnings
    assert [str(item) for item in way(diagnostics)] == [str(item) for item in diagnostics]
