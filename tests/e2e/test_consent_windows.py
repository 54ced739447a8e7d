"""The windows of the consent page: which of them asks, and what becomes of the request of one that is gone."""

from functools import partial

import pytest

from tests.e2e.asking import BACKUP, SHREDDER, answers, authorize_url, grant, owner_page, pending, says, shred
from tests.e2e.visit import Visit
from tests.parts.browser import Profile, until
from tests.parts.daemon import Daemon

pytestmark = pytest.mark.e2e

SITE = "https://music.shop.example.co.uk:8443"


@pytest.fixture(name="owner")
def _owner(daemon: Daemon, profile: Profile) -> Profile:
    owner_page(profile, daemon).close()
    return profile


def test_a_newer_window_of_the_same_domain_speaks_and_the_older_rests(owner: Profile, daemon: Daemon) -> None:
    older = owner.open(authorize_url(daemon, SITE))
    older.locator("#allow").wait_for()
    newer = owner.open(authorize_url(daemon, "https://other.example.co.uk"))
    newer.locator("#allow").wait_for()

    says(older, "#message-title", "Another window asks the same")
    assert ["https://other.example.co.uk"] == asking(daemon)


@pytest.mark.parametrize("way", ["closed", "left"])
def test_the_older_window_asks_again_by_itself_once_the_newer_is_gone(owner: Profile, daemon: Daemon, way: str) -> None:
    oldest = owner.open(authorize_url(daemon, SITE))
    older = owner.open(authorize_url(daemon, SITE))
    says(oldest, "#message-title", "Another window asks the same")
    newer = owner.open(authorize_url(daemon, "https://other.example.co.uk"))
    says(older, "#message-title", "Another window asks the same")
    newer.locator("#allow").wait_for()

    if way == "closed":
        newer.close()
    else:
        newer.goto("about:blank")

    oldest.locator("#allow").wait_for()
    assert [SITE] == asking(daemon)
    assert older.locator("#message").is_visible(), "one of them asks"

    older.reload()  # as its "Ask here" does
    older.locator("#allow").wait_for()
    says(oldest, "#message-title", "Another window asks the same")
    answers(older, "#allow")
    assert "allowed" == grant(daemon, SITE)["answer"]


def test_a_window_that_is_led_from_site_to_site_takes_no_places(visit: Visit) -> None:
    daemon = visit.daemon
    victims = [f"https://victim{number}.example" for number in range(5)]
    with visit.page.expect_popup() as opened:
        visit.page.evaluate("(url) => { window.led = window.open(url); }", authorize_url(daemon, victims[0]))
    popup = opened.value
    for victim, following in zip(
        victims, [*map(partial(authorize_url, daemon), victims[1:]), "about:blank"], strict=True
    ):
        visit.wait(partial(is_asking_alone, daemon, victim), f"{victim} asks, and no other")
        says(popup, "#origin", victim)
        visit.page.evaluate("(url) => { window.led.location = url; }", following)
    visit.wait(lambda: not pending(daemon), "nothing that was left still asks")

    page = visit.profile.open(authorize_url(daemon, SITE))
    page.locator("#code").wait_for()
    assert [SITE] == asking(daemon)
    popup.close()


@pytest.mark.parametrize("way", ["closed", "left", "went back after a no"])
def test_a_page_that_is_gone_asks_nothing_any_more(owner: Profile, daemon: Daemon, way: str) -> None:
    if way == "went back after a no":
        answers(owner.open(authorize_url(daemon, BACKUP)), "#deny")
    page = owner.open(authorize_url(daemon, BACKUP))
    page.locator("#question").wait_for()
    assert [BACKUP] == asking(daemon)

    if way == "closed":
        page.close()
    elif way == "left":
        page.goto("about:blank")
    else:
        page.locator("#back").click()

    still = owner.open("about:blank")
    until(still, lambda: not pending(daemon), "its request is gone")


def test_a_page_that_is_loaded_again_or_gone_back_to_asks_again(owner: Profile, daemon: Daemon) -> None:
    page = owner.open(authorize_url(daemon, SITE))
    page.locator("#allow").wait_for()
    code = pending(daemon)[0]["code"]

    page.reload()
    page.locator("#allow").wait_for()
    assert [SITE] == asking(daemon)
    assert code != pending(daemon)[0]["code"]

    page.goto("about:blank")
    until(page, lambda: not pending(daemon), "its request is gone")
    page.go_back()
    page.locator("#allow").wait_for()
    answers(page, "#allow")


def test_a_site_for_which_no_place_is_left_is_told_so(profile: Profile) -> None:
    with Daemon(program=SHREDDER) as daemon:
        for number in range(5):
            token = daemon.token("shredder:use", name=f"tool-{number}")
            assert 403 == shred(daemon, token, path="/a")[0]
        assert 5 == len(pending(daemon))
        page = profile.open(authorize_url(daemon, SITE, scope="shredder:use"))
        says(page, "#message-title", "Too many sites are asking")
        assert "Answer the others first" in page.locator("#message-text").inner_text()

        assert 0 == daemon.cli("deny", pending(daemon)[0]["code"]).returncode
        page.locator("#again").click()
        page.locator("#code").wait_for()


def is_asking_alone(daemon: Daemon, client: str) -> bool:
    """Return whether this client asks now, and no other."""
    return asking(daemon) == [client]


def asking(daemon: Daemon) -> list[str]:
    """Return which clients ask now."""
    return [one["client"]["id"] for one in pending(daemon)]
