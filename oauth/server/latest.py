"""What the owner answered last about each key: a yes that still waits in a code gives no more than that."""

import msgspec

from oauth.models import Asked, Clock
from oauth.server.codes import CODE_SECONDS, Yes
from oauth.server.devices import DEVICE_SECONDS

LONGEST_WAIT_SECONDS = max(CODE_SECONDS, DEVICE_SECONDS)
"""No code lives longer, so that older answers need not be remembered."""


class _Key(msgspec.Struct):
    """What was answered about one key; answers are numbered in their order. ``waiting`` is a yes not used yet."""

    given_at: float = 0.0
    waiting: Yes | None = None
    denied: int = 0
    struck: dict[str, int] = {}
    ends: dict[str, tuple[int, float | None]] = {}


class Latest:
    """The last answers of this process, by client and key; codes die with it as well.

    Without a key each answer is for a program of its own, which nobody can tell from another: none changes another.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._keys: dict[tuple[str, str], _Key] = {}
        self._number = 0

    def allowed(self, asked: Asked, yes: Yes) -> Yes:
        """Take note of a yes, and return it with its number; one for once changes no other."""
        key = self._answered(asked)
        if not yes.is_once:
            key.struck = {**key.struck, **dict.fromkeys(asked.scopes - yes.scopes, self._number)}
            key.ends = {**key.ends, **{scope: (self._number, yes.limits.get(scope)) for scope in yes.scopes}}
        key.waiting = msgspec.structs.replace(yes, number=self._number)
        return key.waiting

    def denied(self, asked: Asked) -> None:
        """Take note of a no."""
        key = self._answered(asked)
        key.denied, key.waiting = self._number, None

    def used(self, yes: Yes) -> None:
        """Take note that tokens were made from ``yes``."""
        for key in self._keys.values():
            if key.waiting is not None and key.waiting.number == yes.number:
                key.waiting = None

    def continued(self, yes: Yes) -> Yes:
        """Return a yes that goes on from an earlier one, with its number."""
        return msgspec.structs.replace(yes, number=self._number)

    def current(self, yes: Yes) -> Yes | None:
        """Return what is left of ``yes`` after later answers about its key; None: nothing."""
        key = None if yes.jkt is None else self._keys.get((yes.client_id, yes.jkt))
        if key is None:
            return yes
        scopes = frozenset(scope for scope in yes.scopes if key.struck.get(scope, 0) <= yes.number)
        if key.denied > yes.number or not scopes:
            return None
        limits = {scope: end for scope, end in yes.limits.items() if scope in scopes}
        for scope in scopes:
            number, end = key.ends.get(scope, (0, None))
            if number > yes.number and end is None:
                limits.pop(scope, None)
            elif number > yes.number and end is not None:
                limits[scope] = end
        return msgspec.structs.replace(yes, scopes=scopes, limits=limits)

    def waiting(self, client_id: str) -> list[Yes]:
        """Return each yes to a key of this client that may still be used."""
        oldest = self._clock() - LONGEST_WAIT_SECONDS
        found = [key.waiting for (client, _), key in self._keys.items() if client == client_id]
        return [yes for yes in found if yes is not None and yes.consented_at >= oldest]

    def _answered(self, asked: Asked) -> _Key:
        now = self._clock()
        for name in [name for name, known in self._keys.items() if now - known.given_at > LONGEST_WAIT_SECONDS]:
            del self._keys[name]
        self._number += 1
        key = self._keys.setdefault((asked.client_id, asked.dpop_jkt or f"?{self._number}"), _Key())
        key.given_at = now
        return key
