"""Authorization codes: 256 bits, in memory, good once; spent ones are remembered to recognise a replay."""

from collections import OrderedDict

import msgspec

from oauth.models import Clock, token_id
from oauth.tickets import Tickets

CODE_SECONDS = 330.0
"""The browser's permission prompt comes after Allow, and the code waits as long as the person does."""
MAX_CODES = 16
"""Live codes of one client; one more ends its oldest."""
MAX_SPENT = 1024
"""Spent codes remembered; the oldest goes first, and is then merely unknown."""


class Yes(msgspec.Struct, frozen=True, kw_only=True):
    """The owner's yes to a client and key, until tokens are made from it.

    ``limits`` are the ends of scopes that have one; ``is_once``: a single access token is made; ``number``: see
    `oauth.server.latest`.
    """

    client_id: str
    scopes: frozenset[str]
    jkt: str | None
    grant_id: str
    consented_at: float
    limits: dict[str, float] = {}
    is_once: bool = False
    number: int = 0


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """What a code stands for: the authorization request, and the owner's yes to it."""

    yes: Yes
    redirect_uri: str
    challenge: str


class Spent(msgspec.Struct, kw_only=True):
    """A code that was presented before; ``pairing_id`` is set once tokens were made from it."""

    code: Code
    pairing_id: str | None = None


class Codes:
    """All codes of this process; they die with it."""

    def __init__(self, clock: Clock) -> None:
        self._live: Tickets[Code] = Tickets("code", life=CODE_SECONDS, bound=MAX_CODES, clock=clock)
        self._spent: OrderedDict[str, Spent] = OrderedDict()

    def make(self, code: Code) -> str:
        """Return a new code."""
        return self._live.make(code, holder=code.yes.client_id)

    def take(self, secret: str) -> tuple[Spent, bool]:
        """Return what ``secret`` stands for, and whether this is its first use. Its first use ends it, whoever asks.

        Raises:
            TicketInvalid: it is unknown or too old.
        """
        name = token_id(secret)
        spent = self._spent.get(name)
        if spent is not None:
            return spent, False
        spent = self._spent[name] = Spent(code=self._live.take(secret))
        if len(self._spent) > MAX_SPENT:
            self._spent.popitem(last=False)
        return spent, True
