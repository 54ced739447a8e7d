"""May this request speak at all? Pure, outermost, the same for every route (protocol section 1, steps 2 to 5).

It reads the raw header list, never a framework's idea of the host: aiohttp answers for any Host, takes an absolute-form
target for one, and returns the first of two Origins.
"""

import enum
import re
from collections.abc import Sequence, Set

import msgspec

from oauth.errors import OAuthError
from oauth.origin import parse_origin


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


class Answer(enum.StrEnum):
    """How a refusal looks from outside."""

    CLOSE = "close"
    EMPTY = "empty"
    MISDIRECTED = "misdirected"
    NOT_APPROVED = "not_approved"
    HOW_TO_OPEN = "how_to_open"
    UNREGISTER = "unregister"


class Reason(enum.StrEnum):
    """Why a request was refused; a stable word for the log and `tollbridge refusals`."""

    NOT_HTTP = "not_http"
    HTTP_VERSION = "http_version"
    TARGET_FORM = "target_form"
    FORWARDED = "forwarded"
    REPEATED_HEADER = "repeated_header"
    HOST = "host"
    ORIGIN_NULL = "origin_null"
    ORIGIN_MALFORMED = "origin_malformed"
    ORIGIN_NOT_APPROVED = "origin_not_approved"
    ORIGIN_FOREIGN = "origin_foreign"
    BROWSER_WITHOUT_ORIGIN = "browser_without_origin"
    NOT_A_NAVIGATION = "not_a_navigation"
    ORIGIN_ON_SOCKET = "origin_on_socket"
    SERVICE_WORKER = "service_worker"


REMEDIES = {
    Reason.NOT_HTTP: "speak well-formed HTTP/1.1, without TLS, heads below 8 KiB, every header once and in one line",
    Reason.HTTP_VERSION: "speak HTTP/1.1",
    Reason.TARGET_FORM: "send the path alone, as in GET /v1/hello HTTP/1.1; use no proxy (curl --noproxy 127.0.0.1)",
    Reason.FORWARDED: "reach the daemon directly; it is never behind a proxy",
    Reason.REPEATED_HEADER: "send Host, Origin, Authorization, DPoP and Content-Type at most once",
    Reason.HOST: "use the base that the daemon prints, literally: no name, no other port",
    Reason.ORIGIN_NULL: "a sandboxed frame, a data: or a file: page has no origin to approve; serve it from a site",
    Reason.ORIGIN_MALFORMED: "an origin is https://host, http://localhost:port or http://127.0.0.1:port",
    Reason.ORIGIN_NOT_APPROVED: "the page asks first: SDK connect(), which opens /oauth/authorize",
    Reason.ORIGIN_FOREIGN: "only the daemon's own pages use this address",
    Reason.BROWSER_WITHOUT_ORIGIN: "load it by fetch in cors mode: images, scripts and links never reach the API",
    Reason.NOT_A_NAVIGATION: "open it as a page: it cannot be framed, prefetched or loaded as a part of another page",
    Reason.SERVICE_WORKER: "another program has held this port; its worker was told to unregister itself",
    Reason.ORIGIN_ON_SOCKET: "pages never use the Unix socket; leave the Origin header out",
}


class Refused(Exception):
    """The request may not speak. ``origin`` is set where the answer carries CORS headers."""

    def __init__(self, reason: Reason, answer: Answer, origin: str | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.answer = answer
        self.origin = origin


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

_ONCE = frozenset((b"host", b"origin", b"authorization", b"dpop", b"content-type"))
_FORWARDED = frozenset((b"forwarded", b"x-real-ip", b"via"))
_READ = _ONCE | {b"sec-fetch-site", b"sec-fetch-dest", b"service-worker"}
_PLAIN = re.compile(r"/[\x21\x22\x24-\x7e]*", re.ASCII)  # no fragment: no client sends one


def may_speak(
    kind: Kind, place: Place, *, method: str, target: str, version: tuple[int, int], headers: Headers
) -> Speaker:
    """Decide about one TCP request.

    Raises:
        Refused: it may not; the reason says why and the answer how.
    """
    if version != (1, 1):
        raise Refused(Reason.HTTP_VERSION, Answer.CLOSE)
    if _PLAIN.fullmatch(target) is None:
        raise Refused(Reason.TARGET_FORM, Answer.CLOSE)
    read = _once(headers)
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


def may_speak_natively(headers: Headers) -> Speaker:
    """Decide about one request on the Unix socket: a browser never stands behind it.

    Raises:
        Refused: it carries an Origin, or a header twice.
    """
    if b"origin" in _once(headers):
        raise Refused(Reason.ORIGIN_ON_SOCKET, Answer.EMPTY)
    return Speaker(None, is_unix=True)


def _once(headers: Headers) -> dict[bytes, str]:
    read: dict[bytes, str] = {}
    for raw, value in headers:
        name = raw.lower()
        if name in _READ:
            if name in read and name in _ONCE:
                raise Refused(Reason.REPEATED_HEADER, Answer.CLOSE)
            read[name] = value.decode("latin-1")
        elif name in _FORWARDED or name.startswith(b"x-forwarded-"):
            raise Refused(Reason.FORWARDED, Answer.CLOSE)
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
    answer = Answer.EMPTY if kind is Kind.SOCKET else Answer.NOT_APPROVED
    raise Refused(Reason.ORIGIN_NOT_APPROVED, answer, origin)
