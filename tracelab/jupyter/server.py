"""The Jupyter server's part: the picture that a `.tlab` file holds, read without torch, weights or a kernel.

`GET tracelab/view/<path>` answers with the view document, or with `{"format": "tracelab.file", ...}`: `kind` where a
kernel has to read the file (`tlab`, `export`, `script`, `onnx`), `error` with one sentence where nobody can. The paths
are those of the contents manager, under its rules; a path that they refuse is 404, whatever lies there. With `?tag=1`
the answer is `{"tag": ...}`, which changes when the file does, and is null where there is nothing to read.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import tempfile
from typing import IO, Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from tornado import web

from tracelab.errors import TracelabFileError
from tracelab.interop.file_kinds import CAN_READ, kind_of
from tracelab.storage.container import open_archive

_CHUNK = 2**18
_IN_MEMORY = 4 * 2**20
_AT_ONCE = 4
"""So many files are read at the same time; others wait."""


class _Refused(Exception):
    """A file that is not to be read; to the asker it does not exist."""


class ViewHandler(APIHandler):
    """What a file holds, for the viewer."""

    auth_resource = "contents"
    _turns = asyncio.Semaphore(_AT_ONCE)

    @web.authenticated
    @authorized
    async def get(self, path: str) -> None:
        manager = self.contents_manager
        missing = web.HTTPError(404, f"{path!r} does not exist, or is not for reading")
        asks_tag = self.get_query_argument("tag", None) is not None
        if not await _may_be_there(manager, path):
            if asks_tag:
                await self.finish(json.dumps({"tag": None}))
                return
            raise missing
        if not hasattr(manager, "_get_os_path"):
            raise web.HTTPError(501, "the files of this server do not lie on its disk: tracelab cannot read them")
        place = manager._get_os_path(path.strip("/"))
        if asks_tag:
            await self.finish(json.dumps({"tag": await asyncio.to_thread(_tag_at, place, manager.root_dir)}))
            return
        async with self._turns:
            try:
                tag, answer, document = await asyncio.to_thread(_answer, place, manager.root_dir)
            except (_Refused, OSError, ValueError, RuntimeError):
                raise missing from None
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Etag", tag)
        if document is None:
            await self.finish(json.dumps(answer))
            return
        with document:
            await self._send(document)

    async def _send(self, document: IO[bytes]) -> None:
        size = document.seek(0, os.SEEK_END)
        document.seek(0)
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Length", str(size))
        while chunk := document.read(_CHUNK):
            self.write(chunk)
            # The next piece is read when this one is on its way.
            await self.flush()
        await self.finish()

    def compute_etag(self) -> None:
        """None but the file's own."""


async def _may_be_there(manager: Any, path: str) -> bool:
    """Whether the contents manager would look there: not at hidden files, circles of links, long names."""
    try:
        return manager.allow_hidden or not await ensure_async(manager.is_hidden(path))
    except (OSError, ValueError, RuntimeError, web.HTTPError):
        # `pathlib` calls a circle of links a RuntimeError.
        return False


def _opened(place: str, root: str) -> IO[bytes]:
    """The file for reading; `_Refused` unless it is a plain file whose real place is under the real root."""
    real_root = os.path.realpath(root)
    real = os.path.realpath(place)
    if not _is_under(real, real_root):
        raise _Refused
    # The last part cannot have become a link since, and a pipe keeps nobody waiting.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(real, flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise _Refused
    return file


def _is_under(real: str, root: str) -> bool:
    try:
        return os.path.commonpath([root, real]) == root
    except ValueError:
        # On another drive.
        return False


def _tag(file: IO[bytes]) -> str:
    status = os.fstat(file.fileno())
    return f'"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"'


def _tag_at(place: str, root: str) -> str | None:
    """The tag of the file, which changes when the file does; None where there is none to read."""
    try:
        with _opened(place, root) as file:
            return _tag(file)
    except (_Refused, OSError, ValueError):
        return None


def _answer(place: str, root: str) -> tuple[str, dict[str, str], IO[bytes] | None]:
    """The file's tag, and what to say of it or the view document that it holds."""
    with _opened(place, root) as file:
        tag = _tag(file)
        try:
            kind = kind_of(file)
            file.seek(0)
            document = _document(file) if kind == "tlab" else None
        except TracelabFileError as error:
            return tag, {"format": "tracelab.file", "error": str(error)}, None
    if kind not in ("tlab", "export", "script", "onnx"):
        return tag, {"format": "tracelab.file", "error": f"{kind}: {CAN_READ}"}, None
    return tag, {"format": "tracelab.file", "kind": kind}, document


def _document(file: IO[bytes]) -> IO[bytes] | None:
    """The view document, wholly unpacked and found undamaged before the first byte is sent."""
    with open_archive(file) as archive:
        if not archive.has_view:
            return None
        # What is large waits on the disk, not in the server's memory.
        document = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        try:
            for chunk in archive.view_chunks(_CHUNK):
                document.write(chunk)
        except BaseException:
            document.close()
            raise
    return document


def _load_jupyter_server_extension(app: ServerApp) -> None:
    """Add the address to a server."""
    base = app.web_app.settings["base_url"]
    app.web_app.add_handlers(".*$", [(url_path_join(base, r"tracelab/view/(.+)"), ViewHandler)])  # type: ignore[no-untyped-call]
