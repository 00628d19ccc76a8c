"""The tables of the performance page, made of a record of benchmarks: the same bytes for the same record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .measuring import Measurement

WORSE = 1.05
"""From this ratio on a peer is called better: below it is the machine's noise."""
HEADINGS = ("case", "what", "tracelab", "compared with", "its figure", "ratio")
TITLES = {
    "tracing": "Tracing",
    "replay": "Replay",
    "run": "Running node by node",
    "check": "Checks",
    "diff": "Difference of two graphs",
    "layout": "Layout of the explorer",
    "files": "Opening files",
    "full size": "Models of full size, without weights",
    "ways out": "Models that cannot leave",
    "memory": "Memory, predicted and measured",
}


def tables(record: dict[str, Any]) -> dict[str, str]:
    """Markdown by file name: a table for each benchmark, `machine` and `losses`."""
    rows = [Measurement(**row) for row in record["measurements"]]
    found = {"machine.md": _machine(record), "losses.md": _losses(rows)}
    for benchmark in dict.fromkeys(row.benchmark for row in rows):
        lines = [f"| {' | '.join(HEADINGS)} |", "|---|---|---:|---|---:|---:|"]
        lines += [_line(row) for row in rows if row.benchmark == benchmark]
        found[f"{benchmark.replace(' ', '_')}.md"] = "\n".join(lines) + "\n"
    return found


def write(record: dict[str, Any], folder: Path) -> None:
    """Write the tables there, and take away those of benchmarks that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    made = tables(record)
    for old in folder.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def losses(rows: list[Measurement]) -> list[Measurement]:
    """What a peer does better, the worst first."""
    found = [row for row in rows if row.ratio is not None and row.ratio > WORSE and not row.own]
    return sorted(found, key=lambda row: (-(row.ratio or 0), row.key))


def close(rows: list[Measurement]) -> list[Measurement]:
    """What a peer does better by no more than the machine's noise."""
    return [row for row in rows if row.ratio is not None and 1 < row.ratio <= WORSE and not row.own]


def compared(rows: list[Measurement]) -> int:
    """How many figures stand beside one of a peer."""
    return sum(row.ratio is not None and not row.own for row in rows)


def text_of(rows: list[Measurement]) -> Iterator[str]:
    """The same for a terminal."""
    for benchmark in dict.fromkeys(row.benchmark for row in rows):
        yield f"\n{TITLES.get(benchmark, benchmark)}"
        for row in rows:
            if row.benchmark == benchmark:
                yield _terminal_line(row)
    lost = losses(rows)
    yield f"\nWhere a peer is better ({len(lost)} of {compared(rows)})"
    yield from (_terminal_line(row) for row in lost)


def _terminal_line(row: Measurement) -> str:
    theirs = f"{row.peer} {amount(row.theirs, row.unit)}" if row.theirs is not None else row.note or row.peer
    ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
    return f"  {row.case:34} {row.what:30} {amount(row.ours, row.unit):>12}   {theirs:36} {ratio:>8}"


def _line(row: Measurement) -> str:
    theirs = amount(row.theirs, row.unit) if row.theirs is not None else "–"
    peer = row.peer + (f" ({row.note})" if row.note and row.peer else _readable(row.note))
    ratio = "" if row.ratio is None else f"**{row.ratio:.2f}**" if row in losses([row]) else f"{row.ratio:.2f}"
    cells = [row.case, row.what, amount(row.ours, row.unit), peer, theirs if row.peer else "", ratio]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _readable(note: str) -> str:
    """A note without a figure that is too small to be one: memory that did not grow is not 0.0 MB."""
    return re.sub(r"(\S.*) took 0\.0 MB", r"\1 took less than can be measured", note)


def _losses(rows: list[Measurement]) -> str:
    lost, near = losses(rows), close(rows)
    margin = f"by more than {round((WORSE - 1) * 100)} %"
    if lost:
        lines = [f"In {len(lost)} of the {compared(rows)} comparisons of this run a peer is better {margin}:", ""]
        lines += ["| case | what | ratio | better is |", "|---|---|---:|---|"]
        lines += [f"| {_title(row)} | {row.what} | {row.ratio:.2f} | {row.peer} |" for row in lost]
    else:
        lines = [f"In none of the {compared(rows)} comparisons of this run is a peer better {margin}."]
    if near:
        lines += ["", f"In {len(near)} more it is better by less, which may be the machine's noise:", ""]
        lines += [f"- {_title(row)}, {row.what} ({row.ratio:.2f})" for row in near]
    return "\n".join(lines) + "\n"


def _title(row: Measurement) -> str:
    return f"{TITLES.get(row.benchmark, row.benchmark)}: {row.case}"


def _machine(record: dict[str, Any]) -> str:
    machine, versions = record["machine"], record["versions"]
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    commit = f", commit `{record['commit'][:10]}`" if record["commit"] else ""
    lines = [
        f"Measured on {record['date'][:10]}, size `--{record['size']}`{commit}; {machine['processor']}, "
        f"{machine['cores']} cores, {machine['system']} ({machine['architecture']}); {packages}."
    ]
    lines += [f"Without figures: {name} ({why})." for name, why in record["failed"].items()]
    return "\n\n".join(lines) + "\n"


def amount(value: float | None, unit: str) -> str:
    """`12.3 ms`, `1,203 ms`, `7 models`."""
    if value is None:
        return ""
    number = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
    return f"{number} {unit}"
