"""The page of an offer: its holder reads what it runs, and runs it by a click; the address forgets the link."""

import pytest

from tests.e2e.asking import is_inert, offer_link, says
from tests.parts.browser import Profile
from tests.parts.daemon import Daemon

pytestmark = pytest.mark.e2e

TEXT = "Good evening, Zoë \u202e♫"


def test_its_holder_reads_what_it_runs_and_runs_it_as_often_as_it_says(daemon: Daemon, profile: Profile) -> None:
    link = offer_link(daemon, "system.echo", {"text": TEXT})
    page = profile.open(link)
    page.locator("#run").wait_for()

    assert f"{daemon.base}/offer" == page.url, "the offer stays in no address"
    assert "system.echo" == page.locator(".summary").inner_text()
    assert '"text": "Good evening, Zoë \\u202e♫"' in page.locator(".params").inner_text()
    assert "works once" in page.locator(".terms").inner_text()
    assert is_inert(page, "#run")
    assert 0 == daemon.ask("GET", "/v1/offers")["offers"][0]["used"], "to read it uses nothing up"

    page.locator("#run").click()
    says(page, "#result-title", "Done")
    assert "Good evening, Zoë" in page.locator("#result-values").inner_text()
    assert 1 == daemon.ask("GET", "/v1/offers")["offers"][0]["used"]

    again = profile.open(link)
    again.locator("#run").click()
    says(again, "#message-title", "This offer is over")


def test_another_offer_in_the_same_window_is_another_question(daemon: Daemon, profile: Profile) -> None:
    page = profile.open(offer_link(daemon, "system.echo", {"text": "one"}))
    page.locator("#run").wait_for()

    page.goto(offer_link(daemon, "system.echo", {"text": "two"}))

    says(page, ".params", "two")
    assert "one" not in page.locator(".params").inner_text()
    page.locator("#run").click()
    says(page, "#result-values", "two")


def test_an_offer_that_was_changed_does_not_run(daemon: Daemon, profile: Profile) -> None:
    link = offer_link(daemon, "system.echo", {"text": "one"})
    page = profile.open(link[:-3] + ("AAA" if link[-3:] != "AAA" else "BBB"))

    page.locator("#run").click()

    says(page, "#message-title", "This offer is not from here")


@pytest.mark.parametrize(("fragment", "title"), [("", "There is no offer"), ("#broken", "This link is not whole")])
def test_what_is_no_offer_is_said(daemon: Daemon, profile: Profile, fragment: str, title: str) -> None:
    page = profile.open(f"{daemon.base}/offer{fragment}")

    says(page, "#message-title", title)
