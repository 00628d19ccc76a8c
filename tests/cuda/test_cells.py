"""Cells of a notebook whose tensors are on a CUDA device."""

from __future__ import annotations

import pytest
import torch

from support.notebook_shell import Shell


@pytest.fixture
def shell():
    return Shell()


def test_a_cell_on_the_device_leaves_its_variables(shell):
    shell.run("x = torch.randn(3, 4, device='cuda'); model = nn.Linear(4, 2).cuda()")
    shell.trace("y = model(x).relu()\nloss = y.sum()\nplain = loss.item()")
    assert shell.space["y"].is_cuda
    assert type(shell.space["plain"]) is float


def test_a_training_loop_on_the_device_trains(shell):
    shell.run(
        "torch.manual_seed(0)\nmodel = nn.Linear(4, 1).cuda()\noptimizer = torch.optim.AdamW(model.parameters())\n"
        "scaler = torch.amp.GradScaler('cuda')\nlosses = []"
    )
    cell = (
        "for step in range(3):\n"
        "    x = torch.randn(8, 4).to('cuda', non_blocking=True)\n"
        "    optimizer.zero_grad(set_to_none=True)\n"
        "    with torch.autocast('cuda', dtype=torch.float16):\n"
        "        loss = model(x).square().mean()\n"
        "    scaler.scale(loss).backward()\n"
        "    scaler.unscale_(optimizer)\n"
        "    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"
        "    scaler.step(optimizer)\n"
        "    scaler.update()\n"
        "    losses.append(loss.item())\n"
        "torch.cuda.synchronize()\n"
        "print(f'{losses[-1]:.3f}')"
    )
    out = shell.trace(cell)
    traced = [float(loss) for loss in shell.space["losses"]]
    weight = shell.space["model"].weight.detach().clone()
    shell.run(
        "torch.manual_seed(0)\nmodel = nn.Linear(4, 1).cuda()\noptimizer = torch.optim.AdamW(model.parameters())\n"
        "scaler = torch.amp.GradScaler('cuda')\nlosses = []"
    )
    plain = shell.run(cell)
    assert plain.error is None
    assert [float(loss) for loss in shell.space["losses"]] == pytest.approx(traced)
    torch.testing.assert_close(shell.space["model"].weight.detach(), weight)
    assert f"{traced[-1]:.3f}" in out


def test_memory_of_the_device_can_be_asked_for_in_a_cell(shell):
    shell.run("x = torch.randn(3, 4, device='cuda')")
    out = shell.trace(
        "torch.cuda.reset_peak_memory_stats()\ny = x @ x.T\n"
        "print('MB', torch.cuda.max_memory_allocated() // 2**20, torch.cuda.get_device_name(0))"
    )
    assert "MB" in out


def test_the_document_of_a_cell_names_the_device(shell):
    shell.run("x = torch.randn(3, 4, device='cuda')")
    shell.trace("y = x.sin()")
    assert "cuda:0" in shell.space["_trace"].to_json()
