"""What is worth a record, and in which words; the one thing that the rest of the daemon knows of the audit.

Never in a record: parameters (only their hash), results, bodies, queries, tokens, secrets of links.

Commands that act are recorded one by one, with the hash of their parameters, up to `ACTS_AN_HOUR` a client; what only
reads, and what is refused, is summed (`bridge.audit.sums`). So no client, and nobody who is refused, can push out of
the bounded file what others did.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from bridge.audit.record import Kind, Record, printable
from bridge.audit.sums import Key, Sum, Sums
from bridge.audit.trail import Clock, Page, Trail
from bridge.audit.window import Window
from bridge.messages import Command, Effect

ACTS_AN_HOUR = 1000
"""A dragged slider sends some hundred; 100,000 records then last four days against one client that does its worst."""
HOUR_SECONDS = 3600.0
COMMAND_KEYS = 512
REFUSAL_KEYS = 64

ORDINARY = frozenset({"use_dpop_nonce", "authorization_pending", "slow_down"})
"""Refusals that belong to the ordinary course of things: the client then asks again."""

OK = "ok"
CANCELLED = "cancelled"

By = Literal["terminal", "page", "notification"]
"""Where the owner acted: over the Unix socket, on a page of ours, or on a notification of the desktop."""


class Audit:
    """Takes down what happens. Every method returns at once; used on the event loop's thread."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._clock = trail.clock
        self._acts: Counter[str] = Counter()
        self._acts_end = 0.0
        self._commands = Window(Sums(COMMAND_KEYS, trail.clock), self._command_summed)
        self._refusals = Window(Sums(REFUSAL_KEYS, trail.clock), self._refusal_summed)
        self._asked = Window(Sums(REFUSAL_KEYS, trail.clock), self._asked_summed)
        self._used = Window(Sums(REFUSAL_KEYS, trail.clock), self._used_summed)

    # Commands.

    def command(self, command: Command, effect: Effect, outcome: str) -> None:
        """A command has ended: ``outcome`` is "ok", the code of its problem, or "cancelled"."""
        caller = command.caller
        if effect is Effect.READ or not (effect is Effect.DANGEROUS or self._is_within_the_hour(caller.client)):
            self._commands.count((caller.client, f"{command.app}.{command.name}", outcome))
            return
        # Written out, where every other record goes through `_note`: this one is made at each click.
        self._trail.note(
            Record(
                time=self._clock(),
                kind=Kind.COMMAND,
                outcome=outcome,
                client=printable(caller.client),
                origin=_shown(caller.origin),
                subject=f"{command.app}.{command.name}",
                params=urlsafe_b64encode(hashlib.sha256(command.params).digest())[:43].decode(),
            )
        )

    def command_refused(self, client: str, command: str, code: str) -> None:
        """A command was refused before it ran; ``command`` is one that exists, or ""."""
        self._commands.count((client, command, code))

    def _is_within_the_hour(self, client: str) -> bool:
        now = self._clock()
        if not self._acts_end - HOUR_SECONDS <= now < self._acts_end:
            self._acts.clear()
            self._acts_end = now + HOUR_SECONDS
        self._acts[client] += 1  # at most as many as there are grants
        return self._acts[client] <= ACTS_AN_HOUR

    # Consent, and what comes of it.

    def asked(self, client: str, scopes: Iterable[str], *, is_remembered: bool) -> None:
        """A client has asked for scopes; one that is remembered is let in again without a question."""
        self._asked.count((client, " ".join(sorted(scopes)), "allowed_again" if is_remembered else "asked"))

    def answered(self, client: str, scopes: Iterable[str], outcome: Literal["allowed", "denied"], by: By) -> None:
        """The owner has answered a client; ``scopes`` are those allowed, or those asked for."""
        self._fact(Kind.CONSENT, outcome, client, subject=" ".join(sorted(scopes)), by=by)

    def grant_revoked(self, client: str, grant: str, by: By) -> None:
        """The owner has taken an answer back."""
        self._fact(Kind.GRANT, "revoked", client, subject=grant, by=by)

    def denials_forgotten(self, client: str, grant: str, by: By) -> None:
        """The owner has had earlier noes forgotten."""
        self._fact(Kind.GRANT, "denials_forgotten", client, subject=grant, by=by)

    def grant_expired(self, client: str, grant: str) -> None:
        """An answer has come to its end."""
        self._fact(Kind.GRANT, "expired", client, subject=grant)

    def pairing(self, client: str, pairing: str, outcome: Literal["begun", "reused", "revoked"]) -> None:
        """A pairing has begun, with its first token, or ended: a code or token was used again, or it was given back."""
        self._fact(Kind.PAIRING, outcome, client, subject=pairing)

    def token_made(self, client: str, scopes: Iterable[str], by: By) -> None:
        """The owner has made a token for a program."""
        self._fact(Kind.TOKEN, "made", client, subject=" ".join(sorted(scopes)), by=by)

    def link(self, outcome: Literal["made", "used"], by: By) -> None:
        """An activation link was made, or a browser has become the owner's with one."""
        self._fact(Kind.ACTIVATION, outcome, "owner", by=by)

    def offer(self, outcome: Literal["made", "revoked"], offer: str, command: str, by: By) -> None:
        """The owner has offered a command, or taken the offer (``offer:ID``) back."""
        self._fact(Kind.OFFER, outcome, offer, subject=command, by=by)

    def offer_used(self, offer: str, command: str, origin: str | None) -> None:
        """An offer was used, by a page of ``origin`` or a program; summed, for it may be good 1,000 times."""
        self._used.count((offer, origin or "", command))

    def _fact(self, kind: Kind, outcome: str, client: str, *, subject: str | None = None, by: By | None = None) -> None:
        self._note(kind, outcome, client=_shown(client), subject=_shown(subject), by=by)

    # Refusals, and the daemon itself.

    def refused(self, reason: str, origin: str | None) -> None:
        """A request was refused before anything ran: a reason of the policy, or the code of an error."""
        if reason in ORDINARY:
            return
        self._refusals.count((origin or "", "", reason))

    def daemon(self, outcome: Literal["started", "stopped"], version: str) -> None:
        """The daemon has started, or stops."""
        self._note(Kind.DAEMON, outcome, subject=version)

    # Beneath.

    async def page(self, after: int | None, limit: int) -> Page:
        """See `bridge.audit.trail.Trail.page`."""
        return await self._trail.page(after, limit)

    def close(self) -> None:
        """Note the sums so far."""
        for window in (self._commands, self._refusals, self._asked, self._used):
            window.close()

    def _command_summed(self, key: Key, found: Sum) -> None:
        client, command, outcome = key
        self._summed(Kind.COMMAND, outcome, found, client=_shown(client), subject=_shown(command))

    def _refusal_summed(self, key: Key, found: Sum) -> None:
        origin, _, reason = key
        self._summed(Kind.REFUSAL, reason, found, origin=_shown(origin))

    def _asked_summed(self, key: Key, found: Sum) -> None:
        client, scopes, outcome = key
        self._summed(Kind.CONSENT, outcome, found, client=_shown(client), subject=_shown(scopes))

    def _used_summed(self, key: Key, found: Sum) -> None:
        offer, origin, command = key
        self._summed(Kind.OFFER, "used", found, client=_shown(offer), subject=_shown(command), origin=_shown(origin))

    def _summed(self, kind: Kind, outcome: str, found: Sum, **names: str | None) -> None:
        self._note(kind, outcome, count=found.count, since=found.since or None, **names)

    def _note(self, kind: Kind, outcome: str, **fields: Any) -> None:
        self._trail.note(Record(time=self._clock(), kind=kind, outcome=outcome, **fields))


@asynccontextmanager
async def open_audit(path: Path, key: bytes, *, version: str, clock: Clock) -> AsyncIterator[Audit]:
    """Open the audit for one run of the daemon, of which it records start and stop; errors as `Trail.open`."""
    async with Trail.open(path, key, clock=clock) as trail:
        audit = Audit(trail)
        audit.daemon("started", version)
        try:
            yield audit
        finally:
            audit.close()
            audit.daemon("stopped", version)


def _shown(name: str | None) -> str | None:
    return printable(name) if name else None
