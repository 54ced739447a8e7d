"""Why a connection or a request is refused, in stable words with a remedy each, and how that looks from outside."""

import enum


class Reason(enum.StrEnum):
    """One word a reason."""

    PEER_ADDRESS = "peer_address"
    PEER_FOREIGN = "peer_foreign"
    PEER_UNKNOWN = "peer_unknown"
    TOO_MANY_SILENT = "too_many_silent"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    HEAD_TOO_SLOW = "head_too_slow"
    READ_TOO_SLOW = "read_too_slow"
    NOT_HTTP = "not_http"
    HTTP_VERSION = "http_version"
    TARGET_FORM = "target_form"
    FRAMING = "framing"
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
    Reason.PEER_ADDRESS: "reach the daemon from this computer, at 127.0.0.1",
    Reason.PEER_FOREIGN: "another user's program tried to connect; each user of a computer runs a daemon of their own",
    Reason.PEER_UNKNOWN: "nobody stood at the other end any more, or the system could not say who; connect again",
    Reason.TOO_MANY_SILENT: "send a request soon after connecting; the connection silent for longest was closed",
    Reason.TOO_MANY_CONNECTIONS: "close what is not needed; [limits] connections says how many there may be",
    Reason.HEAD_TOO_SLOW: "send the whole head of a request within 5 s of its first byte",
    Reason.READ_TOO_SLOW: "read answers and events as they come; the connection stood still for 10 s",
    Reason.NOT_HTTP: "speak plain HTTP/1.1: a method that it knows, a head below 8 KiB, every header once, in one line",
    Reason.HTTP_VERSION: "speak HTTP/1.1",
    Reason.TARGET_FORM: "send the path alone, as in GET /v1/hello HTTP/1.1; use no proxy (curl --noproxy 127.0.0.1)",
    Reason.FRAMING: "send the body's length as Content-Length, or Transfer-Encoding: chunked and nothing else",
    Reason.FORWARDED: "reach the daemon directly; it is never behind a proxy",
    Reason.REPEATED_HEADER: "send Host, Origin, Authorization, DPoP, Content-Type, Sec-Fetch-* and body length once",
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


class Answer(enum.StrEnum):
    """How a refusal looks from outside."""

    CLOSE = "close"
    EMPTY = "empty"
    MISDIRECTED = "misdirected"
    NOT_APPROVED = "not_approved"
    HOW_TO_OPEN = "how_to_open"
    UNREGISTER = "unregister"


class Refused(Exception):
    """The request may not speak. ``origin`` is set where the answer carries CORS headers."""

    def __init__(self, reason: Reason, answer: Answer, origin: str | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.answer = answer
        self.origin = origin
