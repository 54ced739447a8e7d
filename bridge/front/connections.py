"""How many connections there may be, and which one is closed when one more comes; pure, it counts and names.

A page's browser holds connections that have sent nothing yet: its permission prompt keeps one silent for up to 300 s.
So silence is allowed, but only to so many, and whoever comes new is never the one that pays for it.
"""

from typing import Generic, Protocol, TypeVar


class Counted(Protocol):
    """A connection, as far as counting goes."""

    @property
    def is_idle(self) -> bool:
        """Say that nothing is asked on it at the moment."""


Each = TypeVar("Each", bound=Counted)


class Connections(Generic[Each]):
    """The connections of one listener, oldest first; ``most`` of them, of which ``most_silent`` may be silent."""

    def __init__(self, *, most: int, most_silent: int) -> None:
        self._most = most
        self._most_silent = most_silent
        self._all: dict[Each, None] = {}
        self._silent: dict[Each, None] = {}

    def __len__(self) -> int:
        return len(self._all)

    def opened(self, connection: Each) -> Each | None:
        """Count ``connection``; return the one to close for it where there are too many, which then counts no longer.

        That is the one that was silent for longest, else the oldest idle one; only where every other connection is at
        work, the new one itself.
        """
        self._all[connection] = None
        if len(self._all) <= self._most:
            return None
        silent = next(iter(self._silent), None)
        return self._dropped(silent or next(each for each in self._all if each.is_idle))

    def fell_silent(self, connection: Each) -> Each | None:
        """Count ``connection`` as silent; return the one to close where there are too many: the oldest of them."""
        self._silent[connection] = None
        return self._dropped(next(iter(self._silent))) if len(self._silent) > self._most_silent else None

    def spoke(self, connection: Each) -> None:
        """Count ``connection`` as silent no longer."""
        self._silent.pop(connection, None)

    def closed(self, connection: Each) -> None:
        """Count ``connection`` no longer."""
        self._all.pop(connection, None)
        self._silent.pop(connection, None)

    def _dropped(self, connection: Each) -> Each:
        """Forget ``connection`` at once: its end is told later, and until then the next one would be it again."""
        self.closed(connection)
        return connection
