"""The history of the benchmarks as one page, from a folder of records, one for each commit.

`python -m tests.benchmarks.history FOLDER PAGE` draws a line for each figure. A figure is its ratio against the peer,
so that a slower machine is not taken for a slower commit; without a peer it is the figure itself, on one machine.
Where the newest is a fifth above the median of the ten before it, the command names it and ends with 1: the alarm of
the workflow.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from .measuring import Measurement
from .record import UnknownRecord, checked
from .report import TITLES

ALARM = 0.2
WINDOW = 10
LEAST = 3
"""With fewer before it, a figure is no reason for an alarm."""
_WIDTH, _HEIGHT = 260, 56


@dataclass(frozen=True, slots=True)
class Point:
    """One figure at one commit."""

    commit: str
    subject: str
    date: str
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """One figure over all commits, oldest first."""

    key: tuple[str, str, str, str]
    unit: str
    points: list[Point]

    @property
    def growth(self) -> float:
        """How far the newest is above the median of those before it: 0.2 is a fifth; 0 where there are too few."""
        before = [point.value for point in self.points[-WINDOW - 1 : -1]]
        if len(before) < LEAST:
            return 0.0
        usual = statistics.median(before)
        return self.points[-1].value / usual - 1 if usual > 0 else 0.0

    @property
    def name(self) -> str:
        benchmark, case, what, peer = self.key
        return f"{TITLES.get(benchmark, benchmark)}: {case}, {what}" + (f", against {peer}" if peer else "")


def read(folder: Path) -> list[dict[str, Any]]:
    """The records of a folder by date; files that are none are left out."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(checked(json.loads(path.read_text(encoding="utf-8"))))
        except (UnknownRecord, ValueError, TypeError, KeyError) as error:
            print(f"{path.name} is left out: {error}", file=sys.stderr)
    return sorted(found, key=lambda record: (record["date"], record["commit"]))


def series_of(records: list[dict[str, Any]]) -> list[Series]:
    """Every figure of the newest record over those of the same size, and, without a peer, of the same machine."""
    if not records:
        return []
    newest = records[-1]
    found = []
    for row in (Measurement(**row) for row in newest["measurements"]):
        points = []
        for record in records:
            if record["size"] != newest["size"] or (row.ratio is None and record["machine"] != newest["machine"]):
                continue
            for other in (Measurement(**other) for other in record["measurements"]):
                value = other.ratio if row.ratio is not None else other.ours
                if other.key == row.key and value is not None:
                    points.append(Point(record["commit"], record["subject"], record["date"], value))
        found.append(Series(row.key, "times" if row.ratio is not None else row.unit, points))
    return found


def alarms(series: list[Series], limit: float = ALARM) -> list[Series]:
    """Those whose newest figure is too far above what was usual, the worst first."""
    return sorted((each for each in series if each.growth > limit), key=lambda each: (-each.growth, each.key))


def page(series: list[Series], limit: float = ALARM) -> str:
    """One HTML file without scripts: a line for each figure, those that raise an alarm first."""
    loud = alarms(series, limit)
    quiet = [each for each in series if each not in loud]
    return _PAGE.format(
        commits=len({point.commit for each in series for point in each.points}),
        newest=escape(max((point.date for each in series for point in each.points), default="never")[:10]),
        alarm=f"{limit:.0%}",
        loud="\n".join(_figure(each, True) for each in loud) or "<p>None.</p>",
        quiet="\n".join(_groups(quiet)),
    )


def _groups(series: list[Series]) -> Iterator[str]:
    for benchmark in dict.fromkeys(each.key[0] for each in series):
        yield f"<h2>{escape(TITLES.get(benchmark, benchmark))}</h2>"
        yield from (_figure(each, False) for each in series if each.key[0] == benchmark)


def _figure(series: Series, loud: bool) -> str:
    values = [point.value for point in series.points]
    top = max(values) * 1.15 or 1.0
    step = (_WIDTH - 12) / max(1, len(values) - 1)
    places = [(6 + at * step, _HEIGHT - 6 - value / top * (_HEIGHT - 12)) for at, value in enumerate(values)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"><title>{escape(_said(point, series.unit))}</title></circle>'
        for (x, y), point in zip(places, series.points, strict=True)
    )
    newest = f"{values[-1]:.3g} {series.unit}"
    change = f" ({series.growth:+.0%})" if len(values) > LEAST else ""
    name = escape(series.name)
    return (
        f"<figure{' class=alarm' if loud else ''}><figcaption>{name}<br><b>{newest}</b>{change}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{name}: {newest}{change}">'
        f'<line x1="6" x2="{_WIDTH - 6}" y1="{_HEIGHT - 6}" y2="{_HEIGHT - 6}"/>'
        f'<polyline points="{line}"/>{dots}</svg></figure>'
    )


def _said(point: Point, unit: str) -> str:
    return f"{point.value:.3g} {unit}, {point.date[:10]}, {point.commit[:10]} {point.subject}".strip()


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>tracelab: benchmark history</title>
<style>
:root {{ color-scheme: light dark; --ink: #1d2733; --soft: #64707d; --line: #2f6fb2; --loud: #b3261e; --rule: #ccd3da }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e3e8ee; --soft: #9aa7b4; --line: #79b0ea; --loud: #ff8a80; --rule: #46515c }}
}}
body {{ font: 15px/1.45 system-ui, sans-serif; color: var(--ink) }}
body {{ max-width: 76rem; margin: 2rem auto; padding: 0 1rem }}
h2 {{ font-size: 1.1rem; clear: both; padding-top: 1rem }}
figure {{ display: inline-block; vertical-align: top; width: 17rem; margin: 0 1rem 1rem 0 }}
figcaption {{ font-size: .8rem; color: var(--soft); min-height: 4.2em }}
figcaption b {{ color: var(--ink) }}
svg {{ width: 100% }}
line {{ stroke: var(--rule) }}
polyline {{ fill: none; stroke: var(--line); stroke-width: 1.5 }}
circle {{ fill: var(--line) }}
.alarm polyline {{ stroke: var(--loud) }}
.alarm circle {{ fill: var(--loud) }}
.alarm b {{ color: var(--loud) }}
</style></head><body>
<h1>Benchmark history</h1>
<p>{commits} commits, the newest of {newest}. Lower is better. Ratios are against the peer in the same run; a figure
without a peer has only runs of the newest run's machine. Point at a dot for its commit.</p>
<h2>More than {alarm} above the median of those before</h2>
{loud}
{quiet}
</body></html>
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.history", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="records, one file a commit")
    parser.add_argument("page", type=Path, help="the HTML file to write")
    parser.add_argument("--alarm", type=float, default=ALARM, help="the growth that is too much (%(default)s)")
    given = parser.parse_args(arguments)
    series = series_of(read(given.folder))
    given.page.write_text(page(series, given.alarm), encoding="utf-8", newline="\n")
    loud = alarms(series, given.alarm)
    for each in loud:
        print(f"{each.growth:+.0%}  {each.name}: {each.points[-1].value:.3g} {each.unit}")
    return 1 if loud else 0


if __name__ == "__main__":
    sys.exit(main())
