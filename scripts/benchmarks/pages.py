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
    proof = page.proof("POST", f"{base}/oauth/token")
    tokens = _send(daemon, "/oauth/token", page.origin, page.code_form(code), form=True, proof=proof)
    return Tokens(page, base, tokens["access_token"])


def _send(
    daemon: Daemon, path: str, origin: str, body: bytes | None, *, form: bool = False, proof: str | None = None
) -> dict[str, Any]:
    headers = {"Origin": origin}
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
    if proof is not None:
        headers["DPoP"] = proof
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {content!r}")
        told: dict[str, Any] = json.loads(content)
        return told
    finally:
        connection.close()
