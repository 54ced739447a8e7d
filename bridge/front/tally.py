"""How many commands each grant has run since midnight, for the owner who wonders what a site does."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, time, timedelta


class Tally:
    """Counts by grant; they begin anew at the local midnight, and with each start of the daemon.

    ``clock`` returns seconds since the epoch. As many entries as there are grants.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._ends = 0.0

    def count(self, grant: str) -> None:
        """Count one command."""
        self._begin_day()
        self._counts[grant] += 1

    def today(self, grant: str) -> int:
        """Return how many commands ran today."""
        self._begin_day()
        return self._counts[grant]

    def forget(self, grant: str) -> None:
        """Count nothing for a grant that has ended."""
        self._counts.pop(grant, None)

    def _begin_day(self) -> None:
        now = self._clock()
        if now < self._ends and self._ends - now <= _LONGEST_DAY_SECONDS:
            return
        self._counts.clear()
        self._ends = _midnight_after(now)


_LONGEST_DAY_SECONDS = 26 * 3600.0
"""A clock that was put back by more than a day's worth begins a new one."""


def _midnight_after(now: float) -> float:
    tomorrow = datetime.fromtimestamp(now).astimezone().date() + timedelta(days=1)
    return datetime.combine(tomorrow, time()).astimezone().timestamp()
