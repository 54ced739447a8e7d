"""A web site of the test's own: files from a real server in a thread, which remembers what was asked."""

import asyncio
import mimetypes
import ssl
import threading
from collections.abc import Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from aiohttp import web

START_DEADLINE_SECONDS = 10.0


class Asked(NamedTuple):
    """One request as the site saw it."""

    host: str
    target: str
    headers: tuple[tuple[str, str], ...]


class Site:
    """Serves the files of ``folders``, each below its prefix (``{"/sdk/": dist}``), as they are when it starts.

    One of ``context`` (HTTPS) and plain HTTP; with ``app`` it serves that application instead of files.
    """

    def __init__(
        self,
        folders: Mapping[str, Path] | None = None,
        *,
        context: ssl.SSLContext | None = None,
        app: web.Application | None = None,
    ) -> None:
        self.asked: list[Asked] = []
        self.port = 0
        self._files = {
            prefix + path.relative_to(folder).as_posix(): path.read_bytes()
            for prefix, folder in (folders or {}).items()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        self._context = context
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="site")
        self._runner: web.AppRunner | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._run(self._start())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if self._runner is not None:
                self._run(self._runner.cleanup())
        finally:
            self._end()

    async def _start(self) -> None:
        app = self._app
        if app is None:
            app = web.Application()
            app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context).start()
        self.port = self._runner.addresses[0][1]

    async def _serve(self, request: web.Request) -> web.Response:
        self.asked.append(Asked(request.host, request.path_qs, tuple(request.headers.items())))
        name = request.path + ("index.html" if request.path.endswith("/") else "")
        body = self._files.get(name)
        if body is None:
            raise web.HTTPNotFound
        known = {".js": "text/javascript", ".html": "text/html", ".css": "text/css"}
        kind = known.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        return web.Response(body=body, content_type=kind, headers={"Cache-Control": "no-store"})

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(START_DEADLINE_SECONDS)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_DEADLINE_SECONDS)
        self._loop.close()
