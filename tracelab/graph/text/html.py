"""Results as HTML for notebooks: tables, bars and parts that open, without script.

Styles stand in the elements, and take the colours of the page around them: the same HTML is right on a light and on a
dark page, and readable where a site takes the styles out. All text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from tracelab.graph.text.printable import replaced

_BLOCK = (
    "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:var(--jp-ui-font-size1,13px);"
    "line-height:1.45;text-align:left"
)
_TABLE = "border-collapse:collapse;margin:.3em 0"
_CAPTION = "text-align:left;padding:.2em .6em;opacity:.75;white-space:nowrap;font-size:inherit"
_CELL = "padding:.15em .6em;vertical-align:top"
_CODE = "font-family:var(--jp-code-font-family,ui-monospace,monospace)"
_HEAD = "border-bottom:1px solid currentColor;font-weight:600"
_BAD = "color:var(--jp-error-color1,#c62828);font-weight:600"
_BAR = "rgba(66,133,244,.35)"
"""Seen on white and on black; the text on it keeps its colour."""
_LINK = "color:inherit;text-decoration:underline dotted"
_OPENS = "margin:.2em 0 .2em 1.2em"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, and how it looks.

    Attributes:
        text: What it says.
        code: Whether it is code, or a name in code.
        share: A part of a whole, from 0 to 1, drawn as a bar behind the text.
        bad: Whether it tells of something wrong.
        depth: How far it is set in, in steps.
        selects: What it selects in the explorer above it: a module's path, or `%` and the name of a value.
    """

    text: str
    code: bool = False
    share: float | None = None
    bad: bool = False
    depth: int = 0
    selects: str = ""


def text_html(text: str) -> str:
    """Text, escaped and without control characters."""
    return escape(replaced(text, keep="\n\t"))


def block(parts: Iterable[str]) -> str:
    """The whole of a result."""
    return f'<div style="{_BLOCK}">{"".join(parts)}</div>'


def line(text: str, bad: bool = False) -> str:
    """One line of text.

    >>> line("a < b")
    '<div>a &lt; b</div>'
    """
    return f'<div style="{_BAD}">{text_html(text)}</div>' if bad else f"<div>{text_html(text)}</div>"


def heading(name: str, text: str, bad: bool = False) -> str:
    """The first line: whose result it is, and what it comes to."""
    style = f' style="{_BAD}"' if bad else ""
    return f"<div><strong>{text_html(name)}</strong>: <span{style}>{text_html(text)}</span></div>"


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Cell | str]], numbers: int = 0) -> str:
    """A table whose last columns are numbers.

    Args:
        caption: What it shows, in a few words.
        head: The names of the columns.
        rows: The cells; the first of each row names it.
        numbers: How many columns, from the right, hold numbers.

    Returns:
        The HTML.
    """
    words = len(head) - numbers
    sides = ["text-align:left" if at < words else "text-align:right;white-space:nowrap" for at in range(len(head))]
    titles = "".join(
        f'<th scope="col" style="{_CELL};{_HEAD};{side}">{text_html(name)}</th>'
        for name, side in zip(head, sides, strict=True)
    )
    body = "".join(f"<tr>{''.join(map(_cell, row, sides, range(len(sides))))}</tr>" for row in rows)
    return (
        f'<table style="{_TABLE}"><caption style="{_CAPTION}">{text_html(caption)}</caption>'
        f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
    )


def value_cell(name: str) -> Cell:
    """The name of a value, which selects the operator that makes it."""
    return Cell(f"%{name}", code=True, selects=f"%{name}")


def module_cell(path: str) -> Cell:
    """The path of a module, which selects it."""
    return Cell(path, code=True, selects=path)


def _linked(cell: Cell) -> str:
    """The text of a cell; a link of ours means something to JupyterLab with our plugin, and elsewhere leads nowhere."""
    text = text_html(cell.text)
    if not cell.selects:
        return text
    return f'<a href="#tracelab:{quote(cell.selects, safe="", errors="replace")}" style="{_LINK}">{text}</a>'


def _cell(cell: Cell | str, side: str, column: int) -> str:
    cell = Cell(cell) if isinstance(cell, str) else cell
    style = f"{_CELL};{side}"
    if cell.code:
        style += f";{_CODE}"
    if cell.depth:
        style += f";padding-left:{0.6 + 1.2 * cell.depth:.1f}em"
    if cell.bad:
        style += f";{_BAD}"
    if cell.share is not None:
        style += f";{bar(cell.share)}"
    if column > 0:
        return f'<td style="{style}">{_linked(cell)}</td>'
    # The name of a row is no louder than its cells.
    weight = "" if cell.bad else ";font-weight:normal"
    return f'<th scope="row" style="{style}{weight}">{_linked(cell)}</th>'


def bar(share: float) -> str:
    """The style of a cell with a bar behind its text; a share is from 0 to 1.

    >>> bar(0.5)
    'background:linear-gradient(to right,rgba(66,133,244,.35) 50%,transparent 50%)'
    """
    percent = f"{100 * min(max(share, 0.0), 1.0):.3g}%"
    return f"background:linear-gradient(to right,{_BAR} {percent},transparent {percent})"


def opening(name: str, aside: str, inside: str, share: float | None = None, opened: bool = False) -> str:
    """A part that opens: its name, what stands beside it, and what is in it.

    A part with nothing in it is one line.
    """
    style = f' style="{bar(share)}"' if share is not None else ""
    label = f'<span style="{_CODE}">{text_html(name)}</span> <span style="opacity:.75">{text_html(aside)}</span>'
    if not inside:
        return f"<div{style}>{label}</div>"
    state = " open" if opened else ""
    return f'<details{state}><summary{style}>{label}</summary><div style="{_OPENS}">{inside}</div></details>'
