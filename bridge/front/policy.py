"""Who may speak: the seven steps of protocol section 1 in their order, pure, outermost, the same for every route.

`may_connect` is step 1, before a byte is read; `may_speak` steps 2 to 5, from the raw header list and never from a
framework's idea of the host (aiohttp answers for any Host, takes an absolute-form target for one, and returns the first
of two Origins); `may_send` step 6; `may_use` what step 7 asks of a route's caller once the token has been verified.
"""

import enum
import re
from collections.abc import Sequence, Set

import msgspec

from bridge.errors import BodyTooLarge, ScopeMissing, WrongMediaType
from bridge.front.reasons import Answer, Reason, Refused
from oauth.errors import OAuthError
from oauth.origin import parse_origin

BODY_BYTES = 64 * 1024
"""The most a body may hold."""


class Kind(enum.StrEnum):
    """Who a route is for; every route has exactly one."""

    PAGE = "page"
    """A person's browser, navigating to a document of ours."""
    STATIC = "static"
    """What such a document loads: the other half of kind `page`."""
    OWN = "own"
    """Our own pages before they hold a token."""
    OPEN = "open"
    """Any page, any native client."""
    API = "api"
    """Approved clients."""
    SOCKET = "socket"
    """`api` for the upgrade, where a page can read nothing but a close code: see section 6."""


class Need(enum.StrEnum):
    """Which token a route needs."""

    NONE = "none"
    """None: said explicitly, listed in a test."""
    ANY = "any"
    """Any valid one; the handler shows what its scopes cover."""
    APP = "app"
    """The scope that the app declares for the command or the state; checked by the dispatch."""
    OWNER = "owner"
    """The owner's."""
    TICKET = "ticket"
    """A ticket or a bearer token, checked after the upgrade, where a page can read the answer."""


class Body(enum.StrEnum):
    """What a route reads; the value is the media type it has to be sent as."""

    NONE = ""
    """No body: one is refused."""
    UNREAD = "*"
    """Whatever comes: the answer is an error, or a preflight's, and the body is thrown away."""
    JSON = "application/json"
    FORM = "application/x-www-form-urlencoded"


class Peer(msgspec.Struct, frozen=True):
    """The other end of a TCP connection, as the kernel of this computer knows it: whose process holds it.

    A socket that no process holds any more has the inode 0, and a uid of 0 that means nothing.
    """

    uid: int
    inode: int
    is_established: bool


class Speaker(msgspec.Struct, frozen=True):
    """Who speaks, before any token: an origin that a browser vouches for, or (None) a native client.

    ``sent`` says that the request carried the Origin itself, so that the answer needs CORS headers; ``is_unix`` that it
    came over the Unix socket, so that the caller is the owner.
    """

    origin: str | None
    sent: bool = False
    is_unix: bool = False


class Place(msgspec.Struct, frozen=True):
    """What the daemon knows and the request cannot choose: its host (``127.0.0.1:PORT``) and who has a grant."""

    host: str
    approved: Set[str]
    known: Set[str]

    @property
    def base(self) -> str:
        """The one base URL, which is also our own origin."""
        return f"http://{self.host}"


Headers = Sequence[tuple[bytes, bytes]]

_READ = frozenset(
    (
        *(b"host", b"origin", b"authorization", b"dpop", b"content-type", b"content-length", b"transfer-encoding"),
        *(b"sec-fetch-site", b"sec-fetch-dest", b"service-worker"),
    )
)
"""Each at most once: where one stands twice, two readers may take different ones."""
_FORWARDED = frozenset((b"forwarded", b"x-real-ip", b"via"))
_MEDIA_TYPES = {
    body: re.compile(rf"{re.escape(body)}(?:[ \t]*;[ \t]*charset=utf-8)?", re.ASCII | re.IGNORECASE)
    for body in (Body.JSON, Body.FORM)
}
_PLAIN = re.compile(r"/[\x21\x22\x24-\x7e]*", re.ASCII)  # no fragment: no client sends one


def may_connect(address: str, peer: Peer | None, *, uid: int | None) -> None:
    """Decide about one TCP connection: step 1, before a byte of it is read.

    ``address`` is the client's, ``peer`` what the kernel says of its socket (None: it knows no such one), ``uid`` ours;
    None where this system cannot tell whose process connects, so that the address is all there is to check.

    Raises:
        Refused: it does not come from a living process of this user on this computer.
    """
    if not address.startswith("127."):
        raise Refused(Reason.PEER_ADDRESS, Answer.CLOSE)
    if uid is None:
        return
    if peer is None or not peer.is_established or peer.inode == 0:
        raise Refused(Reason.PEER_UNKNOWN, Answer.CLOSE)
    _same_user(peer.uid, uid)


def may_connect_natively(peer: int | None, *, uid: int | None) -> None:
    """Decide about one connection on the Unix socket: ``peer`` is the uid in its credentials; else as `may_connect`.

    Raises:
        Refused: another user's process stands at the other end, or none that the system knows.
    """
    if uid is None:
        return
    if peer is None:
        raise Refused(Reason.PEER_UNKNOWN, Answer.CLOSE)
    _same_user(peer, uid)


def may_speak(
    kind: Kind, place: Place, *, method: str, target: str, version: tuple[int, int], headers: Headers
) -> Speaker:
    """Decide about one TCP request.

    Raises:
        Refused: it may not; the reason says why and the answer how.
    """
    read = _read(target, version, headers)
    origin = read.get(b"origin")
    _check_host(place, read.get(b"host"), origin)
    if read.get(b"service-worker") == "script":
        raise Refused(Reason.SERVICE_WORKER, Answer.UNREGISTER)
    site, dest = read.get(b"sec-fetch-site"), read.get(b"sec-fetch-dest")
    if kind in (Kind.PAGE, Kind.STATIC):
        return _navigation(kind, place, target, origin, site, dest)
    if kind is Kind.OWN:
        return _own(place, method, origin, site)
    if origin is None:
        return _without_origin(place, site, dest)
    return _with_origin(kind, place, origin)


def may_speak_natively(*, target: str, version: tuple[int, int], headers: Headers) -> Speaker:
    """Decide about one request on the Unix socket: a browser never stands behind it, and Host is not looked at.

    Raises:
        Refused: it carries an Origin, or fails step 2.
    """
    if b"origin" in _read(target, version, headers):
        raise Refused(Reason.ORIGIN_ON_SOCKET, Answer.EMPTY)
    return Speaker(None, is_unix=True)


def may_send(body: Body, *, media_type: str, encoding: str | None, length: int | None) -> None:
    """Decide about the body of a request that has one, by its head alone: step 6; what is in it, its reader checks.

    ``media_type`` is the Content-Type ("" without one), ``encoding`` the Content-Encoding, ``length`` in bytes, None
    where the head does not say.

    Raises:
        WrongMediaType: it is not exactly what the route reads, or is encoded.
        BodyTooLarge: it is longer than `BODY_BYTES`, or there should be none.
    """
    if length == 0 or body is Body.UNREAD:
        return
    if body is Body.NONE:
        raise BodyTooLarge("this path takes no body")
    if encoding is not None:
        raise WrongMediaType("send the body as it is, without Content-Encoding")
    if media_type != body and _MEDIA_TYPES[body].fullmatch(media_type) is None:
        raise WrongMediaType(f"send the body as Content-Type: {body}")
    if length is not None and length > BODY_BYTES:
        raise BodyTooLarge(f"a body may hold {BODY_BYTES} bytes")


def may_use(need: Need, *, is_owner: bool) -> None:
    """Decide about a verified caller: step 7; the scope of an app's command is the dispatch's to check.

    Raises:
        ScopeMissing: the route is the owner's alone.
    """
    if need is Need.OWNER and not is_owner:
        raise ScopeMissing("only the owner may ask this; over the Unix socket no token is needed", scope="owner")


def _same_user(peer: int, uid: int) -> None:
    if peer != uid:
        raise Refused(Reason.PEER_FOREIGN, Answer.CLOSE)


def _read(target: str, version: tuple[int, int], headers: Headers) -> dict[bytes, str]:
    """Return the headers that decide, by their names in lower case: step 2."""
    if version != (1, 1):
        raise Refused(Reason.HTTP_VERSION, Answer.CLOSE)
    if _PLAIN.fullmatch(target) is None:
        raise Refused(Reason.TARGET_FORM, Answer.CLOSE)
    read: dict[bytes, str] = {}
    for raw, value in headers:
        name = raw.lower()
        if name in _READ:
            if name in read:
                raise Refused(Reason.REPEATED_HEADER, Answer.CLOSE)
            read[name] = value.decode("latin-1")
        elif name in _FORWARDED or name.startswith(b"x-forwarded-"):
            raise Refused(Reason.FORWARDED, Answer.CLOSE)
    coding = read.get(b"transfer-encoding")
    if coding is not None and (coding.lower() != "chunked" or b"content-length" in read):
        # Two readers may take such a body to end in two places (RFC 9112 6.1, 6.3); aiohttp takes some of them.
        raise Refused(Reason.FRAMING, Answer.CLOSE)
    return read


def _check_host(place: Place, host: str | None, origin: str | None) -> None:
    if host == place.host:
        return
    port = place.host.partition(":")[2]
    if host == f"localhost:{port}" and origin is None:
        raise Refused(Reason.HOST, Answer.MISDIRECTED)
    raise Refused(Reason.HOST, Answer.EMPTY)


def _navigation(
    kind: Kind, place: Place, target: str, origin: str | None, site: str | None, dest: str | None
) -> Speaker:
    if origin not in (None, place.base):
        raise Refused(Reason.ORIGIN_FOREIGN, Answer.EMPTY)
    if kind is Kind.STATIC:
        if site != "same-origin":
            raise Refused(Reason.NOT_A_NAVIGATION, Answer.EMPTY)
    elif dest != "document":
        is_bare = site is None and dest is None
        raise Refused(Reason.NOT_A_NAVIGATION, Answer.HOW_TO_OPEN if is_bare else Answer.EMPTY)
    return Speaker(place.base)


def _own(place: Place, method: str, origin: str | None, site: str | None) -> Speaker:
    if origin == place.base or (origin is None and method == "GET" and site == "same-origin"):
        return Speaker(place.base)
    raise Refused(Reason.ORIGIN_FOREIGN, Answer.EMPTY)


def _without_origin(place: Place, site: str | None, dest: str | None) -> Speaker:
    if site is None and dest is None:
        return Speaker(None)
    if site == "same-origin":
        return Speaker(place.base)
    raise Refused(Reason.BROWSER_WITHOUT_ORIGIN, Answer.EMPTY)


def _with_origin(kind: Kind, place: Place, origin: str) -> Speaker:
    if origin in place.approved or origin == place.base:
        return Speaker(origin, sent=True)
    if origin == "null":
        raise Refused(Reason.ORIGIN_NULL, Answer.EMPTY)
    try:
        parse_origin(origin)
    except OAuthError:
        raise Refused(Reason.ORIGIN_MALFORMED, Answer.EMPTY) from None
    if kind is Kind.OPEN or (kind is Kind.SOCKET and origin in place.known):
        return Speaker(origin, sent=True)
    if kind is Kind.SOCKET:
        raise Refused(Reason.ORIGIN_NOT_APPROVED, Answer.EMPTY)
    raise Refused(Reason.ORIGIN_NOT_APPROVED, Answer.NOT_APPROVED, origin)
