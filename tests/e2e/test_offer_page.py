"""The page of an offer: its holder reads what it runs, and runs it by a click; the address forgets the link."""

import json
from base64 import urlsafe_b64encode

import pytest

from tests.e2e.asking import is_inert, offer_link, says
from tests.parts.browser import Profile, until
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
    assert "says that it works once" in page.locator(".terms").inner_text()
    assert is_inert(page, "#run")
    assert 0 == daemon.ask("GET", "/v1/offers")["offers"][0]["used"], "to read it uses nothing up"

    page.locator("#run").click()
    says(page, "#result-title", "Done")
    assert "Good evening, Zoë" in page.locator("#result-values").inner_text()
    assert 1 == daemon.ask("GET", "/v1/offers")["offers"][0]["used"]

    again = profile.open(link)
    again.locator("#run").click()
    says(again, "#message-title", "This offer is over")
    again.evaluate("(link) => { location.href = link; }", link)
    until(again, lambda: "#" not in again.url, "the page has taken the link")
    assert again.locator("#message").is_visible()
    assert 0 == again.locator("#run, .terms").count(), "nothing says any more what the link said of itself"


def test_before_the_daemon_has_looked_at_it_the_page_vouches_for_nothing(daemon: Daemon, profile: Profile) -> None:
    fields = {
        "id": "x",
        "command": "system.echo",
        "params": {"text": "forged"},
        "uses": 1,
        "until": "2099-01-01T00:00:00Z",
    }
    forged = urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")
    page = profile.open(f"{daemon.base}/offer#{forged}.junk.junk")
    page.locator("#run").wait_for()

    said = page.locator("#offer").inner_text()
    assert "A link wants to run a command on this computer" in said
    assert "Whoever gave you this link chose the command and its values." in said
    assert "The owner of this computer made" not in said
    page.locator("#run").click()
    says(page, "#message-title", "This offer is not from here")
    assert 0 == page.locator("#run").count()


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
