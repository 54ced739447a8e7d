"""What waits for one slow reader: bounded, in order, honest about what it lost.

Law of this file: every number pushed is taken once, or lies inside a gap that is taken in its place.
"""

from collections import deque

from bridge.events.journal import Gap

BOUND_EVENTS = 256
BOUND_BYTES = 1024 * 1024
"""At either bound all that waits is dropped and becomes a gap: a reader this late needs the state, not history."""


class Outbox:
    """Ready-made chunks that a transport could not take yet. Pure: knows no socket and no clock."""

    def __init__(self, *, epoch: str, seq: int) -> None:
        self._epoch = epoch
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._taken = seq
        self._lost: int | None = None

    def __len__(self) -> int:
        return len(self._waiting) + (self._lost is not None)

    def passed(self, seq: int) -> None:
        """Note that ``seq`` went to the reader directly."""
        self._taken = seq

    def push(self, seq: int, chunk: bytes) -> None:
        """Let ``chunk`` wait; at the bound it and all before it become a gap."""
        if len(self._waiting) >= BOUND_EVENTS or self._bytes + len(chunk) > BOUND_BYTES:
            self._waiting.clear()
            self._bytes = 0
            self._lost = seq
            return
        self._waiting.append((seq, chunk))
        self._bytes += len(chunk)

    def take(self) -> Gap | bytes | None:
        """Return the next thing to send, oldest first, or None."""
        if self._lost is not None:
            gap = Gap(f"{self._epoch}.{self._taken}", self._lost)
            self._taken, self._lost = self._lost, None
            return gap
        if not self._waiting:
            return None
        self._taken, chunk = self._waiting.popleft()
        self._bytes -= len(chunk)
        return chunk
