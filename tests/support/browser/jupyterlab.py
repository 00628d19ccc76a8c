"""A running JupyterLab server, as its tests use it."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import pathlib
import secrets
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator

import nbformat

from support.jupyter_server import running_server

SERVER_CONFIG = pathlib.Path(__file__).parents[3] / "jupyter-config"
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}

_pages = itertools.count()


@dataclasses.dataclass(frozen=True)
class Lab:
    """Where the server answers, and the folder that it serves."""

    url: str
    token: str
    folder: pathlib.Path

    def page_url(self, notebook: str, app: str = "") -> str:
        """The page of a notebook: in JupyterLab, or in Notebook 7 with `app="notebooks"`."""
        # A workspace of its own: JupyterLab would open again what the last page had open.
        app = app or f"lab/workspaces/page-{next(_pages)}/tree"
        return f"{self.url}/{app}/{notebook}?token={self.token}"

    def write_notebook(self, name: str, cells: list[str], kernel: str = "python3") -> str:
        """Puts a notebook of code cells into the folder; gives its name."""
        spec = {"name": kernel, "display_name": "Python 3", "language": "python"}
        content = nbformat.v4.new_notebook(metadata={"kernelspec": spec})
        content.cells = [nbformat.v4.new_code_cell(text) for text in cells]
        nbformat.write(content, self.folder / name)
        return name

    def saved_layout(self, page_url: str) -> str:
        """What the server keeps of the tabs and panels of a page, for a reload to bring them back."""
        workspace = page_url.split("/workspaces/")[1].split("/")[0].split("?")[0]
        with urllib.request.urlopen(self._api(f"workspaces/{workspace}", app="lab/api"), timeout=60) as answer:
            return json.dumps(json.load(answer)["data"].get("layout-restorer:data"))

    def forget_settings(self) -> None:
        """Settings that a page has changed, its theme among them, are again as at first."""
        shutil.rmtree(self.folder.parent / "config/lab/user-settings", ignore_errors=True)

    def stop_kernels(self) -> None:
        """End every session, as a restart of the machine would."""
        with urllib.request.urlopen(self._api("sessions"), timeout=60) as answer:
            sessions = json.load(answer)
        for session in sessions:
            # Of two sessions on one kernel the second ends with the first.
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(self._api(f"sessions/{session['id']}", "DELETE"), timeout=60).close()

    def _api(self, path: str, method: str = "GET", app: str = "api") -> urllib.request.Request:
        headers = {"Authorization": f"token {self.token}"}
        return urllib.request.Request(f"{self.url}/{app}/{path}", method=method, headers=headers)


@contextlib.contextmanager
def running_lab(home: pathlib.Path, disabled: tuple[str, ...] = ()) -> Iterator[Lab]:
    """A JupyterLab server, without the extensions that are named."""
    for name in ("config/labconfig", "data", "ipython", "notebooks"):
        (home / name).mkdir(parents=True)
    (home / "config/labconfig/default_setting_overrides.json").write_text(json.dumps(SETTINGS))
    page_config = {"disabledExtensions": dict.fromkeys(disabled, True)}
    (home / "config/labconfig/page_config.json").write_text(json.dumps(page_config))
    # An installation puts it there; a clone has it here.
    shutil.copytree(SERVER_CONFIG, home / "config/jupyter_server_config.d")
    token = secrets.token_hex(16)
    command = ["lab", "--expose-app-in-browser", f"--ServerApp.root_dir={home / 'notebooks'}"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with running_server(command, home, token) as port:
        yield Lab(f"http://127.0.0.1:{port}", token, home / "notebooks")
