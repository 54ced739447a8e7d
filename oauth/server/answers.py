"""The owner's answers: what a yes or a no changes, and when an earlier one may be used again without asking."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from oauth.errors import InvalidRequest, InvalidScope
from oauth.models import Asked, Clock, Grant, Pairing, Until
from oauth.server.codes import CODE_SECONDS, Yes
from oauth.server.issuer import ACCESS_SECONDS, DAY_SECONDS, REFRESH_TOTAL_SECONDS, new_id
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

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def allow(self, asked: Asked, scopes: frozenset[str], until: Until | None) -> Yes:
        """Remember a yes to ``scopes``, for as long as is usual where ``until`` is None, and return it.

        Scopes allowed earlier and not asked for now stay; those asked for and left out now go. A yes for once changes
        nothing of what was allowed before.

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
        if until == "once":
            grant = self._store.answer(_for_once(grant, now))
        else:
            end = None if until == "revoked" else now + SECONDS[until]
            kept = (grant.scopes_at(now) if grant.is_allowed else frozenset()) - asked.scopes
            grant = self._store.answer(_with_scopes(grant, kept, dict.fromkeys(scopes, end)))
        return _yes(asked, scopes, grant, consented_at=now, is_once=until == "once")

    def allow_again(self, asked: Asked) -> Yes:
        """Return a yes that continues an earlier one; nothing is extended by it.

        Raises:
            InvalidScope: this key has no live pairing that covers the request, so the owner has to be asked.
        """
        grant = self._store.grant_of(asked.client_id)
        pairing = None if grant is None else self._covering(grant, asked)
        if grant is None or pairing is None:
            raise InvalidScope("this key has no pairing that covers the request; ask the owner")
        return _yes(asked, asked.scopes, grant, consented_at=pairing.consented_at)

    def deny(self, asked: Asked) -> Grant:
        """Remember a no for this client and key.

        It replaces a yes and ends its pairings, unless they all belong to other keys: anybody may ask in a client's
        name, and must not be able to have it disconnected by being refused.
        """
        key, now = asked.dpop_jkt or "", self._clock()
        grant = self._store.grant_of(asked.client_id)
        denied = (*_without(() if grant is None else grant.denied_keys, key), key)
        if grant is not None and grant.is_allowed and not self._is_of_others(grant, asked.dpop_jkt):
            self._store.revoke(grant.id)
            grant = None
        grant = grant or msgspec.structs.replace(
            _new(asked.client_id, now, is_development=asked.is_development), ends_at=_end(asked, now)
        )
        return self._store.answer(msgspec.structs.replace(grant, denied_keys=denied, denied_at=now))

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
        kept = grant.scopes_at(now) if grant.is_allowed else frozenset()
        ends = {scope: _later(_limit(grant, scope) if scope in kept else now, now + ttl_seconds) for scope in scopes}
        return self._store.answer(_with_scopes(grant, kept - scopes, ends))

    def _covering(self, grant: Grant, asked: Asked) -> Pairing | None:
        if not grant.is_allowed or asked.dpop_jkt is None:
            return None
        pairing = self._store.pairing_of(grant.id, asked.dpop_jkt)
        if pairing is None or not asked.scopes <= pairing.scopes & grant.scopes_at(self._clock()):
            return None
        return pairing

    def _is_of_others(self, grant: Grant, jkt: str | None) -> bool:
        pairings = self._store.pairings(grant.id)
        return bool(pairings) and (jkt is None or all(pairing.jkt != jkt for pairing in pairings))


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


def _with_scopes(grant: Grant, kept: frozenset[str], ends: Mapping[str, float | None]) -> Grant:
    """Return ``grant`` with what is ``kept`` of its scopes, and those in ``ends`` until then (None: no end)."""
    limits = {scope: end for scope in kept if (end := _limit(grant, scope)) is not None}
    limits |= {scope: end for scope, end in ends.items() if end is not None}
    scopes = kept | ends.keys()
    ends_at = max(limits.values()) if scopes <= limits.keys() else None
    return msgspec.structs.replace(grant, is_allowed=True, scopes=scopes, limits=limits, ends_at=ends_at)


def _limit(grant: Grant, scope: str) -> float | None:
    return grant.limits.get(scope, grant.ends_at)


def _later(end: float | None, other: float) -> float | None:
    return None if end is None else max(end, other)


def _without(keys: tuple[str, ...], key: str) -> tuple[str, ...]:
    return tuple(known for known in keys if known != key)


def _yes(asked: Asked, scopes: frozenset[str], grant: Grant, *, consented_at: float, is_once: bool = False) -> Yes:
    return Yes(
        client_id=asked.client_id,
        scopes=scopes,
        jkt=asked.dpop_jkt,
        grant_id=grant.id,
        consented_at=consented_at,
        is_once=is_once,
    )
