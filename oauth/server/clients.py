"""Who may be a client, and where its answers may be sent: pure, decided by the ``client_id`` alone.

No client is registered. A page is its origin, byte for byte as browsers write it in ``Origin``; a program is
``native:NAME``, a name that nobody has verified.
"""

import enum
import re

import msgspec

from oauth.errors import InvalidClient, MalformedOrigin
from oauth.origin import is_development, parse_origin

MAX_REDIRECT_CHARS = 2048

_NATIVE = re.compile(r"native:[a-z0-9-]{1,32}", re.ASCII)
# Printable ASCII without space, quote, fragment and backslash (which browsers read as a slash).
_REST = re.compile(r"(?:[/?][\x21\x24-\x5b\x5d-\x7e]*)?", re.ASCII)
_LOOPBACK = re.compile(r"http://127\.0\.0\.1(?::([1-9][0-9]{0,4}))?", re.ASCII)


class ClientKind(enum.StrEnum):
    """What stands behind a ``client_id``."""

    PAGE = "page"
    NATIVE = "native"
    OWNER = "owner"
    """The daemon's own dashboard: its base, which is never a page client."""


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A client; ``origin`` is None for a native one, ``is_development`` marks a page on this computer."""

    id: str
    kind: ClientKind
    origin: str | None = None
    is_development: bool = False

    @property
    def needs_proof(self) -> bool:
        """Whether its tokens are always bound to a key."""
        return self.kind is not ClientKind.NATIVE

    def may_redirect_to(self, uri: str) -> bool:
        """Say whether an answer may be sent to ``uri``.

        A page: any URL on its origin, without fragment. A program: ``http://127.0.0.1`` with any port (RFC 8252 7.3).
        """
        if len(uri) > MAX_REDIRECT_CHARS or self.kind is ClientKind.OWNER:
            return False
        if self.origin is not None:
            return uri.startswith(self.origin) and _REST.fullmatch(uri, len(self.origin)) is not None
        match = _LOOPBACK.match(uri)
        return match is not None and int(match[1] or 80) <= 65535 and _REST.fullmatch(uri, match.end()) is not None


def parse_client(client_id: str, base: str) -> Client:
    """Return the page or native client that ``client_id`` names; ``base`` is the daemon's own.

    Raises:
        InvalidClient: it is neither, or it is one of our own bases.
    """
    if _NATIVE.fullmatch(client_id):
        return Client(id=client_id, kind=ClientKind.NATIVE)
    try:
        origin = parse_origin(client_id)
    except MalformedOrigin as error:
        raise InvalidClient(f"client_id is a page's origin or native:NAME; {error}") from error
    if origin in own_bases(base):
        raise InvalidClient("the daemon's own address is no client; use another port")
    return Client(id=origin, kind=ClientKind.PAGE, origin=origin, is_development=is_development(origin))


def parse_token_client(client_id: str, base: str) -> Client:
    """Return the client that asks for a token: as ``parse_client``, or the dashboard on the current base.

    Raises:
        InvalidClient: it is none of these.
    """
    if client_id == base:
        return Client(id=base, kind=ClientKind.OWNER, origin=base)
    return parse_client(client_id, base)


def own_bases(base: str) -> frozenset[str]:
    """Return the origins under which a browser may reach ``base`` (``http://127.0.0.1:PORT``)."""
    return frozenset((base, base.replace("127.0.0.1", "localhost", 1)))
