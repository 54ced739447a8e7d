"""The way of `test_pairing.py` in Firefox: a page asks, the owner answers, commands and events go to and fro."""

from collections.abc import Iterator

import pytest

from tests.e2e.visit import APP_HOST, OTHER_HOST, Visit, becomes_owner
from tests.parts.daemon import Daemon
from tests.parts.firefox import Firefox, FirefoxProfile
from tests.parts.site import Site

pytestmark = pytest.mark.e2e


@pytest.fixture(name="firefox", scope="module")
def _firefox(site: Site) -> Iterator[Firefox]:
    with Firefox(hosts=(APP_HOST, OTHER_HOST), public_port=site.port) as firefox:
        yield firefox


@pytest.fixture(name="profile")
def _profile(firefox: Firefox) -> Iterator[FirefoxProfile]:
    with firefox.profile() as profile:
        yield profile
        assert [] == profile.errors


def test_a_page_is_approved_in_a_terminal_commands_and_hears_in_firefox(visit: Visit) -> None:
    popup = visit.clicks_connect()
    code = visit.code(popup)
    assert visit.origin == popup.locator("#origin").inner_text()

    assert 0 == visit.daemon.cli("approve", code, "--yes").returncode

    visit.becomes("connected")
    visit.wait(popup.is_closed, "the popup has closed")
    assert {"text": "hello"} == visit.call("system.echo", text="hello")
    visit.daemon.call("player.set_volume", volume=0.55)
    visit.wait(
        lambda: [event for event in visit.seen("events") if event["data"]["player"]["volume"] == 0.55],
        "the page hears what others do",
    )


def test_a_page_is_approved_in_a_firefox_that_is_the_owners_and_comes_back_after_a_reload(visit: Visit) -> None:
    becomes_owner(visit.profile, visit.daemon)
    popup = visit.clicks_connect()
    popup.locator("#allow").click()
    visit.becomes("connected")

    visit.reload()

    visit.becomes("connected")
    assert {"text": "again"} == visit.call("system.echo", text="again")


def test_while_firefox_would_ask_a_page_touches_nothing_when_it_loads(
    daemon: Daemon, profile: FirefoxProfile, origin: str
) -> None:
    visit = Visit(profile, origin, daemon)

    assert "idle" == visit.status
    entries = visit.page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert [] == [name for name in entries if name.startswith(daemon.base)]


def test_a_no_of_firefox_is_a_clear_error(daemon: Daemon, profile: FirefoxProfile, origin: str) -> None:
    profile.permit(origin, "denied")
    visit = Visit(profile, origin, daemon)

    popup = visit.clicks_connect()

    visit.wait(lambda: visit.seen("faults"), "the page is told")
    (fault,) = visit.seen("faults")
    assert ("permission_denied", "ConnectionError") == (fault["code"], fault["name"])
    visit.wait(popup.is_closed, "the popup has closed")
