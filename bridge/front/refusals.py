"""The last refusals, for the person who wonders why nothing answers: one log line each, and a short list."""

import logging
from collections import deque

import msgspec

from bridge.clock import now
from bridge.front.policy import REMEDIES, Reason

logger = logging.getLogger(__name__)

KEPT = 20
"""Older ones are dropped: the log has them all."""


class Refusal(msgspec.Struct, frozen=True):
    """One close or empty answer; ``path`` without its query, which is never logged."""

    time: str
    reason: str
    remedy: str
    method: str
    path: str
    origin: str | None


class Refusals:
    """What `tollbridge refusals` shows, oldest first."""

    def __init__(self) -> None:
        self._kept: deque[Refusal] = deque(maxlen=KEPT)

    def note(self, reason: Reason, *, method: str, target: str, origin: str | None) -> None:
        """Log one refusal and keep it."""
        path = _printable(target.partition("?")[0], 200)
        shown = None if origin is None else _printable(origin, 200)
        refusal = Refusal(now(), reason.value, REMEDIES[reason], _printable(method, 16), path, shown)
        logger.warning(
            "refused %s %s from %s: %s; %s", refusal.method, path, shown or "-", reason.value, refusal.remedy
        )
        self._kept.append(refusal)

    def list(self) -> list[Refusal]:
        """Return what is kept."""
        return list(self._kept)


def _printable(text: str, most: int) -> str:
    return text[:most].encode("ascii", "backslashreplace").decode().translate(_NO_CONTROL)


_NO_CONTROL = dict.fromkeys((*range(32), 127), "?")
