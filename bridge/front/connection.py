"""One connection: whose it is, how long its requests may take to arrive, and a close without a word where it errs.

aiohttp answers a request that its parser refuses with a page of its own: a Server header, the offending bytes, and a
trace in the log. Here such a connection is closed and noted like any other refusal. aiohttp has one timeout for silent,
half-sent and idle connections alike; here a request that has begun has 5 s to bring its head.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from bridge.front.connections import Connections
from bridge.front.reasons import Reason, Refused
from bridge.front.refusals import Refusals

logger = logging.getLogger(__name__)

SILENT_SECONDS = 330.0
"""How long a connection may be silent or idle: a browser's permission prompt holds a silent one for up to 300 s, and
closing it then fails the request that the person has just allowed (measured)."""

GRACE_SECONDS = 1.0
"""From when on a new connection counts as silent: in a burst, many stand before the first byte of each is read."""

HEAD_SECONDS = 5.0
"""How long the head of a request may take from its first byte."""

LINGER_SECONDS = 1.0
"""How long the rest of a body is read and thrown away after an answer that did not need it: its client writes still,
and would not read the answer if the connection broke under it."""

READ_SECONDS = 10.0
"""How long a client may leave what was written to it unread; events are held to less by their outbox."""

Admit = Callable[[asyncio.Transport], None]
"""Raises Refused for a connection that is not this user's (protocol section 1, step 1)."""


class Connection(web.RequestHandler):
    """One connection."""

    __slots__ = ("_admit", "_body", "_connections", "_has_spoken", "_is_admitted", "_refusals", "_stall", "_timer")

    def __init__(
        self,
        server: web.Server,
        *,
        admit: Admit,
        connections: "Connections[Connection]",
        refusals: Refusals,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=SILENT_SECONDS,
            lingering_time=LINGER_SECONDS,
            access_log=None,  # type: ignore[arg-type]  # how aiohttp's own runner says "none"
            auto_decompress=False,  # an encoded body is refused unread
        )
        self._admit = admit
        self._connections = connections
        self._refusals = refusals
        self._is_admitted = False
        self._has_spoken = False
        self._timer: asyncio.TimerHandle | None = None  # first of the grace, then of each slow head
        self._stall: asyncio.TimerHandle | None = None
        self._body: StreamReader = EMPTY_PAYLOAD  # of the last request

    @property
    def is_idle(self) -> bool:
        """Say that nothing is asked on this connection at the moment."""
        return self._current_request is None and not self._messages

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection if it is this user's, else close it; make room where there are too many."""
        link = cast("asyncio.Transport", transport)  # uvloop's is none by type
        try:
            self._admit(link)
        except Refused as refused:
            self._note(refused.reason)
            link.abort()
            return
        super().connection_made(transport)
        self._is_admitted = True
        logger.debug("a connection is open")
        self._timer = self._loop.call_later(GRACE_SECONDS, self._fall_silent)
        _end(self._connections.opened(self), Reason.TOO_MANY_CONNECTIONS)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        if self._is_admitted:
            logger.debug("a connection has ended", extra={"count": self._request_count})
            self._connections.closed(self)
            self._disarm()
            self._unstall()
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and hold the head of a request to its deadline."""
        if not self._is_admitted:
            return
        if not self._has_spoken:
            self._has_spoken = True
            self._connections.spoke(self)
            self._disarm()
        count, was_in_body = self._request_count, not self._body.is_eof()
        super().data_received(data)
        if count != self._request_count:
            self._disarm()
            self._body = self._messages[-1][1]
            # What follows a head without a body is the next head. Behind a body it is seen at its next byte.
            has_more = self._body is EMPTY_PAYLOAD and not data.endswith(b"\r\n\r\n")
        else:
            has_more = not was_in_body
        if has_more and data and self._timer is None and not self._upgraded:
            self._timer = self._loop.call_later(HEAD_SECONDS, self.end, Reason.HEAD_TOO_SLOW)

    def pause_writing(self) -> None:
        """Give the client time to read what was written."""
        super().pause_writing()
        self._stall = self._loop.call_later(READ_SECONDS, self.end, Reason.READ_TOO_SLOW)

    def resume_writing(self) -> None:
        """Go on: it was read."""
        self._unstall()
        super().resume_writing()

    def end(self, reason: Reason) -> None:
        """Close the connection without a word, and note why."""
        if self.transport is not None:
            self._note(reason)
            self.transport.abort()

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
            self._note(Reason.NOT_HTTP)
        if self.transport is not None:
            self.transport.abort()
        return web.Response(status=status)  # never written: the connection is gone

    def log_exception(self, *args: object, **kw: object) -> None:
        """Note a body that broke off its framing once the answer was out; aiohttp would log the bytes with a trace."""
        del args
        error = kw.get("exc_info")
        if isinstance(error, web.RequestPayloadError | HttpProcessingError):
            self._note(Reason.NOT_HTTP)
        else:
            logger.error("a connection failed", exc_info=error if isinstance(error, BaseException) else None)

    def _fall_silent(self) -> None:
        self._timer = None
        _end(self._connections.fell_silent(self), Reason.TOO_MANY_SILENT)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _unstall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _note(self, reason: Reason) -> None:
        self._refusals.note(reason, method="-", path="-", origin=None)


def _end(connection: Connection | None, reason: Reason) -> None:
    if connection is not None:
        connection.end(reason)
