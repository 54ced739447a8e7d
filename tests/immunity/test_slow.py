"""2,000 slow connections at once on the real daemon: an approved page does not notice, and each gets its deadline."""

import http.client
import json
import re
import resource
import selectors
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.immunity.malformed import UPGRADE, request
from tests.oauth.page import Page
from tests.parts.daemon import Daemon

pytestmark = pytest.mark.real

SETTINGS = "[limits]\nsockets = 1024\n"
SILENT_CAP = 64
HEAD_SECONDS = 5.0
BODY_SECONDS = 10.0
EARLY_SECONDS = 1.0
LATE_SECONDS = 8.0
"""How much before and after its deadline a close may be seen; 2,000 of them share two cores with this test."""
DRIP_SECONDS = 0.4
ASKED = 50
ASKED_UNREAD = 1_500
"""Each answer holds some KiB: together more than the system buffers for a reader of 4 KiB."""
MEDIAN_SECONDS = 0.2
GROWTH_BYTES = 128 * 1024 * 1024
GIVE_UP_SECONDS = 45.0
LINES = 50

AUTH = "Authorization: Bearer @TOKEN@"
POST = ("Content-Type: application/json", "Content-Length: 400")
ECHO = "POST /v1/apps/system/echo HTTP/1.1"


class Kind(NamedTuple):
    """One way to be slow: sent at once, then dripped; ``after`` how many seconds it is closed, None: maybe never."""

    count: int
    first: bytes
    drip: bytes = b""
    after: float | None = HEAD_SECONDS
    reason: str | None = "head_too_slow"
    heard: re.Pattern[bytes] = re.compile(rb"")


HEAD = request(AUTH)[:-2]
HELD = re.compile(rb"HTTP/1\.1 408 .*request_timeout.*", re.DOTALL)
TOLD = re.compile(rb"HTTP/1\.1 101 .*\x88[^\x00]\x11\x38.*", re.DOTALL)  # close code 4408

KINDS = {
    "silent": Kind(300, b"", after=None, reason=None),
    "half a line": Kind(400, b"GET /v1/hel"),
    "one byte": Kind(100, b"G"),
    "half a head": Kind(200, HEAD),
    "dripped head": Kind(200, HEAD + b"X-Drip: ", drip=b"a"),
    "half an upgrade": Kind(100, request(AUTH, *UPGRADE, line="GET /v1/socket HTTP/1.1")[:-2]),
    "half a second head": Kind(200, request(AUTH) + b"GET /v1/hel", heard=re.compile(rb"HTTP/1\.1 200 .*", re.DOTALL)),
    "no body": Kind(150, request(AUTH, *POST, line=ECHO), after=BODY_SECONDS, reason=None, heard=HELD),
    "dripped body": Kind(100, request(AUTH, *POST, line=ECHO), drip=b"[", after=BODY_SECONDS, reason=None, heard=HELD),
    "no hello": Kind(230, request(AUTH, *UPGRADE, line="GET /v1/socket HTTP/1.1"), reason=None, heard=TOLD),
    "never reads": Kind(
        20, request(AUTH, line="GET /v1/apps HTTP/1.1") * ASKED_UNREAD, after=BODY_SECONDS, reason="read_too_slow"
    ),
}


class Slow:
    """One slow connection, and what became of it."""

    def __init__(self, name: str, link: socket.socket) -> None:
        self.name = name
        self.kind = KINDS[name]
        self.link = link
        self.heard = b""
        self.begun = time.monotonic()
        self.closed_after: float | None = None

    def hear(self) -> bool:
        """Read what is there; return whether the daemon has closed."""
        try:
            came = self.link.recv(65_536)
        except ConnectionError:
            came = b""
        self.heard += came
        if not came:
            self.closed_after = time.monotonic() - self.begun
        return not came

    def drips(self) -> None:
        """Send a little more, if it is of that kind."""
        if self.kind.drip and self.closed_after is None:
            with suppress(OSError):  # closed by the daemon: it is heard
                self.link.send(self.kind.drip)


class Crowd:
    """All slow connections, kept on a thread of their own."""

    def __init__(self, daemon: Daemon, token: str) -> None:
        self._places = {b"@HOST@": f"127.0.0.1:{daemon.port}".encode(), b"@TOKEN@": token.encode()}
        self._port = daemon.port
        self._selector = selectors.DefaultSelector()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self.slow: list[Slow] = []

    def __enter__(self) -> "Crowd":
        turns = [name for name, kind in KINDS.items() for _ in range(kind.count)]
        for name in sorted(turns, key=lambda name: hash((name, len(self.slow)))):
            self._open(name)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for each in self.slow:
            each.link.close()
        self._selector.close()

    def left(self) -> Counter[str]:
        """Count the connections that are still open, by name."""
        return Counter(each.name for each in self.slow if each.closed_after is None)

    def younger_than(self, seconds: float) -> int:
        """Count those that cannot have come to any deadline yet; the silent ones make room for each other earlier."""
        now = time.monotonic()
        return sum(now - each.begun < seconds for each in self.slow if each.name != "silent")

    def _open(self, name: str) -> None:
        link = socket.socket()
        if name == "never reads":
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.settimeout(GIVE_UP_SECONDS)
        link.connect(("127.0.0.1", self._port))
        link.setblocking(False)
        each = Slow(name, link)
        first = each.kind.first
        for place, value in self._places.items():
            first = first.replace(place, value)
        if first:
            link.send(first)  # what never reads may be cut short: enough is asked for
        self.slow.append(each)
        if name != "never reads":
            self._selector.register(link, selectors.EVENT_READ, each)

    def _live(self) -> None:
        drip = time.monotonic()
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.1):
                if key.data.hear():
                    self._selector.unregister(key.fileobj)
            if time.monotonic() - drip > DRIP_SECONDS:
                drip = time.monotonic()
                for each in self.slow:
                    each.drips()


class PairedPage:
    """A page with a token and real proofs, on one kept connection or on a new one for each request."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._page = Page("https://app.example")
        self._kept = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=GIVE_UP_SECONDS)
        self._token = ""

    def __enter__(self) -> "PairedPage":
        self._pair()
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def _pair(self) -> None:
        """Go the whole way to a token."""
        query = self._page.authorize_query(scope="system:read")
        asked = self._send("POST", "/oauth/requests", {"Origin": self._daemon.base}, json.dumps({"query": query}))
        self._daemon.ask("POST", f"/oauth/requests/{asked['code']}", {"answer": "allow"})
        told = self._send("GET", f"/oauth/requests/{asked['handle']}?wait=5", {"Sec-Fetch-Site": "same-origin"})
        (code,) = parse_qs(urlsplit(told["redirect"]).query)["code"]
        for _ in range(2):  # the first answer may only bring the nonce
            proof = self._page.proof("POST", f"{self._daemon.base}/oauth/token")
            given = self._send(
                "POST",
                "/oauth/token",
                {"Origin": self._page.origin, "DPoP": proof},
                self._page.code_form(code).decode(),
                "application/x-www-form-urlencoded",
            )
            if "access_token" in given:
                self._token = given["access_token"]
                return
        raise AssertionError(given)

    def asks(self, *, anew: bool) -> float:
        """Run a command and return how many seconds its answer took."""
        begun = time.monotonic()
        if anew:
            self._kept.close()
        path = "/v1/apps/system/version"
        proof = self._page.proof("POST", self._daemon.base + path, self._token)
        headers = {"Origin": self._page.origin, "Authorization": f"DPoP {self._token}", "DPoP": proof}
        assert "version" in self._send("POST", path, headers, "{}")
        return time.monotonic() - begun

    def _send(
        self, method: str, path: str, headers: dict[str, str], body: str | None = None, kind: str = "application/json"
    ) -> Any:
        typed = {} if body is None else {"Content-Type": kind}
        self._kept.request(method, path, body, {**headers, **typed})
        answer = self._kept.getresponse()
        self._page.takes({"DPoP-Nonce": value} if (value := answer.headers["DPoP-Nonce"]) else {})
        return json.loads(answer.read())


@pytest.fixture(name="descriptors", autouse=True)
def _descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(name="daemon")
def _daemon() -> Iterator[Daemon]:
    with Daemon(settings=SETTINGS) as daemon:
        yield daemon


def resident(daemon: Daemon, field: str) -> int:
    status = Path(f"/proc/{daemon.pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]


def refused(daemon: Daemon) -> Counter[str]:
    """Count what the daemon has refused, by reason."""
    return Counter({each["reason"]: each["count"] for each in daemon.ask("GET", "/v1/refusals")["refusals"]})


def test_2000_slow_connections_end_by_their_deadlines_and_an_approved_page_does_not_notice(
    daemon: Daemon,
) -> None:
    token = daemon.token("system:read")
    before = resident(daemon, "VmRSS")
    pace = threading.Event()

    with PairedPage(daemon) as page, Crowd(daemon, token) as crowd:
        seconds = []
        for number in range(ASKED):
            seconds.append(page.asks(anew=number % 2 == 0))
            pace.wait(0.04)
        young = crowd.younger_than(HEAD_SECONDS - EARLY_SECONDS)
        there = daemon.ask("GET", "/v1/status")["connections"]
        ends = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < ends and not set(crowd.left()) <= {"silent", "never reads"}:
            pace.wait(0.1)
        while time.monotonic() < ends and refused(daemon)["read_too_slow"] < KINDS["never reads"].count:
            pace.wait(0.1)
        late = page.asks(anew=True)
        reasons = refused(daemon)
        left, growth = crowd.left(), resident(daemon, "VmHWM") - before

    print(f"median {statistics.median(seconds) * 1000:.1f} ms, worst {max(*seconds, late) * 1000:.1f} ms")
    log = daemon.log.read_text(encoding="utf-8")
    assert young < there
    assert MEDIAN_SECONDS > statistics.median(seconds), (statistics.median(seconds), max(seconds))
    assert growth < GROWTH_BYTES
    assert {"silent": SILENT_CAP, "never reads": KINDS["never reads"].count} == left
    for each in crowd.slow:
        check(each)
    for reason in ("head_too_slow", "read_too_slow"):
        assert sum(kind.count for kind in KINDS.values() if kind.reason == reason) == reasons[reason]
    assert KINDS["silent"].count - SILENT_CAP == reasons["too_many_silent"]
    assert "Traceback" not in log
    assert len(log.splitlines()) < LINES, "a crowd fills no log"


def check(each: Slow) -> None:
    """Check that one connection was closed when it should, after the answer that it should get."""
    kind = each.kind
    if kind.after is not None and each.closed_after is not None:
        assert kind.after - EARLY_SECONDS < each.closed_after < kind.after + LATE_SECONDS, (
            each.name,
            each.closed_after,
        )
        assert kind.heard.fullmatch(each.heard), (each.name, each.heard)
