"""The browser's own permission: where it would ask, nothing is touched before a click; a no is a clear error."""

import pytest

from tests.e2e.visit import Visit
from tests.parts.browser import Profile
from tests.parts.daemon import Daemon

pytestmark = pytest.mark.e2e


class Wire:
    """What a browser sends to the daemon."""

    def __init__(self, profile: Profile, daemon: Daemon) -> None:
        self.urls: list[str] = []
        base = daemon.base
        profile.context.on("request", lambda request: request.url.startswith(base) and self.urls.append(request.url))


def test_while_the_browser_would_ask_a_page_touches_nothing_when_it_loads(
    daemon: Daemon, profile: Profile, origin: str
) -> None:
    wire = Wire(profile, daemon)

    visit = Visit(profile, origin, daemon)

    assert [] == wire.urls
    assert "idle" == visit.status
    assert "prompt" == _permission(visit), "the browser was not made to ask"


def test_while_the_browser_would_ask_a_paired_page_touches_nothing_either(visit: Visit) -> None:
    visit.is_approved()
    visit.profile.permit(visit.origin, "prompt")
    wire = Wire(visit.profile, visit.daemon)

    visit.reload()

    assert [] == wire.urls
    assert "idle" == visit.status


def test_a_no_of_the_browser_before_the_click_is_a_clear_error(daemon: Daemon, profile: Profile, origin: str) -> None:
    profile.permit(origin, "denied")
    visit = Visit(profile, origin, daemon)
    wire = Wire(profile, daemon)

    popup = visit.clicks_connect()

    visit.wait(lambda: visit.seen("faults"), "the page is told")
    (fault,) = visit.seen("faults")
    assert ("permission_denied", "ConnectionError") == (fault["code"], fault["name"])
    assert "idle" == visit.status
    assert [] == wire.urls
    visit.wait(popup.is_closed, "the popup has closed")


def test_a_no_of_the_browser_after_the_owners_yes_is_a_clear_error(
    daemon: Daemon, profile: Profile, origin: str
) -> None:
    # A headless browser says no by itself where another one would ask.
    visit = Visit(profile, origin, daemon)

    popup = visit.clicks_connect()
    assert 0 == daemon.cli("approve", visit.code(popup), "--yes").returncode

    visit.wait(lambda: visit.seen("faults"), "the page is told")
    (fault,) = visit.seen("faults")
    assert ("permission_denied", "ConnectionError") == (fault["code"], fault["name"])
    assert "idle" == visit.status


def test_once_the_browser_says_yes_the_next_click_connects(daemon: Daemon, profile: Profile, origin: str) -> None:
    profile.permit(origin, "denied")
    visit = Visit(profile, origin, daemon)
    visit.clicks_connect()
    visit.wait(lambda: visit.seen("faults"), "the page is told")

    profile.permit(origin, "granted")

    visit.is_approved()


def test_where_no_daemon_is_the_error_says_so(daemon: Daemon, profile: Profile, origin: str) -> None:
    profile.permit(origin, "granted")
    visit = Visit(profile, origin, daemon)
    daemon.stop()

    visit.clicks_connect()

    visit.wait(lambda: visit.seen("faults"), "the page is told")
    (fault,) = visit.seen("faults")
    assert ("daemon_absent", "ConnectionError") == (fault["code"], fault["name"])


def _permission(visit: Visit) -> str:
    ask = "navigator.permissions.query({ name: 'loopback-network' }).then(({ state }) => state)"
    return str(visit.page.evaluate(ask))
