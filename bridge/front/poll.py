"""Events by long poll: what has happened since a cursor, or the next thing that happens."""

from collections.abc import Sequence

import msgspec
from aiohttp import web

from bridge.clock import now
from bridge.events.hub import Hub
from bridge.front.caller import Callers
from bridge.front.keys import CALLER
from bridge.front.limits import Quotas
from bridge.front.query import cursor, seconds
from bridge.front.sessions import Sessions
from bridge.front.topics import Topics
from bridge.front.waiting import Waiting
from bridge.messages import Cursor

MOST_WAIT_SECONDS = 60.0
MOST_EVENTS = 1000
"""At most this many in one answer; its cursor then stands after the last of them, and the next poll goes on there."""


class Poll:
    """``GET /v1/events`` with ``Accept: application/json``: ``{"cursor","events":[...]}``."""

    def __init__(self, hub: Hub, sessions: Sessions, callers: Callers, topics: Topics, quotas: Quotas) -> None:
        self._hub = hub
        self._sessions = sessions
        self._callers = callers
        self._topics = topics
        self._quotas = quotas

    async def answer(self, request: web.Request) -> web.Response:
        """Answer at the first event of the topics, or with none after ``wait`` seconds."""
        caller = request[CALLER]
        topics = self._topics.chosen(caller, request.query.get("topics"))
        after = cursor(request) or self._hub.journal.cursor(caller.client)
        wait = seconds(request, "wait", most=MOST_WAIT_SECONDS)
        waiting = Waiting(caller, self._callers, self._topics.scopes())
        upto, events = self._since(after, topics, waiting)
        if not events and wait:
            await self._wait(waiting, topics, wait)
            upto, events = self._since(after, topics, waiting)
        body = b'{"cursor":%b,"events":[%b]}' % (msgspec.json.encode(str(upto)), b",".join(events))
        return web.Response(body=body, content_type="application/json")

    def _since(self, after: Cursor, topics: Sequence[str], waiting: Waiting) -> tuple[Cursor, list[bytes]]:
        journal, client = self._hub.journal, waiting.client
        epoch = journal.epoch(client)
        resumed = journal.resume(after, client)
        if resumed.gap is not None:
            entry = resumed.gap.entry(epoch, self._topics.snapshots(waiting.caller), now())
            return journal.cursor(client), [entry.json(epoch)]
        heard = [entry for entry in resumed.entries if entry.topic in topics and waiting.may_hear(entry.topic)]
        if len(heard) > MOST_EVENTS:
            heard = heard[:MOST_EVENTS]
            return Cursor(epoch, heard[-1].seq), [entry.json(epoch) for entry in heard]
        return journal.cursor(client), [entry.json(epoch) for entry in heard]

    async def _wait(self, waiting: Waiting, topics: Sequence[str], wait: float) -> None:
        with self._quotas.streaming(waiting.caller):
            await self._sessions.wait(waiting, topics, wait)
