"""Requests that no honest client sends, as tables: what goes over the wire, and what may come back at most.

In the bytes, ``@HOST@`` and ``@TOKEN@`` stand for the daemon's host and a valid bearer token, so that nothing is
refused for the lack of either. ``canary`` must come back in no answer and stand in no log, ``pathmark`` in no answer:
the path and the origin of a refused request are logged on purpose.
"""

import gzip
import json
import random
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

Want = Literal["close", "4xx", "either", "any"]


class Case(NamedTuple):
    """One connection; ``want`` "close" is one without a word, "either" a close or a 4xx, "any" a 2xx as well: odd, but
    plain enough to be let through by one of the parsers. ``is_late``: the second piece is sent when it is waited for.
    """

    id: str
    pieces: tuple[bytes, ...]
    want: Want = "either"
    is_unix: bool = False
    is_late: bool = False


AUTH = "Authorization: Bearer @TOKEN@"
JSON = "Content-Type: application/json"
ECHO = "/v1/apps/system/echo"
SAME = "Sec-Fetch-Site: same-origin"
OWN = "Origin: http://@HOST@"


def request(
    *lines: str, line: str = "GET /v1/hello HTTP/1.1", host: str | None = "Host: @HOST@", body: bytes = b""
) -> bytes:
    """Write one request; ``lines`` are header lines, sent as they are (UTF-8)."""
    head = [line, *([] if host is None else [host]), *lines, "X-Canary: canary-head", "", ""]
    return "\r\n".join(head).encode("utf-8", "surrogateescape") + body


def posted(body: bytes, *lines: str, path: str = ECHO, media: str | None = JSON) -> bytes:
    """Write a POST of ``body`` with its length."""
    typed = [] if media is None else [media]
    return request(AUTH, *typed, *lines, f"Content-Length: {len(body)}", line=f"POST {path} HTTP/1.1", body=body)


def chunked(body: bytes, *lines: str) -> bytes:
    """Write a POST whose body is sent in the chunks of ``body``."""
    return request(AUTH, JSON, *lines, "Transfer-Encoding: chunked", line=f"POST {ECHO} HTTP/1.1", body=body)


TEXT = b'{"text":"canary-body"}'
PLAIN = b'{"text":"plain"}'
SMUGGLED = b"GET /v1/hello HTTP/1.1\r\nHost: @HOST@\r\n\r\n"


def _rows(family: str, rows: Iterable[bytes], want: Want = "either", *, is_unix: bool = False) -> Iterator[Case]:
    for number, sent in enumerate(rows):
        yield Case(f"{family}-{number:02}", (sent,), want, is_unix)


LENGTHS = (
    "-1", "+22", "22, 22", "22,22", "22, 23", "0x16", "2 2", "٢٢", "\uff12\uff12", "", " ", "1e1", "22.0", "2_2",
    "22;", "22\x0b", "\x0022", "22\x00", "'22'", "NaN", "9" * 20, "9" * 1000, str(2**64), str(2**64 + 22),
    str(-(2**64) + 22), "٢", "²²",
)  # fmt: skip
ENCODINGS = (
    "xchunked", "chunked, identity", "identity, chunked", "gzip, chunked", "chunked, chunked", "chunked\x0b",
    "\x0bchunked", "chunked;q=1", '"chunked"', "chunked\x00", "chunke\u0501d", "chunked,", ",chunked", "chunk",
    "identity", "gzip", "", "chunked trailers", "cHuNkEd, x",
)  # fmt: skip


def framing() -> Iterator[Case]:
    """Where a body begins and ends: what two readers could see in two ways."""
    line = f"POST {ECHO} HTTP/1.1"
    tail = b"0\r\n\r\n" + SMUGGLED
    yield from _rows(
        "length", (request(AUTH, JSON, f"Content-Length: {value}", line=line, body=TEXT) for value in LENGTHS)
    )
    yield from _rows(
        "encoding", (request(AUTH, JSON, f"Transfer-Encoding: {value}", line=line, body=tail) for value in ENCODINGS)
    )
    both = [("Content-Length: 5", f"Transfer-Encoding: {value}") for value in ("chunked", *ENCODINGS)]
    yield from _rows(
        "both", (request(AUTH, JSON, *pair[::way], line=line, body=tail) for pair in both for way in (1, -1)), "close"
    )
    doubles = [
        ("Content-Length: 22", "Content-Length: 22"),
        ("Content-Length: 22", "Content-Length: 0"),
        ("Content-Length: 0", "content-length: 22"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Transfer-Encoding: identity", "Transfer-Encoding: chunked"),
        ("Content-Length : 22",),
        ("Content-Length\t: 22",),
        ("Transfer-Encoding : chunked", "Content-Length: 5"),
        ("Transfer-Encoding:\r\n chunked",),
        ("Content-Length: 2\r\n 2",),
        ("Content-Length:\r\n 22",),
        (" Content-Length: 22",),
        ("X: y\nContent-Length: 22",),
        ("X: y\rContent-Length: 22",),
        ("Content-Length: 22\r",),
    ]
    yield from _rows("framed", (request(AUTH, JSON, *pair, line=line, body=tail) for pair in doubles))


def chunks() -> Iterator[Case]:
    """Chunked bodies whose chunks are none."""
    sizes = (
        "-1", "+16", "0x16", " 16", "16 ", "16\t", "g", "", ";", "٢", "1_6", "16;a\nb", "1 6", "-", "F" * 17,
        "1" + "0" * 16, "16\n",
    )  # fmt: skip
    rows = [chunked(size.encode() + b"\r\n" + TEXT + b"\r\n0\r\n\r\n") for size in sizes]
    odd = ("10;a\rb", "10;a\x00b", "0" * 70_000 + "10", "10;" + "x" * 70_000)
    yield from _rows("chunk-odd", (chunked(size.encode() + b"\r\n" + PLAIN + b"\r\n0\r\n\r\n") for size in odd), "any")
    bodies = (
        b"16\n" + TEXT + b"\n0\n\n",
        b"16\r\n" + TEXT + b"0\r\n\r\n",
        b"16\r\n" + TEXT + b"x\r\n0\r\n\r\n",
        b"15\r\n" + TEXT + b"\r\n0\r\n\r\n",
        b"16\r\n" + TEXT + b"\r0\r\n\r\n",
        b"16\r\n" + TEXT + b"\n\r0\r\n\r\n",
        b"16\r\n" + TEXT + b"\r\n0\r\nHost : x\r\n\r\n",
        b"16\r\n" + TEXT + b"\r\n0\r\nX\r\n\r\n",
        b"16\r\n" + TEXT + b"\r\n0\r\n" + b"X: canary\r\n" * 1000 + b"\r\n",
        b"16\r\n" + TEXT + b"\r\n0\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"16\r\n" + TEXT + b"\r\n0\r\nX: a\r\n b\r\n\r\n",
        b"16\r\n" + TEXT + b"\r\n0\r\nX: a\x00\r\n\r\n",
        b"16\r\n" + TEXT + b"\r\n00000\x0b\r\n\r\n",
        b"16\r\n" + TEXT + b"\r\nffffffffffffffff\r\n",
        TEXT,
    )
    rows += map(chunked, bodies)
    yield from _rows("chunk", rows)
    late = (row.partition(b"\r\n\r\n") for row in rows)  # the fault comes when the handler already waits for the body
    expect = b"\r\nExpect: 100-continue"
    yield from (
        Case(f"chunk-late-{number:02}", (head + expect + gap, body), is_late=True)
        for number, (head, gap, body) in enumerate(late)
    )
    yield Case("chunks-empty-json", (chunked(b"0\r\n\r\n"),), "4xx")


NAMES = (
    "X Y", " X", "\tX", "", "X(", "X)", "X<", "X@", "X,", "X;", "X\\", '"X"', "X/Y", "[X]", "X?", "X=", "{X}",
    "X\x00", "X\x01", "X\x7f", "Ü", "X\u00a0", "X ", "X\t", "Host ", "X\r", "\udcff", "X\x0b", "Authorization ",
    "\x00",
)  # fmt: skip
LINES = (
    "no-colon", "canary", "X", "=", "GET / HTTP/1.1", "X: a\r\n b", "X: a\r\n\tb", "X:\r\n b", "X: a\r\n \r\n b",
    "X: a\nY: b", "X: a\rY: b", "X: a\r\r\nY: b", "X: a\n\rY: b",
)  # fmt: skip
CONTROLS = [chr(code) for code in (*range(9), 11, 12, *range(14, 32), 127)]


def headers() -> Iterator[Case]:
    """Header lines that are none, too many, too long."""
    yield from _rows("name", (request(f"{name}: canary") for name in NAMES))
    yield from _rows("line", map(request, LINES))
    yield from _rows("fold", (request(f"X: a\r\n{mark}b", host="Host:\r\n @HOST@") for mark in (" ", "\t", "  ")))
    yield from _rows("nul", (request(f"X: canary{mark}") for mark in CONTROLS[:1]), "close")
    yield from _rows("control", (request(f"Authorization: Bearer canary{mark}x", AUTH) for mark in CONTROLS[1:]))
    yield Case("first-line-folded", (b"GET /v1/hello HTTP/1.1\r\n Host: @HOST@\r\n\r\n",))
    yield Case("all-bare-lf", (request().replace(b"\r\n", b"\n"),))
    yield Case("end-bare-lf", (request()[:-2] + b"\n",))
    yield Case("one-bare-lf", (request("X: y").replace(b"X: y\r\n", b"X: y\n"),))
    yield Case("all-bare-cr", (request().replace(b"\r\n", b"\r"),))
    yield from _rows("many", (request(*[f"X{n}: canary" for n in range(count)]) for count in (129, 1000, 20_000)))
    yield from _rows("long", (request("X: " + "a" * size) for size in (8_191, 16_384, 65_536, 1_048_576)), "close")
    yield from _rows("long-name", (request("X" * size + ": a") for size in (8_192, 65_536)), "close")
    yield Case("endless-line", (b"GET /v1/hello HTTP/1.1\r\nX: ", *[b"a" * 1024] * 64), "close")
    yield Case("endless-lines", (b"GET /v1/hello HTTP/1.1\r\n", *[b"X: " + b"a" * 1024 + b"\r\n"] * 256), "close")
    repeated = ("Host: @HOST@", "Origin: https://a.example", "DPoP: canary", "Authorization: Bearer canary", JSON)
    yield from _rows("twice", (request(name, name.swapcase()) for name in repeated), "close")
    proxied = ("Forwarded: for=canary", "X-Forwarded-For: canary", "X-Forwarded-Host: @HOST@", "X-Real-IP: canary",
               "Via: 1.1 canary", "x-forwarded-anything: canary")  # fmt: skip
    yield from _rows("proxied", map(request, proxied), "close")


VERSIONS = (
    "HTTP/0.9", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/2", "HTTP/3.0", "HTTP/1.", "HTTP/11", "http/1.1",
    "HTTP/1.1 x", "HTP/1.1", "HTTP/1.10", "HTTP/\uff11.1", "HTTP /1.1", "HTTP/-1.1", "ICE/1.0", "RTSP/1.0",
    "HTTP/1,1", "HTTP/1.1\x00", "HTTP/99.99", "HTTP", "", "HTTPS/1.1", "HTTP/0x1.1",
)  # fmt: skip
METHODS = (
    "G@T", "GE(T", "GET\x00", "\x00GET", "A" * 300, "A" * 70_000, "PRI", "CONNECT", "TRACE", "TRACK", "DEBUG",
    "PROPFIND", "QUERY", "FOO", "GÉT", "\x16\x03", '"GET"', "G,T", "GET:", "SOURCE", "M-SEARCH",
)  # fmt: skip
STARTS = (
    "GET\t/v1/hello\tHTTP/1.1", " GET /v1/hello HTTP/1.1", "GET", "GET /", "GET  HTTP/1.1", "GET /v1/hello",
    "/v1/hello HTTP/1.1", "GET /v1/hello HTTP/1.1 ", "GET /v1/a b HTTP/1.1", "GET\x0b/v1/hello HTTP/1.1",
    "GET\u00a0/v1/hello HTTP/1.1", "HTTP/1.1 200 OK", "GET /v1/hello\rHTTP/1.1", "\ufeffGET /v1/hello HTTP/1.1",
    "GET /v1/hello\x00 HTTP/1.1", "\x00", "\x7f",
)  # fmt: skip
TARGETS = (
    "http://@HOST@/v1/hello", "https://@HOST@/v1/hello", "HTTP://@HOST@/v1/hello", "http://pathmark.example/v1/hello",
    "http:///v1/hello", "http://user:pathmark@@HOST@/v1/hello", "@HOST@", "*", "//[", "//[::1]:x/", "//", "v1/hello",
    "?x", "#", "/v1/hello#pathmark", "/pathmark\x01", "/pathmark\x7f", "/pathmark\udcff", "/pathmarké",
    "javascript:alert(1)", "file:///etc/passwd", "data:,x", "//user@pathmark/", "http:", "http://", "http://[",
    "///////", "\\", "/pathmark\t", "localhost:80", "ws://@HOST@/v1/socket",
)  # fmt: skip


def starts() -> Iterator[Case]:
    """First lines that are none, targets that are no path."""
    yield from _rows("version", (request(AUTH, line=f"GET /v1/apps {version}") for version in VERSIONS))
    yield from _rows("method", (request(AUTH, line=f"{method} /v1/apps HTTP/1.1") for method in METHODS))
    yield from _rows("start", (request(AUTH, line=line) for line in STARTS))
    yield from _rows("target", (request(AUTH, line=f"GET {target} HTTP/1.1") for target in TARGETS))
    yield from _rows(
        "connect", (request(line=f"CONNECT {target} HTTP/1.1") for target in ("pathmark.example:443", "@HOST@", "/"))
    )
    yield from _rows(
        "options",
        (request(OWN, line=f"OPTIONS {target} HTTP/1.1") for target in ("*", "@HOST@", "http://@HOST@/")),
        "close",
    )
    odd = (
        "GET  /v1/hello HTTP/1.1",
        "GET /v1/hello  HTTP/1.1",
        "GET /v1/hello HTTP/1.1\t",
        "get /v1/hello HTTP/1.1",
        "GET /v1/hello?nonce=canary HTTP/1.1",
        "GET /v1/hello?nonce=%ff&key=%ff HTTP/1.1",
        f"GET /v1/hello?nonce={'a' * 65}&key={'a' * 43} HTTP/1.1",
    )
    yield from _rows("odd", (request(line=line) for line in odd), "any")
    long = (f"GET /{'pathmark' * (size // 8)} HTTP/1.1" for size in (8_192, 16_384, 65_536, 1_048_576))
    yield from _rows("long-target", (request(line=line) for line in long), "close")
    query = (f"GET /v1/hello?canary={'x' * size} HTTP/1.1" for size in (8_192, 65_536))
    yield from _rows("long-query", (request(line=line) for line in query), "close")
    yield Case("bytewise", tuple(bytes([byte]) for byte in request(host="Host: pathmark.example")), "4xx")


ESCAPES = (
    "%", "%zz", "%2", "%00", "%ff", "%c0%af", "%ed%a0%80", "%u0041", "%25%32%65", "%0d%0aX-Injected:%20canary", "%0a",
    "%7f", "%e2%80%ae", "%F0%9F%98%80", "+", "..", ".", "%2e%2e", "%2e", "~", "a/b", ";x=y", "a" * 4000,
)  # fmt: skip
CLIMBS = (
    "../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "..\\", "%252e%252e%252f", "..%c0%af", "....//", "..;/",
    "%uff0e%uff0e/", "..%00/", ".%2e/", "/", "%2f", "\\\\e.test\\share\\", "%5c%5ce.test%5c", "file:%2f%2f%2f",
    "C:%5c", "~/", "./.././", "%00",
)  # fmt: skip
AIMS = ("etc/passwd", "state/tollbridge/grants.sqlite", "run/tollbridge/daemon.json")
PLACES = (
    ("GET", "/static/{}", (SAME,)),
    ("GET", "/v1/apps/{}/state", (AUTH,)),
    ("POST", "/v1/apps/system/{}", (AUTH, JSON, "Content-Length: 2")),
    ("POST", "/v1/apps/{}/echo", (AUTH, JSON, "Content-Length: 2")),
    ("GET", "/oauth/requests/{}", (SAME,)),
    ("DELETE", "/v1/grants/{}", ()),
    ("POST", "/oauth/requests/{}", (JSON, "Content-Length: 2")),
)  # fmt: skip


def paths() -> Iterator[Case]:
    """Escapes and climbs at every place of a path that a client chooses (S-36, S-45); the last two are the owner's."""
    for method, path, lines in PLACES:
        is_unix = not set(lines) & {SAME, AUTH}
        body = b"{}" if method == "POST" else b""
        aims = [climb * 6 + aim for climb in CLIMBS for aim in AIMS[:1]] + [CLIMBS[1] * 8 + aim for aim in AIMS]
        chosen = [f"pathmark{escape}" for escape in ESCAPES] + aims
        family = path.strip("/").replace("/", ".").replace("{}", method.lower())
        yield from _rows(
            f"path-{family}",
            (request(*lines, line=f"{method} {path.format(each)} HTTP/1.1", body=body) for each in chosen),
            is_unix=is_unix,
        )


REDIRECTS = (
    "//e.test", "//e.test/", "//e.test/..", "//e.test/%2e%2e", "///e.test", "/\\e.test", "/\\/e.test",
    "/%2f%2fe.test", "/%5ce.test", "/v1/hello/", "/v1//hello", "//v1/hello", "/v1/apps/", "/static", "/static/",
    "/static//e.test", "/oauth/authorize/", "/oauth/", "/v1", "/v1/", "/http://e.test", "/https:e.test", "/.", "/..",
    "/./", "/v1/./hello", "/v1/../v1/hello", "/v1/hello/.", "/v1/hello/..", "/v1/apps/../hello", "/v1/%68ello/",
    "/%0d%0aLocation:%20//e.test", "/v1/hello%0d%0aLocation:%20//e.test", "/v1/hello;/", "/v1/hello%2f",
    "/v1%2fhello", "/e.test/%2f..", "/@e.test", "/login?next=//e.test", "/logout?redirect=http://e.test",
    "/oauth/callback?redirect_uri=//e.test",
)  # fmt: skip


def redirects() -> Iterator[Case]:
    """What made other servers send people elsewhere (S-47)."""
    for lines in ((AUTH,), ("Sec-Fetch-Dest: document", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate")):
        yield from _rows(
            f"redirect-{'api' if AUTH in lines else 'page'}",
            (request(*lines, line=f"GET {target} HTTP/1.1") for target in REDIRECTS),
        )


HOSTS = (
    "", " ", "pathmark.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:", "localhost", "localhost:1", "[::1]",
    "[::1]:80", "0.0.0.0:80", "@HOST@.", "@HOST@@", "@HOST@/", "@HOST@, x", "user@@HOST@", "@HOST@#", "@HOST@?",
    "http://@HOST@", "127.0.0.1.:80", "2130706433", "0x7f000001", "127.1", "127.000.000.001", "@HOST@\x00",
    "@HOST@\x0b", "١٢٧.0.0.1", "[@HOST@]",
)  # fmt: skip
ORIGINS = (
    "null", "NULL", "", " ", "*", "pathmark", "https://", "https:///", "http://pathmark.example",
    "https://pathmark.example/", "https://pathmark.example:443", "https://PATHMARK.example",
    "https://user@pathmark.example", "https://pathmark.example?x", "https://a.example,https://b.example",
    "https://a.example https://b.example", "https://pathmark.example:0", "https://pathmark.example:99999", "file://",
    "file:///pathmark", "chrome-extension://pathmark", "moz-extension://pathmark", "https://[", "https://[::1]",
    "https://pathmark.exämple", "https://pathmark.example.", "https://-", "https://pathmark..example", "data:",
    "blob:https://pathmark.example", "javascript:pathmark", "about:blank", "https://pathmark.example\x00",
    "https://" + "a" * 4000 + ".example", "https://pathmark.example\\", "https://pathmark.example#",
    "http://127.0.0.1:99999", "http://localhost:", "http://0.0.0.0:1", "http://[::1]:1", "ws://127.0.0.1",
    "https://%70athmark.example",
)  # fmt: skip
TOKENS = (
    "", "Bearer", "Bearer ", "Bearer @TOKEN@x", "Bearer @TOKEN@ x", "Bearer @TOKEN@, Bearer @TOKEN@", "Basic canary",
    "DPoP @TOKEN@", "DPoP canary", "@TOKEN@", "Bearer\t@TOKEN@", "Bearer:@TOKEN@", "Token @TOKEN@",
    "Bearer " + "x" * 7000, "Bearer é", "Bearer \udcff", "Bearer null", 'Bearer "@TOKEN@"', "Bearer at_",
    "Bearer ../../etc/passwd", "Bearer canary\x0b", "Negotiate canary", "Digest username=canary", "Bearer %00",
    "Bearer at_" + "A" * 43,
)  # fmt: skip


def speakers() -> Iterator[Case]:
    """Hosts, origins and tokens that are almost right."""
    yield from _rows("host", (request(AUTH, host=f"Host: {host}", line="GET /v1/apps HTTP/1.1") for host in HOSTS))
    yield Case("host-none", (request(AUTH, host=None),), "close")
    yield from _rows("origin", (request(AUTH, f"Origin: {origin}", line="GET /v1/apps HTTP/1.1") for origin in ORIGINS))
    yield from _rows(
        "socket-origin",
        (request(f"Origin: {origin}", line="GET /v1/apps HTTP/1.1") for origin in (*ORIGINS[:6], "https://a.example")),
        is_unix=True,
    )
    yield from _rows("token", (request(f"Authorization: {token}", line="GET /v1/apps HTTP/1.1") for token in TOKENS))
    proofs = (
        "",
        "canary",
        "a.b.c",
        "e30.e30.e30",
        "." * 8000,
        "é",
        "\udcff",
        "eyJhbGciOiJub25lIn0.e30.",
        "a b",
        "null",
        "e30.e30.e30.e30.e30",
    )
    yield from _rows(
        "proof",
        (request("Authorization: DPoP canary", f"DPoP: {proof}", line="GET /v1/apps HTTP/1.1") for proof in proofs),
    )
    yield from _rows(
        "proof-at-token",
        (
            request(
                f"DPoP: {proof}",
                "Origin: https://a.example",
                "Content-Type: application/x-www-form-urlencoded",
                "Content-Length: 7",
                line="POST /oauth/token HTTP/1.1",
                body=b"a=b&c=d",
            )
            for proof in proofs
        ),
    )
    expects = ("100-continue", "100-Continue, x", "200-ok", "canary", "")
    yield from _rows(
        "expect",
        (
            request(
                JSON,
                f"Expect: {expect}",
                "Content-Length: 22",
                line=f"POST {ECHO} HTTP/1.1",
                host=f"Host: {host}",
                body=TEXT,
            )
            for expect in expects
            for host in ("@HOST@", "pathmark.example")
        ),
    )
    hops = (
        "close, Host",
        "Authorization",
        "keep-alive, Authorization",
        "Content-Length",
        "Transfer-Encoding",
        "Upgrade",
        ",,,",
        "\x01",
        "x" * 4000,
    )
    yield from _rows("hop", (request(f"Connection: {hop}", line="GET /v1/status HTTP/1.1") for hop in hops))


KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
CHANGED = (
    "Sec-WebSocket-Version: 7", "Sec-WebSocket-Version: 8", "Sec-WebSocket-Version: x", "Sec-WebSocket-Version: 014",
    "Sec-WebSocket-Key: canary", "Sec-WebSocket-Key: ", "Sec-WebSocket-Key: " + "A" * 3000, "Upgrade: canary",
    "Connection: close", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j", "Sec-WebSocket-Key: é",
)  # fmt: skip
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", KEY)


def upgrades() -> Iterator[Case]:
    """Upgrades to anything but the one WebSocket."""
    protocols = ("h2c", "TLS/1.0", "HTTP/2.0", "websocket, h2c", "canary", "", "SPDY/3", "IRC/6.9")
    rows = [
        request(
            "Connection: Upgrade, HTTP2-Settings",
            f"Upgrade: {name}",
            "HTTP2-Settings: AAMAAABk",
            line="GET /v1/apps HTTP/1.1",
        )
        for name in protocols
    ]
    rows += [
        request(AUTH, *UPGRADE, line=f"GET {path} HTTP/1.1")
        for path in ("/pathmark", "/v1/apps/system/state", "/v1/socket/", "/v1/status")
    ]
    rows += [
        request(AUTH, *UPGRADE, line=f"{method} /v1/socket HTTP/1.1") for method in ("POST", "PUT", "DELETE", "OPTIONS")
    ]
    rows += [
        request(AUTH, *(line for line in UPGRADE if line != left_out), line="GET /v1/socket HTTP/1.1")
        for left_out in UPGRADE
    ]
    for line in CHANGED:
        name = line.partition(":")[0]
        rows.append(
            request(
                AUTH, *(each for each in UPGRADE if not each.startswith(name)), line, line="GET /v1/socket HTTP/1.1"
            )
        )
    offers = ("canary", "tollbridge", "ticket.canary", "canary, ticket.canary", ",", "é")
    rows += [
        request(AUTH, *UPGRADE, f"Sec-WebSocket-Protocol: {offer}", line="GET /v1/socket HTTP/1.1") for offer in offers
    ]
    rows += [
        request(*UPGRADE, f"Origin: {origin}", line="GET /v1/socket HTTP/1.1")
        for origin in ("https://pathmark.example", "null", "http://pathmark.example", "")
    ]
    rows.append(request(*UPGRADE, "Sec-Fetch-Site: cross-site", line="GET /v1/socket HTTP/1.1"))
    rows.append(request(*UPGRADE, host="Host: pathmark.example", line="GET /v1/socket HTTP/1.1"))
    yield from _rows("upgrade", rows)


MEDIA = (
    "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded",
    "application/json;charset=utf-16", "application/json; charset=canary", "application/json; charset=utf-8; x=y",
    "application/jsonx", "application/json, text/plain", "", "application/ json", "text/json", "application/x-ndjson",
    "application/problem+json", "*/*", "json", "application/json;", 'application/json; charset="utf-8"',
    "application/json; x=canary", "APPLICATION/JSON; CHARSET=UTF-7", "text/html", "application/json charset=utf-8",
    "canary", "application/j\u017fon", "multipart/mixed", "application/octet-stream",
)  # fmt: skip
CODINGS = ("gzip", "deflate", "br", "zstd", "identity", "canary", "", "gzip, gzip", "x-gzip", "compress", "aes128gcm")


def media() -> Iterator[Case]:
    """Bodies of the wrong kind; nobody looks into them."""
    yield from _rows("media", (posted(TEXT, media=f"Content-Type: {kind}") for kind in MEDIA), "4xx")
    yield Case("media-none", (posted(TEXT, media=None),), "4xx")
    form = "Content-Type: application/json"
    yield from _rows(
        "media-token",
        (
            posted(TEXT, path="/oauth/token", media=each)
            for each in (form, "Content-Type: text/plain", "Content-Type: multipart/form-data; boundary=x", None)
        ),
        "4xx",
    )
    yield from _rows("coding", (posted(TEXT, f"Content-Encoding: {coding}") for coding in CODINGS), "4xx")
    bomb = gzip.compress(b"\0" * (200 * 1024 * 1024))
    yield Case("bomb", (posted(bomb, "Content-Encoding: gzip"),))
    yield Case("bomb-chunked", (chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (len(bomb), bomb), "Content-Encoding: gzip"),))
    part = b"--x\r\nContent-Disposition: form-data; name=canary\r\n\r\ny\r\n"
    yield Case("multipart", (posted(part * 1000, media="Content-Type: multipart/form-data; boundary=x"),))
    yield from _rows("too-long", (posted(b"x" * size) for size in (65_537, 1_000_000)))
    yield Case("too-long-by-length", (request(AUTH, JSON, "Content-Length: 99999999", line=f"POST {ECHO} HTTP/1.1"),))
    yield Case("too-long-chunked", (chunked(b"10000\r\n" + b"x" * 65_536 + b"\r\n1\r\nx\r\n0\r\n\r\n"),))
    yield from _rows(
        "body-on-get",
        (
            request(AUTH, "Content-Length: 6", line=f"GET {path} HTTP/1.1", body=b"canary")
            for path in ("/v1/hello", "/v1/apps", "/pathmark")
        ),
    )


BODIES = (
    b'{"text":"canary","text":"canary"}', b'{"text":"canary","\\u0074ext":1}', b'{"canary":1}', b'{"text":1}',
    b'["canary"]', b'"canary"', b"null", b"canary", b'{"text":"canary"', b'{"text":"canary"}}', b'{"text":NaN}',
    b'{"text":1e999}', b'{"text":Infinity}', b'{"text":"\\ud800canary"}', b'{"text":"\xff"}',
    b'{"text":"\xed\xa0\x80"}', b'{"text":"\xc0\xaf"}', b"\xef\xbb\xbf{}", b'{"text":"a\x00b"}', b'{"text":"a\nb"}',
    b"{'text':'canary'}", b"[" * 33, b"[" * 60_000, b'{"a":' * 10_000, b"[" * 30_000 + b"]" * 30_000, b"1" * 60_000,
    b"-" * 60_000, b'"' * 60_000, b"\\" * 60_000, b'{"text":' + b"1" * 5_000 + b"}", b" " * 60_000, b"\x00" * 60_000,
    '{"text":"canary"}'.encode("utf-16"), '{"text":"canary"}'.encode("utf-32"), b'{"text":"' + b"a" * 5_000 + b'"}',
    b'{"text":null}', b'{"text":"x","canary":{}}', b"{" + b",".join(b'"%d":0' % n for n in range(9_000)) + b"}",
    b"{},{}", b"{}\x00", b'{"text":"\\x"}', b'{"__proto__":{"canary":1}}', b'{"text":{"$ref":"canary"}}',
    b"text=canary", b"<canary/>", b"--- canary", b"\x80\x04canary.",
)  # fmt: skip
FORMS = (
    b"", b"canary", b"grant_type=canary", b"grant_type=authorization_code&grant_type=authorization_code",
    b"grant_type=%ff", b"grant_type=\xff", b"grant_type=%", b"grant_type=%zz", b"&" * 60_000, b"a=canary&" * 7_000,
    b"grant_type=password&username=canary&password=canary", b"grant_type=client_credentials",
    b"grant_type=refresh_token", b"grant_type=refresh_token&refresh_token=canary",
    b"grant_type=authorization_code&code=canary&code_verifier=canary&client_id=https://a.example",
    b"grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=canary", b"grant_type=\x00",
    b"%67rant_type=refresh_token&grant_type=refresh_token", b"grant_type[]=refresh_token",
    b"grant_type=refresh_token;refresh_token=canary", b"{}",
    b"grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=canary",
)  # fmt: skip
QUERIES = (
    "/v1/events?wait=-1", "/v1/events?wait=61", "/v1/events?wait=NaN", "/v1/events?wait=inf", "/v1/events?wait=1e999",
    "/v1/events?wait=canary", "/v1/events?wait=0x1", "/v1/events?after=canary",
    "/v1/events?after=AAAAAAAA.99999999999999999999", "/v1/events?topics=canary", "/v1/events?topics=%ff",
    "/v1/events?topics=%0d%0aX-Canary:%201", "/v1/events?after=%00", "/v1/events?wait=%D9%A1x",
    "/v1/apps/system/state?returnafter=canary", "/v1/apps/canary/state", "/oauth/requests?canary",
    "/v1/grants?canary", "/v1/events?" + "a=1&" * 1_500 + "wait=x",
)  # fmt: skip


def contents() -> Iterator[Case]:
    """JSON, forms and queries that are read and found wanting."""
    yield from _rows("json", map(posted, BODIES), "4xx")
    own = (
        request(OWN, JSON, f"Content-Length: {len(body)}", line="POST /oauth/requests HTTP/1.1", body=body)
        for body in (*BODIES, *(json.dumps({"query": query.decode("latin-1")}).encode() for query in FORMS[:4]))
    )
    yield from _rows("json-own", own, "4xx")
    yield from _rows("json-socket", (posted(body, path="/v1/tokens") for body in BODIES), "4xx", is_unix=True)
    form = "Content-Type: application/x-www-form-urlencoded"
    yield from _rows("form", (posted(body, path="/oauth/token", media=form) for body in FORMS), "4xx")
    yield from _rows("query", (request(AUTH, line=f"GET {target} HTTP/1.1") for target in QUERIES), "4xx")
    yield from _rows(
        "last-event-id",
        (
            request(AUTH, f"Last-Event-ID: {value}", f"Accept: {accept}", line="GET /v1/events HTTP/1.1")
            for value in ("canary", "é", "\udcff", "A.1")
            for accept in ("*/*", "text/event-stream")
        ),
        "4xx",
    )


HELLO = bytes.fromhex(
    "16030100c8010000c40303"
    + "ab" * 32
    + "20"
    + "cd" * 32
    + "0022130113031302c02bc02fcca9cca8c02cc030c00ac009c013c014009c009d002f0035"
    "01000059" + "00" * 0x59
)
OTHERS = (
    HELLO, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x80\x2e\x01\x00\x02", b"SSH-2.0-canary\r\n",
    b"EHLO canary\r\n", b"HELO x\r\nMAIL FROM:<a@b>\r\n\r\n", b"*1\r\n$4\r\nPING\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$6\r\ncanary\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", b"stats\r\n",
    b"set canary 0 0 1\r\n1\r\n\r\n", b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"\x00AUTH EXTERNAL 30\r\n\r\n",
    b"\x05\x01\x00", b"\x04\x01\x00\x50", b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\n\r\n",
    b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", b"\x81\x85\x00\x00\x00\x00hello", b"\x10\x0e\x00\x04MQTT\x04\x02",
    b"0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\x00\x80\x00", b"OPTIONS sip:pathmark SIP/2.0\r\n\r\n",
    b"l\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00", b"finger\r\n\r\n",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"canary\"}\r\n\r\n", b"<policy-file-request/>\x00",
    b"\x01\x01\x00\x01\x00\x08\x00\x00", b"GET /\r\n\r\n", b"GET / \r\n\r\n", b"\x00" * 1000, b"\xff" * 10_000,
    b"A" * 100_000, b"\r\n" * 10_000 + b"x\r\n\r\n", b"\n" * 10_000 + b"x\n\n", b"USER canary\r\nPASS canary\r\n\r\n",
    b"CONNECT pathmark:25\r\n\r\n", b"GIOP\x01\x00\x01\x00\x00\x00\x00\x00", b"JRMI\x00\x02K",
    b"\xac\xed\x00\x05canary", b"DESCRIBE rtsp://pathmark RTSP/1.0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
)  # fmt: skip


def foreign() -> Iterator[Case]:
    """Other protocols, and noise, on both listeners (S-48)."""
    noise = random.Random(3)  # noqa: S311  # the same noise in every run
    rows = [*OTHERS, *(noise.randbytes(noise.randrange(1, 3000)) + b"\r\n\r\n" for _ in range(20))]
    yield from _rows("foreign", rows, "close")
    yield from _rows("foreign-unix", rows, "close", is_unix=True)


def all_cases() -> list[Case]:
    """Return every case of every table."""
    families = (framing, chunks, headers, starts, paths, redirects, speakers, upgrades, media, contents, foreign)
    return [case for family in families for case in family()]
