"""Pairs a page with the daemon, as a browser would, and makes its proofs ahead of time."""

import http.client
import json
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.oauth.page import Page
from tests.parts.daemon import Daemon


class Tokens(NamedTuple):
    """A paired page and its access token."""

    page: Page
    base: str
    access_token: str

    @property
    def origin(self) -> str:
        """Return the page's origin."""
        return self.page.origin

    def proofs(self, method: str, path: str, count: int) -> list[str]:
        """Return ``count`` fresh proofs for one request each."""
        return [self.page.proof(method, self.base + path, self.access_token) for _ in range(count)]


def pair(daemon: Daemon, scope: str) -> Tokens:
    """Ask for ``scope``, answer yes over the Unix socket, and redeem the code."""
    page = Page("https://bench.example")
    base = daemon.base
    asked = _send(daemon, "/oauth/requests", base, json.dumps({"query": page.authorize_query(scope=scope)}).encode())
    daemon.ask("POST", f"/oauth/requests/{asked['code']}", {"answer": "allow"})
    told = _send(daemon, f"/oauth/requests/{asked['handle']}", base, None)
    code = parse_qs(urlsplit(told["redirect"]).query)["code"][0]
    tokens = _redeem(daemon, page, code)
    return Tokens(page, base, tokens["access_token"])


def _redeem(daemon: Daemon, page: Page, code: str) -> dict[str, Any]:
    """Ask for tokens: the first time the daemon tells its nonce, which later proofs then carry (RFC 9449 8)."""
    headers = {"Origin": page.origin, "Content-Type": "application/x-www-form-urlencoded"}
    url, form = f"{daemon.base}/oauth/token", page.code_form(code)
    status, told, content = _exchange(daemon, "/oauth/token", form, {**headers, "DPoP": page.proof("POST", url)})
    if status == 400 and page.takes(told):
        status, _, content = _exchange(daemon, "/oauth/token", form, {**headers, "DPoP": page.proof("POST", url)})
    return _read(status, content)


def _send(daemon: Daemon, path: str, origin: str, body: bytes | None) -> dict[str, Any]:
    headers = {"Origin": origin, **({} if body is None else {"Content-Type": "application/json"})}
    status, _, content = _exchange(daemon, path, body, headers)
    return _read(status, content)


def _read(status: int, content: bytes) -> dict[str, Any]:
    if status != 200:
        raise RuntimeError(f"{status} {content!r}")
    told: dict[str, Any] = json.loads(content)
    return told


def _exchange(
    daemon: Daemon, path: str, body: bytes | None, headers: dict[str, str]
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()
