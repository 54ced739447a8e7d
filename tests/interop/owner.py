"""The person at the computer: a browser that opens the consent page's request, and the owner's answer to it."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from tests.parts.daemon import Daemon

WAIT_SECONDS = 15


class Owner:
    """Opens what a client sends them to, and answers over the Unix socket, as `tollbridge approve` does."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.shown: list[dict[str, Any]] = []
        """Every request as it was put to them."""

    def follows(self, url: str, answer: str = "allow", **more: object) -> str:
        """Open ``url``, say ``answer``, and return where the browser is sent."""
        base, authorize = self.daemon.base, urlsplit(url)
        assert f"{base}/oauth/authorize" == f"{authorize.scheme}://{authorize.netloc}{authorize.path}"
        asked = self._sends("POST", "/oauth/requests", {"query": authorize.query}, {"Origin": base})
        if "code" not in asked:
            return str(asked["redirect"])
        self.shown.append(asked)
        if asked["status"] == "pending":
            self.answers(asked["code"], answer, **more)
        path = f"/oauth/requests/{asked['handle']}?wait={WAIT_SECONDS}"
        return str(self._sends("GET", path, None, {"Sec-Fetch-Site": "same-origin"})["redirect"])

    def answers(self, code: str, answer: str = "allow", **more: object) -> None:
        """Say ``answer`` to the request with ``code``."""
        self.daemon.ask("POST", f"/oauth/requests/{code}", {"answer": answer, **more})

    def visits(self, url: str, answer: str = "allow", **more: object) -> None:
        """Open ``url``, say ``answer``, and have the browser go where it is sent: to a program that listens there."""
        redirect = urlsplit(self.follows(url, answer, **more))
        assert "127.0.0.1" == redirect.hostname
        connection = http.client.HTTPConnection(redirect.hostname, redirect.port, timeout=WAIT_SECONDS)
        connection.request("GET", f"{redirect.path}?{redirect.query}")
        assert 200 == connection.getresponse().status
        connection.close()

    def _sends(self, method: str, path: str, body: object, headers: dict[str, str]) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=WAIT_SECONDS + 5)
        try:
            kind = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), {**headers, **kind})
            answer = connection.getresponse()
            content = answer.read()
            assert 200 == answer.status, (answer.status, content)
            return json.loads(content)
        finally:
            connection.close()
