"""Views of dicts are arguments; what can be gone through once only, tables and images are refused with the way out."""

from __future__ import annotations

import pandas
import pytest
import torch

import tracelab


@pytest.mark.parametrize(
    ("code", "view"),
    [
        (lambda parts: torch.stack(list(parts)).sum(0), lambda given: given.values()),
        (lambda parts: sum(part * len(key) for key, part in parts), lambda given: given.items()),
    ],
)
def test_a_view_of_a_dict_is_an_argument(code, view):
    traced = tracelab.trace(code, view({"a": torch.ones(3), "bc": torch.ones(3)}))
    other = {"a": torch.full((3,), 2.0), "bc": torch.full((3,), 5.0)}
    assert torch.equal(traced(view(other)), code(view(other)))


def test_other_keys_are_told():
    traced = tracelab.trace(lambda x, keys: x * len(next(iter(keys))), torch.ones(2), {"a": 1}.keys())
    with pytest.warns(tracelab.AssumptionWarning):
        traced(torch.ones(2), {"longer": 1}.keys())


@pytest.mark.parametrize(
    "once",
    [
        lambda x: zip([x], [x], strict=True),
        lambda x: map(torch.exp, [x]),
        lambda x: (part for part in [x]),
        lambda x: iter([x]),
        lambda x: enumerate([x]),
    ],
)
def test_what_is_used_up_is_refused_before_it_is(once):
    given = once(torch.ones(2))
    with pytest.raises(tracelab.InputError, match=r"once only, and a trace runs more than once: .*list\(parts\)"):
        tracelab.trace(lambda parts: [*parts], given)
    assert len(list(given)) == 1


def test_a_table_is_refused_with_what_gives_its_values():
    table = pandas.DataFrame({"a": [1.0, 2.0]})
    with pytest.raises(tracelab.InputError, match=r"input `table` \(DataFrame of pandas\).*table\.to_numpy\(\)"):
        tracelab.trace(lambda table: torch.tensor(table.to_numpy()), table)


def test_an_image_is_refused_with_what_gives_its_values():
    image = pytest.importorskip("PIL.Image").new("L", (2, 2))
    with pytest.raises(tracelab.InputError, match=r"input `image` \(Image of PIL\).*numpy\.asarray\(image\)"):
        tracelab.trace(lambda image: torch.ones(2), image)


def test_a_moment_is_an_argument_that_is_compared():
    traced = tracelab.trace(lambda x, day: x * day.year, torch.ones(2), pandas.Timestamp(2020, 1, 1))
    with pytest.warns(tracelab.AssumptionWarning):
        traced(torch.ones(2), pandas.Timestamp(2021, 1, 1))
