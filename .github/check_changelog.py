"""Check the changelog.

python .github/check_changelog.py --since origin/main   # a change of the package has a line
python .github/check_changelog.py --release v0.2.0      # the tag is the version, and its section has a day
python .github/check_changelog.py --notes v0.2.0        # prints the section of a version
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHOWN = ("tracelab/", "labextension/src/")
"""What users see the changes of."""


def without_a_line(changed: list[str]) -> str:
    """A sentence where a change of these files lacks its line; empty where it does not."""
    seen = [path for path in changed if path.startswith(SHOWN)]
    if seen and "CHANGELOG.md" not in changed:
        return f"{seen[0]} changes, and CHANGELOG.md does not: add a line, or the label `no changelog`"
    return ""


def not_ready(tag: str, version: str, changelog: str) -> str:
    """A sentence where a tag cannot be released; empty where it can."""
    if tag != f"v{version}":
        return f"the tag {tag} is not that of version {version} in labextension/package.json"
    found = re.search(rf"^## \[{re.escape(version)}\] - (.+)$", changelog, re.MULTILINE)
    if found is None:
        return f"CHANGELOG.md has no section of {version}"
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", found[1]):
        return f"CHANGELOG.md says {found[1]!r} for {version}, where a day should stand"
    return ""


def notes_of(tag: str, changelog: str) -> str:
    """The section of a version, without its heading."""
    found = re.search(
        rf"^## \[{re.escape(tag.removeprefix('v'))}\][^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    return found[1].strip() + "\n" if found else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--since", help="the commit that is changed")
    chosen.add_argument("--release", help="the tag")
    chosen.add_argument("--notes", help="the tag")
    options = parser.parse_args()
    if options.notes:
        sys.stdout.write(notes_of(options.notes, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
        return
    if options.since:
        command = ["git", "diff", "--name-only", f"{options.since}...HEAD"]
        changed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
        sentence = without_a_line(changed)
    else:
        version = json.loads((ROOT / "labextension" / "package.json").read_text(encoding="utf-8"))["version"]
        sentence = not_ready(options.release, version, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    sys.exit(sentence or 0)


if __name__ == "__main__":
    main()
