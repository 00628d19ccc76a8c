"""Random programs that read and write by index: a trace of one size gives what eager gives on others."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

import tracelab
from support.index_programs import IndexProgram, index_programs
from support.replay import EXACT, copied
from support.shrinking import shrunk_lines

ONTO_ITSELF = "refer to a single memory location"
"""What eager says of some writes of memory onto itself, by strides that stand for nothing: those of sizes of one."""

ENTRIES = """
    None ... True False b, k.item() k, range( np.array( np.int64( Whole( [], torch.uint8 [:,None] j[ torch.tensor(
    ][ ]+= .size( // torch.arange( >0) 10000000 [[ [None,None,None] .double()
""".split()
"""What the programs are made of; spaces are left out."""

DAILY, ALL, A_PART = 150, 5000, 500


def run(function: Any, inputs: Any) -> Any:
    """What a call gives: its outputs with their layouts, and gradients; or that it raises."""
    x, *others = copied(inputs)
    if x.is_floating_point():
        x.requires_grad_()
    try:
        outputs = function(x, *others)
    except Exception as error:
        return error
    layouts = [(tuple(item.shape), item.dtype, item.stride(), item.storage_offset()) for item in outputs]
    try:
        total = sum((item * torch.arange(1.0, item.numel() + 1).view(item.shape)).sum() for item in outputs)
        (gradient,) = torch.autograd.grad(total, x) if isinstance(total, Tensor) and total.requires_grad else (None,)
    except Exception as error:
        gradient = error
    return outputs, layouts, gradient


def differs(found: Any, wanted: Any) -> str:
    """How two runs differ; nothing where they do not."""
    if any(isinstance(run, Exception) and ONTO_ITSELF in str(run) for run in (found, wanted)):
        return ""
    if isinstance(found, Exception) or isinstance(wanted, Exception):
        return "" if isinstance(found, Exception) and isinstance(wanted, Exception) else f"{found!r} for {wanted!r}"
    if found[1] != wanted[1]:
        return f"{found[1]} for {wanted[1]}"
    pairs = [*zip(found[0], wanted[0], strict=True), (found[2], wanted[2])]
    for one, other in pairs:
        if not isinstance(one, Tensor) or not isinstance(other, Tensor):
            if type(one) is not type(other):
                return f"gradients: {one!r} for {other!r}"
            continue
        try:
            torch.testing.assert_close(one, other, **EXACT)
        except AssertionError as error:
            return str(error)
    return ""


def failure(program: IndexProgram) -> str:
    """What a trace does otherwise than eager, on its own sizes and on others."""
    function = program.function
    example, *others = program.inputs
    wanted = run(function, example)
    try:
        traced = tracelab.trace(function, copied(example), check_trace=False)
    except Exception as error:
        return "" if isinstance(wanted, Exception) else f"the trace raises {error!r}"
    if isinstance(wanted, Exception) and ONTO_ITSELF not in str(wanted):
        return f"the trace does not raise {wanted!r}"
    for inputs in (example, *others):
        difference = differs(run(traced, inputs), run(function, inputs))
        if difference:
            return f"on {[tuple(item.shape) for item in inputs]}: {difference}"
    return ""


def shrunk(program: IndexProgram) -> IndexProgram:
    """The program without the lines that the failure does not need."""

    def still_fails(lines: list[str]) -> bool:
        try:
            return bool(failure(replace(program, lines=lines)))
        except SyntaxError:
            return False

    return replace(program, lines=shrunk_lines(program.lines, still_fails))


def check(first: int, last: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", tracelab.TracerWarning)
        for program in index_programs(range(first, last)):
            if failure(program):
                small = shrunk(program)
                pytest.fail(f"{failure(small)}\n\n{small}\n\nof\n\n{program}")


@pytest.mark.parametrize("first", range(0, DAILY, A_PART // 10))
def test_a_random_program_of_indices_replays_on_other_sizes(first):
    check(first, first + A_PART // 10)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(DAILY, ALL, A_PART))
def test_every_random_program_of_indices_replays_on_other_sizes(first):
    check(first, min(first + A_PART, ALL))


def test_the_programs_of_a_plain_run_have_every_kind_of_entry():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lines = "\n".join(line for program in index_programs(range(DAILY)) for line in program.lines)
    spaceless = lines.replace(" ", "")
    assert not [part for part in ENTRIES if part not in spaceless]


def test_a_program_is_the_same_each_time():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        once, again = (list(map(str, index_programs(range(10)))) for _ in range(2))
    assert once == again
