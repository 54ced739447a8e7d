"""The owner's answers: what a yes or a no changes, and when an earlier one may be used again without asking."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from oauth.errors import InvalidRequest, InvalidScope
from oauth.models import AuthorizationRequest, Clock, Grant, Pairing
from oauth.server.codes import Code
from oauth.server.issuer import DAY_SECONDS, REFRESH_TOTAL_SECONDS, new_id
from oauth.store import Store

DEVELOPMENT_SECONDS = DAY_SECONDS
"""Any program can serve a page on this computer, so an answer about one is short (protocol section 3)."""

Remembered = Literal["allowed", "denied"]


class Answers:
    """Changes grants as the owner says. It leaves ``commit`` to whoever answers."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def allow(self, request: AuthorizationRequest, scopes: frozenset[str]) -> Code:
        """Remember a yes to ``scopes`` and return what the code stands for.

        Scopes allowed earlier and not asked for now stay; those asked for and left out now go.

        Raises:
            InvalidScope: ``scopes`` is empty or more than was asked.
        """
        if not scopes or not scopes <= request.scopes:
            raise InvalidScope("allow at least one of the scopes that were asked for, and no other")
        key, now = request.dpop_jkt or "", self._clock()
        grant = self._store.grant_of(request.client_id) or _new(
            request.client_id, now, is_development=request.is_development
        )
        grant = self._store.answer(
            msgspec.structs.replace(
                grant,
                is_allowed=True,
                scopes=(grant.scopes - request.scopes) | scopes,
                ends_at=_end(request, now),
                denied_keys=_without(grant.denied_keys, key),
            )
        )
        return _code(request, scopes, grant, consented_at=now)

    def allow_again(self, request: AuthorizationRequest) -> Code:
        """Return what a code stands for that continues an earlier yes; nothing is extended by it.

        Raises:
            InvalidScope: this key has no live pairing that covers the request, so the owner has to be asked.
        """
        grant = self._store.grant_of(request.client_id)
        pairing = None if grant is None else self._covering(grant, request)
        if grant is None or pairing is None:
            raise InvalidScope("this key has no pairing that covers the request; ask the owner")
        return _code(request, request.scopes, grant, consented_at=pairing.consented_at)

    def deny(self, request: AuthorizationRequest) -> Grant:
        """Remember a no for this client and key.

        It replaces a yes and ends its pairings, unless they all belong to other keys: anybody may ask in a client's
        name, and must not be able to have it disconnected by being refused.
        """
        key, now = request.dpop_jkt or "", self._clock()
        grant = self._store.grant_of(request.client_id)
        if grant is not None and grant.is_allowed and not self._is_of_others(grant, request.dpop_jkt):
            self._store.revoke(grant.id)
            grant = None
        grant = grant or msgspec.structs.replace(
            _new(request.client_id, now, is_development=request.is_development), ends_at=_end(request, now)
        )
        return self._store.answer(msgspec.structs.replace(grant, denied_keys=(*_without(grant.denied_keys, key), key)))

    def remembered(self, request: AuthorizationRequest) -> Remembered | None:
        """Return the earlier answer that holds for this request and key; None: ask."""
        grant = self._store.grant_of(request.client_id)
        if grant is None:
            return None
        if self._covering(grant, request) is not None:
            return "allowed"
        return "denied" if (request.dpop_jkt or "") in grant.denied_keys else None

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
        known = self._store.grant_of(client_id)
        grant = known or _new(client_id, now, is_development=False)
        is_open_ended = known is not None and known.is_allowed and known.ends_at is None
        return self._store.answer(
            msgspec.structs.replace(
                grant,
                is_allowed=True,
                scopes=grant.scopes | scopes,
                ends_at=None if is_open_ended else max(grant.ends_at or 0.0, now + ttl_seconds),
            )
        )

    def _covering(self, grant: Grant, request: AuthorizationRequest) -> Pairing | None:
        if not grant.is_allowed or request.dpop_jkt is None:
            return None
        pairing = self._store.pairing_of(grant.id, request.dpop_jkt)
        return pairing if pairing is not None and request.scopes <= pairing.scopes & grant.scopes else None

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


def _end(request: AuthorizationRequest, now: float) -> float | None:
    return now + DEVELOPMENT_SECONDS if request.is_development else None


def _without(keys: tuple[str, ...], key: str) -> tuple[str, ...]:
    return tuple(known for known in keys if known != key)


def _code(request: AuthorizationRequest, scopes: frozenset[str], grant: Grant, *, consented_at: float) -> Code:
    return Code(
        client_id=request.client_id,
        redirect_uri=request.redirect_uri,
        scopes=scopes,
        challenge=request.challenge,
        jkt=request.dpop_jkt,
        grant_id=grant.id,
        consented_at=consented_at,
    )
