"""Models on the meta device and under a fake mode: traced as with data, without asking for values."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

import tracelab
from support.language_models import without_data

transformers = pytest.importorskip("transformers")


def mixtral(**options):
    config = transformers.MixtralConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=50,
        num_local_experts=4,
    )
    return without_data(config, 2, 8, **options)


def written_out(x):
    return torch.cat([torch.tensor([1.0, 2.0], dtype=x.dtype, device=x.device), x])


def test_what_code_writes_out_for_the_meta_device_is_a_constant_that_is_copied():
    def written_out(x):
        return torch.cat([torch.tensor([1.0, 2.0], dtype=torch.float32, device="meta"), x])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced = tracelab.trace(written_out, torch.ones(3, device="meta"))
    assert [node.kind for node in traced.graph.nodes if node.kind != "prim::Constant"] == ["aten::clone", "aten::cat"]
    assert traced(torch.ones(5, device="meta")).shape == (7,)


def test_what_code_writes_out_for_the_default_device_is_seen_there_too():
    def function(x):
        return x + torch.tensor(2.0)

    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("error")
        traced = tracelab.trace(function, torch.ones(3))
    assert "aten::clone" in [node.kind for node in traced.graph.nodes]


def test_constants_under_a_fake_mode_are_traced():
    with FakeTensorMode():
        traced = tracelab.trace(written_out, torch.ones(3))
        assert traced(torch.ones(4)).shape == (6,)


def test_a_trace_without_data_is_not_said_to_be_checked():
    traced = tracelab.trace(nn.Linear(4, 3, device="meta"), torch.ones(2, 4, device="meta"))
    assert traced.checked is None
    assert traced.summary().splitlines()[-1] == "meta tensors have no values: nothing was compared with Python"


def test_a_check_without_data_says_that_there_is_nothing_to_compare():
    report = tracelab.trace(nn.Linear(4, 3, device="meta"), torch.ones(2, 4, device="meta")).check()
    assert not report.ok
    assert report.headline == "nothing compared, no input tried, 1 without data"
    assert len(report.notes) == 1
    assert "no values to compare" in report.notes[0]


@pytest.mark.parametrize(
    "ask", [lambda x: x.nonzero(), lambda x: x if x.sum() > 0 else -x, lambda x: x * x.sum().item()]
)
@pytest.mark.parametrize("fake", [False, True])
def test_code_that_asks_for_a_value_is_told_the_way_out(ask, fake):
    with FakeTensorMode() if fake else torch.device("meta"):
        x = torch.ones(3)
        with pytest.raises(RuntimeError) as caught:
            tracelab.trace(ask, x)
    assert caught.value.__notes__[-1] == (
        "the code asks for a value here, and meta and fake tensors have none: "
        "trace a small model of the same classes with data"
    )


def test_an_error_of_the_user_s_is_not_taken_for_a_missing_value():
    with pytest.raises(RuntimeError) as caught:
        tracelab.trace(lambda x: x.view(7), torch.ones(3, device="meta"))
    assert not any("asks for a value" in note for note in caught.value.__notes__)


def test_experts_are_traced_in_bfloat16():
    model, ids = mixtral(dtype=torch.bfloat16)
    traced = tracelab.trace(model, ids)
    assert sum(node.kind == "aten::_grouped_mm" for node in traced.graph.nodes) == 4


def test_experts_that_read_which_were_chosen_name_the_implementation_to_set():
    model, ids = mixtral(experts_implementation="eager")
    with pytest.raises(NotImplementedError) as caught:
        tracelab.trace(model, ids)
    assert 'model.set_experts_implementation("grouped_mm")' in caught.value.__notes__[-1]


def test_experts_in_float32_name_what_torch_can_do_without_data():
    model, ids = mixtral(dtype=torch.float32)
    with pytest.raises(RuntimeError) as caught:
        tracelab.trace(model, ids)
    assert "dtype=torch.bfloat16" in caught.value.__notes__[-1]
    model.set_experts_implementation("batched_mm")
    assert tracelab.trace(model, ids).graph.nodes


def test_fake_tensors_outside_of_their_mode_name_the_mode():
    with FakeTensorMode():
        x = torch.ones(3)
    with pytest.raises(AssertionError) as caught:
        tracelab.trace(lambda x: x + torch.ones(3), x)
    assert "inside of the FakeTensorMode" in caught.value.__notes__[-1]


def test_code_that_reads_values_unless_it_is_traced_takes_meta_tensors_without_a_check():
    def forward(x):
        if not torch.jit.is_tracing() and (x > 0).all():
            return x * 3
        return x * 2

    traced = tracelab.trace(forward, torch.ones(2, 3, device="meta"), check_trace=False)
    assert traced(torch.ones(4, device="meta")).shape == (4,)
