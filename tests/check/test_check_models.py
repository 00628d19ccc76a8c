"""Frozen places of whole models: each is answered by an input that shows it wrong, or by none."""

from __future__ import annotations

import pytest

from support.examples.models_with_specializations import counterexamples_hold, report_of

ANSWERS = {
    "mixture of experts": {
        "mine = (chosen == number).nonzero().flatten().tolist()": "wrong for tokens negated",
    },
    "window attention": {
        "if missing > 0:": "wrong for x of shape [2, 13, 16] instead of [2, 12, 16]",
    },
    "detector": {
        "if kept.shape[0] == 0:": "wrong for image all ones",
        # Never fewer than those that are there, and never more than five: the slice is right for every count.
        "count = min(self.most, int(kept.shape[0]))": "no counterexample in 64 examples",
    },
    "greedy decoder": {
        "if bool((token == 0).all()):": (
            "wrong for start of shape [1] instead of [2], memory of shape [1, 8] instead of [2, 8], "
            "start and memory random"
        ),
    },
    "quantiser": {
        "if scale == 0:": "wrong for x all zeros",
        "if (steps.abs() > 64).sum() > x.numel() // 2:": "wrong for x all ones",
    },
}


@pytest.mark.parametrize("name", ANSWERS)
def test_each_specialization_has_a_verdict(name):
    report = report_of(name)
    assert {place.diagnostic.source.text.strip(): place.verdict for place in report.specializations} == ANSWERS[name]


@pytest.mark.parametrize("name", ANSWERS)
def test_each_counterexample_shows_the_difference(name):
    assert counterexamples_hold(name)
