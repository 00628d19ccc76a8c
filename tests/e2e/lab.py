"""A running JupyterLab server, as its tests use it."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import pathlib
import urllib.error
import urllib.request

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

    def stop_kernels(self) -> None:
        """End every session, as a restart of the machine would."""
        with urllib.request.urlopen(self._api("sessions"), timeout=10) as answer:
            sessions = json.load(answer)
        for session in sessions:
            # Of two sessions on one kernel the second ends with the first.
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(self._api(f"sessions/{session['id']}", "DELETE"), timeout=10).close()

    def _api(self, path: str, method: str = "GET") -> urllib.request.Request:
        headers = {"Authorization": f"token {self.token}"}
        return urllib.request.Request(f"{self.url}/api/{path}", method=method, headers=headers)
