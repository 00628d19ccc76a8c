"""How figures look: colours for paper, for print without colours, and for dark slides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tracelab.errors import InputError


@dataclass(frozen=True, slots=True)
class Look:
    """Fill and border of one kind of box."""

    fill: str
    border: str


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a figure; no page colour where it is drawn on whatever lies below."""

    page: str
    ink: str
    faint: str
    """Of second lines, sizes and titles of frames."""
    line: str
    looks: Mapping[str, Look]
    """By kind of box."""


_PRINT = Theme(
    "",
    "#1f2933",
    "#52606d",
    "#616e7c",
    {
        "input": Look("#e3f1e5", "#4c8a56"),
        "output": Look("#fdeedb", "#b9792a"),
        "module": Look("#e6eefb", "#4a73b8"),
        "function": Look("#f1ecf9", "#7d5fb2"),
        "operator": Look("#ffffff", "#7b8794"),
        "failed": Look("#fbe3e1", "#c4453c"),
        "frame": Look("#f7f8fa", "#9aa5b1"),
        "function frame": Look("#faf8fd", "#9d86c6"),
    },
)
_GREY = Theme(
    "",
    "#000000",
    "#404040",
    "#404040",
    {
        "input": Look("#ffffff", "#000000"),
        "output": Look("#ffffff", "#000000"),
        "module": Look("#e4e4e4", "#000000"),
        "function": Look("#f2f2f2", "#000000"),
        "operator": Look("#ffffff", "#505050"),
        "failed": Look("#ffffff", "#000000"),
        "frame": Look("#fafafa", "#808080"),
        "function frame": Look("#ffffff", "#808080"),
    },
)
_DARK = Theme(
    "#15191f",
    "#e8ecf1",
    "#aab4c0",
    "#8794a3",
    {
        "input": Look("#1d3324", "#63a871"),
        "output": Look("#3a2a16", "#d79b4c"),
        "module": Look("#1d2b45", "#6f9be0"),
        "function": Look("#2c2440", "#a58bd6"),
        "operator": Look("#20262e", "#7b8794"),
        "failed": Look("#44201d", "#e0736a"),
        "frame": Look("#1a1f26", "#566270"),
        "function frame": Look("#1c1a26", "#6f5f96"),
    },
)
THEMES: Mapping[str, Theme] = {"print": _PRINT, "grey": _GREY, "dark": _DARK}


def theme_of(name: str) -> Theme:
    """The theme of that name; `InputError` for another one."""
    if name not in THEMES:
        raise InputError(f"there is no theme {name!r}: there are {', '.join(THEMES)}")
    return THEMES[name]
