"""The consent page in a real browser: what it shows, whom it lets answer, and from when on."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.e2e.asking import (
    BACKUP,
    answers,
    authorize_url,
    grant,
    is_inert,
    owner_page,
    pending,
    says,
    stops_the_clock,
    with_a_clock,
)
from tests.e2e.visit import Visit
from tests.parts.browser import Chromium, Profile, until
from tests.parts.daemon import Daemon

pytestmark = pytest.mark.e2e

SITE = "https://music.shop.example.co.uk:8443"
ALIVE_AFTER_MS = 500

# A choice of how long is drawn by the text beside its box.
_OUTLINE = """(() => {
  const focused = document.activeElement;
  return getComputedStyle(focused.matches(".ways input") ? focused.nextSibling : focused).outlineStyle;
})()"""

_PRESS = "(selector) => document.querySelector(selector).click()"


@pytest.fixture(name="owner")
def _owner(daemon: Daemon, profile: Profile) -> Profile:
    owner_page(profile, daemon).close()
    return profile


@pytest.fixture(name="still")
def _still(owner: Profile, daemon: Daemon) -> Iterator[Page]:
    """Return the consent page as the question has come, with its clock stopped."""
    page = owner.context.new_page()
    with_a_clock(page)
    stops_the_clock(page)
    page.goto(authorize_url(daemon, SITE))
    page.locator("#allow").wait_for()
    yield page
    page.close()


def test_no_answer_counts_before_the_question_has_been_there_for_half_a_second(still: Page, daemon: Daemon) -> None:
    still.clock.run_for(ALIVE_AFTER_MS - 1)
    for button in ("#deny", "#allow"):
        assert is_inert(still, button)
        still.evaluate(_PRESS, button)
    still.clock.run_for(50)  # what was pressed too early is not kept for later
    assert 1 == len(pending(daemon))
    says(still, "#news", "Too quick")

    assert not is_inert(still, "#allow")
    still.evaluate(_PRESS, "#allow")
    until(still, lambda: not pending(daemon), "the answer has come")


def test_the_wait_begins_again_when_the_window_comes_back_to_the_front(still: Page, daemon: Daemon) -> None:
    still.clock.run_for(ALIVE_AFTER_MS)
    assert not is_inert(still, "#allow")

    for event in ("blur", "focus"):
        still.evaluate("(event) => dispatchEvent(new Event(event))", event)
        still.clock.run_for(ALIVE_AFTER_MS - 1)
        assert is_inert(still, "#allow"), event
        still.evaluate(_PRESS, "#allow")
    assert 1 == len(pending(daemon))

    still.clock.run_for(1)
    assert not is_inert(still, "#allow")


def test_a_window_without_the_focus_answers_nothing_however_long_it_is_there(owner: Profile, daemon: Daemon) -> None:
    page = owner.context.new_page()
    page.add_init_script("Document.prototype.hasFocus = () => window.isInFront === true")
    page.goto(authorize_url(daemon, SITE))
    page.locator("#allow").wait_for()
    page.wait_for_timeout(2 * ALIVE_AFTER_MS)
    assert is_inert(page, "#allow")
    page.evaluate(_PRESS, "#allow")

    page.evaluate("window.isInFront = true; dispatchEvent(new Event('focus'))")
    assert 1 == len(pending(daemon))
    answers(page, "#allow")


def test_a_press_from_before_answers_nothing_however_late_it_is_let_go(still: Page, daemon: Daemon) -> None:
    still.locator("#allow").hover(force=True)
    still.mouse.down()
    still.clock.run_for(10 * ALIVE_AFTER_MS)
    still.mouse.up()
    still.clock.run_for(50)

    says(still, "#news", "Too quick")
    assert 1 == len(pending(daemon))


def test_a_window_too_small_to_show_the_question_answers_nothing(owner: Profile, daemon: Daemon) -> None:
    page = owner.context.new_page()
    page.set_viewport_size({"width": 300, "height": 200})
    page.goto(authorize_url(daemon, SITE))
    page.locator("#allow").wait_for()
    page.wait_for_timeout(2 * ALIVE_AFTER_MS)
    page.locator("#allow").click(force=True)
    says(page, "#news", "Make this window larger")
    assert 1 == len(pending(daemon))

    page.set_viewport_size({"width": 480, "height": 640})
    answers(page, "#allow")


@pytest.mark.parametrize("key", ["Enter", "Space", "Escape"])
def test_a_key_in_a_fresh_page_does_nothing(owner: Profile, daemon: Daemon, key: str) -> None:
    page = owner.open(authorize_url(daemon, SITE))
    page.locator("#allow").and_(page.locator('[aria-disabled="false"]')).wait_for()

    assert "BODY" == page.evaluate("document.activeElement.tagName")
    page.keyboard.press(key)

    assert page.locator("#allow").is_visible()
    assert 1 == len(pending(daemon))


def test_everything_can_be_chosen_and_answered_with_the_keyboard_alone(owner: Profile, daemon: Daemon) -> None:
    page = owner.open(authorize_url(daemon, SITE))
    page.locator("#allow").and_(page.locator('[aria-disabled="false"]')).wait_for()
    focused = "document.activeElement.value ?? document.activeElement.id"
    order = []
    for _ in range(6):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.value"))
        assert "solid" == page.evaluate(_OUTLINE), "the focus can be seen"
        if order[-1] == "player:control":
            page.keyboard.press("Space")
        if order[-1] == "revoked":
            page.keyboard.press("ArrowLeft")
            assert "day" == page.evaluate(focused)
            says(page, "#hint", "24 hours")

    assert ["player:control", "player:read", "system:read", "revoked", "deny", "allow"] == order
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")

    until(page, lambda: not pending(daemon), "the answer has come")
    given = grant(daemon, SITE)
    assert (["player:read", "system:read"], "allowed") == (given["scopes"], given["answer"])
    assert given["until"] is not None


def test_who_chooses_nothing_can_only_deny(owner: Profile, daemon: Daemon) -> None:
    page = owner.open(authorize_url(daemon, SITE, scope="player:read"))
    page.locator("#question input[type=checkbox]").uncheck()

    assert page.locator("#allow").is_disabled()
    assert page.locator("#none").is_visible()
    answers(page, "#deny")


def test_the_origin_is_shown_whole_with_its_registrable_domain_stressed(owner: Profile, daemon: Daemon) -> None:
    page = owner.open(authorize_url(daemon, SITE))

    assert SITE == page.locator("#origin").inner_text().replace("\n", "")
    assert "example.co.uk" == page.locator("#origin b").inner_text()
    assert int(page.locator("#origin b").evaluate("(b) => getComputedStyle(b).fontWeight")) >= 700


def test_a_name_in_other_letters_is_shown_in_ascii_and_marked(owner: Profile, daemon: Daemon) -> None:
    page = owner.open(authorize_url(daemon, "https://xn--pypal-4ve.example"))

    assert "https://xn--pypal-4ve.example" == page.locator("#origin").inner_text().replace("\n", "")
    assert "Look closely" in page.locator(".asker").inner_text()


def test_a_development_site_is_marked_and_offered_no_lasting_yes(owner: Profile, daemon: Daemon) -> None:
    page = owner.open(authorize_url(daemon, "http://localhost:5173"))
    page.locator("#allow").wait_for()

    assert "after a week at most" in page.locator(".development").inner_text()
    offered = page.locator(".ways input").evaluate_all("(all) => all.map(({ value }) => value)")
    assert ["once", "day", "week"] == offered
    assert "day" == page.locator(".ways input:checked").input_value()


def test_a_program_is_never_shown_as_if_its_name_were_known(owner: Profile, daemon: Daemon) -> None:
    page = owner.open(authorize_url(daemon, BACKUP))
    page.locator("#allow").wait_for()

    asker = page.locator(".asker").inner_text()
    assert "A program on this computer that calls itself" in asker
    assert "backup-tool" in asker
    assert "not verified" in asker
    assert "backup-tool" not in page.locator("#title").inner_text()


def test_what_was_allowed_before_is_chosen_already_and_what_is_new_is_not(owner: Profile, daemon: Daemon) -> None:
    answers(owner.open(authorize_url(daemon, SITE, scope="player:read", key="b")), "#allow")
    page = owner.open(authorize_url(daemon, SITE))
    page.locator("#allow").wait_for()

    chosen = page.locator(".scopes input:checked").evaluate_all("(all) => all.map(({ value }) => value)")
    assert ["player:read"] == chosen
    assert "allowed before" in page.locator(".scopes li", has_text="player:read").inner_text()


def test_a_remembered_no_is_said_and_leads_nowhere_by_itself(owner: Profile, daemon: Daemon) -> None:
    answers(owner.open(authorize_url(daemon, SITE)), "#deny")
    page = owner.open(authorize_url(daemon, SITE))
    page.locator("#remembered").wait_for()
    address = page.url

    page.wait_for_timeout(2 * ALIVE_AFTER_MS)
    assert address == page.url
    assert page.locator("#allow").count() == 0

    page.locator("#reconsider").click()
    assert is_inert(page, "#allow"), "what is new is to be read first"
    answers(page, "#allow")
    assert "allowed" == grant(daemon, SITE)["answer"]


def test_without_the_owners_key_the_page_shows_a_code_and_no_answer(profile: Profile, daemon: Daemon) -> None:
    page = profile.open(authorize_url(daemon, SITE))
    page.locator("#code").wait_for()

    code = page.locator("#code").inner_text()
    assert code == pending(daemon)[0]["code"]
    assert f"tollbridge approve {code}" == page.locator("#command").inner_text()
    assert "tollbridge open" in page.locator("#terminal").inner_text()
    assert 0 == page.locator("#allow").count()
    assert float(page.locator("#code").evaluate("(code) => parseFloat(getComputedStyle(code).fontSize)")) >= 24


def test_the_command_is_copied(profile: Profile, daemon: Daemon) -> None:
    profile.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=daemon.base)
    page = profile.open(authorize_url(daemon, SITE))
    page.locator("#copy").click()
    says(page, "#copy", "Copied")

    assert page.locator("#command").inner_text() == page.evaluate("navigator.clipboard.readText()")


def test_an_answer_given_elsewhere_takes_the_page_back(visit: Visit) -> None:
    owner_page(visit.profile, visit.daemon)
    popup = visit.clicks_connect()
    popup.locator("#allow").wait_for()

    code = pending(visit.daemon)[0]["code"]
    assert 0 == visit.daemon.cli("deny", code).returncode

    visit.becomes("denied")
    visit.wait(popup.is_closed, "the popup has closed")


def test_a_browser_without_scripts_is_told_why_nothing_happens(chromium: Chromium, daemon: Daemon) -> None:
    with chromium.profile(java_script_enabled=False) as profile:
        for path in ("/oauth/authorize?client_id=x", "/oauth/device", "/offer"):
            page = profile.open(f"{daemon.base}{path}")
            page.locator("#stuck").wait_for()
            assert "If this is all you see" in page.locator("#stuck").inner_text()
