"""The owner's answers: what a yes or a no changes, and when an earlier one may be used again without asking."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from oauth.errors import InvalidRequest, InvalidScope
from oauth.models import Asked, Clock, Grant, Pairing, Until, unexpired
from oauth.server.codes import CODE_SECONDS, Yes
from oauth.server.issuer import ACCESS_SECONDS, DAY_SECONDS, REFRESH_TOTAL_SECONDS, new_id
from oauth.server.latest import Latest
from oauth.server.limits import NO_LIMITS, merged, with_scopes
from oauth.store import Store

DEVELOPMENT_SECONDS = DAY_SECONDS
"""Any program can serve a page on this computer, so an answer about one is short (protocol section 3)."""

SECONDS: Mapping[Until, float] = {"day": DAY_SECONDS, "week": 7 * DAY_SECONDS}

Remembered = Literal["allowed", "denied"]


def untils(*, is_development: bool) -> tuple[Until, ...]:
    """Return for how long a client may be allowed."""
    return ("once", "day", "week") if is_development else ("once", "day", "revoked")


def usual(*, is_development: bool) -> Until:
    """Return for how long a client is allowed where the owner says nothing of it."""
    return "day" if is_development else "revoked"


class Answers:
    """Changes grants as the owner says. It leaves ``commit`` to whoever answers."""

    def __init__(self, store: Store, latest: Latest, clock: Clock) -> None:
        self._store = store
        self._latest = latest
        self._clock = clock

    def allow(self, asked: Asked, scopes: frozenset[str], until: Until | None) -> Yes:
        """Remember a yes to ``scopes``, for as long as is usual where ``until`` is None, and return it.

        It concerns the key that asks: what it was allowed earlier and does not ask for now stays, what it asks for and
        is left out now goes. A yes for once changes nothing of what was allowed before.

        Raises:
            InvalidScope: ``scopes`` is empty or more than was asked.
            InvalidRequest: this client cannot be allowed for so long.
        """
        if not scopes or not scopes <= asked.scopes:
            raise InvalidScope("allow at least one of the scopes that were asked for, and no other")
        until = until or usual(is_development=asked.is_development)
        if until not in untils(is_development=asked.is_development):
            raise InvalidRequest("this client cannot be allowed for so long")
        now = self._clock()
        grant = self._store.grant_of(asked.client_id) or _new(asked.client_id, now, is_development=asked.is_development)
        denied = _without(grant.denied_keys, asked.dpop_jkt or "")
        grant = msgspec.structs.replace(grant, denied_keys=denied, denied_at=None)
        limits = {} if until in ("once", "revoked") else dict.fromkeys(scopes, now + SECONDS[until])
        if until == "once":
            grant = self._store.answer(_for_once(grant, now))
        else:
            self._keep_to(grant, asked, scopes, limits)
            grant = self._store.answer(with_scopes(self._of_all_keys(grant, asked), scopes, limits))
        yes = _yes(asked, scopes, grant, consented_at=now, limits=limits)
        return self._latest.allowed(asked, msgspec.structs.replace(yes, is_once=until == "once"))

    def _keep_to(self, grant: Grant, asked: Asked, scopes: frozenset[str], limits: Mapping[str, float]) -> None:
        """Have the pairing of the key that asks, if there is one, keep to this answer at once."""
        pairing = None if asked.dpop_jkt is None else self._store.pairing_of(grant.id, asked.dpop_jkt)
        if pairing is not None:
            kept = pairing.scopes_at(self._clock()) - asked.scopes
            ends = merged(pairing.limits, kept, limits)
            self._store.keep(msgspec.structs.replace(pairing, scopes=kept | scopes, limits=ends))

    def _of_all_keys(self, grant: Grant, asked: Asked) -> Grant:
        """Return ``grant`` with what its keys may do now, and what a yes that is not used yet may still give them.

        Of the key that asks, what it asks for is left out: its answer is to come.
        """
        now = self._clock()
        found = msgspec.structs.replace(grant, scopes=frozenset(), limits={}, ends_at=None)
        for yes in self._latest.waiting(asked.client_id):
            if not yes.is_once:
                scopes = yes.scopes - (asked.scopes if yes.jkt == asked.dpop_jkt else frozenset())
                found = with_scopes(found, unexpired(scopes, yes.limits, now), yes.limits)
        for pairing in self._store.pairings(grant.id):
            if not pairing.is_once:
                found = with_scopes(found, pairing.scopes_at(now), pairing.limits)
        return found

    def allow_again(self, asked: Asked) -> Yes:
        """Return a yes that continues an earlier one; nothing is extended by it.

        Raises:
            InvalidScope: this key has no live pairing that covers the request, so the owner has to be asked.
        """
        grant = self._store.grant_of(asked.client_id)
        pairing = None if grant is None else self._covering(grant, asked)
        if grant is None or pairing is None:
            raise InvalidScope("this key has no pairing that covers the request; ask the owner")
        limits = merged(pairing.limits, asked.scopes, NO_LIMITS)
        return self._latest.continued(
            _yes(asked, asked.scopes, grant, consented_at=pairing.consented_at, limits=limits)
        )

    def deny(self, asked: Asked) -> Grant:
        """Remember a no for this client and key, and end what this key was allowed.

        Other keys are left alone, also those whose yes is not used yet: anybody may ask in a client's name, and must
        not be able to have it disconnected by being refused. Where there is no other, the yes is over as a whole.
        """
        key, now = asked.dpop_jkt or "", self._clock()
        grant = self._store.grant_of(asked.client_id)
        denied = (*_without(() if grant is None else grant.denied_keys, key), key)
        self._latest.denied(asked)
        if grant is not None and grant.is_allowed:
            if self._has_others(grant, asked.dpop_jkt):
                grant = self._without_key(grant, asked)
            else:
                self._store.revoke(grant.id)
                grant = None
        grant = grant or msgspec.structs.replace(
            _new(asked.client_id, now, is_development=asked.is_development), ends_at=_end(asked, now)
        )
        return self._store.answer(msgspec.structs.replace(grant, denied_keys=denied, denied_at=now))

    def _without_key(self, grant: Grant, asked: Asked) -> Grant:
        """End what the key that asks was allowed, and return the grant of the others."""
        for pairing in self._store.pairings(grant.id):
            if pairing.jkt is not None and pairing.jkt == asked.dpop_jkt:
                self._store.end_pairing(pairing.id, "revoked")
        left = self._of_all_keys(grant, asked)
        return left if left.scopes else _for_once(msgspec.structs.replace(left, is_allowed=False), self._clock())

    def forget_denials(self, grant: Grant) -> None:
        """Forget the keys that were told no; of a grant that is nothing else, nothing is left."""
        if grant.is_allowed:
            self._store.answer(msgspec.structs.replace(grant, denied_keys=(), denied_at=None))
        else:
            self._store.revoke(grant.id)

    def remembered(self, asked: Asked) -> Remembered | None:
        """Return the earlier answer that holds for this request and key; None: ask."""
        grant = self._store.grant_of(asked.client_id)
        if grant is None:
            return None
        if self._covering(grant, asked) is not None:
            return "allowed"
        return "denied" if (asked.dpop_jkt or "") in grant.denied_keys else None

    def forget(self, clients: Iterable[str]) -> None:
        """End the grants of ``clients`` that pages were given; the dashboard's own stays."""
        for client_id in clients:
            grant = self._store.grant_of(client_id)
            if grant is not None and not grant.is_owner:
                self._store.revoke(grant.id)

    def allow_native(self, client_id: str, scopes: frozenset[str], ttl_seconds: float) -> Grant:
        """Remember that the owner gave a program ``scopes`` by hand, for at least ``ttl_seconds``.

        Raises:
            InvalidRequest: the time is not positive, or longer than 180 days.
        """
        if not 0 < ttl_seconds <= REFRESH_TOTAL_SECONDS:
            raise InvalidRequest("a token lives longer than 0 seconds and at most 180 days")
        now = self._clock()
        grant = self._store.grant_of(client_id) or _new(client_id, now, is_development=False)
        known = (
            grant if grant.is_allowed else msgspec.structs.replace(grant, scopes=frozenset(), limits={}, ends_at=None)
        )
        return self._store.answer(with_scopes(known, scopes, dict.fromkeys(scopes, now + ttl_seconds)))

    def _covering(self, grant: Grant, asked: Asked) -> Pairing | None:
        if not grant.is_allowed or asked.dpop_jkt is None:
            return None
        pairing = self._store.pairing_of(grant.id, asked.dpop_jkt)
        if pairing is None or not asked.scopes <= pairing.scopes_at(self._clock()):
            return None
        return pairing

    def _has_others(self, grant: Grant, jkt: str | None) -> bool:
        """Say whether another key than ``jkt`` uses this grant, or is about to."""
        keys = [pairing.jkt for pairing in self._store.pairings(grant.id)]
        keys += [yes.jkt for yes in self._latest.waiting(grant.client_id)]
        return any(jkt is None or key != jkt for key in keys)


def _new(client_id: str, now: float, *, is_development: bool) -> Grant:
    return Grant(
        id=new_id(),
        client_id=client_id,
        is_allowed=False,
        scopes=frozenset(),
        created_at=now,
        is_development=is_development,
    )


def _end(asked: Asked, now: float) -> float | None:
    return now + DEVELOPMENT_SECONDS if asked.is_development else None


def _for_once(grant: Grant, now: float) -> Grant:
    """Return the grant under which one access token may be made; it lives that long, unless it lives on anyway."""
    end = now + CODE_SECONDS + ACCESS_SECONDS
    if not grant.is_allowed:
        return msgspec.structs.replace(grant, is_allowed=True, scopes=frozenset(), limits={}, ends_at=end)
    if grant.ends_at is None or grant.ends_at >= end:
        return grant
    limits = {scope: grant.limits.get(scope, grant.ends_at) for scope in grant.scopes}
    return msgspec.structs.replace(grant, limits=limits, ends_at=end)


def _without(keys: tuple[str, ...], key: str) -> tuple[str, ...]:
    return tuple(known for known in keys if known != key)


def _yes(asked: Asked, scopes: frozenset[str], grant: Grant, *, consented_at: float, limits: dict[str, float]) -> Yes:
    return Yes(
        client_id=asked.client_id,
        scopes=scopes,
        jkt=asked.dpop_jkt,
        grant_id=grant.id,
        consented_at=consented_at,
        limits=limits,
    )
