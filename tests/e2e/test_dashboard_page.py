"""The dashboard: what is asked comes by itself and is answered there; what was answered is seen, and taken back."""

import pytest
from playwright.sync_api import Page

from tests.e2e.asking import (
    BACKUP,
    SCOPE,
    answers,
    authorize_url,
    device_code,
    grant,
    is_inert,
    offer_link,
    owner_page,
    pending,
    says,
    stops_the_clock,
    with_a_clock,
)
from tests.e2e.visit import Visit
from tests.parts.browser import Profile, until
from tests.parts.daemon import Daemon

pytestmark = pytest.mark.e2e

SITE = "https://music.shop.example.co.uk:8443"


def test_what_is_asked_comes_by_itself_and_is_answered_with_less_than_was_asked(
    daemon: Daemon, profile: Profile
) -> None:
    dashboard = owner_page(profile, daemon)
    asking = profile.open(authorize_url(daemon, SITE))
    asking.locator("#allow").wait_for()

    dashboard.bring_to_front()
    request = dashboard.locator("#requests .request")
    request.wait_for()
    assert "(1) Tollbridge" == dashboard.title()
    says(dashboard, "#news", f"A site wants to use this computer: {SITE}")
    assert "example.co.uk" == request.locator(".origin b").inner_text()
    request.locator("input[value='player:control']").uncheck()
    request.locator(".ways label", has_text="For a day").click()
    answers(dashboard, "#requests .primary")

    says(dashboard, "#requests", "Nobody asks for anything now.")
    assert ["player:read", "system:read"] == grant(daemon, SITE)["scopes"]
    row = dashboard.locator("#allowed li", has_text="example.co.uk")
    until(dashboard, lambda: ", until " in row.inner_text(), "its row says how long")
    assert "requests-title" == dashboard.evaluate("document.activeElement.id"), "the keyboard goes on from there"


def test_a_request_that_comes_makes_every_answer_wait(daemon: Daemon, profile: Profile) -> None:
    first = device_code(daemon)
    dashboard = owner_page(profile, daemon)
    with_a_clock(dashboard)
    dashboard.reload()
    allow = f"#{first}-allow"
    dashboard.locator(allow).wait_for()
    stops_the_clock(dashboard)
    dashboard.clock.run_for(1_000)
    assert not is_inert(dashboard, allow)

    second = device_code(daemon, client_id="native:kitchen-radio")
    dashboard.locator(f"#{second}-allow").wait_for()

    assert is_inert(dashboard, allow)
    dashboard.clock.run_for(499)
    assert is_inert(dashboard, allow)
    dashboard.evaluate("(selector) => document.querySelector(selector).click()", allow)
    assert 2 == len(pending(daemon))
    dashboard.clock.run_for(1)
    assert not is_inert(dashboard, allow)


def test_a_page_in_the_back_says_in_its_title_that_somebody_asks(daemon: Daemon, profile: Profile) -> None:
    dashboard = owner_page(profile, daemon)
    dashboard.evaluate("Object.defineProperty(document, 'hidden', { value: true })")

    device_code(daemon)

    until(dashboard, lambda: dashboard.title() == "(1) Tollbridge", "the title says it")


def test_a_client_is_shown_with_what_it_may_and_what_it_does(visit: Visit) -> None:
    visit.is_approved()
    dashboard = owner_page(visit.profile, visit.daemon)
    visit.call("system.echo", text="hello")

    row = dashboard.locator("#allowed li", has_text="app.")
    says(dashboard, "#allowed", "1 connection now")
    until(dashboard, lambda: "1 command today" in row.inner_text(), "the command is counted")
    told = row.inner_text()
    assert "Play, pause and skip music" in told
    assert "Since " in told
    row.locator("summary").click()
    says(dashboard, "#allowed details[open]", "Allowed ")
    says(dashboard, "#allowed details[open]", "1 connection now")


def test_disconnecting_asks_once_more_and_ends_the_page_at_once(visit: Visit) -> None:
    visit.is_approved()
    dashboard = owner_page(visit.profile, visit.daemon)
    dashboard.bring_to_front()
    end = dashboard.get_by_role("button", name=f"Disconnect {visit.origin}")

    end.click()
    again = dashboard.get_by_role("button", name=f"Disconnect? {visit.origin}")
    again.wait_for()
    says(dashboard, "#news", "Press again")
    dashboard.keyboard.press("Escape")
    end.wait_for()
    assert "connected" == visit.status

    end.dblclick()
    again.wait_for()
    assert "connected" == visit.status, "a double click is one press"
    dashboard.wait_for_timeout(500)
    again.click()

    visit.becomes("idle")
    until(dashboard, lambda: end.count() == 0, "its row is gone")


def test_what_a_row_says_changes_without_taking_the_focus(visit: Visit) -> None:
    visit.is_approved()
    dashboard = owner_page(visit.profile, visit.daemon)
    end = dashboard.get_by_role("button", name=f"Disconnect {visit.origin}")
    end.focus()

    visit.call("system.echo", text="hello")

    says(dashboard, "#allowed", "1 command today")
    assert end.evaluate("(button) => document.activeElement === button")


def test_a_no_is_listed_and_forgotten(daemon: Daemon, profile: Profile) -> None:
    dashboard = owner_page(profile, daemon)
    answers(profile.open(authorize_url(daemon, SITE)), "#deny")
    dashboard.bring_to_front()
    forget = dashboard.get_by_role("button", name=f"Forget {SITE}")

    _presses_twice(dashboard, forget.element_handle().get_attribute("aria-label") or "")

    until(dashboard, lambda: dashboard.locator("#denied-group").is_hidden(), "the no is gone")
    assert [] == [one for one in daemon.ask("GET", "/v1/grants")["grants"] if one["answer"] == "denied"]


def test_what_was_allowed_once_is_not_shown_as_if_it_lasted(daemon: Daemon, profile: Profile) -> None:
    dashboard = owner_page(profile, daemon)
    code = device_code(daemon)
    dashboard.locator(".ways label", has_text="Once").click()
    dashboard.locator(f"#{code}-allow").click()

    row = dashboard.locator("#allowed li", has_text="backup-tool")
    row.wait_for()
    assert "Nothing beyond the once that you allowed" in row.inner_text()


def test_a_no_to_one_key_is_forgotten_while_another_stays_connected(visit: Visit) -> None:
    visit.is_approved()
    dashboard = owner_page(visit.profile, visit.daemon)
    answers(visit.profile.open(authorize_url(visit.daemon, visit.origin)), "#deny")
    dashboard.bring_to_front()
    says(dashboard, "#allowed", "You said no to 1 other key of it")

    _presses_twice(dashboard, f"Forget the no to {visit.origin}")

    until(dashboard, lambda: 0 == grant(visit.daemon, visit.origin)["denied_keys"], "the no is forgotten")
    assert "connected" == visit.status
    says(dashboard, "#allowed", "1 connection now")


def test_an_offer_is_listed_and_withdrawn(daemon: Daemon, profile: Profile) -> None:
    link = offer_link(daemon, "system.echo", {"text": "Good evening"}, uses=5)
    dashboard = owner_page(profile, daemon)
    dashboard.locator("#offers li").wait_for()
    told = dashboard.locator("#offers li").inner_text()
    assert "system.echo" in told
    assert '"text": "Good evening"' in told
    assert "Used 0 of 5" in told

    _presses_twice(dashboard, "Withdraw the offer of system.echo")

    until(dashboard, lambda: dashboard.locator("#offers-group").is_hidden(), "the offer is gone")
    holder = profile.open(link)
    holder.locator("#run").click()
    says(holder, "#message-title", "This offer is over")


def test_a_program_that_asks_is_shown_by_the_name_that_it_gives_itself(daemon: Daemon, profile: Profile) -> None:
    code = device_code(daemon, scope=SCOPE)
    dashboard = owner_page(profile, daemon)
    dashboard.locator(f"#{code}-allow").click()
    until(dashboard, lambda: not pending(daemon), "the answer has come")

    assert "allowed" == grant(daemon, BACKUP)["answer"]
    says(dashboard, "#allowed", "backup-tool")


def _presses_twice(page: Page, label: str) -> None:
    """Press, and as long afterwards as a person needs to read, once more."""
    page.get_by_role("button", name=label, exact=True).click()
    page.wait_for_timeout(500)
    page.locator("button.sure").click()
