"""The cases: two graphs, and what a tool should find between them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .edits import Edited, Truth
from .plain import Plain, read

CASES = Path(__file__).parent / "cases.json"


@dataclass(frozen=True, slots=True)
class Case:
    """A graph, the graph that an edit made of it, and what the edit did."""

    name: str
    kind: str
    left: Plain
    right: Plain
    truths: list[Truth]
    pairs: list[tuple[str, str]]

    def as_json(self) -> dict[str, Any]:
        """All of it, for tools that are not written in Python."""
        truths = [
            {
                "kind": truth.kind,
                "alternatives": [sorted(side) for side in truth.alternatives],
                "consequences": sorted(truth.consequences),
                "first": sorted(truth.first),
            }
            for truth in self.truths
        ]
        graphs = {"left": self.left, "right": self.right}
        return {"case": self.name, "kind": self.kind, **graphs, "truth": truths, "pairs": self.pairs}


def case_of(description: dict[str, Any]) -> Case:
    left = read(description["graph"])
    edited = Edited(left)
    for edit in description["edits"]:
        edited.apply(edit)
    right, truths, pairs = edited.finish()
    kinds = [edit["kind"] for edit in description["edits"]]
    kind = kinds[0] if description["case"].split()[1] != "several" else "several"
    return Case(description["case"], kind, left, right, truths, pairs)


def all_cases() -> Iterator[Case]:
    for description in json.loads(CASES.read_text(encoding="utf-8")):
        yield case_of(description)


def export(folder: Path) -> int:
    """Write each case as one JSON file; how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = list(all_cases())
    for case in cases:
        text = json.dumps(case.as_json(), ensure_ascii=False) + "\n"
        (folder / f"{case.name.replace(' ', '-')}.json").write_text(text, encoding="utf-8", newline="\n")
    return len(cases)
