"""What a squatter left in the owner's browser does not get the next activation link: S-26 and S-53, in both browsers.

The squatter held the daemon's port while the daemon was dead, and is gone; its tab is still open.
"""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.immunity.leftovers import KINDS, plants
from tests.parts.browser import Chromium, Profile
from tests.parts.daemon import Daemon
from tests.parts.firefox import Firefox, FirefoxProfile
from tests.parts.processes import wait_until
from tests.parts.squatter import Said, Squatter
from tests.parts.window import Window

pytestmark = pytest.mark.e2e

DEADLINE_SECONDS = 20.0


# Of the module: while Playwright's synchronous half lives, no other test of its thread could run an event loop.
@pytest.fixture(name="browser", scope="module", params=[Chromium, Firefox], ids=["Chromium", "Firefox"])
def _browser(request: pytest.FixtureRequest) -> Iterator[Chromium | Firefox]:
    with request.param() as browser:
        yield browser


@pytest.fixture(name="profile")
def _profile(browser: Chromium | Firefox) -> Iterator[Profile | FirefoxProfile]:
    with browser.profile() as profile:
        yield profile


@pytest.fixture(name="daemon")
def _daemon() -> Iterator[Daemon]:
    with Daemon() as daemon:
        starter = daemon.home / "browser"
        starter.write_text(
            f'#!/bin/sh\nprintf %s "$1" > "{daemon.home}/asked.new"\n'
            f'mv "{daemon.home}/asked.new" "{daemon.home}/asked"\n',
            encoding="utf-8",
        )
        starter.chmod(0o700)
        daemon.env["BROWSER"] = str(starter)
        yield daemon
        assert "Traceback" not in daemon.log.read_text(encoding="utf-8")


@pytest.fixture(name="planted")
def _planted(request: pytest.FixtureRequest, daemon: Daemon, profile: Profile | FirefoxProfile) -> None:
    """The daemon dies, a squatter takes its port and leaves something in the browser, and the daemon is back."""
    base, port = daemon.base, daemon.port
    daemon.kill()
    with Squatter(lambda heard: plants(request.param, heard), port=port):
        assert profile.open(f"{base}/").evaluate("planted")
    daemon.start()
    assert base == daemon.base


def opens(daemon: Daemon, profile: Profile | FirefoxProfile) -> Window:
    """Run `tollbridge open`, and go in the browser where it sends the user's; return that window."""
    asked = daemon.home / "asked"
    with daemon.begin("open") as opening:
        wait_until(asked.exists, "a browser being started", seconds=DEADLINE_SECONDS)
        window = profile.open(asked.read_text(encoding="utf-8"))
        assert 0 == opening.wait(DEADLINE_SECONDS)
    asked.unlink()
    return window  # type: ignore[return-value]  # or Playwright's Page, which does the same


def owners(daemon: Daemon) -> int:
    """Return how many keys hold the owner's rights."""
    return sum(grant["pairings"] for grant in daemon.ask("GET", "/v1/grants")["grants"])


every_kind = pytest.mark.parametrize("planted", KINDS, indirect=True)


@every_kind
@pytest.mark.usefixtures("planted")
def test_a_link_that_is_opened_as_it_is_would_be_stolen(daemon: Daemon, profile: Profile | FirefoxProfile) -> None:
    # This is what `tollbridge open` is up against; without it the next test would show nothing.
    link = daemon.ask("POST", "/v1/activation-links")["link"]

    window = profile.open(link)

    loot = window.evaluate("window.loot")
    assert 200 == loot["status"]
    assert 1 == owners(daemon)


@every_kind
@pytest.mark.usefixtures("planted")
def test_tollbridge_open_leaves_a_squatters_leftovers_nothing_to_steal(
    daemon: Daemon, profile: Profile | FirefoxProfile
) -> None:
    window = opens(daemon, profile)

    window.locator("#owned").wait_for()
    assert f"{daemon.base}/" == window.url
    assert window.evaluate("window.loot === undefined")
    assert 0 == window.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)")
    assert 1 == owners(daemon), "the link was redeemed by our page, and works once"


def test_a_question_that_is_open_meanwhile_gets_its_buttons(daemon: Daemon, profile: Profile | FirefoxProfile) -> None:
    query = {
        "response_type": "code",
        "client_id": "https://app.example",
        "redirect_uri": "https://app.example/callback",
        "scope": "player:read",
        "state": "s",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "dpop_jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
    }
    asked = profile.open(f"{daemon.base}/oauth/authorize?{urlencode(query)}")
    asked.locator("#code").wait_for()
    assert not asked.locator("#allow").is_visible()

    opens(daemon, profile).locator("#owned").wait_for()

    asked.locator("#allow").wait_for()


def test_what_a_neighbour_on_another_port_keeps_stays(daemon: Daemon, profile: Profile | FirefoxProfile) -> None:
    page = Said(b"<!doctype html><title>Neighbour</title>", "text/html")
    with Squatter(lambda _: page) as neighbour:
        window = profile.open(f"http://127.0.0.1:{neighbour.port}/")
        window.evaluate("caches.open('kept').then(() => null)")
        window.evaluate("localStorage.setItem('kept', '1')")
        window.evaluate("void (document.cookie = 'kept=1; max-age=3600')")

        opens(daemon, profile).locator("#owned").wait_for()

        window.reload()
        kept = "caches.keys().then((names) => [...names, localStorage.getItem('kept'), document.cookie])"
        assert ["kept", "1", "kept=1"] == window.evaluate(kept)


def test_without_the_daemons_word_the_page_goes_nowhere(daemon: Daemon, profile: Profile | FirefoxProfile) -> None:
    port = daemon.port
    with daemon.begin("open", "--print") as opening:
        assert opening.stdout is not None
        address = opening.stdout.readline().strip()
        daemon.kill()
        with Squatter(lambda _: Said(b"no"), port=port) as squatter:
            window = profile.open(address)
            assert 0 == opening.wait(DEADLINE_SECONDS)

            window.locator("#failed").wait_for()

            assert address == window.evaluate("location.href")
            assert ["POST", "POST"] == [heard.method for heard in squatter.heard]
    daemon.start()
