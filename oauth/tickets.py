"""Single-use opaque secrets that never leave this process's memory: socket tickets, activation links, codes."""

import secrets
from typing import Generic, TypeVar

import msgspec

from oauth.errors import TicketInvalid
from oauth.models import Clock, token_id

Payload = TypeVar("Payload")


class _Ticket(msgspec.Struct, Generic[Payload], frozen=True):
    payload: Payload
    holder: str
    ends_at: float


class Tickets(Generic[Payload]):
    """Secrets of one purpose, each good once and for ``life`` seconds, kept as SHA-256.

    Bound: ``bound`` live ones per holder; one more drops that holder's oldest, never another's. Holders are what the
    owner approved (a grant, a client), so their number is bounded by the owner's answers.
    """

    def __init__(self, purpose: str, *, life: float, bound: int, clock: Clock) -> None:
        self.purpose = purpose
        self.life = life
        self._bound = bound
        self._clock = clock
        self._live: dict[str, _Ticket[Payload]] = {}
        self._held: dict[str, list[str]] = {}

    def make(self, payload: Payload, *, holder: str = "") -> str:
        """Return a new secret (43 base64url characters, 256 bits) that stands for ``payload``."""
        self._prune()
        held = self._held.setdefault(holder, [])
        if len(held) >= self._bound:
            self._live.pop(held.pop(0), None)
        secret = secrets.token_urlsafe(32)
        name = token_id(secret)
        held.append(name)
        self._live[name] = _Ticket(payload, holder, self._clock() + self.life)
        return secret

    def take(self, secret: str) -> Payload:
        """Return the payload and end the secret, in one step.

        Raises:
            TicketInvalid: the secret is unknown, spent or too old.
        """
        ticket = self._forget(token_id(secret))
        if ticket is None or self._clock() >= ticket.ends_at:
            raise TicketInvalid(f"the {self.purpose} is unknown, spent or too old; get a new one")
        return ticket.payload

    def is_live(self, secret: str) -> bool:
        """Return whether ``take`` would give its payload now; the secret is as good afterwards."""
        ticket = self._live.get(token_id(secret))
        return ticket is not None and self._clock() < ticket.ends_at

    def _forget(self, name: str) -> "_Ticket[Payload] | None":
        ticket = self._live.pop(name, None)
        if ticket is not None:
            held = self._held[ticket.holder]
            held.remove(name)
            if not held:
                del self._held[ticket.holder]
        return ticket

    def _prune(self) -> None:
        now = self._clock()
        # All live equally long, so the oldest stand first.
        while self._live:
            name, ticket = next(iter(self._live.items()))
            if now < ticket.ends_at:
                break
            self._forget(name)
