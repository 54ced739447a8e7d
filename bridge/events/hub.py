"""Who hears which topic: an event is numbered once, serialised once a client and shape, handed to each subscriber."""

import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from bridge.events.journal import Entry, Journal
from bridge.messages import Event

logger = logging.getLogger(__name__)

Shape = Callable[[Entry, str], bytes]
"""How a transport writes an event: (entry, epoch as the client sees it) to the bytes on the wire."""


class Subscriber(Protocol):
    """A receiver of events. Implemented by the front's sessions; called by the hub alone."""

    @property
    def client(self) -> str:
        """Whose epoch the receiver sees."""

    @property
    def shape(self) -> Shape:
        """How events are written for it. The same function object for all receivers of one transport."""

    def may_hear(self, topic: str) -> bool:
        """Say whether the grant covers ``topic`` now; asked again at each event."""

    def deliver(self, seq: int, chunk: bytes) -> None:
        """Take one event; must not block and must not raise."""


class Hub:
    """The subscribers of each topic."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._hearing: dict[str, dict[Subscriber, None]] = {}

    def subscribe(self, subscriber: Subscriber, topics: Iterable[str]) -> None:
        """Let ``subscriber`` hear ``topics``, which exist, from the next event on."""
        topics = list(topics)
        for topic in topics:
            self._hearing.setdefault(topic, {})[subscriber] = None
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("a subscription begins", extra={"client": subscriber.client, "topics": ",".join(topics)})

    def unsubscribe(self, subscriber: Subscriber, topics: Iterable[str] | None = None) -> None:
        """End some of its topics, or all."""
        for topic in list(self._hearing) if topics is None else topics:
            heard = self._hearing.get(topic)
            if heard is not None:
                heard.pop(subscriber, None)
                if not heard:
                    del self._hearing[topic]

    def publish(self, event: Event) -> None:
        """Number ``event`` and hand it to all who hear its topic. A ready chunk is shared by all alike receivers."""
        entry = self.journal.append(event)
        chunks: dict[tuple[Shape, str], bytes] = {}
        for subscriber in list(self._hearing.get(event.topic, ())):
            if not subscriber.may_hear(event.topic):
                continue
            key = (subscriber.shape, subscriber.client)
            chunk = chunks.get(key)
            if chunk is None:
                chunk = chunks[key] = subscriber.shape(entry, self.journal.epoch(subscriber.client))
            subscriber.deliver(entry.seq, chunk)
