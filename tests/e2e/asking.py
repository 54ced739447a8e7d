"""Requests of the owner, opened as clients open them, and what our own pages make of them."""

import http.client
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page, Response

from tests.parts.browser import Profile, until
from tests.parts.daemon import Daemon

SHREDDER = (str(Path(__file__).with_name("shredder.py")),)
"""The program of a daemon with a dangerous command."""

SCOPE = "player:control player:read system:read"
CLOCK_LAG_SECONDS = 20.0
"""Of a page's clock, within the minute that a DPoP proof may be old."""

BACKUP = "native:backup-tool"


def owner_page(profile: Profile, daemon: Daemon) -> Page:
    """Make the browser the owner's, without the way through `tollbridge open`; return the dashboard."""
    dashboard = profile.open(daemon.ask("POST", "/v1/activation-links")["link"])
    dashboard.locator("#owned").wait_for()
    return dashboard


def authorize_url(daemon: Daemon, client_id: str, *, scope: str = SCOPE, key: str = "a") -> str:
    """Return the address that a client opens; ``key`` is one letter, another one is another browser."""
    is_program = client_id.startswith("native:")
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": "http://127.0.0.1:9/callback" if is_program else f"{client_id}/callback",
        "scope": scope,
        "state": "state",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",  # RFC 7636 appendix B
        "code_challenge_method": "S256",
        **({} if is_program else {"dpop_jkt": key * 43}),
    }
    return f"{daemon.base}/oauth/authorize?{urlencode(query)}"


def device_code(daemon: Daemon, *, client_id: str = BACKUP, scope: str = "player:read") -> str:
    """Ask as a program without a window does (RFC 8628 section 3.1); return its user code."""
    form = urlencode({"client_id": client_id, "scope": scope})
    status, answer = _post(daemon, "/oauth/device_authorization", form, "application/x-www-form-urlencoded")
    assert 200 == status, answer
    return str(answer["user_code"])


def shred_code(daemon: Daemon, **params: object) -> str:
    """Ask, as a program with a token, to shred; return the code of what the owner is asked."""
    token = daemon.token("shredder:use", name="backup-tool")
    status, answer = shred(daemon, token, **params)
    assert (403, "approval_required") == (status, answer["code"]), answer
    return str(answer["user_code"])


def offer_link(daemon: Daemon, command: str, params: object, *, uses: int = 1) -> str:
    """Make an offer as the owner does; return its link."""
    return str(daemon.ask("POST", "/v1/offers", {"command": command, "params": params, "uses": uses})["link"])


def shred(daemon: Daemon, token: str, **params: object) -> tuple[int, Any]:
    """Run the dangerous command over TCP."""
    return _post(daemon, "/v1/apps/shredder/shred", json.dumps(params), "application/json", token)


def pending(daemon: Daemon) -> list[dict[str, Any]]:
    """Return what the owner is asked now."""
    return list(daemon.ask("GET", "/oauth/requests")["requests"])


def grant(daemon: Daemon, client_id: str) -> dict[str, Any]:
    """Return the owner's answer to a client."""
    grants = daemon.ask("GET", "/v1/grants")["grants"]
    return dict(next(one for one in grants if one["client"]["id"] == client_id))


def answers(page: Page, selector: str) -> None:
    """Press a button of a question, and wait until the daemon has taken the answer."""
    with page.expect_response(_took_an_answer):
        page.locator(selector).click()


def _took_an_answer(response: Response) -> bool:
    # Not the first word on it, which may only bring a nonce.
    return response.request.method == "POST" and "/oauth/requests/" in response.url and response.status == 200


def is_inert(page: Page, selector: str) -> bool:
    """Return whether a button says that it does nothing now."""
    return page.locator(selector).get_attribute("aria-disabled") == "true"


def with_a_clock(page: Page) -> None:
    """Give a page a clock of its own; it lags a little, so that it may be put forward and no proof is dated ahead."""
    page.clock.install(time=time.time() - CLOCK_LAG_SECONDS)


def stops_the_clock(page: Page) -> None:
    """From now on time passes on the page when the test says so (`page.clock.run_for`), however slow the machine is."""
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + CLOCK_LAG_SECONDS / 2)


def says(page: Page, selector: str, words: str) -> None:
    """Wait until an element, be it for screen readers alone, has these words."""
    until(page, lambda: words in (page.locator(selector).text_content() or ""), f"{selector} says: {words}")


def _post(daemon: Daemon, path: str, body: str, kind: str, token: str | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=15)
    try:
        headers = {"Content-Type": kind} | ({} if token is None else {"Authorization": f"Bearer {token}"})
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content else None
    finally:
        connection.close()
