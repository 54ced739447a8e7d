"""What is known about clients: the owner's answers, the keys that use them, and their tokens.

Times are seconds since the epoch. Tokens appear only as the hex SHA-256 of their text.
"""

import math
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Literal

import msgspec

from oauth.secret import hidden

Clock = Callable[[], float]
"""Returns seconds since the epoch."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """A verified right to act; ``oauth.server.verify`` alone makes one.

    ``client_id`` is an origin, ``native:NAME`` or, for the owner's dashboard, the daemon's own base; ``origin`` is None
    for native clients; ``grant`` and ``pairing`` are ids; ``jkt`` is the RFC 7638 thumbprint of the proved key, None
    for Bearer. ``nonce`` is set where the client is to be told it (RFC 9449 8.2).
    """

    client_id: str
    origin: str | None
    scopes: frozenset[str]
    grant: str
    pairing: str
    jkt: str | None
    expires_at: float
    is_owner: bool
    nonce: str | None = None


Until = Literal["once", "day", "week", "revoked"]
"""How long a yes holds: for one access token, for 24 hours, for 7 days, or until the owner takes it back."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks of the owner.

    ``client_id`` is an origin or ``native:NAME``; ``dpop_jkt`` the key it will be for, always set for a page.
    """

    client_id: str
    scopes: frozenset[str]
    is_development: bool = False
    dpop_jkt: str | None = None

    __repr__ = hidden


class AuthorizationRequest(Asked, frozen=True, kw_only=True):
    """A checked authorization request, which may be shown to the owner; ``challenge`` is the S256 one."""

    redirect_uri: str
    challenge: str
    state: str | None = None

    __repr__ = hidden


class DeviceRequest(Asked, frozen=True, kw_only=True):
    """A checked device authorization request (RFC 8628 3.1); ``id`` is the hash of its device code."""

    id: str

    __repr__ = hidden


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """The owner's remembered answer for one client.

    ``scopes`` are those allowed to any of its keys, those in ``limits`` until the time that stands there: for people to
    see. What a key may do stands in its pairing; a yes for once stands there alone. ``denied_keys`` are the thumbprints
    (``""``: a native client without key) that were told no, oldest first, the last of them at ``denied_at``; ``salt``
    (32 bytes) exists while the answer is yes; ``is_owner`` marks the dashboard's own grant, never written down.
    """

    id: str
    client_id: str
    is_allowed: bool
    scopes: frozenset[str]
    created_at: float
    ends_at: float | None = None
    is_development: bool = False
    limits: dict[str, float] = {}
    denied_keys: tuple[str, ...] = ()
    denied_at: float | None = None
    salt: bytes | None = None
    is_owner: bool = False

    __repr__ = hidden

    @property
    def origin(self) -> str | None:
        """The origin that the client is, None for a native one."""
        return None if self.client_id.startswith("native:") else self.client_id

    def scopes_at(self, now: float) -> frozenset[str]:
        """Return the scopes that are still allowed at ``now``."""
        return unexpired(self.scopes, self.limits, now)


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """One key (or, without key, one program) using a grant; ``consented_at`` is the owner's last yes to it.

    ``scopes`` are those that the owner allowed this key; those in ``limits`` until the time that stands there. What is
    allowed to other keys of the client is none of its. ``ends_at`` is set for a yes "for once": such a pairing has one
    access token.
    """

    id: str
    grant_id: str
    jkt: str | None
    scopes: frozenset[str]
    created_at: float
    consented_at: float
    limits: dict[str, float] = {}
    ends_at: float | None = None

    def scopes_at(self, now: float) -> frozenset[str]:
        """Return the scopes that are still allowed at ``now``."""
        return unexpired(self.scopes, self.limits, now)

    @property
    def is_once(self) -> bool:
        """Whether it came of a yes for once."""
        return self.ends_at is not None


class AccessToken(msgspec.Struct, frozen=True, kw_only=True):
    """An access token of a pairing."""

    id: str
    pairing_id: str
    scopes: frozenset[str]
    expires_at: float


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token of a pairing; ``rotated_at`` and ``successor`` (an id) are set once it has been used."""

    id: str
    pairing_id: str
    scopes: frozenset[str]
    ends_at: float
    rotated_at: float | None = None
    successor: str | None = None


class KnownOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """An origin that has or had a grant."""

    id: str
    seen_at: float


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A command that whoever holds its link may run, ``uses`` times, until ``ends_at``.

    ``command`` is ``app.name``, ``scope`` what it needed when it was offered, ``params`` the JSON object it runs with.
    """

    id: str
    command: str
    scope: str
    params: msgspec.Raw
    uses: int
    used: int = 0
    created_at: float
    ends_at: float

    __repr__ = hidden


def unexpired(scopes: frozenset[str], limits: Mapping[str, float], now: float) -> frozenset[str]:
    """Return those of ``scopes`` whose end, where ``limits`` has one, has not come at ``now``."""
    if not limits:
        return scopes
    return frozenset(scope for scope in scopes if now < limits.get(scope, math.inf))


def token_id(token: str) -> str:
    """Return the name under which a token is stored: hex SHA-256 of its text."""
    return sha256(token.encode()).hexdigest()
