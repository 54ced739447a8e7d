"""Listens for the front: one protocol class for both listeners, which closes what is not HTTP without a word.

aiohttp answers a request that its parser refuses with a page of its own: a Server header, the offending bytes, and a
trace in the log. Here such a connection is closed and noted like any other refusal.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web

from bridge.front.house import House
from bridge.front.policy import Reason
from bridge.front.refusals import Refusals
from bridge.listen import BACKLOG

logger = logging.getLogger(__name__)

SILENT_SECONDS = 330.0
"""aiohttp has one timeout for silent, half-sent and idle connections alike. A browser's permission prompt holds a
silent one for up to 300 s, and closing it then fails the request that the person has just allowed (measured)."""

CLEANUP_SECONDS = 1.0
"""What is left to requests once every session was told and every command has ended."""


class Protocol(web.RequestHandler):
    """One connection."""

    __slots__ = ("_refusals",)

    def __init__(self, server: web.Server, *, refusals: Refusals, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=SILENT_SECONDS,
            access_log=None,  # type: ignore[arg-type]  # how aiohttp's own runner says "none"
            auto_decompress=False,  # an encoded body is refused unread
        )
        self._refusals = refusals

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Close the connection of a request that could not be read, or whose answer nobody could make."""
        del request, message  # they hold what was sent, which is neither logged nor sent back
        if status >= 500:
            logger.error("a request failed outside its handler", exc_info=exc)
        else:
            self._refusals.note(Reason.NOT_HTTP, method="-", target="-", origin=None)
        if self.transport is not None:
            self.transport.abort()
        return web.Response(status=status)  # never written: the connection is gone


class Site(web.SockSite):
    """A listening socket whose connections speak `Protocol`."""

    def __init__(self, runner: web.AppRunner, sock: socket.socket, refusals: Refusals) -> None:
        super().__init__(runner, sock, backlog=BACKLOG)
        self._refusals = refusals

    async def start(self) -> None:
        """Accept connections."""
        await web.BaseSite.start(self)
        loop = asyncio.get_running_loop()
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner was not set up")
        self._server = await loop.create_server(
            lambda: Protocol(server, refusals=self._refusals, loop=loop), sock=self._sock, backlog=BACKLOG
        )


@asynccontextmanager
async def serving(house: House, listeners: Iterable[socket.socket]) -> AsyncIterator[None]:
    """Answer on ``listeners``; at the end take no new connection, tell every session, let commands end, and close."""
    runner = web.AppRunner(
        house.application,
        access_log=None,
        handler_cancellation=True,  # a stream ends with its reader; commands are shielded in the dispatch
        shutdown_timeout=CLEANUP_SECONDS,
    )
    await runner.setup()
    house.server = runner.server
    try:
        sites = [Site(runner, listener, house.refusals) for listener in listeners]
        for site in sites:
            await site.start()
        yield
        for site in sites:
            await site.stop()
        await house.stop()
    finally:
        await runner.cleanup()
