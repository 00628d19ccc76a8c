"""What code reads of an input's memory, of its bits and of how it was made is an assumption."""

from __future__ import annotations

import pytest
import torch

import tracelab
from support.told import told

X = torch.ones(3)
COMPLEX = torch.ones(3, dtype=torch.complex64)
with torch.inference_mode():
    INFERENCE = torch.ones(3)

TOLD = {
    "x.untyped_storage().nbytes() was 12": (lambda x: x * x.untyped_storage().nbytes(), X, torch.ones(5)),
    "x.untyped_storage().nbytes() was 12 ": (lambda x: x * len(x.storage()), X, torch.ones(5)),
    "x.untyped_storage().nbytes() was 12  ": (lambda x: x * x.storage().size(), X, torch.ones(6)),
    "x._is_view() was False": (lambda x: x * (2 if x._is_view() else 3), X, torch.ones(4)[1:]),
    "x._is_view() was False ": (lambda x: x * (2 if x._base is not None else 3), X, torch.ones(4)[1:]),
    "x.is_inference() was False": (lambda x: x * (2 if x.is_inference() else 3), X, INFERENCE),
    "x.is_conj() was False": (lambda x: x * (2 if x.is_conj() else 3), COMPLEX, COMPLEX.conj()),
    "x.is_neg() was False": (lambda x: x * (2 if torch.is_neg(x) else 3), X, COMPLEX.conj().imag),
    "x.is_contiguous(memory_format=torch.channels_last) was False": (
        lambda x: x * (2 if x.is_contiguous(memory_format=torch.channels_last) else 3),
        torch.ones(2, 3, 4, 4),
        torch.ones(2, 3, 4, 4).contiguous(memory_format=torch.channels_last),
    ),
    "x.dtype was torch.float32": (lambda x: x * (2 if isinstance(x, torch.FloatTensor) else 3), X, X.double()),
}


@pytest.mark.parametrize("sentence", TOLD)
def test_an_input_for_which_it_is_another_is_told(sentence):
    code, example, other = TOLD[sentence]
    traced = tracelab.trace(code, example)
    assert told(traced, example) == []
    (said,) = told(traced, other)
    assert said.startswith(sentence.strip())
    assert "test_reads_of_memory.py" in said


@pytest.mark.parametrize(
    "code",
    [
        lambda x: x * (2 if x.untyped_storage().data_ptr() == x.untyped_storage().data_ptr() else 3),
        lambda x: x * (2 if x[1:]._is_view() else 3),
        lambda x: x[None].conj().resolve_conj() * 2,
    ],
)
def test_what_is_the_same_at_each_call_is_not_told(code):
    traced = tracelab.trace(code, X)
    for other in (torch.ones(5), torch.ones(6)[1:], X.double()):
        assert told(traced, other) == []
        assert torch.equal(traced(other), code(other))


def test_a_file_keeps_it(tmp_path):
    tracelab.trace(lambda x: x * x.untyped_storage().nbytes(), X).save(tmp_path / "bytes.tlab")
    assert len(told(tracelab.load(tmp_path / "bytes.tlab"), torch.ones(5))) == 1
