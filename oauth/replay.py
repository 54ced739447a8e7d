"""Proofs already seen: a set of (key, jti) that forgets by age and that no stranger can fill."""

from oauth.errors import ProofInvalid
from oauth.models import Clock


class ReplaySet:
    """Two generations: every entry lives between ``window`` and twice ``window`` seconds; no sweeps.

    Bounds: ``per_key`` proofs of one key in a generation, then that key alone is refused until the next one; ``keys``
    keys, then the one that came first is forgotten (a stranger can mint keys; refusing new ones would shut others out).
    """

    def __init__(self, *, window: float, per_key: int, keys: int, clock: Clock) -> None:
        self._window = window
        self._per_key = per_key
        self._keys = keys
        self._clock = clock
        self._current: dict[str, set[str]] = {}
        self._previous: dict[str, set[str]] = {}
        self._started = clock()

    def add(self, key: str, jti: str) -> None:
        """Remember the proof ``jti`` of ``key``.

        Raises:
            ProofInvalid: it was seen before, or this key has sent too many.
        """
        self._turn()
        seen = self._current.get(key)
        if (seen is not None and jti in seen) or jti in self._previous.get(key, ()):
            raise ProofInvalid("this proof was used before; make a new one for each request")
        if seen is None:
            if len(self._current) >= self._keys:
                del self._current[next(iter(self._current))]
            seen = self._current[key] = set()
        if len(seen) >= self._per_key:
            raise ProofInvalid("too many proofs of this key within a minute")
        seen.add(jti)

    def _turn(self) -> None:
        now = self._clock()
        age = now - self._started
        if 0 <= age < self._window:
            return
        # A clock set back starts a generation as well, or none would end until it has caught up.
        self._previous = self._current if age < 2 * self._window else {}
        self._current = {}
        self._started = now
