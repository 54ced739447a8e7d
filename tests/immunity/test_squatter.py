"""Another program holds the daemon's port, before, beside or after it: pages tell, and what it took is worth nothing.

S-26, S-52, S-53 and S-54 in a real browser. The squatter is the same user's, so that no kernel keeps it out.
"""

import json
import socket
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import _certificate, _chromium, _daemon, _origin, _other_origin, _profile, _site, _visit
from tests.e2e.visit import Visit, becomes_owner
from tests.parts.browser import Profile, until
from tests.parts.daemon import Daemon
from tests.parts.squatter import Heard, Relay, Said, Squatter

__all__ = ["_certificate", "_chromium", "_daemon", "_origin", "_other_origin", "_profile", "_site", "_visit"]

pytestmark = pytest.mark.e2e

DASHBOARD_TITLE = "Tollbridge"
CONSENT_TITLE = "A site asks for permission · Tollbridge"


def verdict(visit: Visit) -> str | None:
    """Return why the page's last attempt ended."""
    reasons = [status["reason"] for status in visit.seen("statuses") if status["reason"] is not None]
    return reasons[-1] if reasons else None


def is_refused(visit: Visit) -> None:
    """Assert that the page saw through whoever answered, and that it would send it no command."""
    visit.wait(lambda: "daemon_unverified" == verdict(visit), "the page has judged")
    assert "idle" == visit.status
    assert "not_connected" == visit.tries("system.echo", text="secret")["error"]["code"]


def heard_nothing_but_hello(squatter: Squatter) -> None:
    assert squatter.heard
    for heard in squatter.heard:
        assert heard.target.startswith("/v1/hello?")
        assert heard.method in ("GET", "OPTIONS")
        assert not {"authorization", "dpop", "cookie"} & heard.headers.keys()
        assert b"" == heard.body


def reload_and_keep_the_hello(visit: Visit) -> bytes:
    """Reload, and return what the daemon proved itself with."""
    with visit.page.expect_response(lambda answer: "/v1/hello?" in answer.url) as answer:
        visit.reload()
    body = bytes(answer.value.body())
    assert "proof" in json.loads(body)
    return body


# (a), (b): instead of the daemon, and between it and the page.


def test_a_replayed_hello_is_refused(visit: Visit) -> None:
    visit.is_approved()
    recorded = reload_and_keep_the_hello(visit)
    visit.becomes("connected")
    port = visit.daemon.port
    visit.daemon.kill()

    with Squatter(lambda _: Said(recorded), port=port) as squatter:
        visit.reload()
        is_refused(visit)

        heard_nothing_but_hello(squatter)


def test_an_open_page_refuses_whoever_takes_the_port_of_a_daemon_that_crashed(visit: Visit) -> None:
    visit.is_approved()
    recorded = reload_and_keep_the_hello(visit)
    visit.becomes("connected")
    port = visit.daemon.port
    visit.daemon.kill()

    # It comes back by itself, meets the squatter, and stops.
    with Squatter(lambda _: Said(recorded), port=port) as squatter:
        is_refused(visit)

        heard_nothing_but_hello(squatter)


def test_a_hello_without_a_proof_is_refused(visit: Visit) -> None:
    visit.is_approved()
    port = visit.daemon.port
    visit.daemon.kill()

    with Squatter(lambda _: Said(b'{"service":"tollbridge","api":{"min":1,"max":1}}'), port=port) as squatter:
        visit.reload()
        is_refused(visit)

        heard_nothing_but_hello(squatter)


def test_a_relay_to_the_real_daemon_is_refused(visit: Visit, origin: str) -> None:
    visit.is_approved()
    visit.page.close()

    with Relay(visit.daemon.port) as relay:
        visit.page = visit.profile.open(f"{origin}/?port={relay.port}")
        visit.wait(lambda: visit.page.evaluate("window.visit?.seen.resumed ?? null") is not None, "it has looked")
        is_refused(visit)

        assert b'"proof"' in relay.answered  # the daemon did prove itself, for its own port
        sent = bytes(relay.sent).lower()
        assert sent.count(b"\r\n\r\n") == sent.count(b" /v1/hello?")
        assert b"\r\nauthorization:" not in sent
        assert b"\r\ndpop:" not in sent


def test_a_page_that_pairs_through_a_relay_gets_no_tokens(visit: Visit, origin: str) -> None:
    visit.page.close()
    with Relay(visit.daemon.port) as relay:
        visit.page = visit.profile.open(f"{origin}/?port={relay.port}")
        visit.wait(lambda: visit.page.evaluate("window.visit?.seen.resumed ?? null") is not None, "it has looked")
        popup = visit.clicks_connect()
        assert 0 == visit.daemon.cli("approve", visit.code(popup), "--yes").returncode

        # The owner's yes names the daemon's own base, and the page asked somewhere else (RFC 9207).
        visit.wait(lambda: visit.seen("faults"), "the page has judged")
        assert ["invalid_callback"] == [fault["code"] for fault in visit.seen("faults")]
        assert "idle" == visit.status
        assert b"POST /oauth/token " not in relay.sent


def test_nobody_is_asked_at_the_ipv6_address_of_the_port(visit: Visit) -> None:
    with Squatter(lambda _: Said(b"{}"), port=visit.daemon.port, host="::1") as squatter:
        visit.is_approved()
        visit.reload()
        visit.becomes("connected")
        assert {"text": "hello"} == visit.call("system.echo", text="hello")

        assert [] == squatter.heard


def test_nobody_shares_the_port(daemon: Daemon) -> None:
    with socket.socket() as sharing:
        sharing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sharing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

        with pytest.raises(OSError, match="in use"):
            sharing.bind(("127.0.0.1", daemon.port))


# (c): after the daemon, in the browser of the person who owns it.

PLANT = """<!doctype html><title>Squatter</title><script>
const planted = navigator.serviceWorker.register("/worker.js", { scope: "/", updateViaCache: "UPDATE" })
  .then(() => navigator.serviceWorker.ready).then(() => true);

async function kept(name) {
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open("tollbridge-owner");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const value = await new Promise((resolve) => {
    const request = database.transaction("values").objectStore("values").get(name);
    request.onsuccess = () => resolve(request.result);
  });
  database.close();
  return value;
}

const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const text = (value) => base64url(new TextEncoder().encode(JSON.stringify(value)));

async function prove(htm, path, token, nonce) {
  const { privateKey, publicKey } = await kept("key");
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const ath = token && base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
  const claims = { htm, htu: location.origin + path, iat: Math.floor(Date.now() / 1000), jti: crypto.randomUUID() };
  if (ath) claims.ath = ath;
  if (nonce) claims.nonce = nonce;
  const signed = text({ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } }) + "." + text(claims);
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  return signed + "." + base64url(await crypto.subtle.sign(algorithm, privateKey, new TextEncoder().encode(signed)));
}

async function send(method, path, { token, body, type }) {
  let nonce;
  for (let attempt = 0; ; attempt += 1) {
    const headers = { DPoP: await prove(method, path, token, nonce) };
    if (token) headers.Authorization = `DPoP ${token}`;
    if (type) headers["Content-Type"] = type;
    const answer = await fetch(path, { method, headers, body });
    const next = answer.headers.get("DPoP-Nonce");
    if (answer.ok || attempt === 2 || !next || next === nonce) {
      return { status: answer.status, ...(await answer.json().catch(() => ({}))) };
    }
    nonce = next;
  }
}

async function refresh() {
  const { refreshToken } = await kept("pairing");
  const fields = { grant_type: "refresh_token", refresh_token: refreshToken, client_id: location.origin };
  const body = new URLSearchParams(fields).toString();
  return await send("POST", "/oauth/token", { body, type: "application/x-www-form-urlencoded" });
}

const ask = (method, path, token, body) => send(method, path, { token, body, type: body && "application/json" });
</script>"""
"""What a squatter puts at the daemon's own origin: it uses the key and the tokens that this origin has kept."""

WORKER = """
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.mode === "navigate") {
    const body = "<!doctype html><title>Squatter</title><p>Give me your answer.</p>";
    event.respondWith(new Response(body, { headers: { "Content-Type": "text/html" } }));
  }
});
"""


def planting(heard: Heard, update: str) -> Said:
    cached = {"Cache-Control": "max-age=31536000"}
    if heard.target == "/worker.js":
        return Said(WORKER.encode(), "text/javascript", cached)
    return Said(PLANT.replace("UPDATE", update).encode(), "text/html", cached)


def is_ours(page: Page, title: str, part: str) -> None:
    """Wait until the page is the daemon's own, and no worker stands before it."""
    until(page, lambda: title == page.title(), f"our page, not {page.title()}")
    page.locator(part).first.wait_for(state="attached")
    count = "navigator.serviceWorker.getRegistrations().then((all) => all.length)"
    until(page, lambda: 0 == page.evaluate(count), "the planted worker has gone")
    assert page.evaluate("navigator.serviceWorker.controller") is None


@pytest.fixture(name="planted")
def _planted(request: pytest.FixtureRequest, daemon: Daemon, profile: Profile) -> Page:
    """The squatter's page, still open, in the owner's browser; the daemon is back."""
    update = getattr(request, "param", "imports")
    becomes_owner(profile, daemon).close()
    base, port = daemon.base, daemon.port
    daemon.kill()
    with Squatter(lambda heard: planting(heard, update), port=port):
        planted = profile.open(f"{base}/")
        assert planted.evaluate("planted")
        fooled = profile.open(f"{base}/oauth/authorize?client_id=x")
        assert "Give me your answer." == fooled.locator("p").inner_text()
        fooled.close()
    daemon.start()
    assert base == daemon.base
    return planted


BOTH_PAGES = pytest.mark.parametrize(
    ("path", "title", "part"),
    [("/", DASHBOARD_TITLE, "#owned"), ("/oauth/authorize?client_id=x", CONSENT_TITLE, "#question")],
)


@pytest.mark.parametrize("planted", ["imports", "none"], indirect=True)
@BOTH_PAGES
def test_our_pages_are_ours_again_after_a_squatter_has_planted_a_worker(
    planted: Page, daemon: Daemon, profile: Profile, path: str, title: str, part: str
) -> None:
    planted.close()

    is_ours(profile.open(f"{daemon.base}{path}"), title, part)


@pytest.mark.parametrize("planted", ["all"], indirect=True)
@BOTH_PAGES
def test_a_worker_that_the_browser_may_keep_for_a_day_ends_once_the_browser_asks_for_it(
    planted: Page, daemon: Daemon, profile: Profile, path: str, title: str, part: str
) -> None:
    # `updateViaCache: "all"` and a long max-age: the browser takes the script from its HTTP cache until its last check
    # is a day old (Service Workers, section "Update"). No answer of ours can be earlier; emptying the cache is.
    planted.close()
    page = profile.open(f"{daemon.base}{path}")
    session = profile.context.new_cdp_session(page)
    session.send("Network.clearBrowserCache")
    page.reload()

    is_ours(page, title, part)


def test_a_browser_with_a_planted_worker_can_be_made_the_owners_again(
    planted: Page, daemon: Daemon, profile: Profile
) -> None:
    planted.close()

    dashboard = becomes_owner(profile, daemon)

    is_ours(dashboard, DASHBOARD_TITLE, "#owned")


def test_the_owners_key_and_tokens_that_a_squatter_used_are_refused(planted: Page, daemon: Daemon) -> None:
    refreshed: dict[str, Any] = planted.evaluate("refresh()")
    assert "access_token" not in refreshed
    assert "invalid_grant" == refreshed["error"]

    stolen = planted.evaluate("kept('pairing').then((pairing) => pairing.refreshToken)")
    for method, path, body in (
        ("GET", "/v1/status", None),
        ("GET", "/oauth/requests", None),
        ("POST", "/v1/activation-links", "{}"),
        ("POST", "/v1/tokens", '{"name":"x","scope":"player:read"}'),
    ):
        answer = planted.evaluate(
            "([method, path, token, body]) => ask(method, path, token, body)", [method, path, stolen, body]
        )
        assert (401, "token_invalid") == (answer["status"], answer["code"]), path
    assert [] == daemon.ask("GET", "/v1/grants")["grants"]
