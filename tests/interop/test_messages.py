"""What windows tell each other while a person is asked: to our own origin, from our own origin, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page

from tests.e2e.visit import APP_HOST, OTHER_HOST
from tests.interop.library import ROOT
from tests.parts.browser import Chromium, Profile, until
from tests.parts.certificate import Certificate
from tests.parts.daemon import Daemon
from tests.parts.site import Site

CALLBACK = "tollbridge-callback"
SENT = re.compile(r"\bpostMessage\(([^;]*)\);")


def test_no_message_is_sent_to_whoever_listens() -> None:
    sent = [
        (path.name, arguments)
        for folder in ("src", "pages")
        for path in sorted((ROOT / "web_client" / folder).rglob("*.ts"))
        for arguments in SENT.findall(path.read_text(encoding="utf-8"))
    ]

    # To a window there is one, which names the origin; channels reach their own origin alone.
    assert ("callback.ts", "answer, location.origin") in sent
    assert [] == [(name, arguments) for name, arguments in sent if "," in arguments and name != "callback.ts"]
    assert [] == [(name, arguments) for name, arguments in sent if "*" in arguments]


@pytest.fixture(name="certificate", scope="module")
def _certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate((APP_HOST, OTHER_HOST), tmp_path_factory.mktemp("certificate"))


@pytest.fixture(name="site", scope="module")
def _site(certificate: Certificate) -> Iterator[Site]:
    folders = {"/": Path(__file__).parents[1] / "e2e/site", "/sdk/": ROOT / "web_client/dist"}
    with Site(folders, context=certificate.context) as site:
        yield site


@pytest.fixture(name="profile")
def _profile(certificate: Certificate, site: Site) -> Iterator[Profile]:
    with (
        Chromium(hosts=(APP_HOST, OTHER_HOST), public_port=site.port, pin=certificate.pin) as chromium,
        chromium.profile() as profile,
    ):
        yield profile


def _opens(profile: Profile, site: Site, url: str) -> tuple[Page, Page]:
    """Return a window of another origin, and the window at ``url`` that it opened and holds as ``opened``."""
    stranger = profile.open(f"https://{OTHER_HOST}:{site.port}/")
    stranger.evaluate(
        """(url) => {
          window.heard = [];
          addEventListener("message", (event) => heard.push(event.data));
          document.querySelector("#connect").onclick = () => { window.opened = open(url); };
        }""",
        url,
    )
    with stranger.expect_popup() as opening:
        stranger.click("#connect")
    return stranger, opening.value


@pytest.mark.e2e
def test_an_answer_is_told_to_no_other_origin(profile: Profile, site: Site) -> None:
    app = f"https://{APP_HOST}:{site.port}"
    listener = profile.open(f"{app}/")
    listener.evaluate(
        """(name) => {
          window.heard = [];
          new BroadcastChannel(name).onmessage = (event) => heard.push(event.data);
        }""",
        CALLBACK,
    )

    stranger, callback = _opens(profile, site, f"{app}/callback.html?code=c&state=s&iss=http%3A%2F%2F127.0.0.1%3A4380")
    until(stranger, callback.is_closed, "the callback page has told its answer and closed")

    # Its own origin has heard it, so it was told; the window that opened it has not.
    until(listener, lambda: listener.evaluate("heard.length"), "the page's own origin hears")
    assert ["c"] == listener.evaluate("heard.map((answer) => answer.code)")
    assert [] == stranger.evaluate("heard")


@pytest.mark.e2e
def test_an_answer_from_another_origin_is_not_taken(profile: Profile, site: Site) -> None:
    app = f"https://{APP_HOST}:{site.port}"
    profile.permit(app, "granted")
    with Daemon() as daemon:
        stranger, page = _opens(profile, site, f"{app}/?port={daemon.port}")
        page.wait_for_function("window.visit?.seen.resumed !== null && window.visit !== undefined")
        with page.expect_popup() as asking:
            page.click("#connect")
        asking.value.wait_for_url(f"{daemon.base}/**")
        state = parse_qs(urlsplit(asking.value.url).query)["state"][0]
        forged = {"type": CALLBACK, "state": state, "iss": daemon.base, "error": "access_denied"}

        # The stranger knows even the state, and the page goes on waiting.
        page.evaluate("() => { onmessage = ({ data, origin }) => { if (data === 'last') window.heard = origin; }; }")
        stranger.evaluate("(answer) => { opened.postMessage(answer, '*'); opened.postMessage('last', '*'); }", forged)
        until(page, lambda: page.evaluate("window.heard"), "the stranger's messages have come")
        assert "asking" == page.evaluate("visit.status()")

        # The same from the page's own origin is an answer.
        page.evaluate("(answer) => postMessage(answer, location.origin)", forged)
        until(page, lambda: "denied" == page.evaluate("visit.status()"), "the page has its answer")
