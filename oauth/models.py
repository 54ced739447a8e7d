"""What is known about clients: the owner's answers, the keys that use them, and their tokens.

Times are seconds since the epoch. Tokens appear only as the hex SHA-256 of their text.
"""

from collections.abc import Callable
from hashlib import sha256

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


class AuthorizationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A checked authorization request, which may be shown to the owner.

    ``client_id`` is an origin or ``native:NAME``; ``challenge`` the S256 one; ``dpop_jkt`` the key it will be for,
    always set for a page.
    """

    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str
    is_development: bool = False
    state: str | None = None
    dpop_jkt: str | None = None

    __repr__ = hidden


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """The owner's remembered answer for one client.

    ``denied_keys`` are the thumbprints (``""``: a native client without key) that were told no, oldest first; ``salt``
    (32 bytes) exists while the answer is yes; ``is_owner`` marks the dashboard's own grant, never written down.
    """

    id: str
    client_id: str
    is_allowed: bool
    scopes: frozenset[str]
    created_at: float
    ends_at: float | None = None
    is_development: bool = False
    denied_keys: tuple[str, ...] = ()
    salt: bytes | None = None
    is_owner: bool = False

    __repr__ = hidden

    @property
    def origin(self) -> str | None:
        """The origin that the client is, None for a native one."""
        return None if self.client_id.startswith("native:") else self.client_id


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """One key (or, without key, one program) using a grant; ``consented_at`` is the owner's last yes to it."""

    id: str
    grant_id: str
    jkt: str | None
    scopes: frozenset[str]
    created_at: float
    consented_at: float


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


def token_id(token: str) -> str:
    """Return the name under which a token is stored: hex SHA-256 of its text."""
    return sha256(token.encode()).hexdigest()
