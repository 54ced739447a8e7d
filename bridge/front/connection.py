"""One connection: whose it is, how long its requests may take to arrive, and a close without a word where it errs.

aiohttp answers a request that its parser refuses with a page of its own: a Server header, the offending bytes, and a
trace in the log. Here such a connection is closed and noted like any other refusal. aiohttp has one timeout for silent,
half-sent and idle connections alike; here a request that has begun has 5 s to bring its head, also behind a body.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_websocket import WebSocketReader
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from bridge.front.connections import Connections
from bridge.front.masking import MaskedReader
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

_Request = tuple[object, StreamReader]
"""As aiohttp's parser hands it over: the head, or what was wrong with it, and the body."""


class Connection(web.RequestHandler):
    """One connection."""

    __slots__ = (
        *("_admit", "_body", "_connections", "_has_spoken", "_is_admitted", "_is_chunked", "_recent", "_refusals"),
        *("_stall", "_timer"),
    )

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
        self._is_chunked = False  # that body
        self._recent = b""  # the last bytes of a head that has begun: what ends it may come in two parts

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
        body, count = self._body, self._request_count
        was_in_body, read = not body.is_eof(), body.total_bytes
        super().data_received(data)
        new = self._request_count - count
        if new:
            self._disarm()
        if not data or self._upgraded:
            return
        at = None if was_in_body and self._is_chunked else body.total_bytes - read
        came = self._recent + data if self._recent else data
        if new:
            has_more = _is_followed(came, at, [self._messages[index] for index in range(-new, 0)])
            self._body = self._messages[-1][1]
            self._is_chunked = _is_chunked(self._messages[-1])
        elif was_in_body:
            has_more = body.is_eof() and (len(data) > at if at is not None else not b"\r\n\r\n".endswith(data[-4:]))
        else:
            has_more = True
        self._recent = came[-4:] if has_more else b""
        if has_more and self._timer is None:
            self._timer = self._loop.call_later(HEAD_SECONDS, self.end, Reason.HEAD_TOO_SLOW)

    def set_parser(self, parser: WebSocketReader, data_received_cb: Callable[[], None] | None = None) -> None:
        """Hold a WebSocket's frames to their masks."""
        super().set_parser(MaskedReader(parser), data_received_cb)  # type: ignore[arg-type]  # it reads like aiohttp's

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


def _is_followed(data: bytes, at: int | None, requests: Sequence[_Request]) -> bool:
    """Say whether more follows in ``data`` behind ``requests``, whose heads end in it: then the next head has begun.

    ``at`` is where the first of them begins, None: behind a body in chunks, somewhere. aiohttp's parser in C knows
    where it stands and does not tell. Where nobody can say, the answer is yes: no client sends whole requests that way.
    """
    body = requests[-1][1]
    if not body.is_eof():
        return False
    if body is EMPTY_PAYLOAD or _is_chunked(requests[-1]):
        return not data.endswith(b"\r\n\r\n")  # both end so, and no head that has not ended does
    if at is None or any(map(_is_chunked, requests)):
        return True
    for _, body in requests:
        while data.startswith((b"\r", b"\n"), at):  # RFC 9112 2.2: empty lines before a request are skipped
            at += 1
        end = data.find(b"\r\n\r\n", at)
        if end < 0:  # it came earlier, and had to wait until there was room for it
            return True
        at = end + 4 + body.total_bytes
    return len(data) > at


def _is_chunked(request: _Request) -> bool:
    message, body = request
    return body is not EMPTY_PAYLOAD and bool(getattr(message, "chunked", False))  # one that errs has no such word


def _end(connection: Connection | None, reason: Reason) -> None:
    if connection is not None:
        connection.end(reason)
