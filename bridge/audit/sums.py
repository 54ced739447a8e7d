"""Sums of what happens often, so that nobody pushes what matters out of a bounded trail by repeating himself: pure."""

from collections.abc import Callable, Iterator

import msgspec

SHORTEST_WINDOW_SECONDS = 60.0
LONGEST_WINDOW_SECONDS = 3600.0
"""Each window is followed by one twice as long, up to this; only a quiet one of this length ends their row."""
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
    there are some dozens. A key keeps its place while the windows grow, and then until an hour passes without it: the
    room for new ones is what bounds the firsts, whether they come at once, a few a minute or with pauses. So a flood
    from ever new origins costs ``keys`` records, in its first minute or by and by, and as many an hour when it goes on.
    Whoever also repeats each of them costs a record more of each at the end of each window: the seven of the first two
    hours, then one an hour. The short windows come back only after an hour in which nothing at all was heard.
    """

    def __init__(self, keys: int, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock
        self._sums: dict[Key, Sum] = {}
        self._is_open = False
        self._is_quiet = True
        self.window = SHORTEST_WINDOW_SECONDS

    def __bool__(self) -> bool:
        """Say whether a window is open."""
        return self._is_open

    def count(self, key: Key) -> Key | None:
        """Count one; return the key under which it is the first, and is to be told now; else None."""
        self._is_open, self._is_quiet = True, False
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
        """Yield every sum that is not empty; after the longest window, keys of which it heard no more are forgotten."""
        is_longest = self.window == LONGEST_WINDOW_SECONDS
        ended, self._sums = self._sums, {}
        for key, found in ended.items():
            if found.count or not is_longest:
                self._sums[key] = Sum()
            if found.count:
                yield key, found
        self._is_open = not (is_longest and self._is_quiet)
        self._is_quiet = True
        self.window = min(2 * self.window, LONGEST_WINDOW_SECONDS) if self._is_open else SHORTEST_WINDOW_SECONDS
