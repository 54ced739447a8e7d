"""What the owner allowed: memory answers, one writer thread makes it durable.

Changes are made in memory at once and queued; whoever hands something out, or ends something, awaits ``commit`` first.
The dashboard's own grant and everything under it is never queued, and thus void at the next start.
"""

import asyncio
import logging
import math
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal, Self

import msgspec

from oauth.database import BUSY_SECONDS, Database, Write
from oauth.lifetimes import dead_pairings, dead_tokens, is_live, remembered_no, surplus
from oauth.models import AccessToken, Clock, Grant, KnownOrigin, Pairing, RefreshToken
from oauth.offered import Offered
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
PairingChange = Literal["begun", "reused", "revoked", "ended"]
"""A pairing has its first token; a code or token of it was used again; its client gave it back; it is out of time."""
Paired = Callable[[Grant, Pairing, PairingChange], None]

_logger = logging.getLogger(__name__)


class Store(Offered):
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
        return tuple(pairing for pairing in pairings if is_live(self._state, pairing, now))

    def allowed(self, grant_id: str, pairing_id: str) -> frozenset[str] | None:
        """Return the scopes that the owner allows a pairing now; None: it, or its grant, has ended."""
        grant, pairing = self.grant(grant_id), self._state.pairings.get(pairing_id)
        now = self.clock()
        if grant is None or pairing is None or not grant.is_allowed or not is_live(self._state, pairing, now):
            return None
        return pairing.scopes_at(now)

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
        """Have ``callback`` called, at once, with each pairing that begins, or ends while its grant lives on."""
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
        if grant is not None:
            self._end(grant)

    def _end(self, grant: Grant, *, left: Grant | None = None) -> None:
        """End ``grant`` and all under it, and say so; ``left`` is what remains in its place."""
        for record in self._state.under_grant(grant.id):
            self._drop(record, grant)
        if left is None:
            self._drop(grant, grant)
        else:
            self._put(left)
        self._grants_changed()
        _logger.info("a grant ended", extra={"client": grant.client_id})
        for callback in self._revoked:
            callback(grant)

    # Pairings and tokens.

    def pairing(self, pairing_id: str) -> Pairing | None:
        """Return the pairing ``pairing_id``."""
        return self._state.pairings.get(pairing_id)

    def pairing_of(self, grant_id: str, jkt: str) -> Pairing | None:
        """Return the live, lasting pairing of a key under a grant."""
        return next(
            (pairing for pairing in self.pairings(grant_id) if pairing.jkt == jkt and not pairing.is_once), None
        )

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
            self._tell_paired(record, "begun")
        elif isinstance(record, AccessToken):
            self._drop_all(surplus(self._state.access(record.pairing_id), MAX_ACCESS_TOKENS))
        elif isinstance(record, RefreshToken):
            self._drop_all(surplus(self._state.refresh(record.pairing_id), MAX_REFRESH_TOKENS))

    def end_pairing(self, pairing_id: str, why: PairingChange) -> None:
        """End a pairing and its tokens, if it still lives; the grant and its other pairings live on."""
        pairing = self._state.pairings.get(pairing_id)
        if pairing is None:
            return
        self._drop_all(self._state.under_pairing(pairing_id))
        grant = self._state.grants.get(pairing.grant_id)
        if grant is not None:
            self._tell_paired(pairing, why)
            _logger.info("a pairing ended", extra={"client": grant.client_id, "reason": why})

    def end_token(self, token: AccessToken) -> None:
        """End one access token."""
        if token.id in self._state.access_tokens:
            self._drop_all([token])

    # Beneath.

    def _tell_paired(self, pairing: Pairing, change: PairingChange) -> None:
        for callback in self._paired:
            callback(self._state.grants[pairing.grant_id], pairing, change)

    def _put(self, record: Record) -> None:
        self._state.put(record)
        if not self._is_volatile(record):
            self._writer.queue(Write(TABLE_OF[type(record)], record.id, msgspec.json.encode(record)))

    def _drop_all(self, records: Sequence[Record]) -> None:
        """Drop records under one grant; a pairing last, since the others are found by it."""
        for record in records:
            self._drop(record, self._state.grant_above(record))

    def _drop(self, record: Record, grant: Grant | None) -> None:
        self._state.drop(record)
        if grant is None or not grant.is_owner:
            self._writer.queue(Write(TABLE_OF[type(record)], record.id, None))

    def _is_volatile(self, record: Record) -> bool:
        grant = self._state.grant_above(record)
        return grant is not None and grant.is_owner

    def _remember(self, origin: str) -> None:
        self._put(KnownOrigin(id=origin, seen_at=self.clock()))
        if len(self._state.known_origins) > MAX_KNOWN_ORIGINS:
            self._drop(min(self._state.known_origins.values(), key=lambda known: known.seen_at), None)

    def _grants_changed(self) -> None:
        self._known = frozenset(self._state.known_origins)
        self._approved = frozenset(self._state.approved_origins())
        self._next_end = min(
            (grant.ends_at for grant in self._state.grants.values() if grant.ends_at is not None), default=math.inf
        )

    def _expire(self) -> None:
        now = self.clock()
        if now < self._next_end:
            return
        for grant in tuple(self._state.grants.values()):
            if grant.ends_at is not None and grant.ends_at <= now:
                self._end(grant, left=remembered_no(grant))

    def _tidy(self) -> None:
        """Forget what is out of time; every ``TIDY_SECONDS`` at most."""
        self._expire()
        now = self.clock()
        if now < self._next_tidy:
            return
        self._next_tidy = now + TIDY_SECONDS
        for pairing in dead_pairings(self._state, now):
            self.end_pairing(pairing.id, "ended")
        self._drop_all(list(dead_tokens(self._state, now)))

    def _reload(self, rows: Rows) -> None:
        volatile = [
            record
            for grant in self._state.grants.values()
            if grant.is_owner
            for record in (grant, *reversed(self._state.under_grant(grant.id)))
        ]
        self._state = State([*read_records(rows), *volatile])
        self._grants_changed()
