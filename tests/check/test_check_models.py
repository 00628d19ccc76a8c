"""Frozen places of whole models: each is answered by an input that shows it wrong, or by none."""

from __future__ import annotations

import pytest

from support.examples.models_with_frozen_places import counterexamples_hold, report_of

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
        "count = min(self.most, int(kept.shape[0]))": "no counterexample in 64 tries",
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
def test_each_frozen_place_is_answered(name):
    report = report_of(name)
    assert {place.warning.source.text.strip(): place.answer for place in report.places} == ANSWERS[name]


@pytest.mark.parametrize("name", ANSWERS)
def test_each_counterexample_shows_the_fault(name):
    assert counterexamples_hold(name)
