"""What the magics say of an option that they do not know, and of a text that cannot name a variable."""

from __future__ import annotations

import difflib
import keyword
from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError


def known_options(magic: Callable[..., Any]) -> list[str]:
    """The options of a magic, as `magic_arguments` declares them."""
    actions = magic.parser._actions  # type: ignore[attr-defined]
    return [option for action in actions for option in action.option_strings]


def unknown_option(name: str, word: str, known: list[str]) -> UsageError:
    """The error for an option that the magic `name` does not know; it names one that is spelled much like it."""
    close = difflib.get_close_matches(word, known, 1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return UsageError(f"{name} does not know the option {word}{hint}; see {name} --help")


def variable_name(name: str, given: str) -> str:
    """What `-o` of the magic `name` was given; raises `UsageError` for what cannot be the name of a variable."""
    if not given:
        raise UsageError(f"{name} -o needs the name of a variable, as in {name} -o kept")
    if keyword.iskeyword(given):
        raise UsageError(f"{name} -o needs the name of a variable, not {given!r}, a keyword of Python")
    if not given.isidentifier():
        raise UsageError(f"{name} -o needs the name of a variable, not {given!r}")
    return given
