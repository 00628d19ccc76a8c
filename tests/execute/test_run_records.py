"""What a run knows of each node: time, memory, FLOPs, and the first NaN."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

import tracelab
from tracelab.demo import ResNet


def kib(count):
    return torch.ones(count * 256)


def test_memory_counts_what_is_live_each_storage_once():
    def chain(x):
        a = x + 1
        b = a.view(2, -1)
        c = b * 2
        return c.sum()

    traced = tracelab.trace(chain, kib(4))
    run = traced.run(kib(4))
    kinds = [record.node.kind for record in run.records if record.node.kind.startswith("aten::")]
    assert kinds == ["aten::add", "aten::view", "aten::mul", "aten::sum"]
    records = {record.node.kind: record for record in run.records}
    # The input, no longer needed, is not counted after its last use.
    assert records["aten::add"].peak == 8 << 10
    assert records["aten::view"].allocated == 4 << 10
    assert records["aten::mul"].peak == 8 << 10
    assert records["aten::sum"].allocated == 4
    assert run.peak_memory == 8 << 10


def test_a_watched_value_stays_in_the_account():
    traced = tracelab.trace(lambda x: ((x + 1) * 2).sum(), kib(4))
    assert traced.run(kib(4), record=["add"]).records[-1].allocated == (4 << 10) + 4


def test_parameters_are_part_of_the_account():
    traced = tracelab.trace(nn.Linear(256, 1, bias=False), torch.ones(1, 256))
    assert traced.run(torch.ones(1, 256)).peak_memory == 1024 + 1024 + 4


def test_the_time_of_a_run_is_the_sum_of_its_nodes():
    traced = tracelab.trace(lambda x: (x @ x) @ x, torch.ones(64, 64))
    run = traced.run(torch.ones(64, 64))
    assert run.seconds == sum(record.seconds for record in run.records)


def test_flops_are_those_of_torch_s_counter():
    from torch.utils.flop_counter import FlopCounterMode

    model = ResNet.resnet18(10, 8).eval()
    example = torch.randn(2, 3, 32, 32)
    with FlopCounterMode(display=False) as counter:
        model(example)
    run = tracelab.trace(model, example).run(example, flops=True)
    assert run.flops == counter.get_total_flops() > 0
    assert run.node_record("fc").flops == 2 * 2 * 64 * 10


def test_a_view_moves_no_bytes_and_an_operator_moves_what_it_reads_and_writes():
    traced = tracelab.trace(lambda x: x.view(-1) * 2, torch.ones(4, 4))
    run = traced.run(torch.ones(4, 4), flops=True)
    assert [record.bytes for record in run.records if record.node.kind in ("aten::view", "aten::mul")] == [0, 128]


def test_without_asking_there_are_no_flops_and_no_statistics():
    run = tracelab.trace(lambda x: x @ x, torch.ones(2, 2)).run(torch.ones(2, 2))
    assert run.flops is None
    assert run.records[0].statistics == {}


# Estimates ---------------------------------------------------------------------------------------------------


class Huge(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(1 << 16, 1 << 20, bias=False, device="meta")

    def forward(self, x):
        return self.fc(x)


def test_a_model_that_does_not_fit_is_estimated_on_meta():
    example = torch.empty(8, 1 << 16, device="meta")
    run = tracelab.trace(Huge(), example).run(example)
    assert run.peak_memory == 4 * ((1 << 36) + 8 * (1 << 16) + 8 * (1 << 20))
    assert run.flops == 2 * 8 * (1 << 36)
    assert run.seconds is None
    assert run.records[0].seconds is None


def test_an_estimate_is_what_the_run_takes():
    model = ResNet.resnet18(10, 8).eval()
    example = torch.randn(1, 3, 32, 32)
    traced = tracelab.trace(model, example)
    real, estimate = traced.run(example, flops=True), traced.run(example, device="meta")
    assert [record.peak for record in estimate.records] == [record.peak for record in real.records]
    assert estimate.flops == real.flops


def test_fake_inputs_estimate_with_the_state_made_fake():
    model = ResNet.resnet18(10, 8).eval()
    traced = tracelab.trace(model, torch.randn(1, 3, 32, 32))
    with FakeTensorMode():
        example = torch.randn(64, 3, 32, 32)
    run = traced.run(example)
    assert run.outputs.shape == (64, 10)
    assert run.seconds is None
    assert run.flops == 64 * traced.run(torch.randn(1, 3, 32, 32), flops=True).flops
    assert next(model.parameters()).device.type == "cpu"


# NaN and infinity --------------------------------------------------------------------------------------------


def failing(x):
    y = x - 1
    z = torch.log(y)
    return (z * 0).sum()


def test_the_first_nan_or_infinity_is_found_and_named():
    traced = tracelab.trace(failing, torch.full((3,), 2.0))
    assert traced.run(torch.full((3,), 2.0)).first_nonfinite is None
    run = traced.run(torch.ones(3))
    assert run.first_nonfinite is traced.graph.find_nodes("aten::log")[0]
    assert run.first_nan is traced.graph.find_nodes("aten::mul")[0]
    assert str(run).splitlines()[1].startswith("first NaN: aten::mul (%mul, test_run_records.py:")
    assert str(run).splitlines()[2].startswith("first infinity: aten::log (%z, test_run_records.py:")


DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex32, torch.complex64]


@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental")
@pytest.mark.parametrize("dtype", DTYPES)
def test_large_numbers_are_no_infinities(dtype):
    largest = torch.finfo(dtype).max
    example = torch.full((1000,), largest, dtype=dtype)
    assert tracelab.trace(lambda x: x * 1, example, check_trace=False).run(example).first_nonfinite is None


def test_nan_in_an_input_shows_where_it_is_first_used():
    traced = tracelab.trace(lambda x: (x.view(-1) * 2, x.sum()), torch.ones(2, 2))
    run = traced.run(torch.tensor([[1.0, float("nan")], [1, 1]]))
    assert run.first_nonfinite is traced.graph.find_nodes("aten::mul")[0]


def test_looking_for_nan_can_be_left_out():
    traced = tracelab.trace(failing, torch.full((3,), 2.0))
    assert traced.run(torch.ones(3), check_finite=False).first_nonfinite is None


# Gradients ---------------------------------------------------------------------------------------------------


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 3)
        self.fc2 = nn.Linear(3, 2)

    def forward(self, x):
        hidden = torch.tanh(self.fc1(x))
        return self.fc2(hidden)


def test_backward_gives_the_gradient_norm_of_every_value():
    net = Net()
    given = torch.randn(5, 4)
    gradients = tracelab.trace(net, torch.randn(2, 4)).run(given, gradients=True).backward()
    x = given.clone().requires_grad_()
    hidden = torch.tanh(net.fc1(x))
    hidden.retain_grad()
    net.fc2(hidden).sum().backward()
    for key, tensor in (("hidden", hidden), ("x", x), ("fc1.weight", net.fc1.weight), ("fc2.bias", net.fc2.bias)):
        assert gradients[key].norm == pytest.approx(tensor.grad.norm().item())
        assert gradients[key].statistics.max == pytest.approx(tensor.grad.max().item())
        assert sum(gradients[key].statistics.histogram) == tensor.numel()
    assert [value.name for value in gradients][:2] == ["x", "fc1.weight"]


def test_backward_leaves_grad_of_the_module_and_the_input_alone():
    net, given = Net(), torch.randn(5, 4, requires_grad=True)
    tracelab.trace(net, torch.randn(2, 4)).run(given, gradients=True).backward()
    assert given.grad is None
    assert all(parameter.grad is None for parameter in net.parameters())


def test_a_value_that_is_written_in_place_has_the_gradient_of_what_it_was():
    def write(x):
        y = x * 2
        z = y.mul_(3)
        return z * 1

    gradients = tracelab.trace(write, torch.ones(2)).run(torch.ones(2), gradients=True).backward()
    assert gradients["y"].norm == pytest.approx(18**0.5)
    assert gradients["x"].norm == pytest.approx(72**0.5)


def test_the_outputs_own_gradient_may_be_given():
    run = tracelab.trace(lambda x: x * 2, torch.ones(2)).run(torch.ones(2), gradients=True)
    assert run.backward(torch.tensor([3.0, 4.0]))["x"].norm == pytest.approx(10)
    with pytest.raises(tracelab.InputError, match=r"the gradient has shape \(3,\), but the outputs have \(2,\)"):
        run.backward(torch.ones(3))


def test_backward_without_gradients_says_what_to_do():
    run = tracelab.trace(lambda x: x * 2, torch.ones(2)).run(torch.ones(2))
    with pytest.raises(tracelab.TracelabError, match="run it with gradients=True"):
        run.backward()


def test_a_value_off_the_path_has_no_gradient():
    traced = tracelab.trace(lambda x: (x * 2, (x > 0) & True), torch.ones(2))
    gradients = traced.run(torch.ones(2), gradients=True).backward()
    assert "gt" not in gradients
    with pytest.raises(tracelab.TracelabError, match="no gradient reached %gt"):
        gradients["gt"]


def test_a_gradient_flows_through_where_a_run_was_resumed():
    net = Net()
    traced = tracelab.trace(net, torch.randn(2, 4))
    given = torch.randn(5, 4)
    whole = traced.run(given, gradients=True).backward()
    parts = traced.run(given, gradients=True, until="fc1").resume().backward()
    assert parts["x"].norm == pytest.approx(whole["x"].norm)


# CUDA --------------------------------------------------------------------------------------------------------

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@cuda
def test_a_run_on_cuda_moves_inputs_state_and_created_tensors():
    net = Net()

    def shifted(x):
        return net(x) + torch.arange(2, device="cpu")

    traced = tracelab.trace(shifted, torch.randn(2, 4))
    given = torch.randn(5, 4)
    run = traced.run(given, device="cuda", record=True, statistics=True)
    assert all(tensor.is_cuda for tensor in run.recorded.values() if isinstance(tensor, torch.Tensor))
    torch.testing.assert_close(run.outputs.cpu(), shifted(given).detach())
    assert all(record.seconds > 0 and record.peak > 0 for record in run.records)
    assert next(net.parameters()).device.type == "cpu"


@cuda
def test_the_peak_memory_of_a_cuda_run_is_near_eager_s():
    model = ResNet.resnet18(10, 32).eval().cuda()
    example = torch.randn(8, 3, 64, 64, device="cuda")
    traced = tracelab.trace(model, example)
    traced.run(example)
    torch.cuda.reset_peak_memory_stats()
    with torch.no_grad():
        model(example)
    eager = torch.cuda.max_memory_allocated()
    assert traced.run(example).peak_memory <= 1.1 * eager


@cuda
def test_out_of_memory_on_cuda_says_how_much_was_asked():
    traced = tracelab.trace(lambda x, n: (x * 2).expand(n.shape[0], n.shape[0]) + 1, (torch.ones(1, 1), torch.ones(2)))
    size = torch.empty(1, dtype=torch.int8, device="cuda").expand(1 << 22)
    with pytest.raises(tracelab.TracelabError, match=r"out of memory on cuda:0 at aten::add .* GiB were asked for"):
        traced.run(torch.ones(1, 1, device="cuda"), size)
