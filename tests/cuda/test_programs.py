"""Programs on a CUDA device, traced at one size and called at another: as plain PyTorch, and nothing is told."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.checkpoint import checkpoint

import tracelab
from support.told import told

Program = tuple[Callable[..., Any], Callable[[int], tuple[Any, ...]]]
PROGRAMS: dict[str, Program] = {}
MODULES: dict[str, Callable[[], nn.Module]] = {}


def on_cuda(*shapes: Any, dtype: torch.dtype = torch.float32) -> Callable[[int], tuple[Tensor, ...]]:
    """Random inputs; `n` in a shape is the size that differs between the trace and the call."""

    def made(n: int) -> tuple[Tensor, ...]:
        sizes = [[n if size == "n" else size for size in shape] for shape in shapes]
        return tuple(torch.randn(size, device="cuda", dtype=dtype) for size in sizes)

    return made


def program(inputs: Callable[[int], tuple[Any, ...]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def kept(function: Callable[..., Any]) -> Callable[..., Any]:
        PROGRAMS[function.__name__] = function, inputs
        return function

    return kept


def module(name: str, made: Callable[[], nn.Module], *shapes: Any, dtype: torch.dtype = torch.float32) -> None:
    """A program that is a module, made where it is needed: tests are collected where there is no device, too."""
    MODULES[name] = lambda: made().cuda().to(dtype).eval()
    PROGRAMS[name] = lambda: None, on_cuda(*shapes, dtype=dtype)


module("convolutions", lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()), ["n", 3, 9, 9])
module("an_lstm", lambda: nn.LSTM(4, 6, num_layers=2, bidirectional=True), [5, "n", 4])
module("a_gru_batch_first", lambda: nn.GRU(4, 6, batch_first=True), ["n", 5, 4])
module("an_encoder", lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), ["n", 5, 8])
module(
    "an_encoder_in_half", lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), ["n", 5, 8], dtype=torch.half
)
module("in_channels_last", lambda: nn.Conv2d(3, 8, 3).to(memory_format=torch.channels_last), ["n", 3, 9, 9])
module("group_norm", lambda: nn.GroupNorm(2, 4), ["n", 4, 6])


def of(name: str) -> Program:
    """A program and what makes its inputs, from one random state."""
    torch.manual_seed(1)
    function, inputs = PROGRAMS[name]
    return MODULES[name]() if name in MODULES else function, inputs


@program(on_cuda(["n", 4]))
def new_tensors_at_the_device_of_an_input(x):
    rows = torch.arange(x.shape[0], device=x.device)
    return x * rows[:, None] + torch.full((4,), 2.0, device=x.device) + torch.zeros_like(x)


@program(on_cuda(["n", 4]))
def new_tensors_at_the_device_by_name(x):
    weights = torch.tensor([1.0, 2.0, 3.0, 4.0], device="cuda")
    return x * weights + torch.arange(4.0).cuda() + torch.ones(4).to(x)


@program(on_cuda(["n", 4]))
def under_a_default_device(x):
    with torch.device("cuda"):
        return x + torch.arange(4) + torch.linspace(0, 1, 4)


@program(on_cuda(["n", 4]))
def to_the_processor_and_back(x):
    return (x.cpu() * 2).to(x.device, non_blocking=True) + x.cpu().cuda()


@program(on_cuda(["n", 4]))
def through_pinned_memory(x):
    return x + torch.ones(4).pin_memory().to("cuda", non_blocking=True)


@program(on_cuda(["n", 4]))
def asks_for_the_device(x):
    if x.is_cuda and x.get_device() == 0 and x.device.type == "cuda" and torch.cuda.is_available():
        return x + torch.cuda.current_device()
    return x - 1


@program(on_cuda(["n", 4]))
def on_a_side_stream(x):
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        y = x * 2
    torch.cuda.current_stream().wait_stream(side)
    y.record_stream(torch.cuda.current_stream())
    return y + 1


@program(on_cuda(["n", 4]))
def with_events_and_ranges(x):
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    torch.cuda.nvtx.range_push("middle")
    y = x.sin()
    torch.cuda.nvtx.range_pop()
    end.record()
    torch.cuda.synchronize()
    return y


@program(on_cuda(["n", 8, 64], ["n", 8, 64], ["n", 8, 64], dtype=torch.half))
def flash_attention(q, k, v):
    q, k, v = (t.unflatten(2, (4, 16)).transpose(1, 2) for t in (q, k, v))
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)


@program(on_cuda(["n", 2, 8, 16], ["n", 2, 8, 16], ["n", 2, 8, 16]))
def attention_with_a_mask(q, k, v):
    mask = torch.ones(8, 8, dtype=torch.bool, device=q.device).tril()
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


@program(on_cuda(["n", 8], [8, 8]))
def half_precision_by_autocast(x, w):
    with torch.autocast("cuda", dtype=torch.float16):
        return (x @ w).relu() @ w


@program(on_cuda(["n", 8], [8, 8]))
def bfloat16_by_autocast(x, w):
    with torch.autocast(device_type="cuda", dtype=torch.bfloat16):
        y = F.linear(x, w)
        with torch.autocast("cuda", enabled=False):
            return y.float() @ w


@program(on_cuda(["n", 4]))
def sorts_and_picks(x):
    values, where = x.sort(dim=1, descending=True)
    return values, where, x.topk(2).values, x.argmax(1), x.cumsum(0), x.median(1).values


@program(on_cuda(["n", 4]))
def sizes_from_values(x):
    positive = x[x > 0]
    return positive.shape[0] * 2, positive.sum(), torch.nonzero(x), torch.unique((x * 2).int()), x.masked_select(x < 0)


@program(on_cuda(["n", 4]))
def writes_by_index(x):
    y = torch.zeros(4, device=x.device)
    y.index_add_(0, torch.tensor([0, 1, 1], device=x.device), x[:3, 0])
    z = x.clone()
    z[:, 1:3] = 7.0
    z[x > 1] = 0
    return y, z, torch.zeros_like(x).scatter_add_(1, x.argsort(1), x)


@program(on_cuda(["n", 3, 3]))
def linear_algebra(x):
    a = x @ x.mT + torch.eye(3, device=x.device)
    return torch.linalg.solve(a, x), torch.linalg.cholesky(a), torch.linalg.eigvalsh(a), torch.linalg.det(a)


@program(on_cuda(["n", 8]))
def fourier(x):
    return torch.fft.irfft(torch.fft.rfft(x) * 2, n=8), torch.view_as_real(torch.fft.fft(x))


@program(on_cuda(["n", 2, 6, 6]))
def images(x):
    grid = F.affine_grid(torch.eye(2, 3, device=x.device).expand(x.shape[0], 2, 3), list(x.shape), align_corners=False)
    return F.interpolate(x, scale_factor=2.0, mode="bilinear"), F.grid_sample(x, grid, align_corners=False)


@program(on_cuda(["n", 4], [4, 4]))
def products(x, w):
    sparse = w.relu().to_sparse()
    return (
        torch.einsum("ij,jk->ik", x, w),
        torch.addmm(w[0], x, w),
        torch.sparse.mm(sparse, x.T),
        torch._foreach_mul([x, x], 2.0),
    )


@program(on_cuda(["n", 4], [4, 4]))
def transforms(x, w):
    gradient = torch.func.grad(lambda v: (x @ v).square().sum())(w)
    return torch.vmap(lambda row: row @ w)(x), gradient


@program(on_cuda(["n", 4], [4, 4]))
def gradients_of_the_code_itself(x, w):
    with torch.enable_grad():
        w = w.detach().requires_grad_()
        loss = checkpoint(lambda v: (x @ v).tanh().sum(), w, use_reentrant=False)
        (found,) = torch.autograd.grad(loss, w)
    return found


@program(on_cuda(["n", 4]))
def packed_numbers(x):
    return x.to(torch.float8_e4m3fn).float(), x.half().double(), x.to("cuda:0", torch.bfloat16), x.char()


@program(on_cuda(["n", 4]))
def complex_numbers(x):
    z = torch.complex(x, x + 1)
    return (z * z.conj()).real, z.abs(), z.angle()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_trace_at_another_size_is_as_plain(name):
    function, inputs = of(name)
    given, other = inputs(3), inputs(5)
    with torch.no_grad():
        traced = tracelab.trace(function, *given, strict=False)
        expected = function(*other)
        found: list[Any] = []
        sentences = told(lambda *given: found.append(traced(*given)), *other)
    assert sentences == []
    torch.testing.assert_close(found[0], expected)


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "through_pinned_memory"])
def test_a_program_runs_node_by_node_on_the_device(name):
    function, inputs = of(name)
    given = inputs(3)
    with torch.no_grad():
        traced = tracelab.trace(function, *given, strict=False, check_trace=False)
        run = traced.run(*given, statistics=True, record=True)
        torch.testing.assert_close(run.outputs, function(*given))


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "on_a_side_stream"])
def test_a_saved_trace_is_read_again(name, tmp_path):
    function, inputs = of(name)
    given, other = inputs(3), inputs(5)
    with torch.no_grad():
        traced = tracelab.trace(function, *given, strict=False, check_trace=False)
        traced.save(tmp_path / "saved.tlab")
        torch.testing.assert_close(tracelab.load(tmp_path / "saved.tlab")(*other), function(*other))


def test_a_stream_is_in_no_file(tmp_path):
    function, inputs = of("on_a_side_stream")
    traced = tracelab.trace(function, *inputs(3))
    with pytest.raises(tracelab.TracelabFileError, match=r"aten::record_stream .* called with a Stream"):
        traced.save(tmp_path / "saved.tlab")


def test_inputs_that_data_parallel_moves_to_the_device_are_moved_again():
    model = nn.DataParallel(nn.Linear(4, 2))
    traced = tracelab.trace(model, torch.randn(3, 4))
    x = torch.randn(5, 4)
    torch.testing.assert_close(traced(x), model(x))


def test_a_training_step_trains():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1)).cuda()
    x, y = torch.randn(6, 4, device="cuda"), torch.randn(6, 1, device="cuda")
    traced = tracelab.trace(net, x)
    other = copy.deepcopy(net)
    for made, plain in ((traced, net), (other, other)):
        optimizer = torch.optim.AdamW(plain.parameters(), fused=True)
        for step in range(3):
            torch.manual_seed(step)
            optimizer.zero_grad()
            F.mse_loss(made(x), y).backward()
            optimizer.step()
    torch.testing.assert_close(net.state_dict(), other.state_dict())


def test_a_loss_scaler_in_traced_code_scales():
    net = nn.Linear(4, 1).cuda()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda")

    def step(x):
        optimizer.zero_grad()
        with torch.autocast("cuda"):
            loss = net(x).square().mean()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss

    before = copy.deepcopy(net.state_dict())
    x = torch.randn(3, 4, device="cuda")
    step(x)
    first = copy.deepcopy(net.state_dict())
    graph, loss = tracelab.trace_graph(step, (x,), strict=False)[:2]
    assert any(
        node.kind.startswith("autograd") or "backward" in str(node.attributes.get("name")) for node in graph.nodes
    )
    assert loss.isfinite()
    assert not torch.equal(before["weight"], first["weight"])
