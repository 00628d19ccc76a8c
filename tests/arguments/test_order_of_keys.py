"""A dict that the code wrote to has its keys in the order in which Python has them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tracelab


class Batch(OrderedDict[str, Any]):
    pass


def test_a_key_that_is_taken_out_and_put_in_again_stands_last():
    def function(d: dict[str, Any]) -> Any:
        d["a"] = d.pop("a") * 2
        return d["b"]

    traced = tracelab.trace(function, {"a": torch.ones(2), "b": torch.ones(2)})
    batch = {"a": torch.ones(3), "b": torch.ones(3)}
    traced(batch)
    assert list(batch) == ["b", "a"]
    assert torch.equal(batch["a"], torch.full((3,), 2.0))


@pytest.mark.parametrize("last", [True, False])
def test_keys_that_are_moved(last: bool):
    def function(d: Any) -> Any:
        d.move_to_end("b", last=last)
        return d["a"]

    made = [("a", torch.ones(2)), ("b", torch.ones(2)), ("c", torch.ones(2))]
    traced = tracelab.trace(function, Batch(made))
    batch, plain = Batch(made), Batch(made)
    traced(batch)
    function(plain)
    assert list(batch) == list(plain)


STEPS = st.lists(st.tuples(st.sampled_from(["put", "pop", "again", "default", "end", "last"]), st.sampled_from("abcd")))


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([dict, OrderedDict, Batch]), st.permutations("abc"), STEPS)
def test_any_writes_leave_the_order_of_python(cls: type, names: list[str], steps: list[tuple[str, str]]):
    def code(d: Any) -> Any:
        total = torch.zeros(())
        for step, key in steps:
            if step == "put":
                d[key] = total + 1
            elif step == "default":
                total = total + d.setdefault(key, torch.ones(2)).sum()
            elif step == "last" and d:
                total = total - d.popitem()[1].sum()
            elif key in d:
                if step == "pop":
                    del d[key]
                elif step == "again":
                    d[key] = d.pop(key) * 3
                elif step == "end" and isinstance(d, OrderedDict):
                    d.move_to_end(key, last=False)
        return total

    def argument(offset: float) -> Any:
        return cls((name, torch.arange(2.0) + offset + at) for at, name in enumerate(names))

    traced = tracelab.trace(code, argument(0.0))
    mine, theirs = argument(5.0), argument(5.0)
    assert torch.equal(traced(mine), code(theirs))
    assert list(mine) == list(theirs)
    assert all(torch.equal(part, theirs[name]) for name, part in mine.items())
