"""The scripts and settings that checks outside of the tests run: changelog, notebooks, workflows, hooks."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
if not (ROOT / ".github").is_dir():
    pytest.skip("a source distribution has no workflows", allow_module_level=True)

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / ".github" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHANGELOG = script("check_changelog")
NOTEBOOKS = script("clean_notebooks")


def test_a_change_of_the_package_needs_a_line_in_the_changelog():
    assert "tracelab/errors.py" in CHANGELOG.without_a_line(["tracelab/errors.py", "tests/test_cli.py"])
    assert not CHANGELOG.without_a_line(["tracelab/errors.py", "CHANGELOG.md"])


def test_a_change_of_tests_and_pages_needs_none():
    assert not CHANGELOG.without_a_line(["tests/test_cli.py", "docs/start.md"])


@pytest.mark.parametrize(
    ("tag", "changelog", "reason"),
    [
        ("v1.1.0", "## [1.0.0] - 2026-01-01\n", "not that of version"),
        ("v1.0.0", "## [0.9.0] - 2026-01-01\n", "no section"),
        ("v1.0.0", "## [1.0.0] - unreleased\n", "a day should stand"),
        ("v1.0.0", "## [1.0.0] - 2026-01-01\n", ""),
    ],
)
def test_a_release_needs_its_tag_and_its_day(tag, changelog, reason):
    assert reason in (found := CHANGELOG.not_ready(tag, "1.0.0", changelog))
    assert bool(found) == bool(reason)


def test_the_notes_of_a_release_are_its_section():
    changelog = "# Changelog\n\n## [0.2.0] - 2026-01-02\n\n- New\n\n## [0.1.0] - 2026-01-01\n\n- Old\n"
    assert CHANGELOG.notes_of("v0.2.0", changelog) == "- New\n"
    assert CHANGELOG.notes_of("v0.1.0", changelog) == "- Old\n"


def test_the_changelog_says_first_what_is_new_in_this_version():
    notes = CHANGELOG.notes_of("v0.2.0", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert len(re.findall(r"^- \*\*", notes.partition("\n\n")[0], re.MULTILINE)) == 10


def test_one_version_at_most_is_unreleased():
    assert (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").count("] - unreleased") <= 1


def test_the_notebooks_hold_no_times_and_no_ids_by_chance():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        assert NOTEBOOKS.cleaned(copy.deepcopy(notebook)) == notebook, path.name


def test_times_and_ids_by_chance_are_taken_out_and_names_stay():
    times = {"execution": {"iopub.execute_input": "2026-01-01T00:00:00Z"}, "tags": ["kept"]}
    cells = [{"id": "3f2a9b1c", "metadata": times}, {"id": "assumptions-1", "metadata": {}}]
    cells = NOTEBOOKS.cleaned({"cells": cells})["cells"]
    assert cells == [{"id": "cell-00", "metadata": {"tags": ["kept"]}}, {"id": "assumptions-1", "metadata": {}}]


def steps(workflow):
    for job in workflow["jobs"].values():
        yield from job["steps"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_names_files_and_tests_that_exist(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    commands = "\n".join(step["run"] for step in steps(workflow) if "run" in step)
    for name in re.findall(r"(?<![\w/$])(?:tests|labextension|docs|\.github)/[\w./-]+\w", commands):
        assert (ROOT / name).exists() or name.startswith("docs/_build/"), name
    for name in re.findall(r"\.\[([\w,]+)\]", commands):
        extras = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
        assert set(name.split(",")) <= set(extras)


def commands_of(workflow, job):
    settings = yaml.safe_load((ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text(encoding="utf-8"))
    return "\n".join(step["run"] for step in settings["jobs"][job]["steps"] if "run" in step)


def test_the_job_of_the_browser_can_build_the_site():
    """Tests of the site are skipped without what builds it."""
    commands = commands_of("tests", "browser")
    assert ".[test,docs]" in commands
    assert "pytest -q -m browser" in commands


def test_a_release_is_announced_with_its_files():
    assert 'gh release create "$GITHUB_REF_NAME" dist/*' in commands_of("release", "announce")


def test_the_hooks_run_in_a_job():
    assert "pre-commit run --all-files" in commands_of("tests", "lint")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_and_no_more_unless_a_job_says_so(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job or job.get("permissions") for job in workflow["jobs"].values())


def test_the_tests_run_on_each_system_and_each_python_that_the_package_names():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))
    matrix = workflow["jobs"]["tests"]["strategy"]["matrix"]
    named = re.findall(r"Python :: (3\.\d+)\"", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert matrix["python"] == named
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_the_oldest_torch_of_the_tests_is_the_oldest_that_the_package_takes():
    (oldest,) = re.findall(r'"torch>=([\d.]+),', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"torch=={oldest}.*" in (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")


def test_hooks_run_files_that_exist():
    settings = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    entries = [hook["entry"] for repo in settings["repos"] for hook in repo["hooks"]]
    for entry in entries:
        for name in re.findall(r"(?:\.github|labextension/build)/[\w.]+\.py", entry):
            assert (ROOT / name).exists()
    assert len(entries) >= 6


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda path: path.stem
)
def test_an_issue_template_asks_at_least_one_thing_and_names_each_once(path):
    template = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert template["name"]
    assert template["description"]
    names = [item["id"] for item in template["body"]]
    assert len(set(names)) == len(names) > 0
    assert any(item.get("validations", {}).get("required") for item in template["body"])


def test_the_dev_container_installs_extras_that_exist():
    settings = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    (extras,) = re.findall(r"\.\[([\w,]+)\]", settings["postCreateCommand"])
    there = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(extras.split(",")) <= set(there)
