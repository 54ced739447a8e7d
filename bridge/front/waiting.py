"""A session of one answer: a request that waits for the next event."""

import asyncio

from bridge.events.journal import Entry
from bridge.front.caller import Callers
from bridge.front.topics import is_audible
from bridge.messages import Caller


def plain(entry: Entry, epoch: str) -> bytes:
    """Write an event as the bare object."""
    return entry.json(epoch)


class Waiting:
    """Wakes at the first event of its topics, or when it is asked to end."""

    shape = staticmethod(plain)

    def __init__(self, caller: Caller, callers: Callers, scopes: dict[str, str]) -> None:
        self.caller = caller
        self.client = caller.client
        self.close_code: int | None = None
        self.awake = asyncio.Event()
        self._callers = callers
        self._scopes = scopes

    def may_hear(self, topic: str) -> bool:
        """See `bridge.events.hub.Subscriber`."""
        return is_audible(topic, self._callers.now(self.caller), self._scopes)

    def deliver(self, seq: int, chunk: bytes) -> None:
        """See `bridge.events.hub.Subscriber`; the answer itself is read from the journal."""
        del seq, chunk
        self.awake.set()

    def close(self, code: int) -> None:
        """See `bridge.front.sessions.Live`."""
        self.close_code = code
        self.awake.set()
