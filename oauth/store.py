"""What the owner allowed: memory answers, one writer thread makes it durable.

Changes are made in memory at once and queued; whoever hands something out, or ends something, awaits ``commit`` first.
The dashboard's own grant and everything under it is never queued, and thus void at the next start.
"""

import asyncio
import logging
import math
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Self

import msgspec

from oauth.database import BUSY_SECONDS, Database, Write
from oauth.models import AccessToken, Clock, Grant, KnownOrigin, Pairing, RefreshToken
from oauth.secret import Secret
from oauth.state import TABLE_OF, Record, State, read_records
from oauth.writer import Rows, Writer

SALT_BYTES = 32
TIDY_SECONDS = 60.0
"""How often ended tokens are forgotten; they are refused by their time, not by being gone."""
MAX_KNOWN_ORIGINS = 512
"""Origins remembered after their grant; the one seen longest ago goes first."""
MAX_DENIED_KEYS = 16
"""Keys of one client that are remembered as denied; the oldest goes first and is asked about again."""
MAX_ACCESS_TOKENS = 64
"""Live access tokens of a pairing (a browser that restores many tabs); the oldest ends first."""
MAX_REFRESH_TOKENS = 256
"""Refresh tokens of a pairing, used ones included; the oldest used one goes first, and is then merely unknown."""

Revoked = Callable[[Grant], None]
Paired = Callable[[Grant, Pairing, bool], None]

_logger = logging.getLogger(__name__)


class Store:
    """Grants, pairings and tokens. Made by ``open``; used on the event loop's thread.

    ``clock`` is the one that all times here are read from; ``refresh_key`` (K, 32 bytes) makes successors.
    """

    def __init__(self, database: Database, thread: ThreadPoolExecutor, clock: Clock, rows: Rows, key: bytes) -> None:
        self.refresh_key = Secret(key)
        self.clock = clock
        self._state = State()
        self._revoked: list[Revoked] = []
        self._paired: list[Paired] = []
        self._approved: frozenset[str] = frozenset()
        self._known: frozenset[str] = frozenset()
        self._next_end = math.inf
        self._next_tidy = -math.inf
        self._writer = Writer(database, thread, self._reload)
        self._reload(rows)
        self._tidy()

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, *, clock: Clock, busy_seconds: float = BUSY_SECONDS) -> AsyncIterator[Self]:
        """Open, or make, the file (mode 0600); close it at the end.

        Raises:
            StoreTooNew: the file has a newer schema; it is left untouched.
            StoreDamaged: the file, or a row in it, cannot be read.
            sqlite3.Error: the file cannot be opened.
        """
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="oauth-store") as thread:
            database = await loop.run_in_executor(thread, partial(Database, path, busy_seconds=busy_seconds))
            try:
                rows = await loop.run_in_executor(thread, database.load)
                store = cls(database, thread, clock, rows, await loop.run_in_executor(thread, database.refresh_key))
                try:
                    yield store
                finally:
                    await store._writer.close()
            finally:
                await loop.run_in_executor(thread, database.close)

    async def commit(self) -> None:
        """Return once all changes so far are durable.

        Raises:
            StorageFailed: they are not, and were undone in memory.
        """
        await self._writer.commit()

    # The owner's answers.

    def grant(self, grant_id: str) -> Grant | None:
        """Return the live grant ``grant_id``."""
        self._expire()
        return self._state.grants.get(grant_id)

    def grants(self) -> tuple[Grant, ...]:
        """Return all live grants, the denied ones and the dashboard's own included, oldest first."""
        self._expire()
        return tuple(sorted(self._state.grants.values(), key=lambda grant: grant.created_at))

    def grant_of(self, client_id: str) -> Grant | None:
        """Return the live grant of a client; it has at most one."""
        return self.grant(self._state.grant_of.get(client_id, ""))

    def pairings(self, grant_id: str) -> tuple[Pairing, ...]:
        """Return the pairings under a grant that still have a token which lives."""
        self._expire()
        now = self.clock()
        pairings = (self._state.pairings[name] for name in self._state.pairings_of.get(grant_id, ()))
        return tuple(pairing for pairing in pairings if self._is_live(pairing, now))

    def approved_origins(self) -> frozenset[str]:
        """Return the origins with a live grant that says yes; kept up to date, not computed here."""
        self._expire()
        return self._approved

    def known_origins(self) -> frozenset[str]:
        """Return the origins that have or had a grant; kept up to date, not computed here."""
        return self._known

    def salt(self, client_id: str) -> bytes | None:
        """Return the salt (32 bytes) of a client that is allowed: made with its first yes, dropped with its last."""
        grant = self.grant_of(client_id)
        return None if grant is None else grant.salt

    def on_revoked(self, callback: Revoked) -> None:
        """Have ``callback`` called, at once, with each grant that ends: revoked, replaced by a no, or out of time."""
        self._revoked.append(callback)

    def on_paired(self, callback: Paired) -> None:
        """Have ``callback`` called, at once, with each pairing that begins (True) or is ended by ``end_pairing``."""
        self._paired.append(callback)

    def answer(self, grant: Grant) -> Grant:
        """Remember ``grant`` as the owner's answer for its client, and return it as kept.

        The grant that the client had must have the same id (it is changed) or has to be revoked first.
        """
        if grant.is_allowed and grant.salt is None:
            grant = msgspec.structs.replace(grant, salt=secrets.token_bytes(SALT_BYTES))
        grant = msgspec.structs.replace(grant, denied_keys=grant.denied_keys[-MAX_DENIED_KEYS:])
        self._put(grant)
        if grant.origin is not None and not grant.is_owner:
            self._remember(grant.origin)
        self._grants_changed()
        return grant

    def revoke(self, grant_id: str) -> None:
        """End a grant, its pairings and their tokens; without effect where there is none."""
        grant = self._state.grants.get(grant_id)
        if grant is None:
            return
        for record in self._state.under_grant(grant_id):
            self._drop(record, grant)
        self._drop(grant, grant)
        self._grants_changed()
        _logger.info("a grant ended", extra={"client": grant.client_id})
        for callback in self._revoked:
            callback(grant)

    # Pairings and tokens.

    def pairing(self, pairing_id: str) -> Pairing | None:
        """Return the pairing ``pairing_id``."""
        return self._state.pairings.get(pairing_id)

    def pairing_of(self, grant_id: str, jkt: str) -> Pairing | None:
        """Return the live pairing of a key under a grant."""
        return next((pairing for pairing in self.pairings(grant_id) if pairing.jkt == jkt), None)

    def access_token(self, token_id: str) -> AccessToken | None:
        """Return the access token of that id, which may be out of time."""
        return self._state.access_tokens.get(token_id)

    def refresh_token(self, token_id: str) -> RefreshToken | None:
        """Return the refresh token of that id, which may be used or out of time."""
        return self._state.refresh_tokens.get(token_id)

    def keep(self, record: Pairing | AccessToken | RefreshToken) -> None:
        """Add a pairing or token, or replace it; at a bound the pairing's oldest token goes."""
        self._tidy()
        is_first = isinstance(record, Pairing) and record.id not in self._state.pairings
        self._put(record)
        if isinstance(record, Pairing) and is_first:
            self._tell_paired(record, is_begun=True)
        elif isinstance(record, AccessToken):
            self._bound(self._state.access(record.pairing_id), MAX_ACCESS_TOKENS)
        elif isinstance(record, RefreshToken):
            self._bound(self._state.refresh(record.pairing_id), MAX_REFRESH_TOKENS)

    def end_pairing(self, pairing_id: str) -> None:
        """End a pairing and its tokens, if it still lives; the grant and its other pairings live on."""
        pairing = self._state.pairings.get(pairing_id)
        if pairing is None:
            return
        grant = self._state.grants[pairing.grant_id]
        self._tell_paired(pairing, is_begun=False)
        for record in self._state.under_pairing(pairing_id):
            self._drop(record, grant)
        _logger.info("a pairing ended", extra={"client": grant.client_id})

    # Beneath.

    def _tell_paired(self, pairing: Pairing, *, is_begun: bool) -> None:
        for callback in self._paired:
            callback(self._state.grants[pairing.grant_id], pairing, is_begun)

    def _put(self, record: Record) -> None:
        self._state.put(record)
        if not self._is_volatile(record):
            self._writer.queue(Write(TABLE_OF[type(record)], record.id, msgspec.json.encode(record)))

    def _drop(self, record: Record, grant: Grant | None) -> None:
        self._state.drop(record)
        if grant is None or not grant.is_owner:
            self._writer.queue(Write(TABLE_OF[type(record)], record.id, None))

    def _is_volatile(self, record: Record) -> bool:
        if isinstance(record, KnownOrigin):
            return False
        grant = self._grant_above(record)
        return grant is not None and grant.is_owner

    def _grant_above(self, record: Grant | Pairing | AccessToken | RefreshToken) -> Grant | None:
        if isinstance(record, AccessToken | RefreshToken):
            record = self._state.pairings[record.pairing_id]
        return record if isinstance(record, Grant) else self._state.grants.get(record.grant_id)

    def _is_live(self, pairing: Pairing, now: float) -> bool:
        return any(token.ends_at > now for token in self._state.refresh(pairing.id)) or any(
            token.expires_at > now for token in self._state.access(pairing.id)
        )

    def _bound(self, tokens: Iterable[AccessToken] | Iterable[RefreshToken], bound: int) -> None:
        oldest = sorted(tokens, key=_order)
        for token in oldest[: max(0, len(oldest) - bound)]:
            self._drop(token, self._grant_above(token))

    def _remember(self, origin: str) -> None:
        self._put(KnownOrigin(id=origin, seen_at=self.clock()))
        if len(self._state.known_origins) > MAX_KNOWN_ORIGINS:
            self._drop(min(self._state.known_origins.values(), key=lambda known: known.seen_at), None)

    def _grants_changed(self) -> None:
        self._known = frozenset(self._state.known_origins)
        grants = self._state.grants.values()
        self._approved = frozenset(
            grant.client_id for grant in grants if grant.is_allowed and grant.origin is not None and not grant.is_owner
        )
        self._next_end = min((grant.ends_at for grant in grants if grant.ends_at is not None), default=math.inf)

    def _expire(self) -> None:
        now = self.clock()
        if now < self._next_end:
            return
        for grant in tuple(self._state.grants.values()):
            if grant.ends_at is not None and grant.ends_at <= now:
                self.revoke(grant.id)

    def _tidy(self) -> None:
        """Forget what is out of time; every ``TIDY_SECONDS`` at most."""
        self._expire()
        now = self.clock()
        if now < self._next_tidy:
            return
        self._next_tidy = now + TIDY_SECONDS
        for pairing in tuple(self._state.pairings.values()):
            grant = self._grant_above(pairing)
            if grant is None or not self._is_live(pairing, now):
                ended = self._state.under_pairing(pairing.id)
            else:
                ended = [token for token in self._state.access(pairing.id) if token.expires_at <= now]
                ended += [token for token in self._state.refresh(pairing.id) if token.ends_at <= now]
            for record in ended:
                self._drop(record, grant)

    def _reload(self, rows: Rows) -> None:
        volatile = [
            record
            for grant in self._state.grants.values()
            if grant.is_owner
            for record in (grant, *reversed(self._state.under_grant(grant.id)))
        ]
        self._state = State([*read_records(rows), *volatile])
        self._grants_changed()


def _order(token: AccessToken | RefreshToken) -> tuple[bool, float]:
    """Return what sorts a pairing's tokens by who goes first: used refresh tokens, then by age."""
    if isinstance(token, AccessToken):
        return False, token.expires_at
    return token.rotated_at is None, token.ends_at
