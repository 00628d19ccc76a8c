"""Traces made on one device and called, run, saved and exported on another."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

import tracelab
from support.told import told


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)).eval()


def test_a_module_that_moves_is_followed():
    model = net()
    traced = tracelab.trace(model, torch.randn(3, 4))
    model.cuda()
    x = torch.randn(5, 4, device="cuda")
    torch.testing.assert_close(traced(x), model(x))


def test_a_trace_moves_as_a_module_does():
    model = net()
    traced = tracelab.trace(model, torch.randn(3, 4)).cuda()
    x = torch.randn(5, 4, device="cuda")
    torch.testing.assert_close(traced(x), model.cuda()(x))


def test_a_function_traced_on_the_processor_follows_the_device_of_its_input():
    def positions(x):
        return x + torch.arange(x.shape[0], device=x.device)[:, None]

    traced = tracelab.trace(positions, torch.zeros(2, 2))
    x = torch.zeros(3, 2, device="cuda")
    assert told(traced, x) == []
    torch.testing.assert_close(traced(x), positions(x))


def test_code_that_asks_for_the_device_is_told_of_another():
    def asks(x):
        return x + 1 if x.is_cuda else x - 1

    traced = tracelab.trace(asks, torch.zeros(2))
    (sentence,) = told(traced, torch.zeros(2, device="cuda"))
    assert "cuda" in sentence


def test_inputs_on_two_devices_are_refused_in_one_sentence():
    traced = tracelab.trace(net(), torch.randn(3, 4))
    with pytest.raises(RuntimeError, match=r"tensors of one device and gets cuda:0 and cpu"):
        traced(torch.randn(3, 4, device="cuda"))


def test_a_file_made_on_the_device_is_read_where_there_is_none(tmp_path):
    model = net().cuda()
    path = tmp_path / "net.tlab"
    tracelab.trace(model, torch.randn(3, 4, device="cuda")).save(path)
    x = torch.randn(5, 4)
    torch.save(x, tmp_path / "x.pt")
    code = (
        "import sys, torch, tracelab; assert not torch.cuda.is_available();"
        "traced = tracelab.load(sys.argv[1], map_location='cpu'); x = torch.load(sys.argv[2]);"
        "print(traced.graph); torch.save(traced(x), sys.argv[3])"
    )
    arguments = [str(path), str(tmp_path / "x.pt"), str(tmp_path / "y.pt")]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    torch.testing.assert_close(torch.load(tmp_path / "y.pt"), model.cpu()(x))


def test_tracing_on_the_processor_starts_no_cuda():
    code = (
        "import torch, tracelab; from torch import nn; x = torch.randn(3, 4);"
        "t = tracelab.trace(nn.Sequential(nn.Linear(4, 4), nn.Dropout()), x); t(x); t.run(x); t.check([(x,)]);"
        "t.shapes(); t.profile(x); t.summary(); tracelab.compare(t, t, x); assert not torch.cuda.is_initialized()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_trace_that_is_gone_holds_no_memory_of_the_device():
    def once():
        model = nn.Linear(1000, 1000, device="cuda")
        traced = tracelab.trace(model, torch.randn(8, 1000, device="cuda"))
        traced.run(torch.randn(4, 1000, device="cuda"), statistics=True)
        traced.check([(torch.randn(4, 1000, device="cuda"),)])

    once()
    gc.collect()
    before = torch.cuda.memory_allocated()
    for _ in range(3):
        once()
    gc.collect()
    assert torch.cuda.memory_allocated() == before


def test_tracing_takes_little_more_memory_than_a_call():
    model = nn.Sequential(*(nn.Linear(1000, 1000) for _ in range(20))).cuda()
    x = torch.randn(2000, 1000, device="cuda")
    with torch.no_grad():
        model(x)
        torch.cuda.reset_peak_memory_stats()
        model(x)
        plain = torch.cuda.max_memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        tracelab.trace(model, x, check_trace=False)
        assert torch.cuda.max_memory_allocated() <= 1.2 * plain


def test_a_trace_can_be_captured_in_a_graph_of_the_device():
    model = net().cuda()
    traced = tracelab.trace(model, torch.randn(3, 4, device="cuda"))
    x = torch.randn(3, 4, device="cuda")
    with torch.no_grad():
        for _ in range(3):
            traced(x)
        torch.cuda.synchronize()
        captured = torch.cuda.CUDAGraph()
        with torch.cuda.graph(captured):
            out = traced(x)
        x.copy_(torch.randn(3, 4, device="cuda"))
        captured.replay()
        torch.testing.assert_close(out, model(x))


def test_a_check_on_many_inputs_runs_on_the_device():
    model = net().cuda()
    traced = tracelab.trace(model, torch.randn(3, 4, device="cuda"))
    assert traced.check([(torch.randn(n, 4, device="cuda"),) for n in range(1, 9)])


def test_export_keeps_the_device():
    model = net().cuda()
    x = torch.randn(3, 4, device="cuda")
    traced = tracelab.trace(model, x)
    torch.testing.assert_close(traced.export().module()(x), model(x))
    torch.testing.assert_close(traced.to_fx()(x), model(x))


def test_onnx_of_a_trace_on_the_device(tmp_path):
    pytest.importorskip("onnxscript")
    model = net().cuda()
    tracelab.trace(model, torch.randn(3, 4, device="cuda")).to_onnx(tmp_path / "net.onnx")
    x = torch.randn(5, 4)
    run = tracelab.read(tmp_path / "net.onnx").run(x)
    torch.testing.assert_close(run.outputs, model.cpu()(x))


def test_a_package_of_a_trace_on_the_device(tmp_path):
    model = net().cuda()
    x = torch.randn(3, 4, device="cuda")
    path = tracelab.trace(model, x).to_package(tmp_path / "net.pt2")
    loaded = torch._inductor.aoti_load_package(str(path or tmp_path / "net.pt2"))
    torch.testing.assert_close(loaded(x), model(x))


def test_a_part_of_a_trace_runs_alone_on_the_device(tmp_path):
    model = net().cuda()
    x = torch.randn(3, 4, device="cuda")
    traced = tracelab.trace(model, x)
    part = traced.extract("0")
    torch.testing.assert_close(part(x), model[0](x))
    traced.extract("2", script=tmp_path / "part.py", inputs=x)
    done = subprocess.run([sys.executable, "part.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_file_made_on_a_device_that_is_not_there_says_how_to_read_it(tmp_path):
    path = tmp_path / "net.tlab"
    tracelab.trace(net().cuda(), torch.randn(3, 4, device="cuda")).save(path)
    code = "import sys, tracelab; tracelab.load(sys.argv[1])"
    hidden = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, "-c", code, str(path)], env=hidden, capture_output=True, text=True)
    assert "load it with map_location='cpu'" in done.stderr


def test_a_file_with_its_own_device_moves_to_the_processor(tmp_path):
    def shifted(x):
        generator = torch.Generator("cuda").manual_seed(3)
        noise = torch.rand(4, device="cuda", generator=generator)
        return x + torch.arange(4, device="cuda") + torch.zeros(4).cuda() + 0 * noise

    path = tmp_path / "shifted.tlab"
    tracelab.trace(shifted, torch.zeros(4, device="cuda")).save(path)
    loaded = tracelab.load(path, map_location="cpu")
    torch.testing.assert_close(loaded(torch.ones(4)), torch.arange(4) + 1.0)


def test_a_run_of_a_trace_of_the_processor_on_the_device():
    model = net()
    traced = tracelab.trace(model, torch.randn(3, 4))
    x = torch.randn(5, 4)
    run = traced.run(x, device="cuda", gradients=True, statistics=True)
    torch.testing.assert_close(run.outputs.cpu(), model(x))
    assert next(model.parameters()).device.type == "cpu"
    assert next(model.parameters()).grad is None


def test_an_explorer_runs_on_the_device():
    traced = tracelab.trace(net(), torch.randn(3, 4))
    run = tracelab.GraphExplorer(traced).run(torch.randn(5, 4), device="cuda")
    assert run.outputs.is_cuda


def test_the_first_nan_of_a_run_on_the_device_is_found():
    traced = tracelab.trace(lambda x: (x - 1).log().exp().sum(), torch.full((3,), 2.0, device="cuda"))
    run = traced.run(torch.zeros(3, device="cuda"), statistics=True)
    assert run.first_nan.kind == "aten::log"


def test_memory_that_runs_out_while_tracing_leaves_torch_as_it_was():
    def too_much(x):
        return x + torch.empty(1 << 40, device="cuda", dtype=torch.int8)

    state = torch.cuda.get_rng_state()
    with pytest.raises(tracelab.TracelabError, match="out of memory"):
        tracelab.trace(too_much, torch.zeros(1, device="cuda"))
    assert not tracelab.is_tracing()
    assert torch.equal(torch.cuda.get_rng_state(), state)
    torch.testing.assert_close(tracelab.trace(lambda x: x + 1, torch.zeros(1))(torch.ones(1)), torch.full((1,), 2.0))


def test_estimated_memory_is_what_a_run_takes():
    model = nn.Sequential(*(nn.Linear(2000, 2000) for _ in range(8))).cuda()
    x = torch.randn(4000, 2000, device="cuda")
    traced = tracelab.trace(model, x)
    estimate = traced.estimate_memory()
    with torch.no_grad():
        model(x)
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated() - x.nbytes - sum(p.nbytes for p in model.parameters())
        model(x)
        plain = torch.cuda.max_memory_allocated() - before
    assert estimate.peak == pytest.approx(plain, rel=0.05)


def test_a_profile_adds_up_to_the_whole():
    model = nn.Sequential(*(nn.Linear(4000, 4000) for _ in range(8))).cuda()
    traced = tracelab.trace(model, torch.randn(4000, 4000, device="cuda"))
    profile = traced.profile(torch.randn(4000, 4000, device="cuda"))
    assert 0.8 <= profile.seconds / profile.whole <= 1.2
