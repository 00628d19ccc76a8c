"""`traced.check()`: one finding per difference, with its kind, line, size and an input that shows it."""

from __future__ import annotations

import copy
import itertools
import random
import warnings

import numpy
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import tracelab
from support.examples import functions_with_faults as subjects
from tracelab import CallInputs, TracelabError
from tracelab.render.view_document.document import view_document


def traced(function, *inputs, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace(function, inputs, **options)


def kinds(report):
    return [finding.kind for finding in report.findings]


def line_of(finding):
    return finding.source.text.strip()


def agrees(function, trace, finding):
    args, kwargs = finding.counterexample()
    return torch.equal(function(*copy.deepcopy(args), **kwargs), trace(*args, **kwargs))


def test_a_right_trace_is_ok():
    report = traced(torch.sigmoid, torch.ones(2, 3)).check()
    assert report.ok
    assert report.findings == []
    assert report.tried >= 32


def test_a_specialized_branch():
    trace = traced(subjects.branch, torch.ones(2, 3))
    report = trace.check()
    (finding,) = report.findings
    assert not report.ok
    assert finding.kind == "different_structure"
    assert line_of(finding) == "if x.sum() > 0:"
    assert finding.node.kind == "aten::gt"
    assert str(finding.input) == "x negated"
    assert finding.difference.absolute == 3
    assert finding.message.startswith("Graphs differed across invocations: the condition was True")
    assert not agrees(subjects.branch, trace, finding)


def test_the_whole_report_of_a_specialized_branch():
    assert str(traced(subjects.branch, torch.ones(2, 3)).check()) == (
        "check of branch: 1 error, 37 inputs tried, 1 more rejected by the function, the trace is wrong for 4\n"
        "✗ different_structure, functions_with_faults.py:14: if x.sum() > 0:\n"
        "    Graphs differed across invocations: the condition was True when traced and is False for x negated; "
        "Output nr 1.\n"
        "    of the traced function does not match the corresponding output of the Python function: 6 of 6 "
        "elements differ.\n"
        "    Greatest absolute difference: 3 at [0, 0], greatest relative difference: 3; a call is told of it\n"
        "    → choose with tensors (torch.where, torch.cond), or trace each branch by itself\n"
        "specialized on\n"
        "  functions_with_faults.py:14: if x.sum() > 0:  → wrong for x negated\n"
        "assumed\n"
        "  functions_with_faults.py:14: x.sum() > 0 is True  → told at the call: wrong for x negated"
    )


def test_a_specialized_size():
    report = traced(subjects.halved, torch.ones(4, 3)).check()
    (finding,) = report.findings
    assert finding.kind == "specialized_constant"
    assert line_of(finding) == "n = int(x.shape[0] / 2)"
    assert "the number was 2 when traced and is 0 for x of shape [1, 3] instead of [4, 3]" in finding.message


def test_a_loop_over_rows():
    (finding,) = traced(subjects.rows, torch.ones(2, 3)).check().findings
    assert finding.kind == "different_structure"
    assert line_of(finding) == "for row in x:"


def test_a_number_read_from_a_tensor():
    (finding,) = traced(subjects.scaled, torch.tensor([1.0, 2.0])).check().findings
    assert finding.kind == "specialized_constant"
    assert "the number was 2 when traced and is -1 for x negated" in finding.message


def test_a_tensor_made_from_a_list():
    (finding,) = traced(subjects.listed, torch.tensor([1.0, 2.0])).check().findings
    assert finding.kind == "specialized_constant"
    assert line_of(finding) == "weights = torch.tensor(x.tolist())"
    assert finding.message.startswith("Tensor-valued Constant nodes differed in value across invocations")


def test_a_memoised_table():
    (finding,) = traced(subjects.Cached(), torch.randn(4, 3), check_trace=False).check().findings
    assert finding.kind == "cached_state"
    assert finding.is_error
    assert line_of(finding) == 'self.cache["table"] = x.mean(0)'
    assert "on the same inputs: aten::mean became prim::Constant" in finding.message


def test_a_count_of_calls_is_memoised_state():
    numbers = itertools.count(1)
    report = traced(lambda x: x * next(numbers), torch.ones(2), check_trace=False).check()
    assert kinds(report) == ["cached_state"]
    assert "argument other of aten::mul is 1 in the trace and" in report.findings[0].message


def test_dropout_in_training_names_its_nodes():
    report = traced(nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5)), torch.randn(2, 3)).check()
    assert kinds(report) == ["nondeterminism"]
    assert report.findings[0].message == (
        "Trace had nondeterministic nodes: aten::dropout (1); its outputs change from call to call"
    )


class DropsInForward(nn.Module):
    def forward(self, x):
        return F.dropout(x, training=self.training)


@pytest.mark.parametrize("module", [nn.Dropout(), DropsInForward(), nn.Sequential(nn.RReLU())], ids=str)
def test_dropout_of_a_module_is_to_be_switched_off(module):
    report = traced(module, torch.randn(2, 3)).check()
    assert report.findings[0].suggestion == (
        "call .eval() on the model before tracing; where it is meant, check with traced.check(allow={'nondeterminism'})"
    )


@pytest.mark.parametrize("function", [lambda x: x + torch.rand(3), lambda x: F.dropout(x)], ids=["rand", "dropout"])
def test_random_numbers_of_a_function_are_to_be_seeded_or_passed_in(function):
    report = traced(function, torch.ones(3)).check()
    assert report.findings[0].suggestion.startswith("seed in the traced code")


def test_random_numbers_beside_dropout_of_a_module_have_both_suggestions():
    drop = nn.Dropout()
    report = traced(lambda x: drop(x) + torch.rand(3), torch.ones(3)).check()
    suggestion = report.findings[0].suggestion
    assert ".eval()" in suggestion
    assert "seed in the traced code" in suggestion


def test_dropout_in_evaluation_is_ok():
    assert traced(nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5)).eval(), torch.randn(2, 3)).check().ok


def test_randomness_that_is_meant_can_be_allowed():
    report = traced(lambda x: x + torch.rand_like(x), torch.ones(3)).check(allow={"nondeterminism"})
    assert report.ok
    assert kinds(report) == ["nondeterminism"]


def test_numbers_drawn_outside_of_torch_are_baked_in():
    def noisy(x):
        return x + torch.from_numpy(numpy.random.rand(3))

    report = traced(noisy, torch.ones(3), check_trace=False).check()
    (finding,) = report.errors
    assert finding.kind == "specialized_constant"
    assert "the code drew from `numpy.random` numbers that the trace keeps" in finding.message
    assert finding.suggestion == "seed in the traced code, draw with torch, or pass the numbers in as an input"


def test_another_structure_of_outputs():
    (finding,) = traced(subjects.one_or_two, torch.ones(2, 3)).check().findings
    assert line_of(finding) == "return (x, x * 2) if x.shape[0] > 2 else x"
    assert "the Python function returned 2 tensors and its trace 1" in finding.message


def test_writing_into_an_input_is_told_and_no_error():
    report = traced(subjects.written, torch.ones(2)).check()
    (finding,) = report.findings
    assert report.ok
    assert finding.kind == "input_mutation"
    assert line_of(finding) == "x.add_(1)"


def test_a_trace_that_does_not_write_where_python_does_is_an_error():
    report = traced(subjects.written, torch.ones(2), force_outplace=True, check_trace=False).check()
    (finding,) = report.findings
    assert finding.kind == "input_mutation"
    assert finding.is_error
    assert "the trace leaves the input `x` otherwise than the Python function does" in finding.message


def test_a_numerical_difference_names_the_node_where_it_begins():
    trace = traced(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.randn(2, 3))
    with torch.no_grad():
        # The weights of the module are replaced, those that the trace holds are not.
        trace.origins["forward"].modules[""][2].weight = nn.Parameter(torch.ones(2, 4))
    report = trace.check(inputs=[torch.randn(2, 3)])
    (finding,) = report.findings
    assert finding.kind == "numerical_difference"
    assert finding.node.kind == "aten::linear"
    assert finding.node.scope.path == "2"


def test_a_python_function_that_raises_is_named_and_the_rest_goes_on():
    report = traced(subjects.picky, torch.ones(2, 2)).check(
        inputs=[torch.ones(1, 2), torch.ones(3, 2), torch.ones(4, 2)]
    )
    (finding,) = report.findings
    assert finding.kind == "eager_error"
    assert finding.message == (
        "the Python function raised ValueError: three rows are too many, for check input 2; the trace does not"
    )
    assert report.tried == 3


def test_proposed_inputs_on_which_python_raises_are_no_counterexamples():
    report = traced(subjects.picky, torch.ones(2, 2)).check()
    assert report.ok
    assert report.rejected_inputs > 0


def test_inputs_that_do_not_fit_are_named_and_the_rest_goes_on():
    report = traced(subjects.branch, torch.ones(2)).check(inputs=[(torch.ones(2), torch.ones(2)), 3, -torch.ones(2)])
    assert sorted(kinds(report)) == ["different_structure", "invalid_inputs", "invalid_inputs"]
    assert any("check input 2 does not fit: example_inputs is of type int" in f.message for f in report.findings)


def test_given_inputs_keep_the_worst():
    inputs = [torch.full((2,), float(-size)) for size in range(1, 10)]
    report = traced(subjects.branch, torch.ones(2)).check(inputs=inputs)
    assert str(report.findings[0].input) == "check input 9"
    assert report.findings[0].count == 9
    assert [str(case.input) for case in report.worst] == [f"check input {number}" for number in (9, 8, 7, 6, 5)]


def test_a_place_that_nothing_shows_wrong():
    report = traced(subjects.never_negative, torch.ones(2)).check(max_examples=8)
    assert report.ok
    assert [place.verdict for place in report.specializations] == ["no counterexample in 8 examples"]


def test_each_place_gets_an_input_of_its_own():
    report = traced(subjects.two_places, torch.ones(2, 3)).check()
    assert [place.verdict for place in report.specializations] == [
        "wrong for x of shape [3, 3] instead of [2, 3]",
        "wrong for x negated",
    ]


def test_integers_stay_within_their_range():
    table, ids = torch.randn(10, 4), torch.tensor([[3, 9, 0]])
    report = traced(subjects.embedded, ids, table).check(max_examples=64)
    assert report.ok
    assert report.tried >= 64


def test_keyword_inputs():
    trace = tracelab.trace(
        lambda x, *, scale: x * scale, example_kwarg_inputs={"x": torch.ones(2), "scale": torch.ones(2)}
    )
    assert trace.check().ok
    assert trace.check(inputs=[CallInputs((torch.ones(3),), {"scale": torch.ones(3)})]).tried == 1


def test_a_method_of_a_module():
    class Net(nn.Module):
        def forward(self, x):
            return x * 2

        def encode(self, x):
            return x * 2 if x.sum() > 0 else x

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        trace = tracelab.trace_module(Net(), {"forward": torch.ones(2), "encode": torch.ones(2)})
    assert trace.check().ok
    report = trace.check(method="encode")
    assert not report.ok
    assert report.name == "Net.encode"


def test_nothing_of_the_users_changes():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3, 3)
            self.norm = nn.BatchNorm1d(3)
            self.seen = []
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            self.seen.append(self.calls)
            x.mul_(2)
            return torch.nn.functional.dropout(self.norm(self.linear(x)), 0.5) + random.random()

    net, x = Net(), torch.randn(4, 3)
    trace = traced(net, x, check_trace=False)
    net(x.clone()).sum().backward()
    before = (
        copy.deepcopy(net.state_dict()),
        copy.deepcopy([p.grad for p in net.parameters()]),
        net.calls,
        list(net.seen),
    )
    states = torch.get_rng_state(), random.getstate(), numpy.random.get_state()[1].tolist()
    kept = x.clone()
    trace.check(max_examples=8)
    trace.check(inputs=[x])
    assert all(torch.equal(value, before[0][name]) for name, value in net.state_dict().items())
    assert all(torch.equal(p.grad, grad) for p, grad in zip(net.parameters(), before[1], strict=True))
    assert (net.calls, net.seen) == before[2:]
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert numpy.random.get_state()[1].tolist() == states[2]
    assert torch.equal(x, kept)


def test_a_trace_from_a_file_says_that_it_has_no_function(tmp_path):
    traced(subjects.branch, torch.ones(2)).save(tmp_path / "branch.tlab")
    with pytest.raises(TracelabError, match=r"branch has no Python function to check it against"):
        tracelab.load(tmp_path / "branch.tlab").check()


def test_a_kind_that_there_is_not_is_refused():
    with pytest.raises(TracelabError, match="is not a collection of kinds of findings"):
        traced(torch.sigmoid, torch.ones(2)).check(allow=["random"])


def test_the_report_for_notebooks_escapes_what_it_shows():
    report = traced(torch.sigmoid, torch.ones(2)).check(max_examples=2)
    report.name = "<script>"
    assert "<script>" not in report._repr_mimebundle_()["text/html"]


def test_the_error_of_a_trace_has_the_report():
    with pytest.raises(tracelab.TracingCheckError) as caught:
        traced(subjects.branch, torch.ones(2), check_inputs=[torch.ones(3), -torch.ones(3)])
    assert caught.value.report.findings[0].kind == "different_structure"
    assert str(caught.value).endswith("(functions_with_faults.py:14)")


def test_the_view_document_tells_what_a_check_answered():
    trace = traced(subjects.branch, torch.ones(2, 3))
    assert "verdict" not in view_document(trace.graph)["warnings"][0]
    trace.check()
    assert view_document(trace.graph)["warnings"][0]["verdict"] == "wrong for x negated"


def test_a_place_whose_size_is_no_node_is_shown_at_the_tensor_that_was_asked():
    def kept(x):
        rows = x[x[:, 0] > 0]
        return rows if rows.shape[0] > 1 else x

    trace = traced(kept, torch.ones(3, 2))
    (row,) = view_document(trace.graph)["warnings"]
    assert trace.graph.nodes[row["node"]].kind == "aten::index"
    assert trace.check().findings[0].node.kind == "aten::index"


@pytest.mark.parametrize(
    "example",
    [
        torch.empty(0, 3),
        torch.empty(3, 0),
        torch.ones(2, 3).to(torch.float8_e4m3fn),
        torch.ones(2, 3, dtype=torch.uint16),
        torch.ones(2, 3, dtype=torch.uint64),
    ],
    ids=lambda tensor: f"{tensor.dtype}{list(tensor.shape)}",
)
def test_inputs_of_odd_sizes_and_dtypes_are_checked(example):
    report = tracelab.trace(lambda x: x.clone(), example, check_trace=False).check(max_examples=6)
    assert report.ok
    assert report.tried == 6
