"""Files hold tensors of several parts, and packed parameters of quantized modules, without a pickle."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn
from torch.ao import quantization

import tracelab
from support.archives import again, edited, entries, from_bytes, to_bytes
from support.replay import assert_same
from tracelab.errors import TracelabFileError

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*deprecated"),
    pytest.mark.filterwarnings("ignore:.*nested tensors is in prototype:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*TypedStorage"),
    pytest.mark.filterwarnings("ignore:Please use quant_min"),
    pytest.mark.filterwarnings("ignore:must run observer"),
    pytest.mark.filterwarnings("ignore:.*beta state"),
    pytest.mark.filterwarnings("ignore::tracelab.TracerWarning"),
]


class Holder(nn.Module):
    def __init__(self, tensor):
        super().__init__()
        self.register_buffer("b", tensor)

    def forward(self, x):
        return x + 1


def held(tensor):
    return tracelab.trace(Holder(tensor), torch.ones(1), check_trace=False)


# Tensors of several parts --------------------------------------------------------------------------------

DENSE = torch.tensor([[1.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 3.0]])
SPARSE = {
    "coo": DENSE.to_sparse(),
    "uncoalesced": torch.sparse_coo_tensor(torch.tensor([[0, 0], [1, 1]]), torch.tensor([1.0, 2.0]), (2, 4)),
    "csr": DENSE.to_sparse_csr(),
    "csc": DENSE.to_sparse_csc(),
    "bsr": DENSE.to_sparse_bsr((2, 2)),
    "bsc": DENSE.to_sparse_bsc((2, 2)),
}


@pytest.mark.parametrize("name", SPARSE)
def test_a_sparse_tensor_comes_back(name):
    tensor = SPARSE[name]
    loaded = again(held(tensor)).b
    assert (loaded.layout, loaded.shape, loaded.dtype) == (tensor.layout, tensor.shape, tensor.dtype)
    assert loaded.to_dense().equal(tensor.to_dense())
    assert tensor.layout is not torch.sparse_coo or loaded.is_coalesced() == tensor.is_coalesced()


def quantized_tensors():
    x = torch.tensor([[-1.0, 0.5], [2.0, 3.0]])
    scales, zeros = torch.tensor([0.1, 0.2]), torch.tensor([0, 3])
    return [
        torch.quantize_per_tensor(x, 0.1, 10, torch.quint8),
        torch.quantize_per_tensor(x, 0.1, 0, torch.qint8),
        torch.quantize_per_channel(x, scales, zeros, 1, torch.qint8),
        torch.quantize_per_channel(x, scales, torch.tensor([0.5, 1.0]), 0, torch.quint8),
    ]


@pytest.mark.parametrize("place", range(4))
def test_a_quantized_tensor_comes_back(place):
    tensor = quantized_tensors()[place]
    loaded = again(held(tensor)).b
    assert (loaded.qscheme(), loaded.dtype) == (tensor.qscheme(), tensor.dtype)
    assert loaded.dequantize().equal(tensor.dequantize())


def test_a_nested_tensor_comes_back():
    loaded = again(held(torch.nested.nested_tensor([torch.ones(2), torch.zeros(3)]))).b
    assert [part.tolist() for part in loaded.unbind()] == [[1.0, 1.0], [0.0, 0.0, 0.0]]


def test_a_sparse_constant_runs_from_a_file():
    sparse = torch.eye(3).to_sparse()
    traced = tracelab.trace(lambda x: torch.sparse.mm(sparse, x), torch.ones(3, 2), check_trace=False)
    x = torch.rand(3, 5)
    assert again(traced)(x).equal(x)


@pytest.mark.parametrize("name", ["coo", "csr"])
def test_parts_that_do_not_fit_are_refused(name):
    def shrink(data):
        data["tensors"][-1]["shape"] = [1, 1]

    with pytest.raises(TracelabFileError, match="cannot be put together"):
        from_bytes(edited(to_bytes(held(SPARSE[name])), shrink))


def test_a_part_that_is_not_there_yet_is_refused():
    def turn(data):
        data["tensors"][-1]["parts"]["values"] = len(data["tensors"]) - 1

    with pytest.raises(TracelabFileError, match="points to row 2 of a table of 2"):
        from_bytes(edited(to_bytes(held(SPARSE["coo"])), turn))


# Quantized modules ---------------------------------------------------------------------------------------


class Network(nn.Module):
    """Convolutions, an addition that skips them, and a linear layer, between quantization and its end."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant = quantization.QuantStub(), quantization.DeQuantStub()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU()
        self.second = nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=2)
        self.back = nn.ConvTranspose2d(4, 4, 2, stride=2)
        self.skip = nn.quantized.FloatFunctional()
        self.last = nn.Linear(4, 2)

    def forward(self, x):
        x = self.relu(self.norm(self.first(self.quant(x))))
        x = self.back(self.skip.add(x, self.second(x)))
        return self.dequant(self.last(x.mean((2, 3))))


def static():
    model = Network().eval()
    model.qconfig = quantization.get_default_qconfig("x86")
    # Transposed convolutions take one scale for all channels.
    model.back.qconfig = quantization.default_qconfig
    quantization.prepare(model, inplace=True)
    model(torch.randn(2, 3, 8, 8))
    return quantization.convert(model)


def embedding():
    model = nn.Sequential(nn.EmbeddingBag(10, 8, mode="sum")).eval()
    model[0].qconfig = quantization.float_qparams_weight_only_qconfig
    return quantization.convert(quantization.prepare(model))


def dynamic(layer, dtype=torch.qint8):
    return quantization.quantize_dynamic(nn.Sequential(layer).eval(), {type(layer)}, dtype=dtype)


MODELS = {
    "static": (static, lambda n: torch.randn(n, 3, 8, 8)),
    "embedding bag": (embedding, lambda n: torch.randint(0, 10, (n, 4))),
    "linear": (lambda: dynamic(nn.Linear(4, 8)), lambda n: torch.randn(n, 4)),
    "linear in half precision": (lambda: dynamic(nn.Linear(4, 8), torch.float16), lambda n: torch.randn(n, 4)),
    "LSTM": (lambda: dynamic(nn.LSTM(4, 8)), lambda n: torch.randn(3, n, 4)),
    "GRU": (lambda: dynamic(nn.GRU(4, 8)), lambda n: torch.randn(3, n, 4)),
    "LSTM in half precision": (lambda: dynamic(nn.LSTM(4, 8), torch.float16), lambda n: torch.randn(3, n, 4)),
}


@pytest.fixture(params=MODELS)
def quantized(request):
    make, sample = MODELS[request.param]
    model = make()
    return model, tracelab.trace(model, sample(2), check_trace=False, strict=False), sample(5)


def test_a_quantized_model_runs_from_a_file(quantized):
    model, traced, x = quantized
    assert_same(again(traced)(x), model(x))


def test_a_quantized_model_that_was_loaded_gives_the_same_file(quantized):
    _, traced, _ = quantized
    content = to_bytes(traced)
    assert entries(to_bytes(from_bytes(content)))["weights.safetensors"] == entries(content)["weights.safetensors"]


def test_a_quantized_model_is_pickled_and_copied(quantized):
    model, traced, x = quantized
    assert_same(pickle.loads(pickle.dumps(traced))(x), model(x))
    assert_same(copy.deepcopy(traced)(x), model(x))


def test_packed_weights_are_plain_tensors_of_the_file():
    import safetensors.torch

    layer = dynamic(nn.Linear(4, 8))
    traced = tracelab.trace(layer, torch.ones(1, 4), check_trace=False)
    stored = safetensors.torch.load(entries(to_bytes(traced))["weights.safetensors"])
    assert stored["0.weight.numbers"].equal(layer[0].weight().int_repr())


def test_a_file_packs_with_no_other_operator():
    def edit(data):
        node = next(node for node in data["graphs"][0][1]["nodes"] if node["kind"].startswith("quantized::"))
        next(item for item in node["args"] if isinstance(item, dict) and "packed" in item)["packed"][0] = "add"

    content = to_bytes(tracelab.trace(dynamic(nn.Linear(4, 8)), torch.ones(1, 4), check_trace=False))
    with pytest.raises(TracelabFileError, match="of a kind that this tracelab does not know"):
        from_bytes(edited(content, edit))


def test_an_object_that_cannot_be_taken_apart_is_refused_with_the_module_s_name(monkeypatch):
    from tracelab.storage import packed

    traced = tracelab.trace(dynamic(nn.Linear(4, 8)), torch.ones(1, 4), check_trace=False)
    monkeypatch.setattr(packed, "_TAKERS", {})
    with pytest.raises(
        TracelabFileError, match=r"cannot save `0`: quantized::linear_dynamic takes an object of .*Linear"
    ):
        traced.save(io.BytesIO())
