"""Random programs with state, modes, branches and containers: a call of a trace is right, or is told why it may not be.

What differs from plain Python in silence, or changes plain Python, the state or torch, is a failure.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import replace

import pytest

from support.differential_judge import Judgement, Verdict, judged
from support.differential_programs import FEATURES, FORMS, Program, programs, runs
from support.shrinking import shrunk_lines

DAILY, A_PART = 36, 250
ALL = int(os.environ.get("TRACELAB_RANDOM_PROGRAMS", "1000"))
"""In a nightly run; 10,000 take half an hour on two cores."""
CALLS = 12
"""Calls of each program, of 34 kinds."""
FAILURES = (Verdict.SILENT, Verdict.SPOILED, Verdict.CRASH)


def failure(program: Program) -> str:
    """The first call that fails; empty where none does."""
    judgement = judged(program, CALLS)
    return next((f"{kind.name}: {judgement.words[kind]}" for kind in FAILURES if judgement.verdicts[kind]), "")


def shrunk(program: Program) -> Program:
    """The program with the statements and the result that the failure needs."""

    def smaller(before: Program) -> Program:
        def still_fails(statements: list[str]) -> bool:
            return fails(replace(before, statements=statements))

        return replace(before, statements=shrunk_lines(before.statements, still_fails))

    def fails(tried: Program) -> bool:
        return runs(tried) and bool(failure(tried))

    program = smaller(program)
    for name in dict.fromkeys(re.findall(r"\b(?:v\d+|[xyi])\b", program.returned)):
        tried = replace(program, returned=name)
        if fails(tried):
            return smaller(tried)
    return program


def check(first: int, last: int) -> Counter[Verdict]:
    found = Counter[Verdict]()
    for program in programs(range(first, last)):
        judgement: Judgement = judged(program, CALLS)
        found += judgement.verdicts
        if judgement.worst in FAILURES:
            small = shrunk(program)
            pytest.fail(f"{failure(small)}\n\n{small}\n\nof\n\n{program}")
    return found


@pytest.mark.parametrize("first", range(0, DAILY, 12))
def test_a_call_of_a_random_program_is_right_or_told(first):
    found = check(first, first + 12)
    assert found[Verdict.RIGHT] > found[Verdict.FALSE_ALARM]


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(DAILY, ALL, A_PART))
def test_every_call_of_the_random_programs_is_right_or_told(first):
    check(first, min(first + A_PART, ALL))


def test_the_programs_have_every_feature_and_form():
    made = list(programs(range(150)))
    assert {feature for program in made for feature in program.features} == set(FEATURES)
    assert {program.form for program in made} == set(FORMS)


def test_a_program_is_the_same_each_time():
    once, again = (list(map(str, programs(range(10)))) for _ in range(2))
    assert once == again
