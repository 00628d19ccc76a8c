"""A profile says where the time goes: by node, by module, and against what the device can do."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

import tracelab
from tracelab import InputError, TracelabError
from tracelab.demo import ResNet
from tracelab.execute import RunError
from tracelab.execute.measure.roofline import Peak, peak_of


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.heavy = nn.Linear(512, 512)
        self.light = nn.Linear(512, 1)

    def forward(self, x):
        return self.light(torch.relu(self.heavy(x)))


x = torch.randn(64, 512)


@pytest.fixture
def traced():
    return tracelab.trace(Net(), torch.randn(2, 512))


@pytest.fixture
def profile(traced):
    return traced.profile(x, repeat=5)


def test_one_node_is_counted_in_the_singular():
    found = tracelab.trace(lambda x: x.exp(), torch.ones(2)).profile(torch.ones(2), repeat=1)
    assert " over 1 node, " in str(found)
    assert "1 node on cpu" in repr(found)


def test_the_heaviest_module_is_found(profile):
    modules = [module for module in profile.modules if module.scope.parent is not None]
    assert max(modules, key=lambda module: module.seconds).scope.path == "heavy"
    assert profile["heavy"].share > profile["light"].share


def test_shares_sum_to_one_and_modules_sum_their_nodes(profile):
    assert sum(row.share for row in profile.nodes) == pytest.approx(1)
    root = profile.modules[0]
    assert root.scope.parent is None
    assert root.seconds == pytest.approx(profile.seconds)
    assert root.flops == profile.flops
    assert root.nodes == len(profile.nodes) == 3


def test_the_whole_is_the_sum_of_its_nodes_and_its_modules(profile):
    """How near that is to a call as a whole is a matter of the machine: see tests/benchmarks/running.py."""
    assert profile.seconds == pytest.approx(sum(row.seconds for row in profile.nodes))
    assert profile.whole > 0


def test_flops_and_bytes_are_counted_by_torch_s_formulas(profile):
    heavy = profile[profile.graph.nodes[0]]
    assert heavy.flops == profile["heavy"].flops == 2 * 64 * 512 * 512
    assert heavy.bytes == 4 * (64 * 512 + 512 * 512 + 512 + 64 * 512)
    assert profile.flops == 2 * 64 * 512 * 513


def test_each_node_is_set_against_the_roofline(profile):
    for row in profile.nodes:
        assert row.roof == pytest.approx(profile.peak.seconds(row.flops, row.bytes) / row.seconds)
        assert row.bound in ("compute", "memory")
    assert profile["relu"].bound == "memory"


def test_the_roofline_is_the_slower_of_the_two_limits():
    peak = Peak(flops=100.0, bandwidth=10.0)
    assert (peak.seconds(200, 10), peak.bound(200, 10)) == (2.0, "compute")
    assert (peak.seconds(100, 30), peak.bound(100, 30)) == (3.0, "memory")


def test_the_peak_is_measured_once():
    assert peak_of(torch.device("cpu"), torch.float32) is peak_of(torch.device("cpu"), torch.float32)


def test_nothing_of_the_user_s_changes():
    net = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout())
    traced = tracelab.trace(net, torch.randn(3, 4), check_trace=False)
    before = {name: item.clone() for name, item in net.state_dict().items()}
    example, state = torch.randn(5, 4), torch.get_rng_state()
    traced.profile(example, repeat=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(item, before[name]) for name, item in net.state_dict().items())


def test_progress_hears_of_every_run(traced):
    heard = []
    traced.profile(x, repeat=3, warmup=1, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_as_a_data_frame(profile):
    pandas = pytest.importorskip("pandas")
    frame = profile.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame["operator"]) == ["aten::linear", "aten::relu", "aten::linear"]
    assert list(frame["module"]) == ["heavy", "", "light"]
    assert frame["share"].sum() == pytest.approx(1)


def test_without_pandas_it_says_what_to_install(profile, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(TracelabError, match="to_pandas needs pandas: pip install pandas"):
        profile.to_pandas()


def test_it_prints_as_tables(profile):
    lines = str(profile).splitlines()
    assert lines[0].startswith("Net.forward on cpu: ")
    assert lines[0].endswith("as a whole; median of 5")
    assert "0.0336 GFLOP" in lines[1]
    assert lines[2].split() == ["module", "class", "time", "share", "GFLOP"]
    # Which comes first is a matter of times.
    assert ["heavy", "Linear"] in [line.split()[:2] for line in lines[3:5]]
    assert lines[5].split() == ["node", "operator", "module", "time", "share", "GFLOP/s", "GB/s", "of", "peak", "bound"]


def test_a_long_one_fits_a_screen():
    model = ResNet.resnet18(10, 8).eval()
    example = torch.randn(1, 3, 32, 32)
    text = str(tracelab.trace(model, example).profile(example, repeat=1))
    assert len(text.splitlines()) < 40


def test_what_cannot_be_profiled_is_one_sentence(traced):
    with pytest.raises(InputError, match="nothing takes time on meta"):
        traced.profile(x, device="meta")
    with pytest.raises(InputError, match="repeat is 0: give 1 or more"):
        traced.profile(x, repeat=0)
    with pytest.raises(
        RunError, match=r"aten::linear \(%linear, in heavy, .*failed: RuntimeError: `linear` expects 512.*mat1 and mat2"
    ):
        traced.profile(torch.ones(3, 7))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_cuda(traced):
    profile = traced.profile(x, device="cuda", repeat=5)
    assert profile.device.type == "cuda"
    assert all(row.seconds > 0 and row.peak_memory > 0 for row in profile.nodes)
    assert profile.peak.flops > 1e11
