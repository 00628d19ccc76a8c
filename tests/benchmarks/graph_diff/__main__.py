"""Compares tools that compare graphs: `python -m tests.benchmarks.graph_diff [--tool MODULE:FUNCTION]`."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tests"))

from .cases import Case, all_cases, export  # noqa: E402
from .scoring import Score, Tool, score  # noqa: E402
from .tools import TOOLS  # noqa: E402


def judge(tool: Tool, cases: Iterable[Case]) -> list[tuple[Case, Score]]:
    return [(case, score(case, tool(case.left, case.right))) for case in cases]


def summary(scores: list[Score]) -> dict[str, float]:
    """Precision and recall over all nodes, the share of cases without a fault, of pairs, and of right first places."""
    hits, wrong, missed = (sum(getattr(each, name) for each in scores) for name in ("hits", "wrong", "missed"))
    return {
        "precision": hits / (hits + wrong) if hits + wrong else 1.0,
        "recall": hits / (hits + missed) if hits + missed else 1.0,
        "exact": sum(each.exact for each in scores) / len(scores),
        "first": sum(each.first for each in scores) / len(scores),
        "pairs": sum(each.pairs for each in scores) / len(scores),
        "cases": len(scores),
    }


def by_kind(judged: list[tuple[Case, Score]]) -> dict[str, dict[str, float]]:
    kinds = dict.fromkeys(case.kind for case, _ in judged)
    found = {kind: summary([each for case, each in judged if case.kind == kind]) for kind in kinds}
    return {**found, "all": summary([each for _, each in judged])}


def table(results: dict[str, dict[str, dict[str, float]]]) -> str:
    """Markdown: for each kind of edit the tools side by side."""
    lines = [
        "| edit | cases | tool | precision | recall | exact | first | pairs |",
        "|---|---:|---|---:|---:|---:|---:|---:|",
    ]
    for kind in next(iter(results.values())):
        for place, (tool, kinds) in enumerate(results.items()):
            row = kinds[kind]
            figures = " | ".join(f"{row[name]:.3f}" for name in ("precision", "recall", "exact", "first", "pairs"))
            name, count = (kind.replace("_", " "), str(row["cases"])) if place == 0 else ("", "")
            lines.append(f"| {name} | {count} | {tool} | {figures} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.graph_diff", description=__doc__.splitlines()[0])
    parser.add_argument("--tool", action="append", default=[], metavar="MODULE:FUNCTION", help="one more tool")
    parser.add_argument("--only", action="append", choices=list(TOOLS), help="of the tools that are here, only these")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--table", type=Path, help="write the table there, too")
    parser.add_argument("--faults", action="store_true", help="name each case that was not found exactly")
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="only write all cases as JSON files")
    given = parser.parse_args(arguments)
    if given.export:
        print(f"{export(given.export)} cases in {given.export}")
        return 0
    tools: dict[str, Tool] = {name: tool for name, tool in TOOLS.items() if given.only is None or name in given.only}
    for name in given.tool:
        module, _, function = name.partition(":")
        tools[name] = getattr(importlib.import_module(module), function)
    cases = list(all_cases())
    results: dict[str, Any] = {}
    for name, tool in tools.items():
        start = time.perf_counter()
        judged = judge(tool, cases)
        results[name] = by_kind(judged)
        print(f"{name}: {len(cases)} cases in {time.perf_counter() - start:.1f} s", file=sys.stderr)
        for case, each in judged if given.faults else ():
            if not (each.exact and each.first):
                said = f"{each.hits} right, {each.wrong} wrong, {each.missed} missed, first {each.first}"
                print(f"  {name} | {case.name}: {said}", file=sys.stderr)
    print(table(results))
    if given.json:
        given.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8", newline="\n")
    if given.table:
        given.table.write_text(table(results), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
