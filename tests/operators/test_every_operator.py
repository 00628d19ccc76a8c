"""Every operator of torch's own database: traced on one sample, replayed on fresh values, equal to eager.

On a GPU where there is one.

A plain run takes a part of the database, with every kind of operator in it; the rest is marked `nightly`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch.utils import _pytree as pytree

import tracelab

common = pytest.importorskip("torch.testing._internal.common_methods_invocations", reason="needs expecttest")

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
VARIANTS = {"function": "op", "method": "method_variant", "inplace": "inplace_variant"}
SAMPLES = 4
# Results in part not written, and writes to one place in any order: on a GPU no two calls need to agree.
UNORDERED = ("torch.ops.aten._efficient_attention_forward", "nn.functional.max_unpool3d")
# What these return is whatever was in the memory.
UNINITIALISED = ("empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided")

OPERATORS = [
    op
    for op in common.op_db
    if torch.float32 in op.supported_dtypes(DEVICE) and (DEVICE == "cpu" or op.name not in UNORDERED)
]


def kind(op: Any, variant: str) -> tuple[str, str, str]:
    """How torch describes an operator, its namespace, and how it is called."""
    return type(op).__name__, op.name.rpartition(".")[0], variant


def cases() -> Iterator[Any]:
    """Each operator in each form; a plain run takes every fourth and the first of each kind."""
    forms = [(op, variant) for op in OPERATORS for variant in VARIANTS if getattr(op, VARIANTS[variant]) is not None]
    seen = set()
    for number, (op, variant) in enumerate(forms):
        daily = number % 4 == 0 or kind(op, variant) not in seen
        seen.add(kind(op, variant))
        name = f"{op.name}-{op.variant_test_name or 'plain'}-{variant}"
        yield pytest.param(op, variant, id=name, marks=[] if daily else [pytest.mark.nightly])


def as_function(sample: Any, call: Callable[..., Any], variant: str) -> tuple[Callable[..., Any], list[torch.Tensor]]:
    """The call as a function of the sample's tensors alone."""
    leaves, spec = pytree.tree_flatten((sample.input, sample.args, sample.kwargs))
    places = [index for index, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]

    def function(*tensors: torch.Tensor) -> Any:
        filled = list(leaves)
        for place, tensor in zip(places, tensors, strict=True):
            filled[place] = tensor
        given, args, kwargs = pytree.tree_unflatten(filled, spec)
        return call(given.clone() if variant == "inplace" else given, *args, **kwargs)

    return function, [leaves[place] for place in places]


def copied(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    return [tensor.detach().clone() if tensor.layout is torch.strided else tensor for tensor in tensors]


def shuffled(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    """Other values from the same domain: each floating tensor's own, in another order."""
    fresh = copied(tensors)
    for index, tensor in enumerate(fresh):
        if tensor.dtype.is_floating_point and tensor.layout is torch.strided and tensor.numel() > 1:
            fresh[index] = tensor.reshape(-1)[torch.randperm(tensor.numel())].reshape(tensor.shape)
    return fresh


def spread(samples: list[Any]) -> list[Any]:
    """Some of them, from the first to the last: neighbours differ in little."""
    step = max(1, (len(samples) - 1) // (SAMPLES - 1))
    return samples[::step][:SAMPLES]


def run(function: Callable[..., Any], tensors: list[torch.Tensor]) -> Any:
    torch.manual_seed(1)
    return function(*copied(tensors))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("op", "variant"), list(cases()))
def test_replay_equals_eager(op: Any, variant: str) -> None:
    torch.manual_seed(0)
    call = getattr(op, VARIANTS[variant])
    for sample in spread(list(op.sample_inputs(DEVICE, torch.float32, requires_grad=False))):
        function, tensors = as_function(sample, call, variant)
        try:
            run(function, tensors)
        except Exception:  # the operator has no such in-place form for this sample
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                traced = tracelab.trace(function, tuple(tensors), check_trace=False, strict=False)
            except tracelab.TracelabError as error:
                # An operator that gives Python values is right when the trace refuses them.
                assert "Only tensors" in str(error)
                continue
        for values in (tensors, shuffled(tensors)):
            try:
                expected = run(function, values)
            except Exception:  # shuffling left the operator's domain
                continue
            found = run(traced, values)
            with torch.no_grad():  # another code path of the replay
                plain = run(traced, values)
            assert not any(leaf.is_inference() for leaf in pytree.tree_leaves(plain) if isinstance(leaf, torch.Tensor))
            if op.name in UNINITIALISED or traced.graph.warnings:
                continue
            torch.testing.assert_close(found, expected, equal_nan=True, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(plain, expected, equal_nan=True, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("op", "variant"), [case for case in cases() if case.values[1] == "function"])
def test_a_file_and_a_run_node_by_node_give_the_same(op: Any, variant: str, tmp_path: Any) -> None:
    torch.manual_seed(0)
    samples = spread(list(op.sample_inputs(DEVICE, torch.float32, requires_grad=False)))
    function, tensors = as_function(samples[-1], op.op, variant)
    try:
        run(function, tensors)
    except Exception:  # for CUDA alone, or for a tensor that is part of a larger memory
        return
    try:
        traced = tracelab.trace(function, tuple(tensors), check_trace=False, strict=False)
    except tracelab.TracelabError as error:
        assert "Only tensors" in str(error)
        return
    expected = run(traced, tensors)
    if op.name.startswith("jiterator"):
        with pytest.raises(tracelab.TracelabFileError, match="cannot run from a file"):
            traced.save(tmp_path / "operator.tlab")
        return
    traced.save(tmp_path / "operator.tlab")
    loaded = tracelab.load(tmp_path / "operator.tlab")
    stepped = run(lambda *given: traced.run(*given).outputs, tensors)
    if op.name not in UNINITIALISED:
        torch.testing.assert_close(run(loaded, tensors), expected, equal_nan=True, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(stepped, expected, equal_nan=True, rtol=1e-4, atol=1e-5)
