"""The last refusals, for the person who wonders why nothing answers: one log line each, and a short list."""

import logging
from collections import deque
from collections.abc import Callable

import msgspec

from bridge.audit.record import printable
from bridge.clock import now
from bridge.front.reasons import REMEDIES, Reason

logger = logging.getLogger(__name__)

KEPT = 20
"""Older ones are dropped: the log has them all."""


class Refusal(msgspec.Struct, frozen=True):
    """One close or empty answer; ``path`` is the pattern of a route of ours, never what was sent."""

    time: str
    reason: str
    remedy: str
    method: str
    path: str
    origin: str | None


class Refusals:
    """What `tollbridge refusals` shows, oldest first; ``heard`` is told each one's reason and origin."""

    def __init__(self, heard: Callable[[str, str | None], None]) -> None:
        self._heard = heard
        self._kept: deque[Refusal] = deque(maxlen=KEPT)

    def note(self, reason: Reason, *, method: str, path: str, origin: str | None) -> None:
        """Log one refusal and keep it."""
        shown = None if origin is None else printable(origin)
        refusal = Refusal(now(), reason.value, REMEDIES[reason], printable(method[:16]), path, shown)
        logger.warning(
            "refused",
            extra={
                "method": refusal.method,
                "path": refusal.path,
                "origin": shown,
                "reason": refusal.reason,
                "remedy": refusal.remedy,
            },
        )
        self._kept.append(refusal)
        self.tell(refusal.reason, origin)

    def tell(self, code: str, origin: str | None) -> None:
        """Tell the audit alone: of a request that gets an answer, which says what was wrong."""
        self._heard(code, origin)

    def list(self) -> list[Refusal]:
        """Return what is kept."""
        return list(self._kept)
