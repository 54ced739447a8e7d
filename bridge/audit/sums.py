"""Sums of what happens often, so that nobody pushes what matters out of a bounded trail by repeating himself: pure."""

from collections.abc import Callable, Iterator

import msgspec

SHORTEST_WINDOW_SECONDS = 60.0
LONGEST_WINDOW_SECONDS = 3600.0
"""A window in which something was summed is followed by one twice as long, up to this; a quiet one by the shortest."""
OTHERS = "(others)"
"""Who is named where there are more than the table holds."""

Key = tuple[str, str, str]
"""Who, what, outcome."""


class Sum(msgspec.Struct):
    """How often, and since when (seconds since the epoch; 0 where nothing was counted)."""

    count: int = 0
    since: float = 0.0


class Sums:
    """Counts by key. The first of a key is told at once; those after it once, when the window ends.

    Bound: ``keys`` keys; what comes beyond is summed under its outcome alone, and outcomes are stable codes, of which
    there are some dozens. A flood from ever new origins thus costs ``keys`` records in its first minute, and as many an
    hour when it goes on.
    """

    def __init__(self, keys: int, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock
        self._sums: dict[Key, Sum] = {}
        self.window = SHORTEST_WINDOW_SECONDS

    def __bool__(self) -> bool:
        """Say whether a window is open."""
        return bool(self._sums)

    def count(self, key: Key) -> Key | None:
        """Count one; return the key under which it is the first, and is to be told now; else None."""
        found = self._sums.get(key)
        if found is None:
            return self._first(key)
        if not found.count:
            found.since = self._clock()
        found.count += 1
        return None

    def _first(self, key: Key) -> Key | None:
        if len(self._sums) < self._keys:
            self._sums[key] = Sum()
            return key
        others = (OTHERS, "", key[2])
        if others in self._sums:
            return self.count(others)
        self._sums[others] = Sum()
        return others

    def end_window(self) -> Iterator[tuple[Key, Sum]]:
        """Yield every sum that is not empty; keys of which nothing more was heard are forgotten."""
        ended, self._sums = self._sums, {}
        for key, found in ended.items():
            if found.count:
                self._sums[key] = Sum()
                yield key, found
        self.window = min(2 * self.window, LONGEST_WINDOW_SECONDS) if self._sums else SHORTEST_WINDOW_SECONDS
