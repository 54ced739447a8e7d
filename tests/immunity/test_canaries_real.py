"""Every secret of a whole life of the real daemon, then the search: output, files, argument lists, environments."""

import base64
import http.client
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.immunity.canaries import Canaries
from tests.oauth.page import Page
from tests.parts.daemon import Daemon

pytestmark = pytest.mark.real

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(name="daemon")
def _daemon() -> Iterator[Daemon]:
    with Daemon(program=("-X", "dev", "-m", "bridge", "run", "-v"), env={"PYTHONASYNCIODEBUG": "1"}) as daemon:
        yield daemon


class Life:
    """A page, a program and the owner at a real daemon; every secret that passes by is noted."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.canaries = Canaries()
        self.base = daemon.base
        self.page = Page("https://app.example")
        self.own = Page(self.base)
        self.tokens: dict[str, Any] = {}
        self._count = 0

    def sends(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, Any]:
        """Send one request over TCP; return status and JSON, 0 where the connection was closed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=15)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            self.page.takes(answer.headers)
            self.own.takes(answer.headers)
            return answer.status, json.loads(content) if content[:1] in (b"{", b"[") else None
        except (ConnectionError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()

    def note(self, told: dict[str, Any]) -> dict[str, Any]:
        """Note every secret in an answer."""
        for name in ("access_token", "refresh_token", "ticket", "handle"):
            if told.get(name):
                self._count += 1
                self.canaries.told(f"{name} {self._count}", str(told[name]))
        return told

    def redeems(self, page: Page, form: bytes) -> dict[str, Any]:
        """Post to the token endpoint; the first answer brings the nonce."""
        for _ in range(2):
            proof = page.proof("POST", f"{self.base}/oauth/token")
            status, told = self.sends("POST", "/oauth/token", {**FORM, "Origin": page.origin, "DPoP": proof}, form)
            if status == 200:
                break
        assert 200 == status, told
        return self.note(told)

    def signed(self, method: str, path: str) -> dict[str, str]:
        token = self.tokens["access_token"]
        proof = self.page.proof(method, self.base + path.partition("?")[0], token)
        self.canaries.told(f"proof {proof[-8:]}", proof)
        return {"Origin": self.page.origin, "Authorization": f"DPoP {token}", "DPoP": proof}

    def pairs(self) -> None:
        """Ask, be allowed by the owner, redeem the code, refresh."""
        self.canaries.told("state", "state-of-" + self.canaries["query"])
        self.canaries.told("verifier", self.page.verifier)
        query = self.page.authorize_query(scope="player:read player:control", state=self.canaries["state"])
        own = {**JSON, "Origin": self.base}
        _, asked = self.sends("POST", "/oauth/requests", own, json.dumps({"query": query}).encode())
        self.note(asked)
        self.daemon.ask("POST", f"/oauth/requests/{asked['code']}", {"answer": "allow"})
        _, told = self.sends("GET", f"/oauth/requests/{asked['handle']}?wait=5", {"Sec-Fetch-Site": "same-origin"})
        code = self.canaries.told("code", parse_qs(urlsplit(told["redirect"]).query)["code"][0])
        first = self.redeems(self.page, self.page.code_form(code))
        self.tokens = self.redeems(self.page, self.page.refresh_form(first["refresh_token"]))
        # The handle once more, from where it may not be asked: refused, and told by its route alone.
        assert 403 == self.sends("GET", f"/oauth/requests/{asked['handle']}", {"Origin": "https://other.example"})[0]

    def becomes_owner(self) -> None:
        """Turn an activation link into the owner's tokens."""
        link = self.daemon.ask("POST", "/v1/activation-links")["link"].partition("=")[2]
        self.canaries.told("activation link", link)
        self.redeems(self.own, self.own.activation_form(link))

    def offers(self) -> None:
        """Offer a command, have a page use the offer up, and try it, and one like it, once more."""
        offer = self.daemon.ask("POST", "/v1/offers", {"command": "system.version"})["offer"]
        self.canaries.told("offer", offer)
        for text, status in ((offer, 200), (offer, 410), (offer[::-1], 404)):
            body = json.dumps({"offer": text}).encode()
            sent = {**JSON, "Origin": "https://other.example"}
            assert status == self.sends("POST", "/v1/offers/redeem", sent, body)[0]

    def errs(self) -> None:
        """Make every kind of error, with canaries in everything that was not a secret already."""
        words, token = self.canaries, self.tokens["access_token"]
        for path in ("/v1/apps/player/state", "/v1/events", "/v1/status", f"/v1/{words['path']}", "/v1/hello"):
            for query in (f"access_token={token}", f"token={words['query']}", f"after={words['query']}"):
                self.sends("GET", f"{path}?{query}", self.signed("GET", path))
                for scheme in (None, "Bearer", "DPoP"):
                    self.sends("GET", f"{path}?{query}", words.headers(scheme))
                self.sends("GET", f"{path}?{query}", {"Origin": "null", **words.headers("Bearer")})
        for name in ("play", "open", "set_volume", words["path"]):
            path = f"/v1/apps/player/{name}"
            body = json.dumps({"uri": f"https://{words['body']}.example/?token={words['body']}", "volume": 2}).encode()
            self.sends("POST", path, {**JSON, **self.signed("POST", path)}, body)
            self.sends("POST", path, {**JSON, **self.signed("POST", path)}, body[:-1])
            self.daemon.send("POST", path, {words["body"]: words["body"]})
        self.sends("POST", "/oauth/token", {**FORM, "Origin": self.page.origin}, f"code={words['form']}".encode())
        self.sends("POST", "/oauth/token", {**FORM, "DPoP": words["dpop"]}, f"client_id={words['form']}".encode())
        for _ in range(2):  # the first answer may bring the nonce
            status, told = self.sends("POST", "/v1/tickets", self.signed("POST", "/v1/tickets"))
            if status == 200:
                break
        assert 200 == status, told
        upgrade = {
            "Origin": self.page.origin,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
        }
        ticket = self.note(told)["ticket"]
        for offered in (f"ticket.{ticket}", f"tollbridge.v1, ticket.{words['ticket']}", f"{words['ticket']}"):
            self.sends("GET", "/v1/socket", {**upgrade, "Sec-WebSocket-Protocol": offered})

    def uses_the_terminal(self) -> Iterator[list[str]]:
        """Run commands and yield each one's argument list, as the system shows it."""
        for arguments in (
            *(["status"], ["grants"], ["refusals"], ["token", "--scope", "player:read"]),
            *(["offer", "system.version"], ["offers"]),
        ):
            process = subprocess.Popen(
                [sys.executable, "-m", "bridge", *arguments],
                env=self.daemon.env,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            yield [Path(f"/proc/{process.pid}/{name}").read_bytes().decode() for name in ("cmdline", "environ")]
            said, _ = process.communicate(timeout=20)
            for word in said.split():
                if word.startswith("at_"):
                    self.canaries.told("a token for the terminal", word)
                elif "/offer#" in word:
                    self.canaries.told("an offer for the terminal", word.partition("#")[2])


def kept(daemon: Daemon) -> dict[str, bytes]:
    """Return every file under the daemon's home, by its path in it."""
    files = (path for path in daemon.home.rglob("*") if path.is_file())
    return {str(path.relative_to(daemon.home)): path.read_bytes() for path in files}


def own_secrets(daemon: Daemon) -> dict[str, bytes]:
    """Return what the daemon keeps for itself: the identity secret and K."""
    with sqlite3.connect(daemon.home / "state/tollbridge/grants.sqlite") as database:
        (key,) = database.execute("SELECT CAST(value AS BLOB) FROM meta WHERE name = 'refresh_key'").fetchone()
    database.close()
    return {"identity": (daemon.home / "state/tollbridge/identity").read_bytes(), "K": bytes(key)}


def test_no_secret_of_a_whole_life_is_left_anywhere(daemon: Daemon) -> None:
    life = Life(daemon)
    life.pairs()
    life.becomes_owner()
    life.offers()
    life.canaries.told("a native token", daemon.token("player:read"))
    life.errs()
    shown = [text for told in life.uses_the_terminal() for text in told]
    shown += [Path(f"/proc/{daemon.pid}/{name}").read_text() for name in ("cmdline", "environ")]
    told = [json.dumps(daemon.ask("GET", path)) for path in ("/v1/refusals", "/v1/audit?limit=1000", "/v1/grants")]
    running = kept(daemon)
    assert 0 == daemon.stop()
    stopped = kept(daemon)

    assert len(life.canaries.words) > 25, "all of them passed by"
    assert {"offer", "an offer for the terminal"} <= set(life.canaries.words)
    assert b"refused" in stopped["daemon.log"]
    places = {
        "argument lists and environments": "\0".join(shown),
        "what the owner is told": "\n".join(told),
        **{f"{name} (running)": content for name, content in running.items()},
        **stopped,
    }
    found = {place: life.canaries.found_in(content) for place, content in places.items()}
    assert {} == {place: names for place, names in found.items() if names}


def test_what_the_daemon_keeps_for_itself_stands_only_where_it_is_kept(daemon: Daemon) -> None:
    life = Life(daemon)
    life.pairs()
    life.errs()
    daemon.stop()
    meant = {"identity": "state/tollbridge/identity", "K": "state/tollbridge/grants.sqlite"}

    for name, secret in own_secrets(daemon).items():
        looks = {secret, secret.hex().encode(), base64.b64encode(secret), base64.urlsafe_b64encode(secret).rstrip(b"=")}
        found = {place for place, content in kept(daemon).items() if any(look in content for look in looks)}
        assert {meant[name]} == found
