"""What a page may see of each attack of `hostile/attacks.js`, and what a stranger may read: the protocol as a table."""

from collections.abc import Iterator
from urllib.parse import urlencode

CALL = "/v1/apps/counter/add"

PATHS = (
    "/",
    "/static/pages/consent.js",
    "/oauth/requests",
    "/oauth/token",
    "/.well-known/oauth-authorization-server",
    "/v1/hello",
    "/v1/apps",
    "/v1/apps/counter/state",
    CALL,
    "/v1/events",
    "/v1/socket",
    "/v1/grants",
    "/nothing",
)

READS = (
    "get",
    "getCredentials",
    "getAuthorization",
    "getHeader",
    "getWorkerHeader",
    "head",
    "postJson",
    "postText",
    "postForm",
    "postMultipart",
    "postBlob",
    "postKeepalive",
    "postCredentials",
    "remove",
    "put",
    "xhr",
    "workerFetch",
)
"""Attacks that ask in cors mode, so that an answer which names their origin is read."""

_NO = frozenset({("threw",)})
_ERROR = frozenset({("error",)})
_UNTOLD = frozenset({()})
_FRAME = frozenset({("load", "hidden", "0")})
_MADE = _NO | _ERROR
# Firefox tells nothing of an embed that failed, or of a frame that led nowhere, and takes JSON for a download.
_MUTE = _FRAME | {("silence",)}
# Whether a preload that failed is an `error` is each browser's own choice, by what it may know anyway.
_PRELOAD = frozenset({("load",), ("error",)})

UNSEEN = {
    # Cross-Origin-Resource-Policy: an answer that may not be read is not even there.
    **dict.fromkeys(("getNoCors", "postNoCors", "postFormNoCors", "getNoCorsCredentials"), _NO),
    **dict.fromkeys(("dynamicImport", "importScripts", "serviceWorker", "font"), _NO),
    **dict.fromkeys(("events", "script", "module", "workerEvents"), _ERROR),
    **dict.fromkeys(("worker", "sharedWorker"), _MADE),
    **dict.fromkeys(("image", "imageCors", "inputImage", "video", "audio"), frozenset({("error", "0")})),
    **dict.fromkeys(("preloadScript", "preloadFetch", "modulePreload"), _PRELOAD),
    **dict.fromkeys(("embed", "iframe", "formGet", "formPost", "formPostText", "formPostMultipart"), _MUTE),
    **dict.fromkeys(
        ("prefetch", "manifest", "icon", "background", "styleImport", "prefetchRules", "prerenderRules"), _UNTOLD
    ),
    "beacon": frozenset({("boolean",)}),
    "socket": frozenset({("1006", "")}),
    "stylesheet": frozenset({("error", "hidden")}),
    "object": frozenset({("error", "", "0"), ("error", "hidden", "0")}),
}
"""Every other attack, and what a page sees of one that got nothing: the same whatever the path, there or not."""

UNSEEN["workerSocket"] = UNSEEN["socket"]

CORS = ("imageCors", "module", "dynamicImport", "font", "events", "preloadFetch", "modulePreload")
"""Those whose request names the page's origin: their timing tells a stranger what `get` tells it."""

SOCKET_PATHS = ("/v1/socket", "/v1/events", "/nothing")
"""Enough for sockets: a browser slows down a page whose sockets fail."""


def paths_of(kind: str, origin: str) -> tuple[str, ...]:
    """Return the paths that ``kind`` is sent to."""
    return SOCKET_PATHS if kind in ("socket", "workerSocket") else (*PATHS, authorize(origin))


def authorize(origin: str) -> str:
    """Return the path of a question that the owner would be shown, were it opened as a page."""
    query = {
        "response_type": "code",
        "client_id": origin,
        "redirect_uri": f"{origin}/callback",
        "scope": "counter:use",
        "state": "s",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "dpop_jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
    }
    return f"/oauth/authorize?{urlencode(query)}"


_PAGES = ("/", "/static/pages/consent.js", "/oauth/authorize")
_METADATA = ("/.well-known/oauth-authorization-server", "/v1/hello")

# Paths whose preflight is answered: those of kind `open` and `api`.
_PREFLIGHTED = frozenset(
    {*_METADATA, "/oauth/token", "/v1/apps", "/v1/apps/counter/state", CALL, "/v1/events", "/v1/grants"}
)

_METHODS = {"postJson": "POST", "remove": "DELETE", "head": "HEAD", "get": "GET", "xhr": "GET", "workerFetch": "GET"}
_PREFLIGHTS = ("getAuthorization", "postJson", "remove")
_NEVER = ("getCredentials", "postCredentials", "getHeader", "getWorkerHeader", "put")
"""Nobody is answered with credentials, and no preflight names these headers or this method."""


def readable(kind: str, path: str) -> str | None:
    """Return what a stranger with a well-formed origin reads by ``kind``: a status and a code; None: nothing."""
    path = path.partition("?")[0]
    if kind in _NEVER or (kind in _PREFLIGHTS and path not in _PREFLIGHTED):
        return None
    method = _METHODS.get(kind, "POST" if kind.startswith("post") else "GET")
    if method == "GET" and (path in _PAGES or path == "/v1/socket"):
        return None
    if method == "POST" and path == "/oauth/requests":
        return None
    if method == "GET" and path in _METADATA:
        return "200"
    if method == "POST" and path == "/oauth/token":
        return "400 invalid_client" if kind == "postForm" else "415 wrong_media_type"
    return "403" if method == "HEAD" else "403 origin_not_approved"


def every_kind() -> Iterator[str]:
    """Return every attack there is a rule for."""
    yield from READS
    yield from UNSEEN
