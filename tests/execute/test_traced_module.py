"""A traced module is an `nn.Module`: its tree, its state, its copies, and what it refuses."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

import tracelab
from support.replay import assert_same
from tracelab import TracelabError


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        self.norm = nn.BatchNorm1d(2)
        self.note = "kept in Python only"

    def forward(self, x):
        return self.norm(self.layers(x)) + torch.arange(2, device=x.device)


@pytest.fixture
def net():
    return Net().eval()


@pytest.fixture
def traced(net):
    return tracelab.trace(net, torch.randn(2, 3))


x = torch.randn(5, 3)


# The tree ----------------------------------------------------------------------------------------------------


def test_the_tree_of_submodules_is_the_module_s(net, traced):
    assert [name for name, _ in traced.named_modules()] == [name for name, _ in net.named_modules()]
    assert [name for name, _ in traced.named_parameters()] == [name for name, _ in net.named_parameters()]
    assert [name for name, _ in traced.named_buffers()] == [name for name, _ in net.named_buffers()]


def test_parameters_are_shared_with_the_module(net, traced):
    assert traced.get_parameter("layers.0.weight") is net.layers[0].weight


def test_a_submodule_knows_its_class(traced):
    assert traced.original_name == "Net"
    assert traced.get_submodule("layers.0").original_name == "Linear"


def test_its_repr_is_one_line(traced):
    assert repr(traced) == "TracedModule(Net, 7 nodes, 8 parameters)"


def test_its_repr_counts_one_in_the_singular():
    assert repr(tracelab.trace(nn.PReLU(), torch.ones(2))) == "TracedModule(PReLU, 1 node, 1 parameter)"


def test_it_prints_as_a_table_of_modules():
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    assert str(tracelab.trace(net, torch.ones(5, 4))) == (
        "module      class       operators  parameters  output\n"
        "----------  ----------  ---------  ----------  -------------\n"
        "Sequential  Sequential          3          23  float32[5, 2]\n"
        "  0         Linear              1          15  float32[5, 3]\n"
        "  1         ReLU                1              float32[5, 3]\n"
        "  2         Linear              1           8  float32[5, 2]\n"
        "3 operators, 23 parameters (92 B)"
    )


def test_equal_modules_in_a_row_are_one_line_of_the_table():
    net = torch.nn.Sequential(*[torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh()) for _ in range(6)])
    lines = tracelab.trace(net, torch.ones(1, 2)).summary(depth=1).splitlines()
    assert lines[3:] == [
        "  0 … 5 (6 ×)  Sequential     2 each      6 each  float32[1, 2]",
        "12 operators, 36 parameters (144 B)",
    ]


def test_other_attributes_are_not_there(traced):
    with pytest.raises(AttributeError):
        traced.note  # noqa: B018
    with pytest.raises(AttributeError):
        traced.get_submodule("layers.0").in_features  # noqa: B018


def test_a_parameter_cannot_be_deleted(traced):
    with pytest.raises(TracelabError, match="cannot delete `weight`: the traced graph uses it"):
        del traced.get_submodule("layers.0").weight


def test_a_parameter_can_be_replaced(traced):
    layer = traced.get_submodule("layers.2")
    layer.weight = nn.Parameter(torch.zeros(2, 4))
    layer.bias = nn.Parameter(torch.zeros(2))
    assert torch.allclose(traced(x), traced(torch.zeros(1, 3)).expand(5, 2))


def test_a_submodule_cannot_be_called(traced):
    with pytest.raises(TracelabError, match="cannot be called by itself: call the whole"):
        traced.get_submodule("layers.0")(x)


HOOKS = [
    "register_forward_hook",
    "register_forward_pre_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
]


@pytest.mark.parametrize("register", HOOKS)
def test_a_hook_on_a_submodule_is_refused_since_it_would_never_run(traced, register):
    with pytest.raises(TracelabError, match=r"a hook on a submodule of a traced module \(Linear\) would never run"):
        getattr(traced.get_submodule("layers.0"), register)(lambda *args: None)


@pytest.mark.parametrize("register", HOOKS)
def test_hooks_of_the_whole_run(traced, register):
    ran = []
    handle = getattr(traced, register)(lambda *args: ran.append(1))
    traced(x.clone().requires_grad_()).sum().backward()
    handle.remove()
    assert ran == [1]


class Coder(nn.Module):
    def encode(self, x):
        return x * 2

    def decode(self, x):
        return x / 2


def test_a_call_runs_the_only_method_that_was_traced():
    assert torch.equal(tracelab.trace(Coder().encode, x)(x), x * 2)


def test_calling_forward_when_several_other_methods_were_traced_is_refused():
    with pytest.raises(TracelabError, match="`forward` was not traced; traced methods: encode, decode"):
        tracelab.trace_module(Coder(), {"encode": x, "decode": x})(x)


# State -------------------------------------------------------------------------------------------------------


def test_the_state_dict_has_the_module_s_keys_and_values(net, traced):
    wanted = net.state_dict()
    found = traced.state_dict()
    assert list(found) == list(wanted)
    assert_same(dict(found), dict(wanted))


def test_a_loaded_state_dict_is_what_runs(traced):
    state = {key: value.clone() for key, value in traced.state_dict().items()}
    before = traced(x)
    traced.load_state_dict({key: torch.ones_like(value) for key, value in state.items()})
    assert not torch.allclose(traced(x), before)
    traced.load_state_dict(state)
    assert_same(traced(x), before)


def test_a_wrong_state_dict_is_refused(traced):
    with pytest.raises(RuntimeError, match="Missing key"):
        traced.load_state_dict({})


def test_parameters_that_no_node_uses_stay_in_the_state_dict():
    class Spare(nn.Module):
        def __init__(self):
            super().__init__()
            self.spare = nn.Linear(1, 1)

        def forward(self, x):
            return x * 2

    assert set(tracelab.trace(Spare(), x).state_dict()) == {"spare.weight", "spare.bias"}


def test_buffers_that_are_not_saved_are_not_saved():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("table", torch.ones(3), persistent=False)

        def forward(self, x):
            return x * self.table

    traced = tracelab.trace(Net(), x)
    assert traced.state_dict() == {}
    assert [name for name, _ in traced.named_buffers()] == ["table"]


def test_double_changes_what_runs(net, traced):
    traced.double()
    result = traced(x.double())
    assert result.dtype is torch.float64
    torch.testing.assert_close(result, net.double()(x.double()))


def test_it_goes_to_double_and_back(traced):
    before = traced(x)
    traced.double().float()
    torch.testing.assert_close(traced(x), before)


def test_moving_it_moves_tensors_that_the_function_makes(traced):
    traced.to("meta")
    result = traced(x.to("meta"))
    assert result.device.type == "meta"


def test_moving_it_moves_constants():
    table = torch.ones(3)
    captured = tracelab.trace(type("Net", (nn.Module,), {"forward": lambda self, x: x * table})(), x)
    assert captured.to("meta")(x.to("meta")).device.type == "meta"
    assert table.device.type == "cpu"


def test_an_optimizer_trains_it(traced):
    optimizer = torch.optim.SGD(traced.parameters(), lr=0.1)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = traced(x).pow(2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


# Copies ------------------------------------------------------------------------------------------------------


def test_a_shallow_copy_shares_parameters(traced):
    twin = copy.copy(traced)
    assert_same(twin(x), traced(x))
    assert twin.get_parameter("layers.0.weight") is traced.get_parameter("layers.0.weight")


def test_a_deep_copy_is_independent(traced):
    before = traced(x)
    twin = copy.deepcopy(traced)
    assert_same(twin(x), before)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    assert not torch.allclose(twin(x), before)
    assert_same(traced(x), before)


def test_a_deep_copy_moves_alone(traced):
    twin = copy.deepcopy(traced).to("meta")
    assert twin(x.to("meta")).device.type == "meta"
    assert traced(x).device.type == "cpu"


def test_a_deep_copy_of_tied_weights_stays_tied():
    layer = nn.Linear(3, 3)
    twin = copy.deepcopy(tracelab.trace(nn.Sequential(layer, layer), x))
    assert twin.get_submodule("0") is twin.get_submodule("1")


def test_a_copy_of_a_moved_module_runs_where_it_moved(traced):
    traced.to("meta")
    assert copy.deepcopy(traced)(x.to("meta")).device.type == "meta"


# Running -----------------------------------------------------------------------------------------------------


def test_its_own_hooks_run(traced):
    traced.register_forward_hook(lambda module, args, result: result * 0)
    assert traced(x).abs().sum() == 0


def test_it_is_a_submodule_like_any_other(traced):
    outer = nn.Sequential(traced, nn.ReLU())
    assert (outer(x) >= 0).all()
    assert len(list(outer.parameters())) == len(list(traced.parameters()))


def test_training_mode_is_the_one_that_it_was_traced_in(net):
    traced = tracelab.trace(net.train(), torch.randn(4, 3))
    assert traced.training
    assert traced.norm.training


def test_keyword_arguments_work(traced):
    assert_same(traced(x=x), traced(x))


class KeepsSums(nn.Module):
    def __init__(self):
        super().__init__()
        self.sums, self.place = torch.zeros(4, 2), torch.tensor(0)

    def forward(self, x):
        self.sums[self.place] = x
        self.place += 1
        return self.sums.sum(0)


def test_a_deep_copy_writes_to_captured_tensors_of_its_own():
    module = KeepsSums()
    traced = tracelab.trace(module, torch.ones(2))
    for _ in range(2):
        assert copy.deepcopy(traced)(torch.ones(2)).tolist() == [2, 2]
    assert module.place.item() == 1
    assert traced(torch.ones(2)).tolist() == [2, 2]
    assert module.place.item() == 2
    assert copy.deepcopy(traced)(torch.ones(2)).tolist() == [3, 3]
    twin = copy.deepcopy(copy.deepcopy(traced))
    copy.deepcopy(twin)(torch.ones(2))
    assert twin(torch.ones(2)).tolist() == [3, 3]


class Scaled(nn.Module):
    """Reads a dtype, and writes to a tensor that is neither parameter nor buffer."""

    def __init__(self):
        super().__init__()
        self.total = torch.zeros(2)

    def forward(self, x):
        self.total += x if x.dtype == torch.float32 else 2 * x
        return self.total * 1


def test_a_copy_whose_calls_are_checked_writes_to_tensors_of_its_own():
    traced = tracelab.trace(Scaled(), torch.ones(2))
    for _ in range(2):
        assert copy.deepcopy(traced)(torch.ones(2)).tolist() == [2.0, 2.0]


def test_a_moved_module_whose_calls_are_checked_has_moved_tensors():
    traced = tracelab.trace(Scaled(), torch.ones(2), on_violation="ignore").double()
    traced.on_violation = "warn"
    with pytest.warns(tracelab.AssumptionWarning):
        assert traced(torch.ones(2, dtype=torch.float64)).dtype is torch.float64
