"""Text that a file brought, in a terminal."""

from __future__ import annotations


def say(text: str) -> None:
    """Print it without its control characters, by which a name in a file could write over what the terminal shows."""
    for line in text.split("\n"):
        print("".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line))
