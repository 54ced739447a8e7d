"""What must never lie about: keys, tokens, codes."""

import json

import pytest
from playwright.sync_api import Request, Response

from tests.e2e.visit import Visit, becomes_owner
from tests.parts.site import Site

pytestmark = pytest.mark.e2e

_KEY = """async (name) => {
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const request = database.transaction("values").objectStore("values").get("key");
  const key = await new Promise((resolve) => { request.onsuccess = () => resolve(request.result.privateKey); });
  database.close();
  const exported = [];
  for (const format of ["jwk", "pkcs8"]) {
    exported.push(await crypto.subtle.exportKey(format, key).then(() => "exported", (error) => error.name));
  }
  return { extractable: key.extractable, type: key.type, usages: key.usages, exported };
}"""

LOCKED = {
    "extractable": False,
    "type": "private",
    "usages": ["sign"],
    "exported": ["InvalidAccessError", "InvalidAccessError"],
}


def test_the_private_key_of_a_page_cannot_be_exported(visit: Visit) -> None:
    visit.is_approved()

    assert LOCKED == visit.page.evaluate(_KEY, "tollbridge")


def test_the_private_key_of_the_owners_browser_cannot_be_exported(visit: Visit) -> None:
    dashboard = becomes_owner(visit.profile, visit.daemon)

    assert LOCKED == dashboard.evaluate(_KEY, "tollbridge-owner")
    assert "/" == dashboard.evaluate("location.pathname + location.search + location.hash"), "the secret is gone"


def test_no_token_stands_in_a_url_a_storage_or_a_log(visit: Visit, site: Site) -> None:
    requests: list[Request] = []
    sockets: list[str] = []
    answers: list[Response] = []
    visit.profile.context.on("request", lambda request: requests.append(request))
    visit.profile.context.on("response", lambda answer: answers.append(answer))
    visit.page.on("websocket", lambda socket: sockets.append(socket.url))
    visit.is_approved()
    visit.call("system.echo", text="hello")
    visit.state()
    secrets = _tokens(answers)  # a browser forgets what it received once the page has gone
    answers.clear()
    visit.reload()
    visit.becomes("connected")
    secrets += _tokens(answers)
    assert 6 == len(set(secrets)), "access and refresh token and ticket, twice"

    urls = [request.url for request in requests] + sockets
    assert any("/v1/socket" in url for url in sockets)
    seen_by_site = [text for asked in site.asked for text in (asked.target, *(value for _, value in asked.headers))]
    storage = visit.page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])")
    logs = visit.daemon.log.read_text(encoding="utf-8")
    for secret in secrets:
        assert not [url for url in urls if secret in url]
        assert not [text for text in seen_by_site if secret in text]
        assert secret not in storage
        assert secret not in logs
    assert '[{},{},""]' == storage
    codes = [asked.target for asked in site.asked if "code=" in asked.target]
    assert codes, "the code came by the callback"
    assert not [url for url in urls if "access_token" in url or "refresh_token" in url]
    assert "code=" not in visit.page.url


def _tokens(answers: list[Response]) -> list[str]:
    """Return every access token, refresh token and ticket in ``answers``."""
    found: list[str] = []
    for answer in answers:
        if answer.request.method != "POST" or not answer.url.endswith(("/oauth/token", "/v1/tickets")):
            continue
        told = json.loads(answer.text())
        found += [str(told[name]) for name in ("access_token", "refresh_token", "ticket") if name in told]
    return found
