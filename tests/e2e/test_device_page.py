"""The page for codes: it shows what a code asks, takes a click before that, and answers as the owner."""

import pytest
from playwright.sync_api import Page

from tests.e2e.asking import (
    BACKUP,
    SHREDDER,
    answers,
    authorize_url,
    device_code,
    grant,
    is_inert,
    owner_page,
    pending,
    says,
    shred,
    shred_code,
)
from tests.parts.browser import Profile, until
from tests.parts.daemon import Daemon

pytestmark = pytest.mark.e2e


@pytest.fixture(name="owner")
def _owner(daemon: Daemon, profile: Profile) -> Profile:
    owner_page(profile, daemon).close()
    return profile


def _typed(profile: Profile, daemon: Daemon, code: str) -> Page:
    page = profile.open(f"{daemon.base}/oauth/device")
    page.locator("#typed").fill(code)
    page.keyboard.press("Enter")
    return page


def test_a_code_is_taken_in_any_case_with_or_without_dashes(owner: Profile, daemon: Daemon) -> None:
    code = device_code(daemon)
    page = _typed(owner, daemon, f" {code.lower().replace('-', ' ')} ")
    page.locator("#question").wait_for()

    assert code == page.locator("#matched").inner_text()
    assert "backup-tool" in page.locator(".asker").inner_text()
    assert "See what is playing" in page.locator(".scopes").inner_text()
    page.locator(".ways label", has_text="For a day").click()
    answers(page, "#allow")

    says(page, "#message-title", "Allowed")
    assert ("allowed", ["player:read"]) == (grant(daemon, BACKUP)["answer"], grant(daemon, BACKUP)["scopes"])
    assert grant(daemon, BACKUP)["until"] is not None


def test_a_code_in_the_address_still_takes_a_click_of_whoever_started_it(owner: Profile, daemon: Daemon) -> None:
    code = device_code(daemon)
    page = owner.open(f"{daemon.base}/oauth/device?user_code={code}")
    page.locator("#enter-warning").wait_for()

    assert code == page.locator("#typed").input_value()
    assert "only if you started this yourself" in page.locator("#enter-warning").inner_text()
    page.wait_for_timeout(500)
    assert page.locator("#question").is_hidden(), "nothing is looked up before"
    assert "BODY" == page.evaluate("document.activeElement.tagName"), "so that Enter does nothing"

    page.locator("#continue").click()
    page.locator("#question").wait_for()
    assert is_inert(page, "#allow")
    answers(page, "#deny")
    says(page, "#message-title", "Denied")


@pytest.mark.parametrize(("code", "words"), [("BCDF", "eight letters"), ("BCDF-GHJK", "Nothing with this code")])
def test_a_wrong_code_is_said_beside_it(owner: Profile, daemon: Daemon, code: str, words: str) -> None:
    page = _typed(owner, daemon, code)

    says(page, "#wrong", words)
    assert "true" == page.locator("#typed").get_attribute("aria-invalid")
    assert "typed" == page.evaluate("document.activeElement.id")


def test_the_request_of_a_page_can_be_answered_by_its_code_too(owner: Profile, daemon: Daemon) -> None:
    asking = owner.open(authorize_url(daemon, "https://a.example.org"))
    asking.locator("#allow").wait_for()

    page = _typed(owner, daemon, pending(daemon)[0]["code"])
    answers(page, "#allow")

    assert "allowed" == grant(daemon, "https://a.example.org")["answer"]


def test_what_is_answered_elsewhere_is_over_here(owner: Profile, daemon: Daemon) -> None:
    code = device_code(daemon)
    page = _typed(owner, daemon, code)
    page.locator("#question").wait_for()

    assert 0 == daemon.cli("deny", code).returncode

    says(page, "#message-title", "This request is over")


def test_a_browser_without_the_owners_key_shows_the_terminals_way_and_goes_on_when_it_gets_it(
    profile: Profile, daemon: Daemon
) -> None:
    code = device_code(daemon)
    page = _typed(profile, daemon, code)
    page.locator("#elsewhere").wait_for()
    assert f"tollbridge approve {code}" == page.locator("#command").inner_text()

    owner_page(profile, daemon)

    page.bring_to_front()
    answers(page, "#allow")


def test_a_dangerous_command_is_read_in_full_and_runs_once_after_a_yes(profile: Profile) -> None:
    hidden = "/home/ada/thesis-final\u202egpj.exe"
    params = {"path": hidden, "options": {"chapters": [f"chapter-{number}.odt" for number in range(200)]}}
    with Daemon(program=SHREDDER) as daemon:
        owner_page(profile, daemon).close()
        token = daemon.token("shredder:use", name="backup-tool")
        status, problem = shred(daemon, token, **params)
        assert (403, "approval_required") == (status, problem["code"])

        page = _typed(profile, daemon, problem["user_code"])
        page.locator("#question").wait_for()
        assert "Destroy a document for good" in page.locator(".summary").inner_text()
        values = page.locator(".params")
        assert "final\\u202egpj.exe" in values.inner_text(), "what would turn the text is shown, not done"
        assert "chapter-199.odt" in values.inner_text()
        assert values.evaluate("(box) => getComputedStyle(box).overflowY") == "auto"
        values.focus()
        page.keyboard.press("End")
        until(
            page,
            lambda: values.evaluate("(box) => box.scrollTop + box.clientHeight >= box.scrollHeight - 1"),
            "the keyboard reaches the end",
        )
        assert ("Do not run", "Run once") == (
            page.locator("#deny").inner_text(),
            page.locator("#allow").inner_text(),
        )
        answers(page, "#allow")
        says(page, "#message-title", "Allowed, once")

        assert (200, {"path": hidden}) == shred(daemon, token, **params)
        assert 403 == shred(daemon, token, **params)[0]


def test_a_dangerous_command_that_is_not_to_run_does_not(profile: Profile) -> None:
    with Daemon(program=SHREDDER) as daemon:
        owner_page(profile, daemon).close()
        page = _typed(profile, daemon, shred_code(daemon, path="/a"))
        answers(page, "#deny")

        says(page, "#message-title", "Not run")
        assert 403 == shred(daemon, daemon.token("shredder:use", name="backup-tool"), path="/a")[0]
