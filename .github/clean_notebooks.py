"""Take out of notebooks what is another at each run: times, and ids of cells by chance. Outputs stay.

python .github/clean_notebooks.py notebooks/*.ipynb     # the exit status is 1 where one was changed
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

_TIMES = ("execution", "ExecuteTime", "collapsed", "scrolled")


def cleaned(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with its own names for cells, and without times."""
    for number, cell in enumerate(notebook["cells"]):
        if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f-]+)?", cell.get("id", "")):
            cell["id"] = f"cell-{number:02}"
        for name in _TIMES:
            cell["metadata"].pop(name, None)
    return notebook


def main(paths: list[str]) -> int:
    changed = False
    for name in paths:
        path = Path(name)
        before = path.read_text(encoding="utf-8")
        notebook = json.loads(before)
        if cleaned(json.loads(before)) != notebook:
            text = json.dumps(cleaned(notebook), ensure_ascii=False, indent=1) + "\n"
            path.write_text(text, encoding="utf-8")
            print(f"cleaned {name}")
            changed = True
    return int(changed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
