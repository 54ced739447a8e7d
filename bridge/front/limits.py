"""How much one grant may ask for at a time; pure, never per address, because everyone is 127.0.0.1."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal

from bridge.config import Limits
from bridge.errors import TooMany
from bridge.messages import Caller

RETRY_SECONDS = 1.0
"""When to come back after a limit of simultaneous things: nobody knows when one ends."""

Held = Literal["streams", "sockets"]
"""What a grant keeps open."""


class Bucket:
    """A token bucket: ``rate`` a second, ``burst`` at once."""

    def __init__(self, *, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, now: float) -> float:
        """Take one; return 0.0, or the seconds until there is one again (then nothing is taken)."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left >= 1.0:
            self._left -= 1.0
            return 0.0
        return (1.0 - self._left) / self._rate


class Usage:
    """What one grant uses now."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.held: dict[Held, int] = {"streams": 0, "sockets": 0}
        self.in_flight = 0

    @property
    def is_idle(self) -> bool:
        """Say that nothing is open."""
        return not (any(self.held.values()) or self.in_flight)


class Quotas:
    """The usage of every grant; ``clock`` is monotonic, in seconds."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._usage: dict[str, Usage] = defaultdict(self._fresh)

    def usage(self, grant: str) -> Usage:
        """Return what ``grant`` uses; "" is the owner on the Unix socket."""
        return self._usage[grant]

    def command(self, usage: Usage) -> None:
        """Count one command.

        Raises:
            TooMany: over the rate; ``retry_after`` says when there is room.
        """
        wait = usage.bucket.take(self._clock())
        if wait:
            rate = self._limits.commands_per_second
            raise TooMany(f"a grant may send {rate} commands a second", retry_after=wait)
        if usage.in_flight >= self._limits.requests_in_flight:
            most = self._limits.requests_in_flight
            raise TooMany(f"a grant may have {most} requests in flight", retry_after=RETRY_SECONDS)

    def streaming(self, caller: Caller) -> AbstractContextManager[None]:
        """Hold one stream, or one wait, inside the block; the owner and native programs may use all connections.

        Raises:
            TooMany: it is one too many.
        """
        return self._hold("streams", self._limits.streams, caller)

    def socket(self, caller: Caller) -> AbstractContextManager[None]:
        """Hold one WebSocket inside the block; as `streaming`.

        Raises:
            TooMany: it is one too many.
        """
        return self._hold("sockets", self._limits.sockets, caller)

    def forget(self, grant: str) -> None:
        """Drop what is known of a grant that ended."""
        usage = self._usage.get(grant)
        if usage is not None and usage.is_idle:
            del self._usage[grant]

    @contextmanager
    def _hold(self, what: Held, most: int, caller: Caller) -> Iterator[None]:
        held = self.usage(caller.grant or "").held
        if _is_page(caller) and held[what] >= most:
            raise TooMany(f"a grant may have {most} {what} open", retry_after=RETRY_SECONDS)
        held[what] += 1
        try:
            yield
        finally:
            held[what] -= 1

    def _fresh(self) -> Usage:
        limits = self._limits
        return Usage(Bucket(rate=limits.commands_per_second, burst=limits.burst, now=self._clock()))


def _is_page(caller: Caller) -> bool:
    return caller.origin is not None and not caller.owner
