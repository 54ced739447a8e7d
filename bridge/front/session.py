"""A session: one live connection of a caller. A healthy transport is written straight; a slow one has an outbox.

A transport whose buffer is below the high-water mark gets an event's ready-made chunk at once, without waking a task.
Above it, chunks wait in the outbox, and the session's own pump sends them as the reader catches up.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from bridge.clock import now
from bridge.events.hub import Hub, Shape
from bridge.events.journal import Gap
from bridge.events.outbox import Outbox
from bridge.front.caller import Callers
from bridge.front.topics import Topics, is_audible
from bridge.messages import Caller, Cursor

logger = logging.getLogger(__name__)

HIGH_WATER_BYTES = 64 * 1024
"""asyncio's own mark: above it the kernel's buffer is full as well, so the reader is behind."""

WRITE_DEADLINE_SECONDS = 5.0
"""How long a reader may take nothing at all before its connection is dropped."""

HEARTBEAT_SECONDS = 15.0
"""How often a quiet connection says that it lives, and one whose pairing has come to its end is closed."""

TOKEN_ENDED = 4401


class Session:
    """One connection that hears events. ``write`` puts bytes on the transport and never blocks; ``drain`` waits."""

    def __init__(
        self,
        caller: Caller,
        *,
        hub: Hub,
        callers: Callers,
        topics: Topics,
        shape: Shape,
        transport: asyncio.Transport,
        drain: Callable[[], Awaitable[None]],
    ) -> None:
        self.caller = caller
        self.shape = shape
        self.close_code: int | None = None
        self.outbox = Outbox(epoch=hub.journal.epoch(caller.client), seq=hub.journal.seq)
        self._hub = hub
        self._callers = callers
        self._topics = topics
        self._scopes = topics.scopes()
        self._is_catching_up = False
        self._transport = transport
        self._drain = drain
        self._wake = asyncio.Event()

    @property
    def client(self) -> str:
        """Whose epoch the receiver sees."""
        return self.caller.client

    @property
    def is_behind(self) -> bool:
        """Say that the reader has not yet taken what was written."""
        return self._transport.get_write_buffer_size() >= HIGH_WATER_BYTES

    def may_hear(self, topic: str) -> bool:
        """See `bridge.events.hub.Subscriber`."""
        return is_audible(topic, self._callers.now(self.caller), self._scopes)

    def deliver(self, seq: int, chunk: bytes) -> None:
        """See `bridge.events.hub.Subscriber`."""
        if not self._is_catching_up and not self.outbox and not self.is_behind:
            self.write(chunk)
            self.outbox.passed(seq)
            return
        self.outbox.push(seq, chunk)
        self._wake.set()

    def write(self, chunk: bytes) -> None:
        """Put what is not an event on the wire, such as a reply."""
        if not self._transport.is_closing():
            self._transport.write(chunk)

    async def start(self, topics: Iterable[str], after: Cursor | None) -> None:
        """Hear ``topics`` from ``after`` on (None: from now), without a hole and without an event twice.

        Subscribing and reading the journal happen in one step of the event loop, so nothing falls between; what comes
        while the past is still being sent waits in the outbox.
        """
        heard = set(topics)
        self._hub.subscribe(self, heard)
        if after is None:
            return
        journal = self._hub.journal
        resumed = journal.resume(after, self.client)
        self._is_catching_up = True
        if resumed.gap is not None:
            await self._send(self.gap(resumed.gap))
        for entry in resumed.entries:
            if entry.topic in heard and self.may_hear(entry.topic):
                await self._send(self.shape(entry, journal.epoch(self.client)))
        self._is_catching_up = False
        self._wake.set()

    def gap(self, gap: Gap) -> bytes:
        """Return the gap as an event in this session's shape: the states have to be read again."""
        epoch = self._hub.journal.epoch(self.client)
        return self.shape(gap.entry(epoch, self._topics.snapshots(self.caller), now()), epoch)

    def close(self, code: int) -> None:
        """Ask the session's owner to end it; ``code`` is a WebSocket close code (protocol section 6)."""
        self.close_code = code
        self._wake.set()

    async def pump(self, heartbeat: bytes | None) -> None:
        """Send what waits until the session is closed; ``heartbeat`` goes out when it was quiet for long.

        Raises:
            TimeoutError: the reader took nothing for `WRITE_DEADLINE_SECONDS`.
            ConnectionError: it is gone.
        """
        while self.close_code is None:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                if self._callers.now(self.caller) is None:
                    self.close(TOKEN_ENDED)
                elif heartbeat is not None:
                    await self._send(heartbeat)
            self._wake.clear()
            while (chunk := self.outbox.take()) is not None:
                await self._send(self.gap(chunk) if isinstance(chunk, Gap) else chunk)

    async def catch_up(self) -> None:
        """Wait until the reader has taken enough of what was written.

        Raises:
            TimeoutError: it took nothing for `WRITE_DEADLINE_SECONDS`.
        """
        if self.is_behind:
            async with asyncio.timeout(WRITE_DEADLINE_SECONDS):
                await self._drain()

    async def _send(self, chunk: bytes) -> None:
        await self.catch_up()
        if self._transport.is_closing():
            raise ConnectionResetError("the reader is gone")
        self._transport.write(chunk)

    def abort(self) -> None:
        """Drop the connection of a reader that takes nothing."""
        logger.warning(
            "dropped a session that took nothing", extra={"client": self.client, "seconds": WRITE_DEADLINE_SECONDS}
        )
        self._transport.abort()
