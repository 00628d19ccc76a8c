"""Memory of what is known about code objects, by their identity."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CodeType
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_MOST = 16_384
"""Answers that one function remembers; beyond it begins anew."""


def by_code(function: Callable[Concatenate[CodeType, P], R]) -> Callable[Concatenate[CodeType, P], R]:
    """Remember what a function answers for a code object and the numbers and words behind it.

    Python hashes a code object by reading all of it, which takes longer than most answers, and two that are equal may
    stand in different files. The memory holds the code objects, so that none gets the identity of another.
    """
    known: dict[object, tuple[CodeType, R]] = {}

    def remembered(code: CodeType, /, *args: P.args, **kwargs: P.kwargs) -> R:
        key = (id(code), *args)
        found = known.get(key)
        if found is None:
            if len(known) >= _MOST:
                known.clear()
            found = known[key] = (code, function(code, *args, **kwargs))
        return found[1]

    return functools.update_wrapper(remembered, function)
