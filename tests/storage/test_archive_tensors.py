"""Weights come back with their values, types, ties and devices."""

from __future__ import annotations

import io

import pytest
import safetensors.torch
import torch
from torch import nn

import tracelab
from support.archives import again, edited, entries, from_bytes, to_bytes
from tracelab.errors import TracelabFileError
from tracelab.storage.weights import STORED_DTYPES, write_weights


class Holder(nn.Module):
    """A module that holds whatever tensors it is given as buffers."""

    def __init__(self, **tensors):
        super().__init__()
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor)

    def forward(self, x):
        return x + 1


def held(**tensors):
    return tracelab.trace(Holder(**tensors), torch.ones(1), check_trace=False)


def sample(dtype):
    if dtype is torch.bool:
        return torch.tensor([True, False, True])
    if dtype.is_complex:
        return torch.randn(3, 2, dtype=torch.complex64).to(dtype)
    if dtype is torch.float8_e8m0fnu:
        return torch.tensor([1, 2, 250], dtype=torch.uint8).view(dtype)
    return torch.tensor([[0.0, 1.0, 2.0], [3.0, 5.0, 7.0]]).to(dtype)


# In one order: a set of dtypes has another in each process.
DTYPES = [*sorted(STORED_DTYPES, key=str), torch.complex32, torch.complex64, torch.complex128]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_comes_back(dtype):
    tensor = sample(dtype)
    loaded = again(held(b=tensor)).b
    assert loaded.dtype is dtype
    assert loaded.view(torch.uint8).equal(tensor.view(torch.uint8))


def test_the_weights_can_be_read_by_safetensors():
    traced = tracelab.trace(nn.Linear(3, 2), torch.ones(1, 3))
    read = safetensors.torch.load(entries(to_bytes(traced))["weights.safetensors"])
    assert {name: tensor.tolist() for name, tensor in read.items()} == {
        name: tensor.tolist() for name, tensor in traced.state_dict().items()
    }


def test_the_weights_are_what_safetensors_writes():
    tensors = {"b": torch.arange(5), "a": torch.ones(2, 2), "c": torch.ones(3, dtype=torch.bool)}
    out = io.BytesIO()
    write_weights(out, tensors.items())
    assert out.getvalue() == safetensors.torch.save(tensors)


def test_a_state_dict_comes_back_whole():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).eval()
    model.add_module("unused", nn.Linear(4, 4))
    model.forward = lambda x: model[1](model[0](x))
    traced = tracelab.trace(model, torch.ones(3, 2))
    loaded = again(traced)
    assert list(loaded.state_dict()) == list(traced.state_dict())
    for name, tensor in traced.state_dict().items():
        assert loaded.state_dict()[name].equal(tensor)


def test_parameters_stay_parameters():
    model = nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    loaded = again(tracelab.trace(model, torch.ones(1, 2)))
    assert [(name, p.requires_grad) for name, p in loaded.named_parameters()] == [
        ("weight", True),
        ("bias", False),
    ]


def test_a_loaded_module_can_be_trained():
    loaded = again(tracelab.trace(nn.Linear(2, 1), torch.ones(1, 2)))
    loaded(torch.ones(1, 2)).sum().backward()
    assert loaded.weight.grad.tolist() == [[1.0, 1.0]]


def test_a_loaded_module_runs_on_the_weights_that_it_is_given():
    loaded = again(tracelab.trace(nn.Linear(2, 1), torch.ones(1, 2)))
    loaded.load_state_dict({"weight": torch.tensor([[1.0, 2.0]]), "bias": torch.tensor([3.0])})
    assert loaded(torch.ones(1, 2)).item() == 6.0


def test_a_tied_parameter_is_stored_once():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    traced = tracelab.trace(model, torch.ones(1, 3))
    read = safetensors.torch.load(entries(to_bytes(traced))["weights.safetensors"])
    assert sorted(read) == ["0.bias", "0.weight", "1.bias"]


def test_a_tied_parameter_is_tied_again():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    loaded = again(tracelab.trace(model, torch.ones(1, 3)))
    assert loaded.get_parameter("0.weight") is loaded.get_parameter("1.weight")


def test_a_shared_module_is_shared_again():
    inner = nn.Linear(3, 3)
    loaded = again(tracelab.trace(nn.Sequential(inner, inner), torch.ones(1, 3)))
    assert loaded.get_submodule("0") is loaded.get_submodule("1")


def test_views_of_one_tensor_are_views_of_one_again():
    base = torch.arange(12.0).view(3, 4)
    loaded = again(held(base=base, column=base[:, 1], turned=base.t()))
    loaded.base[2, 1] = -5
    assert loaded.column.tolist() == [1.0, 5.0, -5.0]
    assert loaded.turned[1, 2].item() == -5


def test_views_of_one_tensor_are_stored_once():
    base = torch.zeros(1000)
    assert len(to_bytes(held(base=base, view=base[5:]))) < len(to_bytes(held(base=base))) + 1000


def test_a_small_piece_of_a_large_tensor_is_stored_alone():
    piece = torch.zeros(1000, 1000)[:, 3]
    content = to_bytes(held(piece=piece))
    assert len(content) < 20_000
    assert from_bytes(content).piece.equal(piece)


def test_an_expanded_tensor_stays_small():
    loaded = again(held(b=torch.ones(1).expand(10, 10)))
    assert loaded.b.stride() == (0, 0)
    assert loaded.b.shape == (10, 10)


def test_strides_stay():
    tensor = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    loaded = again(held(b=tensor)).b
    assert loaded.stride() == tensor.stride()
    assert loaded.equal(tensor)


@pytest.mark.parametrize(
    "tensor", [torch.empty(0), torch.empty(3, 0, 2), torch.tensor(4)], ids=["0", "3x0x2", "scalar"]
)
def test_odd_shapes_come_back(tensor):
    loaded = again(held(b=tensor)).b
    assert loaded.shape == tensor.shape
    assert loaded.equal(tensor)


def test_a_conjugate_view_comes_back():
    tensor = torch.randn(2, 2, dtype=torch.complex64).t().conj()
    assert again(held(b=tensor)).b.equal(tensor)


def test_a_meta_tensor_comes_back_as_its_shape():
    loaded = again(held(b=torch.empty(10**6, 10**6, device="meta", dtype=torch.int8)))
    assert (loaded.b.shape, loaded.b.device.type) == ((10**6, 10**6), "meta")


def test_buffers_that_are_not_persistent_stay_so():
    model = Holder()
    model.register_buffer("scratch", torch.ones(2), persistent=False)
    loaded = again(tracelab.trace(model, torch.ones(1)))
    assert loaded.scratch.tolist() == [1.0, 1.0]
    assert "scratch" not in loaded.state_dict()


def test_training_flags_stay():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    model[1].eval()
    loaded = again(tracelab.trace(model, torch.ones(1, 2)))
    assert [module.training for module in loaded.modules()] == [True, True, False]


def test_missing_members_stay_missing():
    model = nn.Linear(2, 2, bias=False)
    assert again(tracelab.trace(model, torch.ones(1, 2))).bias is None


def test_several_methods_come_back():
    class Twofold(nn.Linear):
        def twice(self, x):
            return self(x) * 2

    model = Twofold(2, 2)
    traced = tracelab.trace_module(model, {"forward": torch.ones(1, 2), "twice": torch.ones(1, 2)})
    loaded, x = again(traced), torch.rand(3, 2)
    assert loaded.twice(x).equal(model.twice(x))
    assert loaded(x).equal(model(x))


def test_a_module_of_another_precision_comes_back_so():
    traced = tracelab.trace(nn.Linear(2, 2), torch.ones(1, 2)).double()
    loaded = again(traced)
    assert loaded(torch.ones(1, 2).double()).equal(traced(torch.ones(1, 2).double()))


def test_a_module_that_moved_is_saved_where_it_is():
    class Made(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2))

        def forward(self, x):
            return x * self.weight + torch.zeros(2, device="cpu")

    traced = tracelab.trace(Made(), torch.ones(2))
    traced.to("meta")
    loaded = again(traced)
    assert loaded.weight.device.type == "meta"
    assert loaded(torch.ones(2, device="meta")).device.type == "meta"


def test_map_location_moves_tensors():
    loaded = again(held(b=torch.ones(2)), map_location="meta")
    assert loaded.b.device.type == "meta"


def test_map_location_moves_the_devices_in_the_graph():
    traced = tracelab.trace(lambda x: x + torch.zeros(2, device="cpu"), torch.ones(2))
    assert again(traced, map_location="meta")(torch.ones(2, device="meta")).device.type == "meta"


def test_a_device_that_is_not_here_is_named():
    content = edited(to_bytes(held(b=torch.ones(2))), lambda d: d["tensors"][0].update(device="cuda:99"))
    with pytest.raises(TracelabFileError, match=r"saved on cuda:99, .* map_location='cpu'"):
        from_bytes(content)
    assert from_bytes(content, map_location="cpu").b.tolist() == [1.0, 1.0]


class Named(torch.Tensor):
    pass


@pytest.mark.parametrize(
    ("tensor", "word"),
    [
        (nn.UninitializedBuffer(), "without a shape"),
        (torch.ones(2).as_subclass(Named), "it is a Named"),
        (torch.nested.nested_tensor([torch.ones(2)], layout=torch.jagged), "it is a NestedTensor"),
    ],
    ids=["lazy", "subclass", "jagged"],
)
def test_a_tensor_that_files_do_not_hold_is_refused_by_name(tensor, word):
    with pytest.raises(TracelabFileError, match=rf"cannot save b: .*{word}"):
        to_bytes(held(b=tensor))


def test_a_captured_tensor_comes_back():
    weight = nn.Parameter(torch.tensor([2.0]))
    assert again(tracelab.trace(lambda x: x * weight, torch.ones(1)))(torch.tensor([4.0])).item() == 8.0


def test_a_loaded_module_can_be_copied():
    import copy

    loaded = again(tracelab.trace(nn.Linear(2, 2), torch.ones(1, 2)))
    x = torch.rand(2, 2)
    assert copy.deepcopy(loaded)(x).equal(loaded(x))
