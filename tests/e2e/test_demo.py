"""The demo page, served from another origin as `scripts/run` does: it plays the built-in player, by the SDK alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from scripts import demo_site
from tests.e2e.visit import becomes_owner
from tests.parts.browser import Profile, until
from tests.parts.daemon import Daemon
from tests.parts.media import MusicFolder
from tests.parts.site import Site

pytestmark = pytest.mark.e2e

PAGES = Path(__file__).parents[2] / "web_client/build/demo"


@pytest.fixture(name="daemon", scope="module")
def _daemon() -> Iterator[Daemon]:
    with MusicFolder() as music:
        for title in ("Evening", "Morning"):
            music.wav(title, seconds=60)
        with Daemon(settings=f'[player]\nmusic_folders = ["{music.path}"]\nengine = "null"\n') as daemon:
            yield daemon
            assert "Traceback" not in daemon.log.read_text(encoding="utf-8")


@pytest.fixture(name="page")
def _page(daemon: Daemon, profile: Profile) -> Iterator[Page]:
    with Site(app=demo_site.application(PAGES, [daemon.base])) as site:
        page = profile.open(f"http://localhost:{site.port}/?ports={daemon.port}")
        yield page
        page.close()


def test_the_demo_connects_and_shows_what_the_player_does(page: Page, profile: Profile, daemon: Daemon) -> None:
    becomes_owner(profile, daemon)
    connects(page)

    daemon.call("player.play")

    until(page, lambda: page.locator("#title").inner_text() == "Evening", "the title is shown")
    first = position(page)
    until(page, lambda: position(page) > first + 0.5, "the progress moves")
    assert "0:0" in page.locator("#elapsed").inner_text()


def test_the_demo_plays_pauses_skips_seeks_and_turns_the_volume(page: Page, profile: Profile, daemon: Daemon) -> None:
    becomes_owner(profile, daemon)
    connects(page)
    daemon.call("player.play")
    until(page, lambda: page.locator("#toggle").get_attribute("aria-label") == "Pause", "it is shown to play")

    page.click("#toggle")
    until(page, lambda: state(daemon)["status"] == "paused", "it has paused")
    until(page, lambda: page.locator("#toggle").get_attribute("aria-label") == "Play", "the button says so")
    page.click("#toggle")
    until(page, lambda: state(daemon)["status"] == "playing", "it plays")

    title = state(daemon)["track"]["title"]
    page.click("#next")
    until(page, lambda: state(daemon)["track"]["title"] != title, "it is at the next track")
    until(page, lambda: page.locator("#title").inner_text() == state(daemon)["track"]["title"], "its title is shown")

    page.locator("#seek").fill("40")
    until(page, lambda: state(daemon)["position"] >= 40, "it went there")
    page.locator("#volume").fill("0.3")
    until(page, lambda: abs(state(daemon)["volume"] - 0.3) < 0.01, "it is quieter")
    assert "30%" == page.locator("#percent").inner_text()


def test_what_others_do_is_seen_on_the_demo(page: Page, profile: Profile, daemon: Daemon) -> None:
    becomes_owner(profile, daemon)
    connects(page)

    daemon.call("player.set_volume", volume=0.55)

    until(page, lambda: page.locator("#percent").inner_text() == "55%", "the slider moves")


def test_the_demo_reconnects_after_a_reload_and_after_disconnecting(
    page: Page, profile: Profile, daemon: Daemon
) -> None:
    becomes_owner(profile, daemon)
    connects(page)

    page.reload()
    page.locator("#deck").wait_for()
    page.click("#disconnect")
    page.locator("#door").wait_for()
    page.click("#connect")
    page.locator("#deck").wait_for()


def connects(page: Page) -> None:
    """Click, and say yes as the owner."""
    with page.expect_popup() as opened:
        page.click("#connect")
    opened.value.locator("#allow").click()
    page.locator("#deck").wait_for()
    assert "Connected" == page.locator("#state").inner_text()


def position(page: Page) -> float:
    """Return where the page's slider stands, in seconds."""
    return float(page.locator("#seek").input_value())


def state(daemon: Daemon) -> dict[str, Any]:
    """Return the chosen player as the daemon knows it."""
    player: dict[str, Any] = daemon.ask("GET", "/v1/apps/player/state")["state"]["player"]
    return player
