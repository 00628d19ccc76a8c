"""Backends give what eager gives, and say so when they hand a call back to Python."""

from __future__ import annotations

import shutil
import warnings

import pytest
import torch
from torch import nn

import tracelab
from tracelab import InputError, TracelabError
from tracelab.execute.backends import BackendWarning

compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")
cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 3)
        self.fc2 = nn.Linear(3, 2)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


x = torch.randn(5, 4)


@pytest.fixture
def net():
    return Net()


@pytest.fixture
def traced(net):
    return tracelab.trace(net, torch.randn(2, 4))


def test_the_python_backend_is_the_generated_code(net, traced):
    fast = traced.with_backend()
    assert torch.equal(fast(x), net(x))
    assert fast.backend == "python"
    assert fast.fallback_reason == ""


def test_arguments_nest_and_have_names_as_for_a_call():
    traced = tracelab.trace(lambda pair, z: pair[0] * pair[1] + z, ((torch.ones(2), torch.ones(2)), torch.ones(2)))
    fast = traced.with_backend()
    assert fast((torch.ones(3), torch.ones(3)), z=torch.ones(3)).tolist() == [2, 2, 2]
    with pytest.raises(InputError, match="needs the argument `z`"):
        fast((torch.ones(3), torch.ones(3)))


def test_a_module_that_changes_is_what_runs(net, traced):
    fast = traced.with_backend()
    with torch.no_grad():
        net.fc2.bias += 1
    assert torch.equal(fast(x), net(x))
    traced.get_submodule("fc2").bias = nn.Parameter(torch.zeros(2))
    assert torch.equal(fast(x), traced(x))


def test_an_unknown_backend_is_answered_with_those_there_are(traced):
    with pytest.raises(InputError, match="there is no backend `tpu`: give python, inductor or cudagraph"):
        traced.with_backend("tpu")


def test_a_method_that_was_not_traced_is_refused(traced):
    with pytest.raises(TracelabError, match="`encode` was not traced; traced methods: forward"):
        traced.with_backend(method="encode")


@compiler
@pytest.mark.slow
def test_inductor_gives_eager_s_values_and_gradients(net, traced):
    fast = traced.with_backend("inductor")
    torch.testing.assert_close(fast(x), net(x))
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    fast(ours).sum().backward()
    mine = net.fc1.weight.grad.clone()
    net.zero_grad()
    net(theirs).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
    torch.testing.assert_close(mine, net.fc1.weight.grad)


@compiler
@pytest.mark.slow
def test_inductor_takes_other_shapes_and_a_function():
    def normalised(x):
        return (x - x.mean(0)) / (x.shape[0] + x.std(0))

    fast = tracelab.trace(normalised, torch.randn(3, 2)).with_backend("inductor")
    for rows in (3, 7, 9):
        given = torch.randn(rows, 2)
        torch.testing.assert_close(fast(given), normalised(given))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_cuda_graph_without_a_device_falls_back_and_says_why_once(net, traced):
    fast = traced.with_backend("cudagraph")
    with pytest.warns(BackendWarning, match=r"Net\.forward ran as Python code: cudagraph needs a CUDA device"):
        assert torch.equal(fast(x), net(x))
    assert fast.fallback_reason == "cudagraph needs a CUDA device, and there is none"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fast(x)


@cuda
def test_a_cuda_graph_replays_with_other_values(net, traced):
    traced.to("cuda")
    fast = traced.with_backend("cudagraph")
    with torch.no_grad():
        for _ in range(3):
            given = torch.randn(5, 4, device="cuda")
            torch.testing.assert_close(fast(given), traced(given))
    assert fast.fallback_reason == ""


@cuda
def test_a_result_of_a_cuda_graph_is_not_written_over(traced):
    traced.to("cuda")
    fast = traced.with_backend("cudagraph")
    with torch.no_grad():
        first = fast(torch.zeros(5, 4, device="cuda"))
        kept = first.clone()
        fast(torch.ones(5, 4, device="cuda"))
    assert torch.equal(first, kept)


@cuda
def test_a_cuda_graph_falls_back_on_other_shapes_gradients_and_devices(traced):
    fast = traced.with_backend("cudagraph")
    with pytest.warns(BackendWarning, match="but one is on cpu"):
        fast(x)
    traced.to("cuda")
    with torch.no_grad():
        fast(torch.ones(5, 4, device="cuda"))
        with pytest.warns(BackendWarning, match=r"`x` is float32\[6, 4\], but a CUDA graph has static shapes"):
            assert fast(torch.ones(6, 4, device="cuda")).shape == (6, 2)
    with pytest.warns(BackendWarning, match="has no backward pass"):
        fast(torch.ones(5, 4, device="cuda")).sum().backward()


@cuda
def test_a_cuda_graph_follows_parameters_that_moved(traced):
    traced.to("cuda")
    fast = traced.with_backend("cudagraph")
    given = torch.ones(5, 4, device="cuda")
    with torch.no_grad():
        fast(given)
        traced.get_submodule("fc2").bias = nn.Parameter(torch.zeros(2, device="cuda"))
        torch.testing.assert_close(fast(given), traced(given))


@cuda
def test_what_cannot_be_recorded_falls_back():
    traced = tracelab.trace(lambda x: x[x > 0], torch.ones(3), check_trace=False)
    fast = traced.with_backend("cudagraph")
    with torch.no_grad(), pytest.warns(BackendWarning, match="its CUDA kernels cannot be recorded"):
        assert fast(torch.ones(3, device="cuda")).tolist() == [1, 1, 1]
