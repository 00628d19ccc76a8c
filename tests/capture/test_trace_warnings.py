"""Every place that the trace froze is said once, at the user's own line, and nothing else is said."""

from __future__ import annotations

import ctypes
import pickle
import sys
import warnings

import pytest
import torch

import tracelab
from support.examples.functions_that_assert import asserted, asserted_one_of_two, asserted_value, asserted_with_words
from support.replay import agrees
from tracelab import TracerWarning


def said(function, *example, **options):
    """The warnings that Python shows, and those on the graph."""
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        traced = tracelab.trace(function, example, check_trace=False, **options)
    return shown, traced.graph.warnings


def to_int(x):
    return x + int(x.sum())


def to_float(x):
    return x + float(x.sum())


def to_complex(x):
    return x + complex(x.sum())


def to_bool(x):
    if x.sum() > 0:
        return x
    return -x


def to_list(x):
    return x + x.tolist()[0]


def to_numpy(x):
    return x + x.numpy()[0].item()


def to_array(x):
    import numpy

    return x + float(numpy.asarray(x)[0])


def iterated(x):
    total = torch.zeros(())
    for item in x:
        total = total + item
    return total


def unpacked(x):
    a, b = x
    return a + b


def contained(x):
    return x + (1.0 in x)


def size_branch(x):
    if x.shape[0] > 1:
        return x
    return -x


def size_loop(x):
    for _ in range(x.shape[0]):
        x = x + 1
    return x


def size_length(x):
    return x * len(x)


def size_to_float(x):
    return x * float(x.size(0))


def to_pickle(x):
    return x * len(pickle.dumps(x))


WORDS = {
    to_int: ("int", "Converting a tensor to a Python integer (2)"),
    to_float: ("float", "Converting a tensor to a Python float (2.0)"),
    to_complex: ("complex", "Converting a tensor to a Python complex ((2+0j))"),
    to_bool: ("bool", "Converting a tensor to a Python boolean (True)"),
    to_list: ("list", "Converting a tensor to a Python list"),
    to_numpy: ("numpy", "Converting a tensor to a NumPy array"),
    to_pickle: ("pickle", "Converting a tensor to bytes of pickle"),
    iterated: ("iter", "Iterating over a tensor"),
    unpacked: ("iter", "Iterating over a tensor"),
    contained: ("bool", "Converting a tensor to a Python boolean (True)"),
    size_branch: ("bool", "Converting a traced size to a Python boolean (True)"),
    size_loop: ("int", "Converting a traced size to a Python integer (2)"),
    size_length: ("int", "Converting a traced size to a Python integer (2)"),
}


@pytest.mark.parametrize("function", WORDS, ids=lambda function: function.__name__)
def test_the_words_say_what_became_what(function):
    kind, words = WORDS[function]
    shown, noted = said(function, torch.ones(2))
    assert [warning.kind for warning in noted] == [kind]
    assert str(shown[0].message).startswith(words + " might cause the trace to be incorrect")


@pytest.mark.parametrize("function", WORDS, ids=lambda function: function.__name__)
def test_a_warning_stands_at_the_user_s_own_line(function):
    (shown,), (noted,) = said(function, torch.ones(2))
    first = function.__code__.co_firstlineno
    assert shown.category is TracerWarning
    assert shown.filename == noted.source.file == __file__
    assert shown.lineno == noted.source.line
    assert first < shown.lineno <= max(line for _, _, line in function.__code__.co_lines() if line)


def test_a_warning_knows_the_value_the_node_and_the_frozen_number():
    _, (noted,) = said(to_int, torch.ones(2))
    assert noted.constant == "2"
    assert noted.node.name == "sum"
    assert noted.value is noted.node.output
    assert noted.position == 1


def test_a_warning_prints_as_place_and_sentence():
    _, (noted,) = said(to_bool, torch.ones(2))
    assert str(noted) == f"test_trace_warnings.py:{noted.source.line}: {noted.message}"
    assert "the branch taken here is taken for every input" in noted.message


def test_a_place_is_said_once_however_often_it_runs():
    def looped(x):
        for _ in range(5):
            x = x + int(x.sum())
        return x

    shown, noted = said(looped, torch.ones(2))
    assert (len(shown), len(noted)) == (1, 1)


def test_two_places_are_said_each():
    def twice(x):
        a = int(x.sum())
        b = int(x.mean())
        return x * a * b

    shown, noted = said(twice, torch.ones(2))
    assert [item.lineno for item in shown] == [noted[0].source.line, noted[1].source.line]
    assert noted[0].source.line + 1 == noted[1].source.line


def test_a_warning_inside_torch_stands_at_the_user_s_call_of_it():
    def spread(x):
        return torch.distributions.Normal(x, x.exp(), validate_args=True).mean

    shown, _ = said(spread, torch.ones(2))
    assert all(item.filename == __file__ for item in shown)


def test_the_old_words_come_in_the_old_order():
    def everything(x):
        int(x)
        y = x * 1
        if y:
            pass
        float(y)
        y.tolist()
        y.numpy()
        for _ in torch.ones(4, 4):
            pass
        return y + 4

    shown, _ = said(everything, torch.tensor([1]))
    words = [
        "a Python integer",
        "a Python boolean",
        "a Python float",
        "a Python list",
        "a NumPy array",
        "Iterating over",
    ]
    assert [word in str(item.message) for word, item in zip(words, shown, strict=True)] == [True] * 6


def test_a_tensor_as_an_index_of_a_list_is_noted_without_a_word():
    def pick(x, index):
        return [x, x * 2][index]

    shown, noted = said(pick, torch.ones(2), torch.tensor(1))
    assert shown == []
    assert [(item.kind, item.constant) for item in noted] == [("index", "1")]


def test_a_shape_that_numpy_reads_as_numbers_is_noted():
    _, noted = said(to_array, torch.ones(2))
    assert "numpy" in {item.kind for item in noted}


# What freezes nothing is not said ----------------------------------------------------------------------------


def refused(x):
    if x.size(1) != 4:
        raise ValueError("four columns, please")
    return x * 2


def refused_where_two_things_hold(x):
    if x.shape[0] != 1 and x.shape[1] != 4:
        raise ValueError("one row or four columns, please")
    return x * 2


def refused_in_a_loop(x):
    for here, there in zip(x.shape, (3, 4), strict=True):
        if here != 1 and there != 1 and here != there:
            raise ValueError("sizes differ")
    return x * 2


def refused_by_a_value(x):
    if not (x > 0).all():
        raise ValueError("must be positive")
    return x * 2


def warned_of(x):
    if x.shape[0] != x.shape[1]:
        warnings.warn(f"a square was expected, not {x.shape}", stacklevel=2)
    return x * 2


def checked_by_a_distribution(x):
    return torch.distributions.Normal(x, torch.ones_like(x)).log_prob(x)


def validated(x):
    def validate(rows, columns):
        if rows != 1 and columns != 4:
            raise ValueError("one row or four columns, please")

    def advise(rows, columns):
        if rows != columns:
            warnings.warn("a square is faster", stacklevel=2)

    validate(*x.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        advise(*x.shape)
    return x * 2


def a_loss(x):
    return torch.nn.functional.mse_loss(x, x * 2)


def refused_by_a_tensor_s_dim(x):
    if x.dim() != 2:
        raise ValueError("two dimensions, please")
    return x * 2


def printed(x):
    repr(x)
    f"{x}"
    return x * 2


def asked(x):
    assert x.dtype is torch.float32
    assert x.device.type == "cpu"
    assert not x.requires_grad
    assert x.is_contiguous()
    assert isinstance(x, torch.Tensor)
    return x * 2


def symbolic(x):
    return x.view(x.shape[0] * x.shape[1]) / x.shape[1] ** 0.5


@pytest.mark.parametrize(
    "function",
    [
        asserted,
        asserted_value,
        asserted_one_of_two,
        asserted_with_words,
        refused,
        refused_where_two_things_hold,
        refused_in_a_loop,
        refused_by_a_value,
        refused_by_a_tensor_s_dim,
        validated,
        checked_by_a_distribution,
        a_loss,
        printed,
        asked,
        symbolic,
    ],
    ids=lambda function: function.__name__,
)
def test_what_freezes_nothing_is_not_said(function):
    shown, noted = said(function, torch.ones(3, 4))
    assert [str(item.message) for item in shown] == []
    assert noted == []


def test_a_branch_that_only_warns_is_not_said():
    shown, noted = said(warned_of, torch.ones(3, 4))
    assert [item.category for item in shown] == [UserWarning]
    assert noted == []


def kept_as_a_value(x):
    tall = x.shape[0] > 2 and x.shape[1] > 3
    return x * (2 if tall is True else 3)


def chosen_as_an_argument(x):
    return torch.add(x, 1 if x.shape[0] > 2 else 2)


def added_in_a_branch(x):
    if x.shape[0] > 2 and x.dim() == 2:
        x = x + 1
    return x


def called_in_a_branch(x):
    seen = []
    if x.shape[0] > 2:
        seen.append(2)
    return x * sum(seen)


def called_in_a_further_condition(x):
    seen = []
    if x.shape[0] > 2 and seen.append(2):
        raise ValueError("never")
    return x * sum(seen)


def asked_for_a_whole_number(x):
    return x * 2 if (x.shape[1] / 2).is_integer() else x


def counted(x):
    count = 0
    while count < x.shape[0]:
        count += 1
    return x * count


@pytest.mark.parametrize(
    ("function", "columns"),
    [
        (kept_as_a_value, [11, 30]),
        (chosen_as_an_argument, [29]),
        (added_in_a_branch, [7]),
        (called_in_a_branch, [7]),
        (called_in_a_further_condition, [7]),
        # Python 3.11 gives the branch the place of the whole expression.
        (asked_for_a_whole_number, [20 if sys.version_info >= (3, 12) else 11]),
        (counted, [10]),
    ],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_a_branch_that_does_something_is_said_at_its_column(function, columns):
    _, noted = said(function, torch.ones(3, 4))
    assert [item.kind for item in noted] == ["bool"] * len(columns)
    assert [item.source.column for item in noted] == columns


def test_a_check_that_passed_leaves_a_trace_that_follows_sizes():
    traced = tracelab.trace(refused, torch.ones(3, 4))
    agrees(traced, refused, torch.randn(7, 4))


def test_a_conversion_of_a_size_of_a_parameter_is_not_said():
    layer = torch.nn.Linear(3, 2)

    def use(x):
        if layer.weight.shape[0] > 1:
            x = layer(x)
        return x * len(layer.weight)

    shown, noted = said(use, torch.ones(1, 3))
    assert (shown, noted) == ([], [])


def test_nothing_is_said_when_a_trace_runs_again():
    traced = tracelab.trace(symbolic, torch.ones(2, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced(torch.ones(4, 5))


def test_conversions_outside_of_a_recording_are_not_said():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_bool(torch.ones(2))
        list(torch.ones(2))


def test_a_filter_by_category_silences_them():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=TracerWarning)
        traced = tracelab.trace(to_bool, torch.ones(2))
    assert len(traced.graph.warnings) == 1


def test_a_tensor_made_behind_torch_s_back_is_said_to_be_a_constant():
    def hidden(x):
        y = x * 2
        memory = (ctypes.c_float * 2).from_address(y.data_ptr())
        return torch.frombuffer(memory, dtype=torch.float32) + 1

    shown, noted = said(hidden, torch.ones(2))
    assert [item.kind for item in noted] == ["constant"]
    assert "shares memory with a result of aten::mul" in str(shown[0].message)


def test_what_is_frozen_replays_as_it_was_frozen():
    with pytest.warns(TracerWarning):
        traced = tracelab.trace(to_bool, torch.ones(2))
    assert traced(-torch.ones(2)).tolist() == [-1, -1]


@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("weights", [True, False])
def test_torch_s_attention_follows_its_sizes_without_a_word(length, weights):
    attention = torch.nn.MultiheadAttention(32, 4, batch_first=True).eval()
    memory = torch.randn(2, 7, 32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced = tracelab.trace(attention, torch.randn(2, length, 32), memory, memory, need_weights=weights)
        query, memory = torch.randn(3, 4, 32), torch.randn(3, 9, 32)
        mine, wanted = (net(query, memory, memory, need_weights=weights) for net in (traced, attention))
    torch.testing.assert_close(mine, wanted)


@pytest.fixture
def quantized():
    quantization = pytest.importorskip("torch.ao.quantization")
    net = torch.nn.Sequential(quantization.QuantStub(), torch.nn.Linear(4, 4), quantization.DeQuantStub()).eval()
    net.qconfig = quantization.get_default_qconfig(torch.backends.quantized.engine)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = quantization.prepare(net)
        net(torch.randn(8, 4))
        return quantization.convert(net)


def test_a_quantized_module_that_reads_its_scale_is_said_nowhere(quantized):
    assert said(quantized, torch.randn(3, 4))[1] == []


def test_another_scale_is_told_at_the_call(quantized):
    traced = tracelab.trace(quantized, torch.randn(3, 4))
    traced.get_buffer("0.scale").mul_(2)
    with pytest.warns(tracelab.AssumptionWarning, match=r"was 0\.\d+ when .* was traced"):
        traced(torch.randn(5, 4))
