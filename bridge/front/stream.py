"""Events as Server-Sent Events: resumable by ``Last-Event-ID`` (WHATWG HTML section 9.2)."""

from aiohttp import web

from bridge.events.journal import Entry
from bridge.front.keys import CALLER
from bridge.front.limits import Quotas
from bridge.front.query import cursor
from bridge.front.sessions import Sessions
from bridge.front.topics import Topics
from bridge.messages import Caller, Cursor

_HEARTBEAT = b"3\r\n:\n\n\r\n"
"""A comment line, as an HTTP/1.1 chunk."""


def sse(entry: Entry, epoch: str) -> bytes:
    """Write an event as one ready HTTP/1.1 chunk: ``id:`` and one ``data:`` line."""
    text = b"id: %b.%d\ndata: %b\n\n" % (epoch.encode(), entry.seq, entry.json(epoch))
    return b"%x\r\n%b\r\n" % (len(text), text)


class Stream:
    """``GET /v1/events`` with ``Accept: text/event-stream``."""

    def __init__(self, sessions: Sessions, topics: Topics, quotas: Quotas) -> None:
        self._sessions = sessions
        self._topics = topics
        self._quotas = quotas

    async def open(self, request: web.Request) -> web.StreamResponse:
        """Stream until the reader goes, its grant ends, or the daemon stops."""
        caller = request[CALLER]
        topics = self._topics.chosen(caller, request.query.get("topics"))
        after = cursor(request)
        with self._quotas.streaming(caller):
            return await self._stream(request, caller, topics, after)

    async def _stream(
        self, request: web.Request, caller: Caller, topics: list[str], after: Cursor | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        # aiohttp keeps the head back until the first body byte: a comment sends it, so the reader knows it is heard.
        await response.write(b":\n\n")
        session = self._sessions.open(caller, request, sse)
        try:
            await session.start(topics, after)
            await session.pump(_HEARTBEAT)
        except TimeoutError:
            session.abort()
        finally:
            self._sessions.end(session)
        return response
