"""The last refusals, for the person who wonders why nothing answers: a log line and a short list, both with sums.

What is refused again and again, by another user's program or a page that does not give up, is one line at once, then
one sum a window (`bridge.audit.sums`: a minute, up to an hour), and one entry of the list. So nobody fills the disk,
and nobody pushes out of the list what the person looks for.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from bridge.audit.record import printable
from bridge.audit.sums import Key, Sum, Sums
from bridge.audit.window import Window
from bridge.clock import rfc3339
from bridge.front.reasons import REMEDIES, Reason

logger = logging.getLogger(__name__)

KEPT = 20
KEYS = 64
"""How many different ones are told apart in the log, in one window."""

METHOD_CHARACTERS = 16


class Refusal(msgspec.Struct, frozen=True):
    """One close or empty answer, ``count`` times, the last one at ``time``.

    ``path`` is the pattern of a route of ours, never what was sent.
    """

    time: str
    reason: str
    remedy: str
    method: str
    path: str
    origin: str | None
    count: int


class Refusals:
    """What `tollbridge refusals` shows, newest last; ``heard`` is told each one's reason and origin."""

    def __init__(self, heard: Callable[[str, str | None], None], clock: Callable[[], float] = time.time) -> None:
        self._heard = heard
        self._clock = clock
        self._kept: dict[Key, _Kept] = {}
        self._window = Window(Sums(KEYS, clock), self._log)

    def note(self, reason: Reason, *, method: str, path: str, origin: str | None) -> None:
        """Keep one refusal, and log it, or count it where the same was logged in this window."""
        key = (
            "" if origin is None else printable(origin),
            f"{printable(method[:METHOD_CHARACTERS])} {path}",
            reason.value,
        )
        self._keep(key)
        self._window.count(key)
        self.tell(reason.value, origin)

    def tell(self, code: str, origin: str | None) -> None:
        """Tell the audit alone: of a request that gets an answer, which says what was wrong."""
        self._heard(code, origin)

    def list(self) -> list[Refusal]:
        """Return what is kept."""
        return [_refusal(key, kept) for key, kept in self._kept.items()]

    def close(self) -> None:
        """Log what was only counted so far; nothing is noted afterwards."""
        self._window.close()

    def _keep(self, key: Key) -> None:
        """Make ``key`` the newest; where there are too many, the oldest of the commonest reason goes."""
        kept = self._kept.pop(key, None)
        self._kept[key] = _Kept(1 if kept is None else kept.times + 1, self._clock())
        if len(self._kept) > KEPT:
            ((commonest, _),) = Counter(reason for _, _, reason in self._kept).most_common(1)
            del self._kept[next(each for each in self._kept if each[2] == commonest)]

    def _log(self, key: Key, found: Sum) -> None:
        origin, asked, reason = key
        method, _, path = asked.partition(" ")
        if found.since:
            logger.warning(
                "refused again",
                extra={
                    "method": method,
                    "path": path,
                    "origin": origin or None,
                    "reason": reason,
                    "count": found.count,
                    "seconds": round(self._clock() - found.since),
                },
            )
        else:
            logger.warning(
                "refused",
                extra={
                    "method": method,
                    "path": path,
                    "origin": origin or None,
                    "reason": reason,
                    "remedy": REMEDIES[Reason(reason)],
                },
            )


class _Kept(NamedTuple):
    times: int
    last: float


def _refusal(key: Key, kept: _Kept) -> Refusal:
    origin, asked, reason = key
    method, _, path = asked.partition(" ")
    return Refusal(rfc3339(kept.last), reason, REMEDIES[Reason(reason)], method, path, origin or None, kept.times)
