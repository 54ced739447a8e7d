"""One numbered sequence for all topics: bounded, in memory, with a new epoch at each start.

Law of this file: within one epoch every number is given once and never changes its meaning; what the bound pushed out
is said as a gap, never skipped silently.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Sequence
from itertools import islice

import msgspec

from bridge.messages import Cursor, Event
from oauth.secret import Secret

BOUND_EVENTS = 4096
"""How many events can be resumed. At the bound the oldest goes first; who resumes from before it is told of a gap."""

GAP_TOPIC = "tollbridge"
"""The topic of what the daemon says about itself; private to each client."""


class Entry(msgspec.Struct, frozen=True):
    """A numbered event; ``tail`` is its JSON after the id, serialised once for all receivers."""

    seq: int
    topic: str
    name: str
    tail: bytes

    def json(self, epoch: str) -> bytes:
        """Return the event as the client that sees ``epoch`` reads it: ``{"id","topic","name","time","data"}``."""
        return b'{"id":"%b.%d",%b' % (epoch.encode(), self.seq, self.tail)


class Gap(msgspec.Struct, frozen=True):
    """Numbers that a reader cannot have: everything after ``since`` up to and with ``upto``."""

    since: str
    upto: int

    def entry(self, epoch: str, snapshot: Sequence[str], time: str) -> Entry:
        """Return the gap as an event: ``snapshot`` lists the states to read again (paths)."""
        data = {"from": self.since, "to": f"{epoch}.{self.upto}", "snapshot": snapshot}
        head = _fields(topic=GAP_TOPIC, name="gap", time=time)
        return Entry(self.upto, GAP_TOPIC, "gap", b'%b,"data":%b}' % (head, msgspec.json.encode(data)))


class Resumed(msgspec.Struct, frozen=True):
    """What follows a cursor: the entries, or a gap (then no entries: the state has to be read again)."""

    entries: Sequence[Entry] = ()
    gap: Gap | None = None


class Journal:
    """The sequence. ``key`` and ``epoch`` are 32 random bytes each; ``bound`` counts events."""

    def __init__(self, *, key: bytes, epoch: bytes, bound: int = BOUND_EVENTS) -> None:
        self._key = Secret(key)
        self._epoch = Secret(epoch)
        self._entries: deque[Entry] = deque(maxlen=bound)
        self._seq = 0
        self._epochs: dict[str, str] = {}

    @property
    def seq(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._seq

    def append(self, event: Event) -> Entry:
        """Number ``event`` and keep it."""
        self._seq += 1
        head = _fields(topic=event.topic, name=event.name, time=event.time)
        entry = Entry(self._seq, event.topic, event.name, b'%b,"data":%b}' % (head, bytes(event.data)))
        self._entries.append(entry)
        return entry

    def epoch(self, client: str) -> str:
        """Return this epoch as ``client`` sees it: two clients can compare nothing."""
        shown = self._epochs.get(client)
        if shown is None:
            digest = hmac.digest(self._key.reveal(), self._epoch.reveal() + client.encode(), hashlib.sha256)
            shown = urlsafe_b64encode(digest)[:8].decode()
            if len(self._epochs) >= 1024:  # clients have grants, so these are few; a bound all the same
                self._epochs.clear()
            self._epochs[client] = shown
        return shown

    def cursor(self, client: str) -> Cursor:
        """Return the position after the newest event."""
        return Cursor(self.epoch(client), self._seq)

    def resume(self, after: Cursor, client: str) -> Resumed:
        """Return what follows ``after``; another epoch, a pushed-out number and one from the future are gaps."""
        oldest = self._entries[0].seq if self._entries else self._seq + 1
        if after.epoch != self.epoch(client) or not oldest - 1 <= after.seq <= self._seq:
            return Resumed(gap=Gap(str(after), self._seq))
        if after.seq == self._seq:
            return Resumed()
        return Resumed(entries=self.after(after.seq))

    def after(self, seq: int) -> list[Entry]:
        """Return the kept entries after ``seq``, oldest first."""
        newer = min(self._seq - seq, len(self._entries))
        return list(islice(self._entries, len(self._entries) - newer, None)) if newer > 0 else []


def _fields(**values: str) -> bytes:
    return msgspec.json.encode(values)[1:-1]
