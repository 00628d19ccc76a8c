"""Text that a terminal or a page may show: without the letters that would steer it."""

from __future__ import annotations


def replaced(text: str, keep: str = "") -> str:
    """The text with a replacement character for each letter that is none to see.

    >>> replaced("red: \\x1b[31m")
    'red: �[31m'
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter in keep else "\N{REPLACEMENT CHARACTER}" for letter in text)


def escaped(text: str) -> str:
    """Lines with each such letter written as Python writes it.

    >>> escaped("red: \\x1b[31m")
    'red: \\\\x1b[31m'
    """
    return "\n".join(
        line if line.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)
        for line in text.split("\n")
    )
