"""Links between the Markdown files of the repository lead to files and headings that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPPED = {"_build", "node_modules", "measured", "tutorials", "tracelab-demo"}


def markdown():
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    found = [ROOT / name for name in listed.stdout.splitlines()] or [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(path for path in found if path.exists() and not SKIPPED & set(path.relative_to(ROOT).parts))


def without_code(text):
    text = re.sub(r"^(```+|~~~+|:::+).*?^\1[ ]*$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def slugs(text):
    """The anchors that GitHub and MyST give to headings."""
    found = set()
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "").lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = 0
        while (named := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(named)
    found |= set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))
    return found | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def links(text):
    """The targets of links and pictures, of references too."""
    plain = without_code(text)
    yield from re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", plain)
    yield from re.findall(r"^\[[^\]]+\]: (\S+)", plain, re.MULTILINE)


def broken(path, text):
    for link in links(text):
        if re.match(r"[a-z][a-z+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if target.parent == ROOT / "docs" / "tutorials":
            # The build copies the notebooks there.
            target = ROOT / "notebooks" / target.name
        if name and not target.exists():
            yield f"{link}: there is no such file"
        elif anchor and target.suffix == ".md":
            there = target.read_text(encoding="utf-8") if name else text
            if anchor not in slugs(there):
                yield f"{link}: there is no such heading"


@pytest.mark.parametrize("path", markdown(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(path):
    assert not list(broken(path, path.read_text(encoding="utf-8")))


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "other.md").write_text("# A `name` here\n\n(label)=\n", encoding="utf-8", newline="\n")
    text = """# Top
[good](other.md#a-name-here) [good](#top) [good](other.md#label) [good](https://example.org/x.md)
`[code](gone.md)` ![bad](gone.png) [bad](other.md#nothing) [bad](#bottom)
"""
    found = [line.partition(":")[0] for line in broken(tmp_path / "page.md", text)]
    assert found == ["gone.png", "other.md#nothing", "#bottom"]


def test_addresses_outside_are_https():
    addresses = {link for path in markdown() for link in links(path.read_text(encoding="utf-8"))}
    assert not {link for link in addresses if link.startswith("http://") and "localhost" not in link}


def test_the_link_check_of_the_site_passes_over_what_is_published_by_a_release_alone():
    settings = (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^linkcheck_ignore = \[\n(.*?)^\]", settings, re.MULTILINE | re.DOTALL)
    assert "URLS['Repository']" in listed
    assert "URLS['Documentation']" in listed
    assert len(listed.strip().splitlines()) == 3
