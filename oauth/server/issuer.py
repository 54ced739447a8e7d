"""Makes tokens, and follows each refresh token to its successor (protocol section 3).

A successor is computed from its token, so a client that lost an answer gets the same one again, even after a crash.
"""

import hmac
import logging
import secrets
from collections.abc import Mapping

import msgspec

from oauth import base64url
from oauth.errors import InvalidGrant, InvalidScope
from oauth.models import AccessToken, Clock, Grant, Pairing, RefreshToken, token_id, unexpired
from oauth.scopes import OWNER, format_scopes
from oauth.secret import Secret
from oauth.server.codes import Yes
from oauth.server.latest import Latest
from oauth.server.limits import NO_LIMITS, merged, with_scopes
from oauth.store import Store

_logger = logging.getLogger(__name__)

ACCESS_SECONDS = 600.0
DAY_SECONDS = 86_400.0
REFRESH_IDLE_SECONDS = 30 * DAY_SECONDS
REFRESH_TOTAL_SECONDS = 180 * DAY_SECONDS
"""From the owner's yes; rotation never extends it (RFC 10017)."""
REUSE_SECONDS = 30.0
"""How long a used token still yields its successor once that one has been used too."""

_ID_BYTES = 12


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """New tokens of a pairing; ``expires_in`` in whole seconds."""

    pairing_id: str
    access_token: Secret[str]
    token_type: str
    expires_in: int
    scope: str
    refresh_token: Secret[str] | None = None

    def response(self) -> dict[str, str | int]:
        """Return the successful response of RFC 6749 5.1."""
        body: dict[str, str | int] = {
            "access_token": self.access_token.reveal(),
            "token_type": self.token_type,
            "expires_in": self.expires_in,
            "scope": self.scope,
        }
        if self.refresh_token is not None:
            body["refresh_token"] = self.refresh_token.reveal()
        return body


class Presented(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token whose client and key are right, and which yields a successor."""

    text: Secret[str]
    token: RefreshToken
    pairing: Pairing
    grant: Grant


def new_id() -> str:
    """Return a new id of a grant or pairing; no secret, but not to be guessed either."""
    return secrets.token_urlsafe(_ID_BYTES)


class Issuer:
    """Makes every token of the daemon. It changes the store and leaves ``commit`` to whoever answers."""

    def __init__(self, store: Store, latest: Latest, clock: Clock) -> None:
        self._store = store
        self._latest = latest
        self._clock = clock

    def redeem(self, yes: Yes, jkt: str | None) -> Issued:
        """Return the first tokens for the owner's yes; ``jkt`` is the key just proved.

        Raises:
            InvalidGrant: the owner's yes has been taken back meanwhile.
        """
        grant = self._store.grant(yes.grant_id)
        current = self._latest.current(yes)
        if grant is None or not grant.is_allowed or current is None:
            raise InvalidGrant("the owner has taken the permission back")
        self._latest.used(yes)
        yes = current
        if yes.is_once:
            pairing = self._pair_once(grant, jkt, yes)
            return self._issue(grant, pairing, yes.scopes, ACCESS_SECONDS)
        scopes = unexpired(yes.scopes, yes.limits, self._clock())
        if not scopes:
            raise InvalidGrant("what the owner allowed has come to its end")
        pairing = self._pair(grant, jkt, scopes, yes.consented_at, yes.limits)
        return self._first(self._store.answer(with_scopes(grant, scopes, yes.limits)), pairing, scopes)

    def replayed(self, pairing_id: str | None) -> None:
        """End the pairing made from a code that its own client has presented twice (OAuth 2.1 4.1.3)."""
        if pairing_id is not None:
            self._store.end_pairing(pairing_id, "reused")

    def activate(self, base: str, jkt: str) -> Issued:
        """Return the tokens of the owner's dashboard in this browser; they live in memory alone."""
        now = self._clock()
        grant = self._store.grant_of(base) or self._store.answer(
            Grant(
                id=new_id(),
                client_id=base,
                is_allowed=True,
                scopes=frozenset((OWNER,)),
                created_at=now,
                is_owner=True,
            )
        )
        return self._first(grant, self._pair(grant, jkt, grant.scopes, now), grant.scopes)

    def issue_native(self, grant: Grant, scopes: frozenset[str], ttl_seconds: float) -> Issued:
        """Return one access token, without refresh token, for a program that the owner started by hand."""
        pairing = self._pair(grant, None, scopes, self._clock())
        return self._issue(grant, pairing, scopes, ttl_seconds)

    def present(self, text: str, client_id: str, jkt: str | None) -> Presented:
        """Return the refresh token ``text``, as presented by a client with the proved key ``jkt``.

        Client and key are looked at first: a token in a stranger's hands is refused, and its pairing lives.

        Raises:
            InvalidGrant: it is unknown, out of time, another's, or was used long ago; the last ends its pairing.
        """
        token = self._store.refresh_token(token_id(text))
        if token is None:
            raise InvalidGrant("the refresh token is unknown or its pairing has ended")
        pairing = self._store.pairing(token.pairing_id)
        grant = None if pairing is None else self._store.grant(pairing.grant_id)
        now = self._clock()
        if pairing is None or grant is None or not grant.is_allowed or token.ends_at <= now:
            raise InvalidGrant("the refresh token is out of time; ask the owner again")
        if grant.client_id != client_id or pairing.jkt != jkt:
            raise InvalidGrant("the refresh token is bound to another client or key")
        if token.successor is not None and not self._yields_again(token.successor, now):
            self._store.end_pairing(pairing.id, "reused")
            raise InvalidGrant("the refresh token was used before; its pairing has ended")
        return Presented(text=Secret(text), token=token, pairing=pairing, grant=grant)

    def give_back(self, text: str, client_id: str, jkt: str | None) -> None:
        """End the token ``text`` if it is this client's, and key's where one was proved (RFC 7009).

        A refresh token ends with its pairing; so does a pairing's last token.
        """
        name = token_id(text)
        access, refresh = self._store.access_token(name), self._store.refresh_token(name)
        token = access or refresh
        pairing = None if token is None else self._store.pairing(token.pairing_id)
        grant = None if pairing is None else self._store.grant(pairing.grant_id)
        if pairing is None or grant is None or grant.client_id != client_id or jkt not in (None, pairing.jkt):
            return
        if access is not None:
            self._store.end_token(access)
        if access is None or pairing not in self._store.pairings(grant.id):
            self._store.end_pairing(pairing.id, "revoked")

    def rotate(self, presented: Presented, asked: frozenset[str] | None) -> Issued:
        """Return new tokens for a presented refresh token; ``asked`` narrows the access token alone (RFC 6749 6).

        Raises:
            InvalidGrant: nothing that the token was for is allowed any more.
            InvalidScope: something is, but nothing of what was asked.
        """
        token, pairing, grant = presented.token, presented.pairing, presented.grant
        allowed = token.scopes & pairing.scopes_at(self._clock())
        if not allowed:
            raise InvalidGrant("what this token was for has come to its end or was taken back; ask the owner again")
        scopes = allowed if asked is None else allowed & asked
        if not scopes:
            raise InvalidScope("the owner has taken these scopes back")
        text = self._successor(presented.text)
        if token.successor is None:
            successor = RefreshToken(
                id=token_id(text.reveal()),
                pairing_id=pairing.id,
                scopes=token.scopes,
                ends_at=self._refresh_end(grant, pairing),
            )
            self._store.keep(msgspec.structs.replace(token, rotated_at=self._clock(), successor=successor.id))
            self._store.keep(successor)
        _logger.debug("a token is refreshed", extra={"client": grant.client_id})
        return self._issue(grant, pairing, scopes, ACCESS_SECONDS, text)

    def _yields_again(self, successor: str, now: float) -> bool:
        """Whether a used token may yield its successor again: until that one was used, and 30 s more."""
        following = self._store.refresh_token(successor)
        if following is None:
            return False
        return following.rotated_at is None or now <= following.rotated_at + REUSE_SECONDS

    def _successor(self, text: Secret[str]) -> Secret[str]:
        key, told = self._store.refresh_key.reveal(), b"refresh" + text.reveal().encode()
        return Secret("rt_" + base64url.encode(hmac.digest(key, told, "sha256")))

    def _pair(
        self,
        grant: Grant,
        jkt: str | None,
        scopes: frozenset[str],
        consented_at: float,
        limits: Mapping[str, float] = NO_LIMITS,
    ) -> Pairing:
        """Return the pairing of this key under ``grant``, with ``scopes`` added; without key, always a new one."""
        now = self._clock()
        known = None if jkt is None else self._store.pairing_of(grant.id, jkt)
        if known is None:
            pairing = Pairing(
                id=new_id(),
                grant_id=grant.id,
                jkt=jkt,
                scopes=scopes,
                created_at=now,
                consented_at=consented_at,
                limits=dict(limits),
            )
        else:
            kept = known.scopes_at(now) - scopes
            pairing = msgspec.structs.replace(
                known,
                scopes=kept | scopes,
                limits=merged(known.limits, kept, limits),
                consented_at=max(known.consented_at, consented_at),
            )
        self._store.keep(pairing)
        return pairing

    def _pair_once(self, grant: Grant, jkt: str | None, yes: Yes) -> Pairing:
        """Return a pairing for one access token."""
        now = self._clock()
        pairing = Pairing(
            id=new_id(),
            grant_id=grant.id,
            jkt=jkt,
            scopes=yes.scopes,
            created_at=now,
            consented_at=yes.consented_at,
            ends_at=now + ACCESS_SECONDS,
        )
        self._store.keep(pairing)
        return pairing

    def _first(self, grant: Grant, pairing: Pairing, scopes: frozenset[str]) -> Issued:
        text = Secret("rt_" + secrets.token_urlsafe(32))
        self._store.keep(
            RefreshToken(
                id=token_id(text.reveal()),
                pairing_id=pairing.id,
                scopes=scopes,
                ends_at=self._refresh_end(grant, pairing),
            )
        )
        return self._issue(grant, pairing, scopes, ACCESS_SECONDS, text)

    def _issue(
        self, grant: Grant, pairing: Pairing, scopes: frozenset[str], life: float, refresh: Secret[str] | None = None
    ) -> Issued:
        now = self._clock()
        expires_at = _earliest(now + life, grant.ends_at)
        _logger.debug("an access token is made", extra={"client": grant.client_id, "seconds": expires_at - now})
        text = Secret("at_" + secrets.token_urlsafe(32))
        self._store.keep(
            AccessToken(id=token_id(text.reveal()), pairing_id=pairing.id, scopes=scopes, expires_at=expires_at)
        )
        return Issued(
            pairing_id=pairing.id,
            access_token=text,
            token_type="Bearer" if pairing.jkt is None else "DPoP",
            expires_in=round(expires_at - now),
            scope=format_scopes(scopes),
            refresh_token=refresh,
        )

    def _refresh_end(self, grant: Grant, pairing: Pairing) -> float:
        idle = self._clock() + REFRESH_IDLE_SECONDS
        return _earliest(min(idle, pairing.consented_at + REFRESH_TOTAL_SECONDS), grant.ends_at)


def _earliest(time: float, grant_end: float | None) -> float:
    return time if grant_end is None else min(time, grant_end)
