"""A daemon's Unix socket with answers that a test chooses: what the real one says only in trouble."""

import asyncio
import json
import os
import threading
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from bridge import runtime

DEADLINE_SECONDS = 10.0


class Received(msgspec.Struct, frozen=True):
    """A request as it arrived; ``target`` is path and query, ``body`` the decoded JSON or None."""

    method: str
    target: str
    headers: dict[str, str]
    body: Any


class Silence:
    """An answer that never comes."""


class Hangup:
    """A connection that ends instead of answering."""


APPS = {
    "apps": [
        {
            "name": "player",
            "title": "Player",
            "commands": {
                "play": {
                    "name": "play",
                    "summary": "Start playing.",
                    "deadline": 10.0,
                    "params": {"$ref": "#/$defs/P"},
                },
                "set_volume": {
                    "name": "set_volume",
                    "summary": "Set the volume.",
                    "deadline": 10.0,
                    "params": {
                        "$ref": "#/$defs/SetVolume",
                        "$defs": {
                            "SetVolume": {
                                "type": "object",
                                "properties": {
                                    "volume": {"type": "number"},
                                    "player": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                                },
                                "required": ["volume"],
                            }
                        },
                    },
                },
            },
        }
    ]
}


class DaemonDouble:
    """Listens in the runtime folder below ``home``; ``answers`` maps (method, path) to a status and a JSON value.

    ``events`` are the ready SSE blocks of the stream: each connection gets those that follow its ``Last-Event-ID``.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "run" / "tollbridge"
        self.socket = self.folder / "socket"
        self.received: list[Received] = []
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {("GET", "/v1/apps"): (200, APPS)}
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner: web.AppRunner | None = None
        self._released = asyncio.Event()

    def start(self) -> None:
        """Listen, and say so in the runtime file."""
        for folder in (self.folder.parent, self.folder):  # a session's folder is 0700, too
            folder.mkdir(mode=0o700, exist_ok=True)
        self._wait(self._start())
        told = runtime.Runtime(
            os.getpid(), "http://127.0.0.1:4380", 4380, str(self.socket), "0.1.0", "2026-01-02T03:04:05Z"
        )
        runtime.write(self.folder / "daemon.json", told)

    def stop(self) -> None:
        """End every connection and take the socket away; the runtime file stays, as after a crash."""
        self._wait(self._stop())

    def close(self) -> None:
        """End for good."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_SECONDS)
        self._loop.close()

    def _wait(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, DEADLINE_SECONDS), self._loop).result()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._released = asyncio.Event()
        self._runner = web.AppRunner(app, shutdown_timeout=0.01, handler_cancellation=True)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.socket)).start()

    async def _stop(self) -> None:
        runner, self._runner = self._runner, None
        self._released.set()
        if runner is not None:
            await runner.cleanup()
        self.socket.unlink(missing_ok=True)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.received.append(
            Received(request.method, request.path_qs, dict(request.headers), json.loads(text) if text else None)
        )
        if request.path == "/v1/events" and (request.method, request.path) not in self.answers:
            return await self._events(request)
        status, value = self.answers.get((request.method, request.path), (404, _problem(404, "not_found")))
        if isinstance(value, Silence):
            await self._released.wait()
        if isinstance(value, Hangup):
            assert request.transport is not None
            request.transport.abort()
        body = value if isinstance(value, bytes) else b"" if status == 204 else json.dumps(value).encode()
        kind = "application/problem+json" if status >= 400 else "application/json"
        return web.Response(status=status, body=body, content_type=kind)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._streamed(request)
        except ConnectionResetError:
            return web.Response()  # the reader has gone

    async def _streamed(self, request: web.Request) -> web.StreamResponse:
        if "text/event-stream" not in request.headers.get("Accept", ""):
            return web.json_response({"cursor": "EPOCH001.0", "events": []})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b":\n\n")
        after = request.headers.get("Last-Event-ID", "")
        places = [place for place, _ in self.events]
        sent = places.index(after) + 1 if after in places else 0
        while not self._released.is_set():
            for place, event in self.events[sent:]:
                await response.write(f"id: {place}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode())
                sent += 1
            await asyncio.sleep(0.005)
        return response


def problem(status: int, code: str, **members: object) -> tuple[int, dict[str, object]]:
    """Return an answer that refuses, as ``bridge.errors.Problem`` travels."""
    return status, _problem(status, code, **members)


def _problem(status: int, code: str, **members: object) -> dict[str, object]:
    return {"title": "Not found", "status": status, "code": code, "detail": "nothing of that name", **members}
