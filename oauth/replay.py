"""Proofs already used: a set of (key, jti) that forgets by age and that no stranger can fill."""

from oauth.errors import ProofInvalid
from oauth.models import Clock


class ReplaySet:
    """Two generations: every entry lives between ``window`` and twice ``window`` seconds; no sweeps.

    Bounds: ``per_key`` proofs of one key in a generation, then that key alone is refused until the next one; ``keys``
    keys, then the one that came first is forgotten (refusing new ones would shut others out).
    """

    def __init__(self, *, window: float, per_key: int, keys: int, clock: Clock) -> None:
        self._window = window
        self._per_key = per_key
        self._keys = keys
        self._clock = clock
        self._current: dict[str, set[str]] = {}
        self._previous: dict[str, set[str]] = {}
        self._started = clock()

    def check(self, key: str, jti: str) -> None:
        """See that the proof ``jti`` of ``key`` is new, and that there is room for it.

        Raises:
            ProofInvalid: it was used before, or this key has sent too many.
        """
        self._turn()
        seen = self._current.get(key, ())
        if jti in seen or jti in self._previous.get(key, ()):
            raise ProofInvalid("this proof was used before; make a new one for each request")
        if len(seen) >= self._per_key:
            raise ProofInvalid("too many proofs of this key within a minute")

    def add(self, key: str, jti: str) -> None:
        """Remember a proof that was checked just now."""
        seen = self._current.get(key)
        if seen is None:
            if len(self._current) >= self._keys:
                del self._current[next(iter(self._current))]
            seen = self._current[key] = set()
        seen.add(jti)

    def _turn(self) -> None:
        now = self._clock()
        # A clock set back: nothing may be forgotten early, and the generation still has to end.
        self._started = min(self._started, now)
        age = now - self._started
        if age < self._window:
            return
        self._previous = self._current if age < 2 * self._window else {}
        self._current = {}
        self._started = now
