"""A run goes node by node: it gives what a call gives, keeps what was asked for, and changes nothing."""

from __future__ import annotations

import gc
import signal
import threading
import weakref

import pytest
import torch
from torch import nn

import tracelab
from tracelab import InputError, TracelabError
from tracelab.demo import GPT, ResNet
from tracelab.execute import RunError


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 3)
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(3, 2)

    def forward(self, x):
        hidden = self.act(self.fc1(x))
        return self.fc2(hidden)


@pytest.fixture
def net():
    return Net()


@pytest.fixture
def traced(net):
    return tracelab.trace(net, torch.randn(2, 4))


x = torch.randn(5, 4)


# Outputs -----------------------------------------------------------------------------------------------------


def test_the_outputs_are_those_of_a_call(net, traced):
    assert torch.equal(traced.run(x).outputs, net(x))


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (ResNet.resnet18(10, 8).eval(), torch.randn(1, 3, 32, 32)),
        (GPT(layers=2).eval(), torch.randint(0, 256, (1, 9))),
    ],
    ids=["resnet", "gpt"],
)
def test_statistics_and_kept_values_never_change_results(model, example):
    traced = tracelab.trace(model, example)
    run = traced.run(example, record=True, statistics=True, flops=True)
    assert torch.equal(run.outputs, model(example))


def test_a_graph_without_nodes_gives_its_input():
    run = tracelab.trace(lambda x: x, torch.ones(2)).run(torch.zeros(3))
    assert run.finished
    assert run.outputs.tolist() == [0, 0, 0]


def test_nested_outputs_come_back_nested():
    traced = tracelab.trace(lambda x: (x + 1, (x * 2, x)), torch.ones(2))
    first, (second, third) = traced.run(torch.zeros(2)).outputs
    assert [item.tolist() for item in (first, second, third)] == [[1, 1], [0, 0], [0, 0]]


def test_random_numbers_are_drawn_as_by_a_call():
    traced = tracelab.trace(lambda x: torch.nn.functional.dropout(x) + torch.rand(4), torch.ones(4), check_trace=False)
    torch.manual_seed(1)
    called = traced(torch.ones(4))
    torch.manual_seed(1)
    assert torch.equal(traced.run(torch.ones(4), statistics=True, record=True).outputs, called)


def test_a_method_of_a_module_can_be_run():
    class Coder(nn.Module):
        def encode(self, x):
            return x * 2

        def decode(self, x):
            return x / 2

    traced = tracelab.trace_module(Coder(), {"encode": x, "decode": x})
    assert torch.equal(traced.run(x, method="decode").outputs, x / 2)
    with pytest.raises(TracelabError, match="`forward` was not traced; traced methods: encode, decode"):
        traced.run(x)


def test_arguments_may_be_given_by_name(traced):
    assert torch.equal(traced.run(x=x).outputs, traced(x))


def test_gradient_mode_and_autocast_regions_hold():
    def regions(x):
        with torch.autocast("cpu", torch.bfloat16):
            y = x @ x
        return y, x @ x

    traced = tracelab.trace(regions, torch.ones(2, 2))
    inside, outside = traced.run(torch.ones(2, 2)).outputs
    assert (inside.dtype, outside.dtype) == (torch.bfloat16, torch.float32)
    assert not torch.is_autocast_enabled("cpu")


def test_a_function_that_differentiates_runs():
    def slope(x):
        y = x.detach().requires_grad_()
        return torch.autograd.grad((y**3).sum(), y)[0]

    traced = tracelab.trace(slope, torch.ones(3))
    assert traced.run(torch.full((3,), 2.0)).outputs.tolist() == [12, 12, 12]


def test_a_run_takes_no_part_in_autograd_unless_asked(traced):
    assert not traced.run(x).outputs.requires_grad
    assert traced.run(x, gradients=True).outputs.requires_grad


# What stays as it was ----------------------------------------------------------------------------------------


def test_an_input_that_the_graph_writes_into_stays():
    traced = tracelab.trace(lambda x: x.add_(1) * 2, torch.ones(2))
    given = torch.zeros(2)
    assert traced.run(given).outputs.tolist() == [2, 2]
    assert given.tolist() == [0, 0]


def test_running_statistics_of_batch_norm_stay():
    net = nn.Sequential(nn.BatchNorm1d(4))
    traced = tracelab.trace(net, torch.randn(3, 4))
    before = {name: buffer.clone() for name, buffer in net.state_dict().items()}
    traced.run(torch.randn(5, 4))
    assert all(torch.equal(buffer, before[name]) for name, buffer in net.state_dict().items())


def test_a_rebound_buffer_stays():
    class Counter(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("steps", torch.zeros(()))

        def forward(self, x):
            self.steps = self.steps + 1
            return x * self.steps

    counter = Counter()
    traced = tracelab.trace(counter, torch.ones(2))
    before = traced.steps.item(), counter.steps.item()
    traced.run(torch.ones(2))
    assert (traced.steps.item(), counter.steps.item()) == before


def test_gradient_mode_is_as_before_after_an_error():
    traced = tracelab.trace(lambda x, y: x @ y, (torch.ones(2, 2), torch.ones(2, 2)))
    with pytest.raises(RunError):
        traced.run(torch.ones(2, 2), torch.ones(3, 3))
    assert torch.is_grad_enabled()


# Values ------------------------------------------------------------------------------------------------------


def test_a_value_is_found_by_its_name_its_node_itself_and_its_module(traced, net):
    run = traced.run(x, record=["hidden"])
    hidden = torch.relu(net.fc1(x))
    node = traced.graph.find_nodes("aten::relu")[0]
    for key in ("hidden", "%hidden", node, node.output, "act"):
        assert torch.equal(run[key], hidden)


def test_only_watched_values_are_kept(traced):
    run = traced.run(x, record="fc1")
    assert list(run.recorded) == [traced.graph.find_nodes("aten::linear")[0].output]
    assert "fc1" in run
    assert "act" not in run
    with pytest.raises(TracelabError, match=r"%hidden was not recorded: name it in record=\['hidden'\]"):
        run["hidden"]


def test_values_that_nobody_watches_are_freed_at_their_last_use(traced):
    alive: list[weakref.ref[torch.Tensor]] = []
    seen = []

    class Note(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            gc.collect()
            seen.append([reference() is not None for reference in alive])
            made = x + 1
            alive.append(weakref.ref(made))
            return made

    chain = tracelab.trace(lambda x: Note.apply(Note.apply(Note.apply(x) * 2) * 2), torch.ones(2), check_trace=False)
    alive.clear()
    seen.clear()
    chain.run(torch.ones(2))
    assert seen == [[], [False], [False, False]]


def test_a_watched_value_is_kept_as_it_was_made():
    def write(x):
        y = x * 2
        z = y.add_(1)
        return z * 1

    run = tracelab.trace(write, torch.ones(2)).run(torch.ones(2), record=True)
    assert run["y"].tolist() == [2, 2]
    assert run["z"].tolist() == [3, 3]


def test_an_unknown_name_is_answered_with_a_near_one(traced):
    with pytest.raises(
        TracelabError, match=r"no value or module of the graph is called `hiden`; did you mean `hidden`\?"
    ):
        traced.run(x, record=["hiden"])


def test_a_value_of_another_trace_is_refused(traced):
    other = tracelab.trace(lambda x: x * 2, torch.ones(2))
    with pytest.raises(TracelabError, match="it belongs to another trace"):
        traced.run(x, record=other.graph.nodes)


# Parts -------------------------------------------------------------------------------------------------------


def test_until_stops_after_the_node(traced, net):
    run = traced.run(x, until="fc1")
    assert torch.equal(run.outputs, net.fc1(x))
    assert not run.finished
    assert run.stopped_at is traced.graph.find_nodes("aten::relu")[0]
    assert [record.node.kind for record in run.records] == ["aten::linear"]


def test_until_shows_all_that_the_node_makes_used_or_not():
    traced = tracelab.trace(lambda x: torch.var_mean(x, 0)[1] * 2, torch.ones(3, 2))
    node = traced.graph.find_nodes("aten::var_mean")[0]
    variance, mean = traced.run(torch.ones(3, 2), until=node).outputs
    assert (variance.tolist(), mean.tolist()) == ([0, 0], [1, 1])


def test_what_was_not_reached_is_said_to_be_so(traced):
    with pytest.raises(TracelabError, match=r"%hidden was not made: the run stopped before aten::relu"):
        traced.run(x, until="fc1")["hidden"]


def test_a_run_goes_on_where_it_stopped_as_often_as_one_likes(traced, net):
    before = traced.run(x, until="act")
    for _ in range(2):
        assert torch.equal(before.resume().outputs, net(x))
    assert not before.finished


def test_going_on_twice_gives_the_same_although_the_graph_writes_in_place():
    def write(x):
        y = x * 2
        row = y[0]
        row.add_(1)
        return y + 0

    traced = tracelab.trace(write, torch.ones(2, 2))
    before = traced.run(torch.ones(2, 2), until="row")
    for _ in range(2):
        assert before.resume().outputs.tolist() == [[3, 3], [2, 2]]


def test_going_on_enters_the_regions_that_were_open():
    def region(x):
        with torch.autocast("cpu", torch.bfloat16):
            y = x + 1
            return y @ y

    traced = tracelab.trace(region, torch.ones(2, 2))
    assert traced.run(torch.ones(2, 2), until="y").resume().outputs.dtype is torch.bfloat16


def test_a_run_from_a_node_takes_what_it_needs_from_the_caller(traced, net):
    hidden = torch.randn(5, 3)
    run = traced.run(x, start="fc2", replace={"hidden": hidden})
    assert torch.equal(run.outputs, net.fc2(hidden))
    assert len(run) == 1


def test_a_run_from_a_node_says_what_it_needs(traced):
    with pytest.raises(TracelabError, match=r"these values are needed, and were not recorded: %hidden; give them by"):
        traced.run(x, start="fc2")


def test_a_finished_run_goes_on_from_kept_values(traced, net):
    run = traced.run(x, record=["act"])
    again = run.resume(start="fc2")
    assert torch.equal(again.outputs, net(x))
    assert len(again) == 1


def test_a_kept_value_that_is_written_to_later_is_not_gone_on_from():
    def write(x):
        y = x * 2
        y.add_(1)
        return (y * 3, y)

    traced = tracelab.trace(write, torch.ones(2))
    run = traced.run(torch.ones(2), record=["y"])
    with pytest.raises(TracelabError, match=r"%y is written to in place"):
        run.resume(start=traced.graph.find_nodes("aten::add_")[0])


def test_nothing_is_run_backwards(traced):
    with pytest.raises(TracelabError, match="it comes first"):
        traced.run(x, start="fc2", until="fc1")


# What if -----------------------------------------------------------------------------------------------------


REPLACEMENTS = ["an int", "a float", "a tensor", "a function"]


@pytest.mark.parametrize("by", [0, 0.0, torch.zeros(5, 3), lambda hidden: hidden * 0], ids=REPLACEMENTS)
def test_a_replaced_value_flows_on(traced, net, by):
    run = traced.run(x, replace={"hidden": by})
    assert torch.equal(run.outputs, net.fc2.bias.expand(5, 2))


def test_an_input_and_a_parameter_can_be_replaced(traced, net):
    assert torch.equal(traced.run(x, replace={"x": 0.0}).outputs, net(torch.zeros(5, 4)))
    run = traced.run(x, replace={"fc2.weight": torch.zeros(2, 3)})
    assert torch.equal(run.outputs, net.fc2.bias.expand(5, 2))
    assert net.fc2.weight.abs().sum() > 0


def test_a_finished_run_answers_what_if_by_running_only_what_follows(traced, net):
    run = traced.run(x, record=["hidden"])
    what_if = run.resume(replace={"hidden": 0.0})
    assert torch.equal(what_if.outputs, net.fc2.bias.expand(5, 2))
    assert len(what_if) == 1


def test_a_replacement_of_another_shape_is_refused_and_names_node_and_line(traced):
    with pytest.raises(RunError) as caught:
        traced.run(x, replace={"hidden": torch.zeros(5, 4)})
    assert str(caught.value).startswith("the replacement of %hidden made by aten::relu (%hidden, in act, ")
    assert str(caught.value).endswith("has shape (5, 4), but the value has (5, 3)")
    assert [record.node.kind for record in caught.value.run.records] == ["aten::linear"]


def test_a_replacement_of_another_dtype_is_refused(traced):
    with pytest.raises(RunError, match=r"is float64, but the value is float32: give it \.to\(torch\.float32\)"):
        traced.run(x, replace={"hidden": torch.zeros(5, 3, dtype=torch.float64)})


# Errors ------------------------------------------------------------------------------------------------------


def test_a_node_that_fails_is_named_with_its_line_and_the_run_so_far_is_kept(traced):
    with pytest.raises(RunError) as caught:
        traced.run(torch.ones(5, 7), record=True)
    message = str(caught.value)
    assert message.startswith("aten::linear (%linear, in fc1, ")
    assert "failed: RuntimeError: `linear` expects 4 features and gets 7: " in message
    assert "(mat1 and mat2 shapes cannot be multiplied (5x7 and 4x3))" in message
    assert "\n" not in message
    assert caught.value.node is traced.graph.nodes[0]
    run = caught.value.run
    assert run.failed is traced.graph.nodes[0]
    assert run["x"].shape == (5, 7)


def test_an_error_leaves_earlier_runs_as_they_are(traced, net):
    good = traced.run(x, record=True)
    with pytest.raises(RunError):
        traced.run(torch.ones(5, 7))
    assert torch.equal(good["fc1"], net.fc1(x))


def test_another_structure_of_inputs_is_refused_before_anything_runs(traced):
    with pytest.raises(InputError, match="takes 1 argument "):
        traced.run(x, x)
    with pytest.raises(InputError, match="`x` should be a tensor"):
        traced.run([x])


def test_memory_that_runs_out_gives_the_node_and_how_much_was_asked():
    traced = tracelab.trace(lambda x, n: (x * 2).expand(n.shape[0], n.shape[0]) + 1, (torch.ones(1, 1), torch.ones(2)))
    with pytest.raises(RunError) as caught:
        traced.run(torch.ones(1, 1), torch.empty(1, dtype=torch.int8).expand(1 << 23))
    message = str(caught.value)
    assert message.startswith("out of memory on cpu at aten::add (%add, test_run.py:")
    assert f"{4 << 46 >> 30:.1f} GiB were asked for" in message
    assert caught.value.asked == 4 << 46
    assert caught.value.run.node_record("mul").node.kind == "aten::mul"


def test_a_device_that_is_not_there_is_named_with_those_that_are(traced):
    with pytest.raises(InputError, match=r"there is no device `cuda:99` here; present: cpu"):
        traced.run(x, device="cuda:99")
    with pytest.raises(InputError, match=r"there is no device `gpu` here"):
        traced.run(x, device="gpu")


def test_an_operator_without_a_kernel_on_the_device_is_named():
    traced = tracelab.trace(lambda x: (x * 2).nonzero(), torch.ones(3), check_trace=False)
    with pytest.raises(RunError, match=r"^aten::nonzero \(%nonzero, test_run\.py:\d+\) has no kernel on meta"):
        traced.run(torch.ones(3), device="meta")


# Stopping ----------------------------------------------------------------------------------------------------


def test_a_run_is_cancelled_between_two_nodes_and_keeps_what_it_has(traced, net):
    stop = threading.Event()
    run = traced.run(x, record=True, cancel=stop, progress=lambda record: stop.set())
    assert run.cancelled
    assert not run.finished
    assert torch.equal(run["fc1"], net.fc1(x))
    assert torch.equal(run.resume().outputs, net(x))


def test_a_function_can_cancel_before_anything_ran(traced, net):
    run = traced.run(x, cancel=lambda: True)
    assert len(run) == 0
    assert run.outputs is None
    assert torch.equal(run.resume().outputs, net(x))


@pytest.fixture
def keyboard():
    """Ctrl-C as a terminal gives it: a process that was started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("keyboard")
def test_ctrl_c_stops_after_the_node_that_runs(traced):
    before = signal.getsignal(signal.SIGINT)
    run = traced.run(x, progress=lambda record: signal.raise_signal(signal.SIGINT))
    assert run.cancelled
    assert len(run) == 1
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.usefixtures("keyboard")
def test_the_second_ctrl_c_interrupts_at_once(traced):
    def press(record):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        traced.run(x, progress=press)


def test_a_run_in_another_thread_gives_the_same(traced, net):
    found = []
    thread = threading.Thread(target=lambda: found.append(traced.run(x).outputs))
    thread.start()
    thread.join()
    assert torch.equal(found[0], net(x))


# Progress ----------------------------------------------------------------------------------------------------


def test_progress_hears_of_each_node_once_in_order(traced):
    heard = []
    run = traced.run(x, statistics=True, progress=heard.append)
    assert [record.node.kind for record in heard] == ["aten::linear", "aten::relu", "aten::linear"]
    assert heard == run.records
    assert all(record.seconds > 0 and record.statistics for record in heard)


def test_a_listener_that_raises_ends_the_run_with_its_error(traced):
    def fail(record):
        raise LookupError("the listener's own")

    with pytest.raises(LookupError, match="the listener's own"):
        traced.run(x, progress=fail)


# Text --------------------------------------------------------------------------------------------------------


def test_it_says_how_far_it_came(traced):
    run = traced.run(x, until="fc1")
    assert repr(run) == "Run(Net.forward, 1 node on cpu, stopped)"
    assert str(run).splitlines()[1].startswith("stopped before aten::relu (%hidden, in act")
