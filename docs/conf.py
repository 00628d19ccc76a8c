"""How Sphinx builds the site: `make -C docs html`."""

import re
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import tracelab  # noqa: E402

URLS = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]

project = "tracelab"
author = "tracelab contributors"
copyright = "tracelab contributors"
version = release = tracelab.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "docstrings",
    "explorers",
    "tutorials",
    "sources",
    "gallery",
    "commands",
]
exclude_patterns = ["_build", "_ext", "README.md", "measured"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
suppress_warnings = ["mystnb.unknown_mime_type"]
# Notebooks show what they saved; tests run them.
nb_execution_mode = "off"

# A single backtick in a docstring is code, as in Markdown.
default_role = "code"
# The tables of names: their pages are written by hand.
autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

# `make linkcheck`. Pages of this repository and its site may not be published yet; tests follow links between files.
linkcheck_ignore = [
    rf"{re.escape(URLS['Repository'])}(/.*)?",
    rf"{re.escape(URLS['Documentation'])}.*",
    r"https?://(localhost|127\.0\.0\.1)(:\d+)?(/.*)?",
]
# These make their anchors with scripts.
linkcheck_anchors_ignore_for_url = [r"https://github\.com/.*", r"https://docs\.pytorch\.org/.*"]
linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_workers = 4
linkcheck_rate_limit_timeout = 60

html_theme = "furo"
html_title = f"tracelab {version}"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_extra_path = ["llms.txt"]
html_show_sourcelink = False
html_theme_options = {
    "source_repository": URLS["Repository"] + "/",
    "source_branch": "main",
    "source_directory": "docs/",
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
