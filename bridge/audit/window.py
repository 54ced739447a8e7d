"""Sums with the timer that ends their window: who hears of the first of each at once, and of the others in one word."""

import asyncio
from collections.abc import Callable

from bridge.audit.sums import Key, Sum, Sums


class Window:
    """Counts, and has ``tell`` say what `bridge.audit.sums.Sums` finds worth saying; used on the event loop's thread.

    No timer runs while nothing is counted.
    """

    def __init__(self, sums: Sums, tell: Callable[[Key, Sum], None]) -> None:
        self._sums = sums
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None

    def count(self, key: Key) -> None:
        """Count one."""
        first = self._sums.count(key)
        if first is None:
            return
        self._tell(first, Sum(count=1))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._sums.window, self._end)

    def close(self) -> None:
        """Tell what was summed so far; nothing is counted afterwards."""
        if self._timer is not None:
            self._timer.cancel()
            self._end()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self._timer = None
        for key, found in self._sums.end_window():
            self._tell(key, found)
        if self._sums:
            self._timer = asyncio.get_running_loop().call_later(self._sums.window, self._end)
